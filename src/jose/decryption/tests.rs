use rstest::rstest;
use serde_json::json;
use sidegate_filters::jws::{EcCurve, JwkError};

use super::*;
use crate::jose::EncryptionKey;

fn encryption(key: &DecryptionKey, alg: Option<&str>) -> EncryptionKey {
    let mut jwk = key.public_jwk();
    alg.iter().for_each(|alg| jwk["alg"] = json!(alg));
    EncryptionKey::try_from(JwkDocument::parse(&jwk).unwrap()).unwrap()
}

fn header_of(compact: &str) -> Value {
    let (header, _) = compact.split_once('.').unwrap();
    serde_json::from_slice(&base64url::decode(header).unwrap()).unwrap()
}

#[rstest]
#[case(KeyKind::Rsa, None, "RSA-OAEP-256")]
#[case(KeyKind::Rsa, Some("RSA-OAEP-256"), "RSA-OAEP-256")]
#[case(KeyKind::Rsa, Some("RSA-OAEP"), "RSA-OAEP")]
#[case(KeyKind::Ec(EcCurve::P256), None, "ECDH-ES+A256KW")]
#[case(KeyKind::Ec(EcCurve::P384), None, "ECDH-ES+A256KW")]
#[case(KeyKind::Ec(EcCurve::P521), None, "ECDH-ES+A256KW")]
#[case(KeyKind::X25519, None, "ECDH-ES+A256KW")]
#[case(KeyKind::X25519, Some("ECDH-ES"), "ECDH-ES")]
#[case(KeyKind::Ec(EcCurve::P256), Some("ECDH-ES"), "ECDH-ES")]
#[case(KeyKind::Ec(EcCurve::P256), Some("ECDH-ES+A128KW"), "ECDH-ES+A128KW")]
#[case(KeyKind::Ec(EcCurve::P256), Some("ECDH-ES+A256KW"), "ECDH-ES+A256KW")]
fn what_is_encrypted_its_owner_decrypts(#[case] kind: KeyKind, #[case] alg: Option<&str>, #[case] used: &str) {
    let made = DecryptionKey::generate(kind).unwrap();
    let kept = serde_json::to_string(&made).unwrap();
    let owner: DecryptionKey = serde_json::from_str(&kept).unwrap();
    let key = encryption(&made, alg);
    for plain in [&b""[..], b"{\"token\":1}", &[7; 3000]] {
        let compact = key.encrypt(plain).unwrap();
        assert_eq!(owner.decrypt(&compact).unwrap().as_slice(), plain);
        let header = header_of(&compact);
        assert_eq!((&header["alg"], &header["enc"]), (&json!(used), &json!("A256GCM")));
        assert_eq!(header["kid"], made.public_jwk()["kid"]);
        assert_eq!(header.get("zip"), None);
    }
    assert_ne!(key.encrypt(b"x").unwrap(), key.encrypt(b"x").unwrap());
}

#[test]
fn only_private_keys_for_encryption_are_taken() {
    let key = DecryptionKey::generate(KeyKind::X25519).unwrap();
    assert!(serde_json::from_value::<DecryptionKey>(key.public_jwk()).is_err());
    let ed25519 = DecryptionKey::generate(KeyKind::Ed25519).unwrap_err();
    assert!(matches!(ed25519, PrivateJwkError::Jwk(JwkError::Kind(Purpose::Encryption))));
    assert!(!format!("{key:?}").contains("\"d\""));
}

/// A message with another header; for the checks that come before any decryption.
fn with_header(compact: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut header = header_of(compact);
    change(&mut header);
    let (_, rest) = compact.split_once('.').unwrap();
    format!("{}.{rest}", base64url::encode(header.to_string()))
}

fn message(kind: KeyKind) -> (DecryptionKey, String) {
    let key = DecryptionKey::generate(kind).unwrap();
    let compact = encryption(&key, None).encrypt(b"secret").unwrap();
    (key, compact)
}

#[test]
fn every_part_is_protected() {
    let (key, compact) = message(KeyKind::Ec(EcCurve::P256));
    for part in 1..5 {
        let mut parts: Vec<Vec<u8>> = compact.split('.').map(|p| base64url::decode(p).unwrap()).collect();
        parts[part][0] ^= 1;
        let forged: Vec<String> = parts.iter().map(base64url::encode).collect();
        assert_eq!(key.decrypt(&forged.join(".")).unwrap_err(), DecryptError::Failed, "part {part}");
    }
    let forged = with_header(&compact, |header| header["cty"] = json!("x"));
    assert_eq!(key.decrypt(&forged).unwrap_err(), DecryptError::Failed);
    assert_eq!(
        message(KeyKind::Ec(EcCurve::P256))
            .0
            .decrypt(&with_header(&compact, |header| {
                header.as_object_mut().unwrap().remove("kid");
            }))
            .unwrap_err(),
        DecryptError::Failed,
        "another key"
    );
}

#[test]
fn headers_are_strict() {
    let (key, compact) = message(KeyKind::Ec(EcCurve::P256));
    let cases: [(&str, Value, DecryptError); 9] = [
        ("zip", json!("DEF"), DecryptError::RefusedMember),
        ("crit", json!([]), DecryptError::RefusedMember),
        ("alg", json!("RSA-OAEP-256"), DecryptError::NotForThisKey),
        ("alg", json!("dir"), DecryptError::NotForThisKey),
        ("alg", Value::Null, DecryptError::NotForThisKey),
        ("enc", json!("A128CBC-HS256"), DecryptError::NotForThisKey),
        ("kid", json!("other"), DecryptError::NotForThisKey),
        ("kid", Value::Null, DecryptError::NotForThisKey),
        ("epk", Value::Null, DecryptError::EphemeralKey),
    ];
    for (name, value, error) in cases {
        let changed = with_header(&compact, |header| header[name] = value.clone());
        assert_eq!(key.decrypt(&changed).unwrap_err(), error, "{name} = {value}");
    }
    let (rsa, compact) = message(KeyKind::Rsa);
    let old = with_header(&compact, |header| header["alg"] = json!("RSA1_5"));
    assert_eq!(rsa.decrypt(&old).unwrap_err(), DecryptError::NotForThisKey);
}

#[test]
fn an_ephemeral_key_off_the_curve_is_refused() {
    let (key, compact) = message(KeyKind::Ec(EcCurve::P256));
    let off = with_header(&compact, |header| header["epk"]["y"] = header["epk"]["x"].clone());
    assert_eq!(key.decrypt(&off).unwrap_err(), DecryptError::EphemeralKey);
    let (_, other) = message(KeyKind::Ec(EcCurve::P384));
    let epk = header_of(&other)["epk"].clone();
    let other_curve = with_header(&compact, |header| header["epk"] = epk);
    assert_eq!(key.decrypt(&other_curve).unwrap_err(), DecryptError::EphemeralKey);
    let (key, compact) = message(KeyKind::X25519);
    let zero = with_header(&compact, |header| header["epk"]["x"] = json!(base64url::encode([0; 32])));
    assert_eq!(key.decrypt(&zero).unwrap_err(), DecryptError::EphemeralKey);
}

#[test]
fn malformed_messages_are_refused() {
    let (key, compact) = message(KeyKind::X25519);
    let parts: Vec<&str> = compact.split('.').collect();
    let short_tag = base64url::encode(&base64url::decode(parts[4]).unwrap()[..15]);
    let short_iv = base64url::encode([0; 8]);
    let twice = base64url::encode(r#"{"alg":"dir","alg":"ECDH-ES+A256KW","enc":"A256GCM"}"#);
    let cases = [
        String::new(),
        parts[..4].join("."),
        format!("{compact}."),
        format!("{compact}="),
        format!(" {compact}"),
        [parts[0], parts[1], parts[2], parts[3], &short_tag].join("."),
        [parts[0], parts[1], &short_iv, parts[3], parts[4]].join("."),
        [&twice, parts[1], parts[2], parts[3], parts[4]].join("."),
        [parts[0], parts[1], parts[2], &"A".repeat(64 * 1024), parts[4]].join("."),
    ];
    for case in cases {
        assert_eq!(key.decrypt(&case).unwrap_err(), DecryptError::Malformed, "{:.60}", case);
    }
}

#[test]
fn epks_and_keys_have_full_length_coordinates() {
    for kind in [EcCurve::P256, EcCurve::P384, EcCurve::P521].map(KeyKind::Ec) {
        // One in 256 coordinates begins with a zero byte.
        let key = DecryptionKey::generate(kind).unwrap();
        let encryption = encryption(&key, None);
        for _ in 0..if kind == KeyKind::Ec(EcCurve::P256) { 400 } else { 20 } {
            assert!(key.decrypt(&encryption.encrypt(b"x").unwrap()).is_ok());
        }
    }
}
