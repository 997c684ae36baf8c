//! What an authentication service judges, which may look at the body.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// Knows who shows a ticket, and looks at the body.
struct Service(Vec<HeaderName>);

#[async_trait]
impl AuthenticationService for Service {
    fn name(&self) -> String {
        "forward".into()
    }

    fn headers(&self) -> &[HeaderName] {
        &self.0
    }

    fn body_limit(&self) -> Option<usize> {
        Some(10)
    }

    async fn ask(&self, exchange: &Exchange, body: Option<Bytes>) -> Result<Judgement, FilterError> {
        assert!(body.is_some(), "it has a limit");
        Ok(match exchange.headers.get("x-ticket").map(HeaderValue::as_bytes) {
            Some(b"again") => Judgement::Slowed(std::time::Duration::from_millis(1001)),
            Some(_) => Judgement::User(Box::new(session("main"))),
            None => Judgement::Nobody,
        })
    }
}

/// A filter that takes sessions, then what a service judges.
fn with_service() -> IdentityCreationFilter {
    let mut filter = filter(settings(level(1)));
    let shown = vec![HeaderName::from_static("x-ticket"), header::COOKIE];
    filter.credentials.push(Arc::new(Forwarded::new(Arc::new(Service(shown)))));
    filter
}

/// Notes that it was read.
#[derive(Default)]
struct Source(Bytes, usize);

#[async_trait]
impl BodySource for Source {
    async fn read(&mut self, limit: usize) -> Result<Bytes, Problem> {
        self.1 += 1;
        self.0.read(limit).await
    }
}

#[rstest]
#[case(false, &[("x-ticket", "a")], 1)]
#[case(false, &[("cookie", "a=b")], 1)]
#[case(false, &[("cookie", "__Host-sidegate-main=dead"), ("x-ticket", "a")], 1)]
#[case(false, &[("cookie", COOKIE), ("x-ticket", "a")], 0)]
#[case(false, &[("cookie", "__Host-sidegate-main=dead")], 0)]
#[case(false, &[], 0)]
#[case(true, &[("authorization", "Bearer actor"), ("x-ticket", "a")], 0)]
#[case(true, &[("authorization", "Bearer wrong"), ("x-ticket", "a")], 0)]
#[case(true, &[("x-ticket", "a")], 1)]
#[tokio::test]
async fn a_body_is_read_where_it_is_judged(
    #[case] internal: bool,
    #[case] headers: &[(&'static str, &str)],
    #[case] reads: usize,
) {
    let (mut exchange, mut source) = (exchange(internal, headers), Source::default());
    let _ = with_service().request(&mut exchange, &mut source).await.unwrap();
    assert_eq!((source.1, exchange.body.is_some()), (reads, reads > 0));
}

#[tokio::test]
async fn a_body_that_is_too_long_to_be_judged_lets_nobody_in() {
    for admission in [Admission::Open, level(1)] {
        let mut filter = with_service();
        filter.settings.admission = admission;
        let mut exchange = exchange(false, &[("x-ticket", "a")]);
        let verdict = filter.request(&mut exchange, &mut Bytes::from_static(b"eleven long")).await;
        let Ok(Verdict::Answer(reply)) = verdict else { panic!("{verdict:?}") };
        assert_eq!(reply.status(), 413);
    }
}

#[tokio::test]
async fn who_is_slowed_is_not_taken_for_nobody() {
    for admission in [Admission::Open, level(1)] {
        let mut filter = with_service();
        filter.settings.admission = admission;
        let mut exchange = exchange(false, &[("x-ticket", "again")]);
        let verdict = filter.request(&mut exchange, &mut Bytes::new()).await;
        let Ok(Verdict::Answer(reply)) = verdict else { panic!("{verdict:?}") };
        assert_eq!(reply.status(), 429);
    }
}

/// A credential that says the same each time, and notes that it was looked for.
struct Noted(fn() -> Shown, Arc<AtomicUsize>);

#[async_trait]
impl Credential for Noted {
    fn name(&self) -> String {
        "noted".to_owned()
    }

    async fn find(&self, _: &mut Exchange, _: &mut dyn BodySource) -> Result<Shown, FilterError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        Ok((self.0)())
    }
}

#[rstest]
#[case(|| Shown::Nobody(Reason::SessionEnded), 1)]
#[case(|| Shown::Refused(Box::new(Problem::bad_request("bad"))), 0)]
#[case(|| Shown::User(Box::new(session("main")), None), 0)]
#[tokio::test]
async fn what_stands_before_a_judge_of_the_body_is_looked_for_once(#[case] says: fn() -> Shown, #[case] reads: usize) {
    let mut filter = with_service();
    let (looks, mut source) = (Arc::default(), Source::default());
    filter.credentials.insert(0, Arc::new(Noted(says, Arc::clone(&looks))));
    let mut exchange = exchange(false, &[("x-ticket", "a")]);
    let chain = crate::Chain::new(vec![Arc::new(filter)]);
    let _ = chain.request(&mut exchange, &mut source).await;
    assert_eq!((looks.load(Ordering::Relaxed), source.1), (1, reads));
}

#[tokio::test]
async fn what_was_judged_goes_on_in_no_spelling_and_in_no_rule() {
    let shown = [("x-ticket", "a"), ("x_ticket", "b"), ("x.ticket-", "c"), ("x-tickets", "d"), ("cookie", "e=f")];
    let mut exchange = exchange(false, &shown);
    let own = |name, value| (HeaderName::from_static(name), HeaderValue::from_static(value));
    exchange.upstream_headers =
        vec![own("x-ticket", "a"), own("x-ticket", "ours"), own("x_ticket", "b"), own("x-a", "a")];
    assert!(matches!(with_service().request(&mut exchange, &mut Bytes::new()).await, Ok(Verdict::Pass)));
    assert_eq!(exchange.headers, fields(&[("x-tickets", "d"), ("cookie", "e=f")]));
    assert_eq!(exchange.upstream_headers, [own("x-ticket", "ours"), own("x-a", "a")]);
}
