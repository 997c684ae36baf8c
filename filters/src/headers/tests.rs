use bytes::Bytes;
use http::Method;
use rstest::rstest;

use super::*;
use crate::testing::{fields, request};

fn name(text: &str) -> HeaderName {
    text.parse().unwrap()
}

fn set(header: &str, text: &str) -> Change {
    Change { name: name(header), deed: Deed::Set(value(text).unwrap()) }
}

fn add(header: &str, text: &str) -> Change {
    Change { name: name(header), deed: Deed::Add(value(text).unwrap()) }
}

fn remove(header: &str) -> Change {
    Change { name: name(header), deed: Deed::Remove }
}

fn filter(request: Vec<Change>, response: Vec<Change>) -> HeadersFilter {
    let mut rules = HeaderRules::default();
    request.into_iter().for_each(|change| rules.change_request(change).unwrap());
    response.into_iter().for_each(|change| rules.change_response(change).unwrap());
    HeadersFilter::new(rules, &RemovedHeaders::default()).unwrap()
}

/// What is left of what a client says, and what is set for the upstream.
async fn changed(filters: Vec<HeadersFilter>, said: &[(&'static str, &str)]) -> (Vec<String>, Vec<String>) {
    let mut exchange = request(Method::GET, "/");
    exchange.headers = fields(said);
    for filter in filters {
        assert!(matches!(filter.request(&mut exchange, &mut Bytes::new()).await.unwrap(), Verdict::Pass));
    }
    let told = |(name, value): (&HeaderName, &HeaderValue)| format!("{name}: {}", value.to_str().unwrap());
    let set = exchange.upstream_headers.iter().map(|(name, value)| told((name, value)));
    (exchange.headers.iter().map(told).collect(), set.collect())
}

#[tokio::test]
async fn what_is_set_stands_alone_in_whatever_spelling_it_was_said() {
    let said = [("x-tenant", "evil"), ("x_tenant", "evil"), ("x.tenant", "evil"), ("x-other", "kept")];
    let (left, told) = changed(vec![filter(vec![set("X-Tenant", "bank")], vec![])], &said).await;
    assert_eq!((left, told), (vec!["x-other: kept".to_owned()], vec!["x-tenant: bank".to_owned()]));
}

#[tokio::test]
async fn what_is_removed_is_gone_in_every_spelling() {
    let said = [("x-debug", "1"), ("x_debug", "1"), ("x-debug-2", "kept")];
    let (left, told) = changed(vec![filter(vec![remove("x-debug")], vec![])], &said).await;
    assert_eq!((left, told), (vec!["x-debug-2: kept".to_owned()], vec![]));
}

#[tokio::test]
async fn what_is_added_stands_beside_what_was_said() {
    let said = [("x-hop", "a"), ("x-hop", "b")];
    let (_, told) = changed(vec![filter(vec![add("x-hop", "c")], vec![])], &said).await;
    assert_eq!(told, ["x-hop: a", "x-hop: b", "x-hop: c"]);
    let (_, told) = changed(vec![filter(vec![add("x-hop", "c")], vec![])], &[]).await;
    assert_eq!(told, ["x-hop: c"]);
}

#[tokio::test]
async fn filters_change_what_those_before_them_left() {
    let said = [("x-hop", "a")];
    let one = || filter(vec![set("x-hop", "1")], vec![]);
    let (_, told) = changed(vec![one(), filter(vec![add("x-hop", "2")], vec![])], &said).await;
    assert_eq!(told, ["x-hop: 1", "x-hop: 2"]);
    let (left, told) = changed(vec![one(), filter(vec![remove("x_hop")], vec![])], &said).await;
    assert_eq!((left, told), (vec![], vec![]));
    let (_, told) = changed(vec![filter(vec![add("x-hop", "2")], vec![]), one()], &said).await;
    assert_eq!(told, ["x-hop: 1"]);
}

#[tokio::test]
async fn changes_of_the_answer_are_handed_on_in_their_order() {
    let changes = vec![set("content-security-policy", "default-src 'self'"), remove("server"), add("vary", "origin")];
    let mut exchange = request(Method::GET, "/");
    let _ = filter(vec![], changes.clone()).request(&mut exchange, &mut Bytes::new()).await.unwrap();
    assert_eq!(exchange.answer_changes, changes);
    assert!(exchange.upstream_headers.is_empty());
}

#[rstest]
#[case("X-Forwarded-For", Denied::Identity)]
#[case("x_forwarded_for", Denied::Identity)]
#[case("Forwarded", Denied::Identity)]
#[case("X-Real-IP", Denied::Identity)]
#[case("X-Request-Id", Denied::Identity)]
#[case("X-Original-URL", Denied::Identity)]
#[case("Remote-User", Denied::Identity)]
#[case("X-Remote-User", Denied::Identity)]
#[case("SSL-Client-Cert", Denied::Identity)]
#[case("Authorization", Denied::Identity)]
#[case("authorization_", Denied::Identity)]
#[case("Cookie", Denied::Identity)]
#[case("Cookie2", Denied::Identity)]
#[case("Host", Denied::Identity)]
#[case("X-HTTP-Method-Override", Denied::Identity)]
#[case("x_http_method", Denied::Identity)]
#[case("Proxy", Denied::Identity)]
#[case("Connection", Denied::Message)]
#[case("Keep-Alive", Denied::Message)]
#[case("TE", Denied::Message)]
#[case("Upgrade", Denied::Message)]
#[case("Expect", Denied::Message)]
#[case("Proxy-Authorization", Denied::Message)]
#[case("Content-Length", Denied::Message)]
#[case("content_length", Denied::Message)]
#[case("Transfer-Encoding", Denied::Message)]
#[case("Content-Encoding", Denied::Message)]
#[case("Content-Type", Denied::Message)]
#[case("Sec-WebSocket-Key", Denied::Message)]
fn a_request_is_not_changed_in_what_was_checked(#[case] header: &str, #[case] expected: Denied) {
    for change in [set(header, "a"), add(header, "a"), remove(header)] {
        assert_eq!(HeaderRules::default().change_request(change), Err(expected));
    }
}

#[rstest]
#[case("Set-Cookie", Denied::Session)]
#[case("set_cookie", Denied::Session)]
#[case("Set-Cookie2", Denied::Session)]
#[case("Clear-Site-Data", Denied::Session)]
#[case("WWW-Authenticate", Denied::Session)]
#[case("X-Request-Id", Denied::Message)]
#[case("Connection", Denied::Message)]
#[case("Trailer", Denied::Message)]
#[case("Upgrade", Denied::Message)]
#[case("Content-Length", Denied::Message)]
#[case("Transfer_Encoding", Denied::Message)]
#[case("Content-Type", Denied::Message)]
#[case("Content-Range", Denied::Message)]
#[case("Sec_WebSocket_Accept", Denied::Message)]
fn an_answer_is_not_changed_in_what_it_is(#[case] header: &str, #[case] expected: Denied) {
    for change in [set(header, "a"), add(header, "a"), remove(header)] {
        assert_eq!(HeaderRules::default().change_response(change), Err(expected));
    }
}

#[rstest]
#[case("X-User")]
#[case("x_user")]
fn what_tells_this_upstream_who_is_calling_is_left_alone(#[case] header: &str) {
    let removed: RemovedHeaders = [&name("x-user")].into_iter().collect();
    for change in [set(header, "a"), add(header, "a"), remove(header)] {
        let mut rules = HeaderRules::default();
        rules.change_request(change.clone()).unwrap();
        assert_eq!(HeadersFilter::new(rules, &removed).err(), Some(name(header)));
        let mut rules = HeaderRules::default();
        rules.change_response(change).unwrap();
        assert!(HeadersFilter::new(rules, &removed).is_ok(), "an answer tells no upstream");
    }
}

#[rstest]
#[case("max-age=63072000; includeSubDomains", true)]
#[case("default-src 'self'", true)]
#[case("a\r\nx-user: eve", false)]
#[case("a\nb", false)]
#[case("a\tb", false)]
#[case("a\0b", false)]
#[case("a\u{7f}", false)]
#[case("a\u{85}b", false)]
#[case("\u{e4}", false)]
#[case(" a", false)]
#[case("a ", false)]
#[case("", false)]
fn a_value_is_one_line_of_ascii(#[case] text: &str, #[case] good: bool) {
    assert_eq!(value(text).is_some(), good);
}

#[test]
fn names_are_told_and_no_values() {
    let filter = filter(vec![set("X-Key", "s3cret"), remove("X-Debug")], vec![add("Vary", "origin")]);
    assert_eq!(filter.settings(), "request: set x-key, remove x-debug; response: add vary");
}
