//! Deregistrations of another server, before they are passed on (UAF protocol 1.1, section 3.6.1).

use rstest::rstest;
use serde_json::{Value, json};
use sidegate_uaf::relay::check_deregistration;
use sidegate_uaf::wire::DeregisterAuthenticator;
use sidegate_uaf::{Error, KeyId, KeyRef};

use crate::support::AAID;

const OTHER: &str = "D0D0#0002";

fn key(byte: u8) -> KeyRef {
    KeyRef { aaid: AAID.parse().unwrap(), key_id: KeyId::new([byte; 32]).unwrap() }
}

fn entry(aaid: &str, key_id: &str) -> Value {
    json!({"aaid": aaid, "keyID": key_id})
}

fn check(entries: &[Value], asked: &DeregisterAuthenticator) -> Result<(), Error> {
    let header = json!({"upv": {"major": 1, "minor": 1}, "op": "Dereg"});
    check_deregistration(&json!([{"header": header, "authenticators": entries}]).to_string(), asked)
}

#[rstest]
#[case::a_key_of_no_model(&[entry("", "x")])]
#[case::a_key_of_no_model_in_full(&[entry("", &key(1).key_id.to_base64url())])]
#[case::no_aaid(&[entry("zz", "")])]
#[case::no_key_id(&[entry(AAID, "%%")])]
#[case::a_short_key_id(&[entry(AAID, "AAAA")])]
#[case::an_array(&[json!([AAID, ""])])]
#[case::something_beside_everything(&[entry("", ""), entry(AAID, "")])]
#[case::everything_last(&[entry(AAID, ""), entry("", "")])]
#[case::nothing(&[])]
fn senseless_entries_are_refused(#[case] entries: &[Value]) {
    let refused = check(entries, &DeregisterAuthenticator::Everything);
    assert!(matches!(refused, Err(Error::Member(_))), "{refused:?}");
}

#[test]
fn no_more_is_removed_than_was_asked_for() {
    let (one, two) = (key(1).key_id.to_base64url(), key(2).key_id.to_base64url());
    let asked = DeregisterAuthenticator::Key(key(1));
    assert_eq!(check(&[entry(AAID, &one)], &asked), Ok(()));
    let beyond = [entry("", ""), entry(AAID, ""), entry(AAID, &two), entry(OTHER, &one)];
    for beyond in beyond {
        assert_eq!(check(&[beyond], &asked), Err(Error::BeyondScope));
    }
    assert_eq!(check(&[entry(AAID, &one), entry(AAID, &two)], &asked), Err(Error::BeyondScope));
    let asked = DeregisterAuthenticator::Model(AAID.parse().unwrap());
    assert_eq!(check(&[entry(AAID, &one), entry(AAID, &two)], &asked), Ok(()));
    assert_eq!(check(&[entry(AAID, "")], &asked), Ok(()));
    for beyond in [entry("", ""), entry(OTHER, ""), entry(OTHER, &one)] {
        assert_eq!(check(&[beyond], &asked), Err(Error::BeyondScope));
    }
    for entries in [&[entry("", "")][..], &[entry(OTHER, ""), entry(AAID, &one)]] {
        assert_eq!(check(entries, &DeregisterAuthenticator::Everything), Ok(()));
    }
}
