use std::sync::Arc;

use rstest::rstest;

use super::*;
use crate::gateway::connection::Ends;
use crate::telemetry::Metrics;

fn connection() -> Arc<Connection> {
    let peer = "[::ffff:10.0.0.7]:1234".parse().ok();
    let ends = Ends { peer, local: "127.0.0.1:8080".parse().ok(), ..Ends::default() };
    Connection::new(ends, true, (None, None), Metrics::new().unwrap().connection())
}

fn head(target: &str, fields: &[(&'static str, &str)]) -> RequestHeader {
    let mut head = RequestHeader::build("GET", target.as_bytes(), None).unwrap();
    for (name, value) in fields {
        head.append_header(*name, *value).unwrap();
    }
    head
}

fn check(head: &RequestHeader) -> Result<Request, u16> {
    let checked = Request::check(head, &connection(), ListenerClass::Internal, &Limits::default());
    checked.map_err(|problem| problem.status.as_u16())
}

fn of(target: &str) -> Result<Request, u16> {
    check(&head(target, &[("host", "A.example:8443")]))
}

#[test]
fn a_request_knows_where_it_came_from_and_what_it_was_addressed_to() {
    let request = of("/a?b").unwrap();
    assert_eq!((request.path.as_str(), request.query.as_deref()), ("/a", Some("b")));
    assert_eq!(request.host, "a.example:8443");
    assert_eq!(request.client.origin, "https://a.example:8443");
    assert_eq!(request.client.address.to_string(), "10.0.0.7");
    assert!(request.client.secure && request.client.internal);
}

#[rstest]
#[case("/a?b?c", "/a", Some("b?c"))]
#[case("http://a.example:8443", "/", None)]
#[case("HTTPS://A.EXAMPLE:8443/x?y", "/x", Some("y"))]
#[case("http://a.example:8443?y", "/", Some("y"))]
#[case("/http://b/", "/http://b/", None)]
fn targets(#[case] target: &str, #[case] path: &str, #[case] query: Option<&str>) {
    assert_eq!(split(target, "a.example:8443").unwrap(), (path, query));
}

#[rstest]
#[case("http://b.example/")]
#[case("http://a.example/")]
#[case("http://u@a.example:8443/")]
#[case("ftp://a.example:8443/")]
#[case("://a.example:8443/")]
#[case("/a#b")]
#[case("/a?\u{e4}")]
#[case("/a?b\"c")]
#[case("/a?<b>")]
#[case("/a?b c")]
fn targets_that_lead_elsewhere(#[case] target: &str) {
    assert_eq!(split(target, "a.example:8443").unwrap_err().status, 400);
}

#[rstest]
#[case("*")]
#[case("/../a")]
#[case("/a%00")]
fn paths_that_no_route_may_allow(#[case] target: &str) {
    assert_eq!(of(target).unwrap_err(), 400);
}

#[test]
fn http2_names_its_host_in_the_authority() {
    let mut head = head("/", &[]);
    head.set_version(http::Version::HTTP_2);
    head.set_uri("https://B.example/".parse().unwrap());
    assert_eq!(check(&head).unwrap().host, "b.example");
    head.append_header("host", "b.example").unwrap();
    assert!(check(&head).is_ok());
    head.append_header("host", "b.example").unwrap();
    assert_eq!(check(&head).unwrap_err(), 400, "two hosts");
    head.remove_header("host");
    head.append_header("host", "c.example").unwrap();
    assert_eq!(check(&head).unwrap_err(), 400, "another host");
    head.set_uri("https://u@b.example/".parse().unwrap());
    head.remove_header("host");
    assert_eq!(check(&head).unwrap_err(), 400, "userinfo");
    head.set_uri("ftp://b.example/".parse().unwrap());
    assert_eq!(check(&head).unwrap_err(), 400, "scheme");
}

#[test]
fn an_old_request_without_a_host_means_the_socket() {
    assert_eq!(check(&head("/", &[])).unwrap().client.origin, "https://127.0.0.1:8080");
}

#[rstest]
#[case(&[("content-length", "1"), ("content-length", "1")], 400)]
#[case(&[("expect", "more")], 417)]
fn other_refusals(#[case] fields: &[(&'static str, &str)], #[case] status: u16) {
    let fields = [&[("host", "a")], fields].concat();
    assert_eq!(check(&head("/", &fields)).unwrap_err(), status);
}

#[test]
fn fields_have_32_kib_at_most() {
    let long = "y".repeat(33_000);
    assert_eq!(check(&head("/", &[("host", "a"), ("x-long", &long)])).unwrap_err(), 431);
}

#[test]
fn a_hundred_fields_are_the_most() {
    let fields = |count: usize| [vec![("host", "a")], vec![("x-field", "y"); count - 1]].concat();
    assert!(check(&head("/", &fields(100))).is_ok());
    assert_eq!(check(&head("/", &fields(101))).unwrap_err(), 431);
}

#[test]
fn wishes_for_another_method_are_dropped_in_every_spelling() {
    let fields =
        [("host", "a"), ("x-http-method-override", "PUT"), ("X_Http_Method", "PUT"), ("x.method.override", "PUT")];
    let request = check(&head("/", &[fields.as_slice(), &[("x-method", "kept")]].concat())).unwrap();
    assert!(!request.headers.values().any(|value| value == "PUT"), "{:?}", request.headers);
    assert!(request.headers.contains_key("x-method"));
}

#[test]
fn a_client_that_waits_is_known_and_the_expectation_goes_no_further() {
    let request = check(&head("/", &[("host", "a"), ("expect", "100-Continue")])).unwrap();
    assert!(request.expects_continue && !request.headers.contains_key("expect"));
}

#[test]
fn methods_that_are_never_served() {
    for method in ["TRACE", "CONNECT"] {
        let mut head = head("/", &[("host", "a")]);
        head.set_method(method.parse().unwrap());
        assert_eq!(check(&head).unwrap_err(), 405, "{method}");
    }
}
