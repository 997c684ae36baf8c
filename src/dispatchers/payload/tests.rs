//! Payloads, plain and for the keys of every kind.

use std::sync::Arc;

use rstest::rstest;
use serde_json::json;
use sidegate_filters::clock::Millis;
use sidegate_filters::jws::{EcCurve, KeyKind, base64url};

use super::*;
use crate::dispatchers::{BaseUrl, DispatchData, Dispatcher, LinkDispatcher, Recipient, Recipients, RedeemUrls};
use crate::jose::DecryptionKey;
use crate::store::Target;
use crate::store::operation::OperationKind;

fn target(key: &DecryptionKey, version: u64) -> Target {
    Target {
        id: "target".into(),
        owner: "jeff".into(),
        name: "phone".into(),
        device_id: None,
        app_id: None,
        dispatcher: "link".into(),
        push_token: None,
        signature_key: String::new(),
        signature_thumbprint: String::new(),
        encryption_key: key.public_jwk().to_string(),
        created: Millis(0),
        version,
    }
}

fn payload(order: &Order<'_>) -> Value {
    let urls =
        RedeemUrls { registration: "https://fido.siven.ch/r".into(), ..RedeemUrls::below("https://gate.example") };
    let link = LinkDispatcher::new(BaseUrl::parse("https://siven.ch").unwrap(), urls).render(order).unwrap();
    let text = link.response.unwrap();
    let text = text.strip_prefix("https://siven.ch?dispatchTokenResponse=").unwrap();
    serde_json::from_slice(&base64url::decode(text).unwrap()).unwrap()
}

fn data() -> DispatchData {
    let Value::Object(members) = json!({"attributeName": "é", "list": [1, null]}) else { panic!() };
    DispatchData::new(members).unwrap()
}

#[test]
fn plain() {
    let data = data();
    let order = Order { kind: OperationKind::Reg, token: "t0ken", data: &data, recipient: None };
    assert_eq!(
        payload(&order),
        json!({
            "nma_data": {
                "token": "t0ken",
                "redeem_url": "https://fido.siven.ch/r",
                "attributeName": "é",
                "list": [1, null],
            },
            "nma_data_content_type": "application/json",
            "nma_data_version": "1",
        })
    );
}

#[rstest]
#[case::rsa(KeyKind::Rsa)]
#[case::p256(KeyKind::Ec(EcCurve::P256))]
#[case::p384(KeyKind::Ec(EcCurve::P384))]
#[case::p521(KeyKind::Ec(EcCurve::P521))]
#[case::x25519(KeyKind::X25519)]
fn encrypted(#[case] kind: KeyKind) {
    let key = DecryptionKey::generate(kind).unwrap();
    let recipient = Recipient { key: Recipients::default().key(&target(&key, 0)).unwrap() };
    let data = data();
    let order = Order { kind: OperationKind::Dereg, token: "t0ken", data: &data, recipient: Some(recipient) };
    let payload = payload(&order);
    assert_eq!(payload["nma_data_content_type"], "application/jose");
    assert_eq!(payload["nma_data_version"], "1");
    let plain = key.decrypt(payload["nma_data"].as_str().unwrap()).unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&plain).unwrap(),
        json!({
            "token": "t0ken",
            "redeem_url": "https://gate.example/nevisfido/token/redeem/deregistration",
            "attributeName": "é",
            "list": [1, null],
        })
    );
}

#[test]
fn a_key_is_imported_once_for_each_version_of_its_target() {
    let generate = || DecryptionKey::generate(KeyKind::Ec(EcCurve::P256)).unwrap();
    let (old, new) = (generate(), generate());
    let recipients = Recipients::default();
    let first = recipients.key(&target(&old, 0)).unwrap();
    assert!(Arc::ptr_eq(&first, &recipients.key(&target(&old, 0)).unwrap()));
    let changed = recipients.key(&target(&new, 1)).unwrap();
    assert_eq!(&*new.decrypt(&changed.encrypt(b"x").unwrap()).unwrap(), b"x");
}

#[test]
fn a_stored_text_that_is_no_key_is_a_fault() {
    let key = DecryptionKey::generate(KeyKind::X25519).unwrap();
    let broken = |text: &str| Target { encryption_key: text.into(), ..target(&key, 0) };
    assert!(Recipients::default().key(&broken("no json")).is_err());
    assert!(Recipients::default().key(&broken("{}")).is_err());
}
