//! What a caller was found by, and the destination gets all the same.

use super::*;

const ALL: PassedOn = PassedOn { session_cookie: true, bearer: true };
const COOKIE_ALONE: PassedOn = PassedOn { session_cookie: true, bearer: false };
const BEARER_ALONE: PassedOn = PassedOn { session_cookie: false, bearer: true };

#[rstest]
#[case::cookie(COOKIE_ALONE, &[("cookie", COOKIE)], &[("cookie", COOKIE)])]
#[case::beside_others(ALL, &[("cookie", "a=1"), ("cookie", "b=2; __Host-sidegate-main=good; c=3")], &[("cookie", "a=1; b=2; c=3; __Host-sidegate-main=good")])]
#[case::of_this_domain(ALL, &[("cookie", "__Host-sidegate-main=good; __Host-sidegate-other=x; __HOST-SIDEGATE-MAIN=x; __Host-sidegate-main.login=x")], &[("cookie", COOKIE)])]
#[case::not_said(BEARER_ALONE, &[("cookie", COOKIE)], &[])]
#[case::dead(ALL, &[("cookie", "__Host-sidegate-main=bad")], &[])]
#[case::token(BEARER_ALONE, &[("authorization", "bearer  good")], &[("authorization", "Bearer good")])]
#[case::token_not_said(COOKIE_ALONE, &[("authorization", "Bearer good")], &[])]
#[case::nobody_looked_at_it(ALL, &[("authorization", "Bearer bad"), ("cookie", COOKIE)], &[("cookie", COOKIE)])]
#[case::dead_beside_a_token(ALL, &[("authorization", "Bearer good"), ("cookie", "__Host-sidegate-main=bad")], &[("authorization", "Bearer good")])]
#[tokio::test]
async fn what_a_caller_was_found_by_goes_on_where_the_route_says_so(
    #[case] passed_on: PassedOn,
    #[case] headers: &[(&'static str, &str)],
    #[case] expected: &[(&str, &str)],
) {
    let mut exchange = exchange(false, headers);
    let settings = Settings { passed_on, ..settings(Admission::Open) };
    assert!(matches!(with_tokens(settings).request(&mut exchange, &mut Bytes::new()).await, Ok(Verdict::Pass)));
    let sent = exchange.upstream_headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    assert_eq!(sent.collect::<Vec<_>>(), expected);
}

#[rstest]
#[case(&[("authorization", "Bearer actor")], None, &["Bearer actor"])]
#[case(&[], Some(CERTIFICATE), &[])]
#[tokio::test]
async fn the_bearer_of_an_internal_caller_goes_on_where_the_route_says_so(
    #[case] headers: &[(&'static str, &str)],
    #[case] certificate: Option<CertificateDigest>,
    #[case] expected: &[&str],
) {
    let mut exchange = exchange(true, headers);
    exchange.client.certificate = certificate;
    let settings = Settings { passed_on: ALL, ..settings(Admission::InternalOnly) };
    assert!(filter(settings.clone()).settings().ends_with("; passes on session-cookie, bearer"));
    assert!(matches!(filter(settings).request(&mut exchange, &mut Bytes::new()).await, Ok(Verdict::Pass)));
    assert!(exchange.headers.is_empty(), "{:?}", exchange.headers);
    assert_eq!(exchange.upstream_headers.iter().map(|(_, value)| value).collect::<Vec<_>>(), expected);
}
