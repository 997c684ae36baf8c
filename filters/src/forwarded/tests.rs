use http::{HeaderName, HeaderValue};
use proptest::prelude::*;
use rstest::rstest;

use super::*;

const OURS: &str = "10.0.0.9";

fn proxies(header: ForwardedHeader) -> TrustedProxies {
    let from = ["10.0.0.0/8", "2001:db8:ffff::/48"].map(|text| Network::parse(text).unwrap());
    TrustedProxies { from: from.to_vec(), header }
}

/// What is made of these fields, each of the header that is read, sent by this peer.
fn client(header: ForwardedHeader, peer: &str, fields: &[&str]) -> Result<String, ForwardedError> {
    let mut headers = HeaderMap::new();
    for field in fields {
        headers.append(HeaderName::from_static(header.name()), HeaderValue::from_str(field).unwrap());
    }
    proxies(header).client(peer.parse().unwrap(), &headers).map(|client| client.address.to_string())
}

#[rstest]
#[case(&["203.0.113.9"], "203.0.113.9")]
#[case(&["203.0.113.9:50123"], "203.0.113.9")]
#[case(&["2001:DB8::9"], "2001:db8::9")]
#[case(&["[2001:db8::9]"], "2001:db8::9")]
#[case(&["[2001:db8::9]:443"], "2001:db8::9")]
#[case(&["::ffff:203.0.113.9"], "203.0.113.9")]
#[case(&["[::ffff:203.0.113.9]:1"], "203.0.113.9")]
#[case(&["203.0.113.9, 10.1.2.3"], "203.0.113.9")]
#[case(&["203.0.113.9,\t10.1.2.3 ,2001:db8:ffff::1"], "203.0.113.9")]
#[case(&["203.0.113.9, ::ffff:10.1.2.3"], "203.0.113.9")]
#[case(&["10.1.2.3"], "10.1.2.3")]
#[case(&["10.1.2.3, 10.1.2.4"], "10.1.2.3")]
#[case(&["198.51.100.1, 203.0.113.9"], "203.0.113.9")]
#[case(&["10.0.0.1, 203.0.113.9"], "203.0.113.9")]
#[case(&["unknown, , <script>, 203.0.113.9, 10.1.2.3"], "203.0.113.9")]
#[case(&["198.51.100.1", "203.0.113.9"], "203.0.113.9")]
#[case(&["203.0.113.9", "10.1.2.3"], "203.0.113.9")]
#[case(&["\"", "203.0.113.9"], "203.0.113.9")]
fn the_right_most_that_is_no_proxy_is_the_client(#[case] fields: &[&str], #[case] expected: &str) {
    assert_eq!(client(ForwardedHeader::XForwardedFor, OURS, fields).as_deref(), Ok(expected));
}

#[rstest]
#[case(&["for=203.0.113.9"], "203.0.113.9")]
#[case(&["For=\"203.0.113.9:50123\";proto=https;host=\"a,b;c\""], "203.0.113.9")]
#[case(&["proto=http ; by=10.0.0.1;for=\"[2001:db8::9]\""], "2001:db8::9")]
#[case(&["for=\"[2001:db8::9]:443\", for=10.1.2.3"], "2001:db8::9")]
#[case(&["for=\"\\2\\03.0.113.9\""], "203.0.113.9")]
#[case(&["for=10.1.2.3"], "10.1.2.3")]
#[case(&["for=unknown, for=_secret, proto=http, for=203.0.113.9;;"], "203.0.113.9")]
#[case(&["for=198.51.100.1", "for=203.0.113.9", "for=10.1.2.3"], "203.0.113.9")]
#[case(&["for=198.51.100.1;host=\", for=10.0.0.1\"", "for=203.0.113.9"], "203.0.113.9")]
#[case(&["", "for=203.0.113.9"], "203.0.113.9")]
fn the_same_of_elements(#[case] fields: &[&str], #[case] expected: &str) {
    assert_eq!(client(ForwardedHeader::Forwarded, OURS, fields).as_deref(), Ok(expected));
}

#[rstest]
#[case("")]
#[case("203.0.113.9,")]
#[case("203.0.113.9, 10.1.2.3,")]
#[case("203.0.113.9, unknown")]
#[case("203.0.113.9, _hidden, 10.1.2.3")]
#[case("203.0.113.9 198.51.100.1")]
#[case("203.0.113.09")]
#[case("203.0.113")]
#[case("203.0.113.9:")]
#[case("203.0.113.9:99999")]
#[case("[203.0.113.9]")]
#[case("[2001:db8::9")]
#[case("2001:db8::9]")]
#[case("[2001:db8::9]443")]
#[case("[[2001:db8::9]]")]
#[case("fe80::1%eth0")]
#[case("[fe80::1%1]:80")]
#[case("\"203.0.113.9\"")]
#[case("for=203.0.113.9")]
fn who_is_no_address_is_nobody(#[case] field: &str) {
    assert_eq!(client(ForwardedHeader::XForwardedFor, OURS, &[field]), Err(ForwardedError::NoAddress));
}

#[rstest]
#[case("", ForwardedError::NoAddress)]
#[case("proto=https", ForwardedError::NoAddress)]
#[case("for=203.0.113.9, proto=https", ForwardedError::NoAddress)]
#[case("for=203.0.113.9,", ForwardedError::NoAddress)]
#[case("for=unknown", ForwardedError::NoAddress)]
#[case("for=_a", ForwardedError::NoAddress)]
#[case("for=\"\"", ForwardedError::NoAddress)]
#[case("for=\"2001:db8::9\"", ForwardedError::NoAddress)]
#[case("for=\"203.0.113.9:_port\"", ForwardedError::NoAddress)]
#[case("for=", ForwardedError::Form)]
#[case("for = 203.0.113.9", ForwardedError::Form)]
#[case("for=203.0.113.9;for=198.51.100.1", ForwardedError::Form)]
#[case("for=203.0.113.9;FOR=203.0.113.9", ForwardedError::Form)]
#[case("for=[2001:db8::9]", ForwardedError::Form)]
#[case("for=203.0.113.9:443", ForwardedError::Form)]
#[case("203.0.113.9", ForwardedError::Form)]
#[case("for=198.51.100.1;host=\", for=203.0.113.9", ForwardedError::Form)]
#[case("for=198.51.100.1;host=\", for=\"[2001:db8::9]\"", ForwardedError::Form)]
#[case("host=\"\\", ForwardedError::Form)]
#[case("for=203.0.113.9 for=198.51.100.1", ForwardedError::Form)]
fn elements_that_tell_nobody(#[case] field: &str, #[case] expected: ForwardedError) {
    assert_eq!(client(ForwardedHeader::Forwarded, OURS, &[field]), Err(expected));
}

#[test]
fn a_list_has_its_length_in_all_fields_together() {
    let half = "a".repeat(LONGEST / 2);
    for header in [ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded] {
        assert_eq!(client(header, OURS, &[&half, &half]), Err(ForwardedError::TooLong));
    }
    assert!(client(ForwardedHeader::XForwardedFor, OURS, &[&half, "203.0.113.9"]).is_ok());
    assert_eq!(client(ForwardedHeader::XForwardedFor, OURS, &["caf\u{e9}"]), Err(ForwardedError::Form));
}

#[test]
fn a_stranger_is_where_it_is_whatever_it_says() {
    for field in ["198.51.100.1", "10.0.0.1", "unknown", "", &"a".repeat(2 * LONGEST)] {
        let found = client(ForwardedHeader::XForwardedFor, "203.0.113.9", &[field]);
        assert_eq!(found.as_deref(), Ok("203.0.113.9"));
    }
    assert_eq!(client(ForwardedHeader::XForwardedFor, "::ffff:203.0.113.9", &[]).as_deref(), Ok("203.0.113.9"));
    assert_eq!(client(ForwardedHeader::Forwarded, "::ffff:10.0.0.9", &[]).as_deref(), Ok(OURS));
}

#[test]
fn the_other_header_is_not_read() {
    let mut headers = HeaderMap::new();
    headers.insert("forwarded", HeaderValue::from_static("for=198.51.100.1"));
    headers.insert("x_forwarded_for", HeaderValue::from_static("198.51.100.1"));
    let of = |header| proxies(header).client(OURS.parse().unwrap(), &headers).unwrap().address.to_string();
    assert_eq!(of(ForwardedHeader::XForwardedFor), OURS);
    assert_eq!(of(ForwardedHeader::Forwarded), "198.51.100.1");
}

proptest! {
    /// Whatever a client sends, a proxy that adds its address behind, in the same field or in another one, has the last word.
    #[test]
    fn a_client_does_not_choose(said in "[ -~]{0,60}", fields in any::<bool>(), quoted in any::<bool>()) {
        let (plain, element) = match quoted {
            true => ("2001:db8::9", "for=\"[2001:db8::9]\";proto=\"https\""),
            false => ("203.0.113.9", "for=203.0.113.9"),
        };
        for (header, added) in [(ForwardedHeader::XForwardedFor, plain), (ForwardedHeader::Forwarded, element)] {
            let found = if fields {
                client(header, OURS, &[&said, added])
            } else {
                client(header, OURS, &[&format!("{said}, {added}")])
            };
            prop_assert!(found.as_deref().is_ok_and(|found| found == plain) || found.is_err(), "{found:?}");
            prop_assert!(header == ForwardedHeader::Forwarded || found.is_ok());
        }
    }
}

/// By which scheme the client came, where these fields were sent by this peer.
fn secure(header: ForwardedHeader, peer: &str, fields: &[(&'static str, &str)]) -> Option<bool> {
    let mut headers = HeaderMap::new();
    for (name, field) in fields {
        headers.append(HeaderName::from_static(name), HeaderValue::from_str(field).unwrap());
    }
    proxies(header).client(peer.parse().unwrap(), &headers).unwrap().secure
}

#[rstest]
#[case(&["https"], Some(true))]
#[case(&["HTTPS "], Some(true))]
#[case(&["http"], Some(false))]
#[case(&["https, http"], None)]
#[case(&["https", "https"], None)]
#[case(&["wss"], None)]
#[case(&["\"https\""], None)]
#[case(&[""], None)]
#[case(&[], None)]
fn a_proxy_says_by_which_scheme_its_client_came(#[case] fields: &[&str], #[case] expected: Option<bool>) {
    let proto: Vec<_> = fields.iter().map(|field| ("x-forwarded-proto", *field)).collect();
    let said = [&proto[..], &[("x-forwarded-for", "203.0.113.9")]].concat();
    for said in [&said, &proto] {
        assert_eq!(secure(ForwardedHeader::XForwardedFor, OURS, said), expected);
        assert_eq!(secure(ForwardedHeader::XForwardedFor, "203.0.113.9", said), None, "none of the proxies");
        assert_eq!(secure(ForwardedHeader::Forwarded, OURS, said), None, "another header is read");
    }
}

#[rstest]
#[case("for=203.0.113.9;proto=https", Some(true))]
#[case("for=203.0.113.9;Proto=\"HTTP\"", Some(false))]
#[case("for=198.51.100.1;proto=http, for=203.0.113.9;proto=https, for=10.1.2.3;proto=http", Some(true))]
#[case("for=203.0.113.9, for=10.1.2.3;proto=https", None)]
#[case("for=198.51.100.1;proto=https, for=203.0.113.9", None)]
#[case("for=203.0.113.9;proto=ftp", None)]
fn the_element_of_the_client_says_by_which_scheme_it_came(#[case] field: &str, #[case] expected: Option<bool>) {
    let said = [("forwarded", field), ("x-forwarded-proto", "http")];
    assert_eq!(secure(ForwardedHeader::Forwarded, OURS, &said), expected);
    assert_eq!(secure(ForwardedHeader::Forwarded, "203.0.113.9", &said), None);
}
