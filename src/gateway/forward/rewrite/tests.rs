use http::HeaderValue;
use rstest::rstest;
use sidegate_filters::{CanonicalPath, Client};

use super::*;
use crate::identity::testing;

const OURS: &[&str] = &["x-user", "authorization"];

/// Makes the head what an upstream gets whose rules set these headers.
fn rewritten(head: &mut RequestHeader, exchange: &Exchange, identity_headers: &[&'static str]) {
    let names: Vec<_> = identity_headers.iter().map(|name| HeaderName::from_static(name)).collect();
    let identity_headers = &names.iter().collect();
    let (trace, path) = (&Trace::of(&exchange.headers), &exchange.path);
    let to = Target { host: "10.0.0.1:8443", path, identity_headers, last: false, websocket: false, trace };
    rewrite(head, exchange, &to, "a.example").unwrap();
}

fn exchange(headers: &[(&str, &str)]) -> Exchange {
    let request = testing::exchange(http::Method::GET, headers);
    Exchange {
        request_id: "r-1".to_owned(),
        path: CanonicalPath::parse("/a%7eb/%2f").unwrap(),
        query: Some("q=%41".to_owned()),
        client: Client {
            address: "2001:db8::1".parse().unwrap(),
            origin: "https://a.example".to_owned(),
            ..request.client
        },
        upstream_headers: vec![(HeaderName::from_static("x-user"), HeaderValue::from_static("alice"))],
        ..request
    }
}

/// The head that the upstream gets for a client that sent these.
fn sent(headers: &[(&str, &str)]) -> RequestHeader {
    let exchange = exchange(headers);
    let mut head = RequestHeader::build("GET", b"/raw?raw", None).unwrap();
    head.insert_header("Host", "a.example").unwrap();
    for (name, value) in headers {
        head.append_header((*name).to_owned(), *value).unwrap();
    }
    rewritten(&mut head, &exchange, OURS);
    head
}

#[rstest]
#[case("X-User")]
#[case("x_user")]
#[case("X.User")]
#[case("Authorization")]
fn look_alikes_of_ours_are_removed(#[case] name: &str) {
    let head = sent(&[(name, "eve"), (name, "eve")]);
    assert_eq!(head.headers.get_all("x-user").iter().collect::<Vec<_>>(), ["alice"]);
    assert!(!head.headers.values().any(|value| value == "eve"), "{:?}", head.headers);
}

#[rstest]
#[case("X-Forwarded-For")]
#[case("X_Forwarded_For")]
#[case("X-Forwarded-Port")]
#[case("Forwarded")]
#[case("X-Real-IP")]
#[case("X-Request-Id")]
fn where_a_request_came_from_is_said_by_us(#[case] name: &str) {
    let head = sent(&[(name, "9.9.9.9")]);
    assert!(!head.headers.values().any(|value| value == "9.9.9.9"), "{:?}", head.headers);
    assert_eq!(head.headers["x-forwarded-for"], "2001:db8::1");
    assert_eq!(head.headers["x-forwarded-proto"], "https");
    assert_eq!(head.headers["x-forwarded-host"], "a.example");
    assert_eq!(head.headers["forwarded"], "for=\"[2001:db8::1]\";host=\"a.example\";proto=https");
    assert_eq!(head.headers["x-request-id"], "r-1");
}

#[test]
fn what_was_checked_is_what_is_sent() {
    let head = sent(&[("X-Other", "kept")]);
    assert_eq!(head.raw_path(), b"/a~b/%2F?q=%41");
    assert_eq!(head.headers["host"], "10.0.0.1:8443");
    assert_eq!(head.headers["x-other"], "kept");
}

#[test]
fn what_was_checked_is_sent_whatever_the_proxy_took_out() {
    let seen = [("content-type", "application/jose"), ("x-twice", "a"), ("x-twice", "b")];
    let passed_by = [("x-user", "eve"), ("connection", "x"), ("te", "x"), ("cookie", "sidegate-main=s")];
    let framing = [("content-length", "5"), ("transfer-encoding", "chunked")];
    let mut head = RequestHeader::build("PATCH", b"/", None).unwrap();
    rewritten(&mut head, &exchange(&[&seen[..], &passed_by, &framing].concat()), OURS);
    let values =
        |name: &str| head.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect::<Vec<_>>();
    assert_eq!((values("content-type"), values("x-twice")), (vec!["application/jose"], vec!["a", "b"]));
    assert_eq!(values("x-user"), ["alice"]);
    for name in ["connection", "te", "cookie", "content-length", "transfer-encoding"] {
        assert!(!head.headers.contains_key(name), "{name}: {:?}", head.headers);
    }
}

#[test]
fn what_a_filter_took_away_stays_away() {
    let mut head = RequestHeader::build("GET", b"/", None).unwrap();
    head.insert_header("X-Secret", "s").unwrap();
    rewritten(&mut head, &exchange(&[]), OURS);
    assert!(!head.headers.contains_key("x-secret"));
}

#[rstest]
#[case(&["__Host-sidegate-main=s"], None)]
#[case(&["a=1; __Host-sidegate-main=s; b=2"], Some("a=1; b=2"))]
#[case(&["a=1", "sidegate-main=s", "b=2"], Some("a=1; b=2"))]
#[case(&["a=sidegate-main=s"], Some("a=sidegate-main=s"))]
#[case(&["__HOST-SIDEGATE-MAIN=s; a=1"], Some("a=1"))]
fn our_session_stays_here(#[case] cookies: &[&str], #[case] left: Option<&str>) {
    let headers: Vec<(&str, &str)> = cookies.iter().map(|cookie| ("Cookie", *cookie)).collect();
    let head = sent(&headers);
    let found: Vec<_> = head.headers.get_all("cookie").iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!(found, left.into_iter().collect::<Vec<_>>());
}

#[rstest]
#[case(true, &["Bearer ours"], &[])]
#[case(true, &["bearer"], &[])]
#[case(true, &["Basic YTpi", "Bearer ours"], &[])]
#[case(true, &["Basic YTpi"], &["Basic YTpi"])]
#[case(false, &["Bearer theirs"], &["Bearer theirs"])]
fn the_bearer_of_an_internal_caller_stays_here(#[case] internal: bool, #[case] fields: &[&str], #[case] left: &[&str]) {
    let headers: Vec<(&str, &str)> = fields.iter().map(|field| ("authorization", *field)).collect();
    let mut exchange = exchange(&headers);
    exchange.client.internal = internal;
    let mut head = RequestHeader::build("GET", b"/", None).unwrap();
    for (name, value) in &headers {
        head.append_header((*name).to_owned(), *value).unwrap();
    }
    rewritten(&mut head, &exchange, &[]);
    assert_eq!(head.headers.get_all("authorization").iter().collect::<Vec<_>>(), left);
}
