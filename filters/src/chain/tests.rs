use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use rstest::rstest;

use super::*;
use crate::body::LONGEST_BODY;
use crate::testing::request;

/// Notes what happens to it and decides as it is told.
struct Scripted {
    name: &'static str,
    body_limit: Option<usize>,
    says: fn() -> Result<Verdict, FilterError>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    fn note(&self, what: &str) {
        self.log.lock().unwrap().push(format!("{} {what}", self.name));
    }
}

#[async_trait]
impl Filter for Scripted {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn request(&self, exchange: &mut Exchange, body: &mut dyn BodySource) -> Result<Verdict, FilterError> {
        self.note(&format!("request {:?}", exchange.body.as_ref().map(Bytes::len)));
        if let Some(limit) = self.body_limit {
            match exchange.read_body(body, limit).await {
                Ok(body) => self.note(&format!("read {}", body.len())),
                Err(problem) => return Ok(Verdict::Answer(problem.into())),
            }
        }
        (self.says)()
    }

    async fn commit(&self, _: &mut Exchange) -> Result<Verdict, FilterError> {
        self.note("commit");
        (self.says)()
    }

    fn sent(&self, _: &Exchange) {
        self.note("sent");
    }

    async fn response(&self, _: &Exchange, status: StatusCode) -> Result<(), FilterError> {
        self.note(&format!("response {}", status.as_u16()));
        (self.says)().map(drop)
    }
}

#[derive(Default)]
struct Bench {
    filters: Vec<Arc<dyn Filter>>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Bench {
    fn then(
        mut self,
        name: &'static str,
        body_limit: Option<usize>,
        says: fn() -> Result<Verdict, FilterError>,
    ) -> Self {
        self.filters.push(Arc::new(Scripted { name, body_limit, says, log: self.log.clone() }));
        self
    }

    /// Runs a request with a body of so many bytes: the status refused with, and what happened.
    async fn request(self, body: usize) -> (Option<u16>, Vec<String>) {
        let mut source = Source { body: vec![0; body].into(), reads: 0 };
        let verdict = Chain::new(self.filters).request(&mut exchange(), &mut source).await;
        assert!(source.reads <= 1, "a body is read once");
        let status = match verdict {
            Verdict::Pass => None,
            Verdict::Answer(reply) => Some(reply.status().as_u16()),
        };
        (status, std::mem::take(&mut *self.log.lock().unwrap()))
    }
}

struct Source {
    body: Bytes,
    reads: usize,
}

#[async_trait]
impl BodySource for Source {
    async fn read(&mut self, limit: usize) -> Result<Bytes, Problem> {
        self.reads += 1;
        self.body.read(limit).await
    }
}

fn exchange() -> Exchange {
    request(Method::POST, "/")
}

fn pass() -> Result<Verdict, FilterError> {
    Ok(Verdict::Pass)
}

fn forbid() -> Result<Verdict, FilterError> {
    Ok(Verdict::Answer(Problem::new(StatusCode::FORBIDDEN, "").into()))
}

fn unavailable() -> Result<Verdict, FilterError> {
    Err(FilterError::unavailable("the store"))
}

fn panics() -> Result<Verdict, FilterError> {
    panic!("as asked")
}

fn internal() -> Result<Verdict, FilterError> {
    Err(FilterError::Internal("the reason, which only the log may hold".to_owned()))
}

#[tokio::test]
async fn filters_run_in_their_order_and_the_body_is_left_alone() {
    let bench = Bench::default().then("a", None, pass).then("b", None, pass);
    assert_eq!(bench.request(9).await, (None, vec!["a request None".to_owned(), "b request None".to_owned()]));
}

#[tokio::test]
async fn the_first_answer_ends_it() {
    let bench = Bench::default().then("a", None, forbid).then("b", Some(1), pass);
    assert_eq!(bench.request(9).await, (Some(403), vec!["a request None".to_owned()]));
}

#[rstest]
#[case(unavailable, 503)]
#[case(internal, 500)]
#[case(panics, 500)]
#[tokio::test]
async fn an_error_or_a_panic_refuses(#[case] says: fn() -> Result<Verdict, FilterError>, #[case] status: u16) {
    let bench = Bench::default().then("a", None, says).then("b", None, pass);
    assert_eq!(bench.request(0).await, (Some(status), vec!["a request None".to_owned()]));
}

#[tokio::test]
async fn an_error_keeps_its_reason_to_itself() {
    let Err(error) = internal() else { panic!("an error") };
    let Reply::Problem(problem) = refusal("a", &error) else { panic!("a problem") };
    assert!(!problem.detail.contains("only the log"));
}

#[tokio::test]
async fn the_body_is_read_once_and_kept_for_those_after() {
    let bench = Bench::default().then("a", None, pass).then("b", Some(9), pass).then("c", Some(9), pass);
    let (status, log) = bench.request(9).await;
    assert_eq!(status, None);
    let expected = ["a request None", "b request None", "b read 9", "c request Some(9)", "c read 9"];
    assert_eq!(log, expected);
}

#[tokio::test]
async fn a_body_over_the_limit_never_reaches_the_filter() {
    let (status, log) = Bench::default().then("a", Some(8), pass).request(9).await;
    assert_eq!((status, log), (Some(413), vec!["a request None".to_owned()]));
}

#[tokio::test]
async fn no_filter_gets_more_than_a_proxy_holds_back() {
    let (status, _) = Bench::default().then("a", Some(usize::MAX), pass).request(LONGEST_BODY).await;
    assert_eq!(status, None);
    let (status, log) = Bench::default().then("a", Some(usize::MAX), pass).request(LONGEST_BODY + 1).await;
    assert_eq!((status, log), (Some(413), vec!["a request None".to_owned()]));
}

#[tokio::test]
async fn a_body_read_for_another_filter_must_fit_too() {
    let (status, log) = Bench::default().then("a", Some(9), pass).then("b", Some(8), pass).request(9).await;
    assert_eq!(status, Some(413));
    assert_eq!(log, ["a request None", "a read 9", "b request Some(9)"]);
}

#[tokio::test]
async fn what_is_judged_anew_has_no_body() {
    let bench = Bench::default().then("a", Some(9), pass);
    assert!(Chain::new(bench.filters).again(&mut exchange()).await);
    assert_eq!(*bench.log.lock().unwrap(), ["a request None", "a read 0"]);
}

#[rstest]
#[case(unavailable)]
#[case(panics)]
#[tokio::test]
async fn every_filter_learns_how_it_ended_even_if_one_fails(#[case] says: fn() -> Result<Verdict, FilterError>) {
    let bench = Bench::default().then("a", None, says).then("b", None, pass);
    Chain::new(bench.filters).response(&exchange(), StatusCode::NO_CONTENT).await;
    assert_eq!(*bench.log.lock().unwrap(), ["a response 204", "b response 204"]);
}

#[rstest]
#[case(pass, None, &["a commit", "b commit", "a sent", "b sent"])]
#[case(forbid, Some(403), &["a commit"])]
#[case(unavailable, Some(503), &["a commit"])]
#[case(panics, Some(500), &["a commit"])]
#[tokio::test]
async fn each_filter_has_a_last_word(
    #[case] says: fn() -> Result<Verdict, FilterError>,
    #[case] kept_back: Option<u16>,
    #[case] asked: &[&str],
) {
    let bench = Bench::default().then("a", None, says).then("b", None, pass);
    let status = match Chain::new(bench.filters).commit(&mut exchange()).await {
        Verdict::Pass => None,
        Verdict::Answer(reply) => Some(reply.status().as_u16()),
    };
    assert_eq!(
        (status, bench.log.lock().unwrap().as_slice()),
        (kept_back, &asked.iter().map(ToString::to_string).collect::<Vec<_>>()[..])
    );
}
