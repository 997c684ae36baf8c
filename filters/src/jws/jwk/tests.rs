use rstest::rstest;
use serde_json::json;

use super::*;
use crate::jws::signing::SigningKey;
use crate::jws::{VerificationKey, base64url};

const KINDS: [KeyKind; 6] = [
    KeyKind::Rsa,
    KeyKind::Ec(EcCurve::P256),
    KeyKind::Ec(EcCurve::P384),
    KeyKind::Ec(EcCurve::P521),
    KeyKind::Ed25519,
    KeyKind::X25519,
];

fn jwk(kind: KeyKind) -> Value {
    SigningKey::of(kind).jwk()
}

fn with(kind: KeyKind, name: &str, value: Value) -> Value {
    let mut jwk = jwk(kind);
    jwk[name] = value;
    jwk
}

fn signing(jwk: &Value) -> Result<VerificationKey, JwkError> {
    VerificationKey::try_from(JwkDocument::parse(jwk)?)
}

fn encrypting(jwk: &Value) -> Result<(), JwkError> {
    let document = JwkDocument::parse(jwk)?;
    document.require(Purpose::Encryption)?;
    document.public_key().map(drop)
}

#[test]
fn every_kind_is_taken_for_its_purposes_as_object_and_as_string() {
    for kind in KINDS {
        let jwk = jwk(kind);
        for form in [jwk.clone(), Value::String(jwk.to_string())] {
            assert_eq!(signing(&form).is_ok(), kind != KeyKind::X25519, "{kind:?}");
            assert_eq!(encrypting(&form).is_ok(), kind != KeyKind::Ed25519, "{kind:?}");
        }
    }
}

#[test]
fn only_x25519_and_ed25519_are_bound_to_a_purpose() {
    assert!(matches!(signing(&jwk(KeyKind::X25519)), Err(JwkError::Kind(Purpose::Signature))));
    assert!(matches!(encrypting(&jwk(KeyKind::Ed25519)), Err(JwkError::Kind(Purpose::Encryption))));
}

#[rstest]
#[case::number(json!(1))]
#[case::list(json!([]))]
#[case::null(json!(null))]
fn other_forms_are_refused(#[case] value: Value) {
    assert!(matches!(JwkDocument::parse(&value), Err(JwkError::Form)));
}

#[test]
fn a_string_is_parsed_strictly() {
    assert!(matches!(JwkDocument::parse(&json!(r#"{"kty":"RSA","kty":"EC"}"#)), Err(JwkError::Json(_))));
    assert!(matches!(JwkDocument::parse(&json!("[]")), Err(JwkError::Json(_))));
}

#[test]
fn private_members_are_refused_by_name() {
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        for kind in KINDS {
            let result = JwkDocument::parse(&with(kind, name, json!("AA")));
            assert!(matches!(result, Err(JwkError::Private(found)) if found == name), "{kind:?} {name}");
        }
    }
}

#[rstest]
#[case::no_kty("kty", JwkError::Missing("kty"))]
#[case::no_crv("crv", JwkError::Missing("crv"))]
#[case::no_x("x", JwkError::Missing("x"))]
#[case::no_y("y", JwkError::Missing("y"))]
fn members_are_mandatory(#[case] name: &str, #[case] error: JwkError) {
    let mut jwk = jwk(KeyKind::Ec(EcCurve::P256));
    jwk.as_object_mut().unwrap().remove(name);
    assert_eq!(JwkDocument::parse(&jwk).unwrap_err().to_string(), error.to_string());
}

#[rstest]
#[case("kty")]
#[case("x")]
#[case("kid")]
#[case("alg")]
#[case("use")]
#[case("key_ops")]
fn members_have_types(#[case] name: &str) {
    let result = JwkDocument::parse(&with(KeyKind::Ec(EcCurve::P256), name, json!(1)));
    assert!(matches!(result, Err(JwkError::Type(found)) if found == name));
}

#[rstest]
#[case::symmetric(json!({"kty": "oct"}))]
#[case::spelling(json!({"kty": "rsa"}))]
fn other_key_types_are_refused(#[case] value: Value) {
    assert!(matches!(JwkDocument::parse(&value), Err(JwkError::KeyType)));
}

#[rstest]
#[case(KeyKind::Ec(EcCurve::P256), "secp256k1")]
#[case(KeyKind::Ec(EcCurve::P256), "Ed25519")]
#[case(KeyKind::Ed25519, "P-256")]
#[case(KeyKind::Ed25519, "Ed448")]
fn other_curves_are_refused(#[case] kind: KeyKind, #[case] crv: &str) {
    assert!(matches!(JwkDocument::parse(&with(kind, "crv", json!(crv))), Err(JwkError::Curve)));
}

#[rstest]
#[case::short_coordinate(KeyKind::Ec(EcCurve::P256), "x", &[1; 31])]
#[case::long_coordinate(KeyKind::Ec(EcCurve::P256), "y", &[0; 33])]
#[case::short_point(KeyKind::Ed25519, "x", &[1; 31])]
#[case::long_point(KeyKind::X25519, "x", &[1; 33])]
#[case::leading_zero_modulus(KeyKind::Rsa, "n", &[0, 1])]
#[case::leading_zero_exponent(KeyKind::Rsa, "e", &[0, 1, 0, 1])]
#[case::no_exponent(KeyKind::Rsa, "e", &[])]
fn numbers_have_one_length(#[case] kind: KeyKind, #[case] name: &str, #[case] bytes: &[u8]) {
    let result = JwkDocument::parse(&with(kind, name, json!(base64url::encode(bytes))));
    assert!(matches!(result, Err(JwkError::Encoding(found)) if found == name));
}

#[test]
fn numbers_are_canonical_base64url() {
    let result = JwkDocument::parse(&with(KeyKind::Rsa, "e", json!("AQAB=")));
    assert!(matches!(result, Err(JwkError::Encoding("e"))));
}

fn modulus(bits: usize, last: u8) -> Value {
    let mut bytes = vec![0xa5; bits.div_ceil(8)];
    bytes[0] = 1 << ((bits - 1) % 8);
    *bytes.last_mut().unwrap() = last;
    json!(base64url::encode(bytes))
}

#[rstest]
#[case::shortest(2048, true)]
#[case::one_bit_short(2047, false)]
#[case::longest(8192, true)]
#[case::one_bit_long(8193, false)]
fn rsa_has_2048_to_8192_bits(#[case] bits: usize, #[case] good: bool) {
    let jwk = with(KeyKind::Rsa, "n", modulus(bits, 1));
    for result in [signing(&jwk).map(drop), encrypting(&jwk)] {
        assert!(if good { result.is_ok() } else { matches!(result, Err(JwkError::RsaSize)) }, "{result:?}");
    }
}

#[test]
fn an_even_modulus_is_refused() {
    assert!(matches!(signing(&with(KeyKind::Rsa, "n", modulus(2048, 2))), Err(JwkError::RsaModulus)));
}

#[rstest]
#[case::one(&[1], false)]
#[case::two(&[2], false)]
#[case::three(&[3], true)]
#[case::even(&[1, 0, 0], false)]
#[case::usual(&[1, 0, 1], true)]
#[case::sixty_four_bits(&[0x80, 0, 0, 0, 0, 0, 0, 1], true)]
#[case::sixty_five_bits(&[1, 0, 0, 0, 0, 0, 0, 0, 1], false)]
fn the_exponent_is_odd_and_not_huge(#[case] e: &[u8], #[case] good: bool) {
    let result = signing(&with(KeyKind::Rsa, "e", json!(base64url::encode(e))));
    assert!(if good { result.is_ok() } else { matches!(result, Err(JwkError::RsaExponent)) }, "{result:?}");
}

#[test]
fn a_point_off_its_curve_is_refused() {
    for curve in [EcCurve::P256, EcCurve::P384, EcCurve::P521] {
        let kind = KeyKind::Ec(curve);
        let (one, other) = (jwk(kind), jwk(kind));
        let mixed = with(kind, "x", one["x"].clone());
        let zero = json!(base64url::encode(vec![0; curve.coordinate_len()]));
        let mut origin = other;
        origin["x"] = zero.clone();
        origin["y"] = zero;
        let field = json!(base64url::encode(vec![0xff; curve.coordinate_len()]));
        for wrong in [mixed, origin, with(kind, "x", field)] {
            assert!(matches!(signing(&wrong), Err(JwkError::Point)), "{curve:?}");
            assert!(matches!(encrypting(&wrong), Err(JwkError::Point)), "{curve:?}");
        }
    }
}

fn okp(crv: &str, hex: &str) -> Value {
    let bytes = openssl::bn::BigNum::from_hex_str(hex).unwrap().to_vec_padded(32).unwrap();
    json!({"kty": "OKP", "crv": crv, "x": base64url::encode(bytes)})
}

/// The encodings are little-endian; the sign of x is the top bit of the last byte.
#[rstest]
#[case::y_zero("0000000000000000000000000000000000000000000000000000000000000000")]
#[case::y_zero_x_negative("0000000000000000000000000000000000000000000000000000000000000080")]
#[case::neutral("0100000000000000000000000000000000000000000000000000000000000000")]
#[case::order_two("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
#[case::order_eight("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")]
#[case::order_eight_negative("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85")]
#[case::other_order_eight("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")]
#[case::not_below_the_field("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
#[case::off_the_curve("0200000000000000000000000000000000000000000000000000000000000000")]
fn weak_and_impossible_ed25519_points_are_refused(#[case] hex: &str) {
    assert!(matches!(signing(&okp("Ed25519", hex)), Err(JwkError::Point)));
}

#[test]
fn no_honest_ed25519_key_is_refused() {
    for _ in 0..200 {
        signing(&jwk(KeyKind::Ed25519)).unwrap();
    }
}

#[rstest]
#[case::zero("0000000000000000000000000000000000000000000000000000000000000000")]
#[case::one("0100000000000000000000000000000000000000000000000000000000000000")]
#[case::order_eight("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")]
fn weak_x25519_points_are_refused(#[case] hex: &str) {
    assert!(matches!(encrypting(&okp("X25519", hex)), Err(JwkError::Point)));
}

#[test]
fn use_must_fit() {
    for (name, signs, encrypts) in [("sig", true, false), ("enc", false, true), ("", false, false)] {
        let jwk = with(KeyKind::Rsa, "use", json!(name));
        assert_eq!(!matches!(signing(&jwk), Err(JwkError::Use(_))), signs, "{name}");
        assert_eq!(!matches!(encrypting(&jwk), Err(JwkError::Use(_))), encrypts, "{name}");
    }
}

#[rstest]
#[case::verify(KeyKind::Rsa, &["verify"], true, false)]
#[case::sign_only(KeyKind::Rsa, &["sign"], false, false)]
#[case::both(KeyKind::Rsa, &["sign", "verify"], true, false)]
#[case::twice(KeyKind::Rsa, &["verify", "verify"], false, false)]
#[case::none(KeyKind::Rsa, &[], false, false)]
#[case::wrap(KeyKind::Rsa, &["wrapKey"], false, true)]
#[case::encrypt(KeyKind::Rsa, &["encrypt"], false, true)]
#[case::decrypt(KeyKind::Rsa, &["decrypt"], false, false)]
#[case::many(KeyKind::Rsa, &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "verify"], false, false)]
#[case::derive(KeyKind::Ec(EcCurve::P256), &["deriveKey"], false, true)]
#[case::derive_bits(KeyKind::Ec(EcCurve::P256), &["deriveBits"], false, true)]
#[case::wrap_by_ec(KeyKind::Ec(EcCurve::P256), &["wrapKey"], false, false)]
#[case::web_crypto(KeyKind::Ec(EcCurve::P256), &[], false, true)]
fn key_ops_must_fit(#[case] kind: KeyKind, #[case] operations: &[&str], #[case] signs: bool, #[case] encrypts: bool) {
    let jwk = with(kind, "key_ops", json!(operations));
    assert_eq!(!matches!(signing(&jwk), Err(JwkError::KeyOps(_))), signs);
    assert_eq!(!matches!(encrypting(&jwk), Err(JwkError::KeyOps(_))), encrypts);
}

#[rstest]
#[case(KeyKind::Rsa, "RS512", true)]
#[case(KeyKind::Rsa, "ES256", false)]
#[case(KeyKind::Rsa, "HS256", false)]
#[case(KeyKind::Rsa, "none", false)]
#[case(KeyKind::Rsa, "RSA-OAEP-256", false)]
#[case(KeyKind::Ec(EcCurve::P256), "ES256", true)]
#[case(KeyKind::Ec(EcCurve::P256), "ES384", false)]
#[case(KeyKind::Ed25519, "Ed25519", true)]
#[case(KeyKind::Ed25519, "EdDSA", true)]
fn alg_must_belong_to_the_key(#[case] kind: KeyKind, #[case] alg: &str, #[case] good: bool) {
    let result = signing(&with(kind, "alg", json!(alg)));
    assert!(if good { result.is_ok() } else { matches!(result, Err(JwkError::Algorithm)) }, "{result:?}");
}

#[test]
fn the_thumbprint_is_that_of_the_standards() {
    let rfc7638 = json!({"kty": "RSA", "alg": "RS256", "kid": "2011-04-29", "e": "AQAB", "n": concat!(
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj",
        "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ",
        "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK",
        "nqDKgw")});
    let rfc8037 = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    for (jwk, thumbprint) in [
        (rfc7638, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
        (rfc8037, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
    ] {
        assert_eq!(JwkDocument::parse(&jwk).unwrap().thumbprint().to_string(), thumbprint);
    }
}

#[test]
fn public_members_are_the_key_and_its_names() {
    for kind in KINDS {
        let mut jwk = with(kind, "kid", json!("k"));
        jwk["ext"] = json!(true);
        let document = JwkDocument::parse(&jwk).unwrap();
        jwk.as_object_mut().unwrap().remove("ext");
        assert_eq!(Value::Object(document.public_members()), jwk);
    }
}
