use rstest::rstest;

use super::*;

#[rstest]
#[case("content_length")]
#[case("transfer.encoding")]
#[case("transfer_encoding")]
#[case("content_type")]
#[case("x_forwarded_for")]
#[case("x-forwarded-anything")]
#[case("x_forwarded")]
#[case("forwarded")]
#[case("x_original_url")]
#[case("x-rewrite-url")]
#[case("x_rewrite")]
#[case("x-override-url")]
#[case("x_host")]
#[case("cookie2")]
#[case("x-envoy-original-path")]
#[case("x_envoy_external_address")]
#[case("x-azure-clientip")]
#[case("x-proxyuser-ip")]
#[case("cf-connecting-ip")]
#[case("some-cdn-client-ip")]
#[case("remote_addr")]
#[case("_x-real-ip")]
#[case("x-forwarded-for-")]
#[case("proxy")]
#[case("proxy_connection")]
#[case("keep_alive")]
#[case("te")]
#[case("traceparent")]
#[case("tracestate_")]
fn stays_here(#[case] name: &'static str) {
    let name = HeaderName::from_static(name);
    assert!(is_kept_from_upstreams(&name) && is_reserved(&name));
}

#[rstest]
#[case("remote-user")]
#[case("remote_groups")]
#[case("ssl_client_s_dn")]
#[case("x-ssl-client-verify")]
#[case("x-client-cert")]
#[case("x-client-certificate")]
#[case("client-cert")]
#[case("x-auth-request-user")]
#[case("x-remote-user")]
#[case("x-webauth-user")]
#[case("iv-user")]
#[case("sm_user")]
#[case("sm-universalid")]
#[case("oam_remote_user")]
#[case("shib-identity-provider")]
#[case("x-shib-user")]
#[case("x-consumer-username")]
#[case("x-credential-identifier")]
#[case("x-vouch-user")]
#[case("x-jwt-assertion")]
#[case("x-auth-user")]
#[case("x-proxy-user")]
#[case("x-cas-user")]
#[case("eppn")]
#[case("x-subjectdn")]
#[case("x-client-s-dn")]
#[case("x-cert")]
#[case("isiwebuserid")]
fn a_rule_may_set_it_and_no_client(#[case] name: &'static str) {
    let name = HeaderName::from_static(name);
    assert!(is_kept_from_upstreams(&name) && !is_reserved(&name));
}

#[rstest]
#[case("cookie_")]
#[case("_cookie")]
#[case("host.")]
#[case("content-length-")]
fn stays_here_in_another_spelling(#[case] name: &'static str) {
    assert!(is_kept_from_upstreams(&HeaderName::from_static(name)));
}

#[rstest]
#[case("accept")]
#[case("client-hints")]
#[case("x-remotely")]
#[case("x_custom")]
#[case("x-forwardedness")]
#[case("x-auth-token")]
#[case("smart-token")]
#[case("x-certain")]
#[case("via")]
fn goes_on(#[case] name: &'static str) {
    let name = HeaderName::from_static(name);
    assert!(!is_kept_from_upstreams(&name) && !is_reserved(&name));
}

#[rstest]
#[case("content-length")]
#[case("transfer-encoding")]
#[case("content-type")]
#[case("content-encoding")]
#[case("cookie")]
#[case("host")]
fn goes_on_as_it_was_checked_and_no_rule_sets_it(#[case] name: &'static str) {
    let name = HeaderName::from_static(name);
    assert!(!is_kept_from_upstreams(&name) && is_reserved(&name));
}
