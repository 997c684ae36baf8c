use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn domain() -> SessionDomain {
    SessionDomain::parse("main").unwrap()
}

fn headers(fields: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for field in fields {
        headers.append(header::COOKIE, HeaderValue::from_str(field).unwrap());
    }
    headers
}

#[rstest]
#[case(&[], SessionCookie::Absent)]
#[case(&["a=b"], SessionCookie::Absent)]
#[case(&["__Host-sidegate-main=x"], SessionCookie::One("x".into()))]
#[case(&["a=b; __Host-sidegate-main=x;c=d"], SessionCookie::One("x".into()))]
#[case(&["a=b", "__Host-sidegate-main=x"], SessionCookie::One("x".into()))]
#[case(&["__Host-sidegate-main=x; __Host-sidegate-main=y"], SessionCookie::Several)]
#[case(&["__Host-sidegate-main=x; __Host-sidegate-main=x"], SessionCookie::Several)]
#[case(&["__Host-sidegate-main=x", "__Host-sidegate-main=y"], SessionCookie::Several)]
#[case(&["__Host-sidegate-main=x; __Host-sidegate-main =y"], SessionCookie::Several)]
#[case(&["__Host-sidegate-main=; __Host-sidegate-main=y"], SessionCookie::Several)]
#[case(&["__Host-sidegate-main"], SessionCookie::Absent)]
#[case(&["__host-sidegate-main=x"], SessionCookie::Absent)]
#[case(&["sidegate-main=x"], SessionCookie::Absent)]
#[case(&["__Host-sidegate-other=x"], SessionCookie::Absent)]
#[case(&["__Host-sidegate-main=a=b"], SessionCookie::One("a=b".into()))]
fn reads_exactly_one_cookie_on_a_secure_listener(#[case] fields: &[&str], #[case] expected: SessionCookie) {
    assert_eq!(session_cookie(&headers(fields), &domain(), true), expected);
}

#[test]
fn a_plain_listener_has_the_plain_name_only() {
    let both = headers(&["__Host-sidegate-main=x; sidegate-main=y"]);
    assert_eq!(session_cookie(&both, &domain(), false), SessionCookie::One("y".into()));
}

#[rstest]
#[case(&["__Host-sidegate-main=x"], None)]
#[case(&["a=b; __Host-sidegate-main=x; c=d"], Some("a=b; c=d"))]
#[case(&["a=b", "sidegate-main=x", "c=d"], Some("a=b; c=d"))]
#[case(&["__HOST-SIDEGATE-MAIN=x; a=b"], Some("a=b"))]
#[case(&["__Host-sidegate-other=x; a=b"], Some("a=b"))]
#[case(&["sidegate-main; a=b"], Some("a=b"))]
#[case(&["=sidegate-main=x; a=b"], Some("a=b"))]
#[case(&["\"sidegate-main\"=x; a=b"], Some("a=b"))]
#[case(&["mysidegate-main=x"], Some("mysidegate-main=x"))]
fn session_cookies_do_not_go_on(#[case] fields: &[&str], #[case] left: Option<&str>) {
    assert_eq!(foreign_cookies(&headers(fields)).as_ref().map(|value| value.to_str().unwrap()), left);
}

#[rstest]
#[case("__Host-sidegate-main=x; Path=/; Secure")]
#[case("sidegate-main=; Max-Age=0")]
#[case("__HOST-Sidegate-Main=x")]
#[case("  \t__Host-sidegate-main\t =x")]
#[case("=__Host-sidegate-main=x")]
#[case(" \t= = __Host-sidegate-main=x")]
#[case("__Host-sidegate-main")]
#[case("sidegate-other=x")]
#[case("theme=dark; sidegate-main=x")]
#[case("theme=dark, sidegate-main=x")]
#[case("theme=dark,__Host-sidegate-main=x")]
#[case("; sidegate-main=x")]
#[case("\"sidegate-main\"=x")]
fn nobody_else_sets_a_session_cookie(#[case] field: &str) {
    assert!(sets_session_cookie(&HeaderValue::from_str(field).unwrap()));
}

#[rstest]
#[case("")]
#[case("theme=dark")]
#[case("theme=__Host-sidegate-main=x")]
#[case("theme=dark; Expires=Wed, 21 Oct 2099 07:28:00 GMT; Path=/sidegate-main")]
#[case("mysidegate-main=x")]
#[case("sidegate=x")]
fn other_cookies_are_the_upstreams(#[case] field: &str) {
    assert!(!sets_session_cookie(&HeaderValue::from_str(field).unwrap()));
}

#[rstest]
#[case("")]
#[case("Main")]
#[case("a b")]
#[case("a;b")]
#[case("aaaaaaaaaabbbbbbbbbbccccccccccddd")]
fn a_domain_fits_into_a_cookie_name(#[case] name: &str) {
    assert_eq!(SessionDomain::parse(name), Err(BadDomain));
}

proptest! {
    #[test]
    fn no_spelling_of_the_field_leaves_a_cookie_that_would_be_read(field in "[ -~\t]{0,60}", planted in "[ -~]{0,9}") {
        let text = format!("{field};__Host-sidegate-main={planted}");
        let left: HeaderMap = foreign_cookies(&headers(&[&text])).map(|value| (header::COOKIE, value)).into_iter().collect();
        prop_assert_eq!(session_cookie(&left, &domain(), true), SessionCookie::Absent);
    }
}
