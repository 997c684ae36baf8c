use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, Response};
use rstest::rstest;

use super::*;
use crate::body::BodySource;
use crate::exchange::Client;
use crate::filter::{Filter, FilterError, Verdict};
use crate::headers::{Change, Deed};
use crate::testing::{fields, jeff, request};

fn value(text: &'static str) -> HeaderValue {
    HeaderValue::from_static(text)
}

/// What goes on of a request by POST with these fields once `filtered` was done to it.
fn onward(sent: &[(&'static str, &str)], internal: bool, filtered: impl FnOnce(&mut Exchange)) -> request::Parts {
    let mut head = Request::post("/%61?x=1").body(()).unwrap().into_parts().0;
    head.headers = fields(sent);
    let client = Client { internal, ..Client::new([192, 0, 2, 1].into(), "https://gate.example") };
    let mut exchange = Exchange::receive("r-1", &head, client).unwrap();
    filtered(&mut exchange);
    let removed = RemovedHeaders::from_iter(&[HeaderName::from_static("x-user")]);
    Admitted::new(Chain::default(), exchange).forwarded(head, &removed).unwrap()
}

fn names(headers: &HeaderMap) -> Vec<&str> {
    headers.keys().map(HeaderName::as_str).collect()
}

#[test]
fn what_was_checked_goes_on() {
    let sent = [("host", "gate.example"), ("content-length", "5"), ("x-a", "1"), ("x-a", "2")];
    let onward = onward(&sent, false, |_| {});
    assert_eq!((&onward.method, onward.uri.to_string()), (&Method::POST, "/a?x=1".to_owned()));
    assert_eq!(onward.headers, fields(&sent));
}

#[rstest]
#[case(("x-user", "root"))]
#[case(("x_user", "root"))]
#[case(("x-forwarded-for", "9.9.9.9"))]
#[case(("connection", "close"))]
#[case(("upgrade", "websocket"))]
#[case(("expect", "100-continue"))]
#[case(("x-method-override", "DELETE"))]
#[case(("cookie", "__Host-sidegate-main=s"))]
fn what_only_we_may_say_or_is_between_neighbours_stays(#[case] field: (&'static str, &str)) {
    assert_eq!(names(&onward(&[field, ("accept", "*/*")], false, |_| {}).headers), ["accept"]);
}

#[test]
fn what_connection_names_is_not_taken_for_ours() {
    let sent = [("connection", "x-user, x-hop"), ("x-hop", "1")];
    let onward = onward(&sent, false, |exchange| {
        exchange.upstream_headers.push((HeaderName::from_static("x-user"), value("jeff")));
    });
    assert_eq!(onward.headers, fields(&[("x-user", "jeff")]));
}

#[test]
fn a_filter_takes_out_and_puts_in() {
    let sent = [("x-out", "1"), ("x-in", "client"), ("cookie", "a=b; sidegate-main=s"), ("cookie", "c=d")];
    let onward = onward(&sent, false, |exchange| {
        exchange.headers.remove("x-out");
        let ours = [("x-in", "one"), ("x-in", "two")];
        exchange.upstream_headers.extend(ours.map(|(name, text)| (HeaderName::from_static(name), value(text))));
    });
    assert_eq!(onward.headers, fields(&[("cookie", "a=b; c=d"), ("x-in", "one"), ("x-in", "two")]));
}

#[rstest]
#[case(true, "Bearer ours", false)]
#[case(true, "Basic YTpi", true)]
#[case(false, "Bearer theirs", true)]
#[case(false, "Bearer eyJ0eXAiOiJzaWRlZ2F0ZS1zZXNzaW9uK2p3dCIsImFsZyI6IkVTMjU2In0.e30.AA", false)]
fn tokens_that_are_for_us_stay(#[case] internal: bool, #[case] shown: &str, #[case] goes_on: bool) {
    let onward = onward(&[("authorization", shown)], internal, |_| {});
    assert_eq!(onward.headers.contains_key("authorization"), goes_on);
}

/// The head that the client gets for an answer with these fields to what became of a request.
async fn back(chain: Chain, exchange: Exchange, status: u16, said: &[(&'static str, &str)]) -> HeaderMap {
    let mut head = Response::builder().status(status).body(()).unwrap().into_parts().0;
    head.headers = fields(said);
    Admitted::new(chain, exchange).answered(head).await.headers
}

#[tokio::test]
async fn an_answer_is_kept_by_the_caller_alone_and_changed_as_filters_say() {
    let name = HeaderName::from_static("server");
    let changes = vec![Change { name, deed: Deed::Remove }];
    let exchange = Exchange { personal: true, answer_changes: changes, ..request(Method::GET, "/") };
    let said = [("server", "app"), ("cache-control", "public"), ("etag", "\"a\"")];
    let open = back(Chain::default(), request(Method::GET, "/"), 200, &said).await;
    assert_eq!(open, fields(&said));
    let headers = back(Chain::default(), exchange, 200, &said).await;
    assert_eq!(headers, fields(&[("etag", "\"a\""), ("cache-control", "no-store")]));
}

#[rstest]
#[case(401, &["a=b", "sidegate-main=; Max-Age=0"], true)]
#[case(200, &["a=b"], false)]
#[tokio::test]
async fn only_we_set_and_clear_our_cookies(#[case] status: u16, #[case] set: &[&str], #[case] private: bool) {
    let dead_cookie = Some(value("sidegate-main=; Max-Age=0"));
    let exchange = Exchange { dead_cookie, ..request(Method::GET, "/") };
    let said = [("set-cookie", "a=b"), ("set-cookie", "sidegate-main=theirs")];
    let headers = back(Chain::default(), exchange, status, &said).await;
    assert_eq!(headers.get_all("set-cookie").iter().collect::<Vec<_>>(), set);
    assert_eq!(headers.contains_key("cache-control"), private);
}

/// Counts what it is told, and keeps back whatever has this path.
#[derive(Default)]
struct Witness {
    judged: AtomicUsize,
    committed: AtomicUsize,
    answered: AtomicUsize,
}

#[async_trait]
impl Filter for Witness {
    fn name(&self) -> &'static str {
        "witness"
    }

    async fn request(&self, exchange: &mut Exchange, _: &mut dyn BodySource) -> Result<Verdict, FilterError> {
        self.judged.fetch_add(1, Ordering::Relaxed);
        exchange.caller = jeff();
        Ok(if exchange.path.as_str() == "/refused" {
            Verdict::Answer(Problem::internal().into())
        } else {
            Verdict::Pass
        })
    }

    async fn commit(&self, exchange: &mut Exchange) -> Result<Verdict, FilterError> {
        self.committed.fetch_add(1, Ordering::Relaxed);
        let is_late = exchange.path.as_str() == "/late";
        Ok(if is_late { Verdict::Answer(Problem::unavailable().into()) } else { Verdict::Pass })
    }

    async fn response(&self, _: &Exchange, _: StatusCode) -> Result<(), FilterError> {
        self.answered.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[rstest]
#[case("/passes", None, [1, 1])]
#[case("/refused", Some(500), [1, 0])]
#[case("/late", Some(503), [1, 1])]
#[tokio::test]
async fn a_request_is_judged_and_committed(#[case] path: &str, #[case] refused: Option<u16>, #[case] told: [usize; 2]) {
    let witness = Arc::new(Witness::default());
    let chain = Chain::new(vec![witness.clone()]);
    let admitted = chain.admit(request(Method::GET, path), &mut Bytes::new()).await;
    assert_eq!([&witness.judged, &witness.committed].map(|count| count.load(Ordering::Relaxed)), told);
    assert_eq!(admitted.as_ref().err().map(|reply| reply.status().as_u16()), refused);
    assert!(admitted.map(Exchange::from).is_ok_and(|exchange| exchange.caller == jeff()) || refused.is_some());
}

#[tokio::test]
async fn filters_are_told_of_the_answer_alone() {
    let witness = Arc::new(Witness::default());
    let chain = Chain::new(vec![witness.clone()]);
    for (status, told) in [(103, 0), (200, 1)] {
        back(chain.clone(), request(Method::GET, "/"), status, &[]).await;
        assert_eq!(witness.answered.load(Ordering::Relaxed), told, "{status}");
    }
}
