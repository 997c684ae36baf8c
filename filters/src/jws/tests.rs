use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::signing::SigningKey;
use super::*;

const LIMIT: usize = 8192;

fn header(algorithm: Algorithm) -> String {
    json!({"alg": algorithm.name()}).to_string()
}

fn import(jwk: &serde_json::Value) -> Result<VerificationKey, JwkError> {
    VerificationKey::try_from(JwkDocument::parse(jwk)?)
}

fn verify(compact: &str, key: &VerificationKey) -> Result<Vec<u8>, JwsError> {
    Ok(CompactJws::parse(compact.as_bytes(), LIMIT)?.admit(&Algorithm::ALL)?.verify(key)?.into_payload())
}

#[test]
fn every_algorithm_verifies_with_its_key_and_no_other() {
    let keys = Algorithm::ALL.map(SigningKey::for_algorithm);
    for (algorithm, key) in Algorithm::ALL.into_iter().zip(&keys) {
        let compact = key.sign(algorithm, &header(algorithm), "what is signed");
        assert_eq!(verify(&compact, &key.verification_key()).unwrap(), b"what is signed", "{algorithm:?}");
        for (other, stranger) in Algorithm::ALL.into_iter().zip(&keys).filter(|(other, _)| *other != algorithm) {
            if stranger.jwk() != key.jwk() {
                let result = verify(&compact, &stranger.verification_key());
                assert!(matches!(result, Err(JwsError::Signature(_))), "{algorithm:?} {other:?}");
            }
        }
    }
}

#[test]
fn an_algorithm_of_another_kind_of_key_does_not_fit() {
    for signed in Algorithm::ALL {
        for kind in [KeyKind::Rsa, KeyKind::Ec(EcCurve::P256), KeyKind::Ec(EcCurve::P384), KeyKind::Ed25519] {
            let key = SigningKey::of(kind).verification_key();
            let fits = key.verify(signed, b"", b"") != Err(SignatureError::Algorithm);
            assert_eq!(fits, signed.fits(kind), "{signed:?} {kind:?}");
        }
    }
}

#[test]
fn the_alg_of_the_jwk_binds() {
    let key = SigningKey::of(KeyKind::Rsa);
    let mut jwk = key.jwk();
    jwk["alg"] = "PS256".into();
    let imported = import(&jwk).unwrap();
    let ps256 = key.sign(Algorithm::Ps256, &header(Algorithm::Ps256), "{}");
    assert!(verify(&ps256, &imported).is_ok());
    let rs256 = key.sign(Algorithm::Rs256, &header(Algorithm::Rs256), "{}");
    assert!(matches!(verify(&rs256, &imported), Err(JwsError::Signature(SignatureError::Algorithm))));
}

#[test]
fn the_examples_of_the_standards_verify() {
    let rfc7515_a3 = (
        json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}),
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    );
    let rfc8037_a4 = (
        json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
    );
    for (jwk, compact) in [rfc7515_a3, rfc8037_a4] {
        verify(compact, &import(&jwk).unwrap()).unwrap();
    }
}

/// The signature in other forms that a lenient verifier takes.
#[test]
fn ecdsa_takes_one_form_only() {
    let key = SigningKey::of(KeyKind::Ec(EcCurve::P256));
    let (imported, good) = (key.verification_key(), key.signature(Algorithm::Es256, b"input"));
    let check = |signature: &[u8]| imported.verify(Algorithm::Es256, b"input", signature);
    assert_eq!(check(&good), Ok(()));
    let (r, s) = good.split_at(32);
    let der = openssl::ecdsa::EcdsaSig::from_private_components(
        openssl::bn::BigNum::from_slice(r).unwrap(),
        openssl::bn::BigNum::from_slice(s).unwrap(),
    );
    let order = openssl::bn::BigNum::from_hex_str("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    let order = order.unwrap();
    let mut past_order = openssl::bn::BigNum::new().unwrap();
    past_order.checked_add(&order, &openssl::bn::BigNum::from_slice(s).unwrap()).unwrap();
    let wrong = [
        der.unwrap().to_der().unwrap(),
        [&[0], r, &[0], s].concat(),
        [r, s, &[0]].concat(),
        [r, &[0], s].concat(),
        [r, &s[..31]].concat(),
        vec![0; 64],
        [&[0; 32], s].concat(),
        [r, &[0; 32]].concat(),
        [r, &order.to_vec()].concat(),
        vec![0xff; 64],
        Vec::new(),
    ];
    for signature in wrong {
        assert_eq!(check(&signature), Err(SignatureError::Bad), "{signature:?}");
    }
    if past_order.num_bits() <= 256 {
        assert_eq!(check(&[r, &past_order.to_vec_padded(32).unwrap()].concat()), Err(SignatureError::Bad));
    }
}

#[test]
fn pss_wants_a_salt_as_long_as_the_hash() {
    use openssl::sign::{RsaPssSaltlen, Signer};
    let pkey = openssl::pkey::PKey::from_rsa(openssl::rsa::Rsa::generate(2048).unwrap()).unwrap();
    let rsa = pkey.rsa().unwrap();
    let jwk = json!({"kty": "RSA", "n": base64url::encode(rsa.n().to_vec()), "e": "AQAB"});
    let signed = |salt| {
        let mut signer = Signer::new(openssl::hash::MessageDigest::sha256(), &pkey).unwrap();
        signer.set_rsa_padding(openssl::rsa::Padding::PKCS1_PSS).unwrap();
        signer.set_rsa_pss_saltlen(salt).unwrap();
        import(&jwk).unwrap().verify(Algorithm::Ps256, b"x", &signer.sign_oneshot_to_vec(b"x").unwrap())
    };
    assert_eq!(signed(RsaPssSaltlen::custom(32)), Ok(()));
    assert_eq!(signed(RsaPssSaltlen::custom(20)), Err(SignatureError::Bad));
    assert_eq!(signed(RsaPssSaltlen::custom(0)), Err(SignatureError::Bad));
}

#[rstest]
#[case::two_parts("e30.e30")]
#[case::four_parts("e30.e30.e30.e30")]
#[case::no_header(".e30.e30")]
#[case::no_payload("e30..e30")]
#[case::no_signature("e30.e30.")]
#[case::nothing("")]
fn a_compact_jws_has_three_parts(#[case] compact: &str) {
    assert!(matches!(CompactJws::parse(compact.as_bytes(), LIMIT), Err(JwsError::Parts)));
}

#[rstest]
#[case::header("e30=.e30.e30")]
#[case::payload("e30.e31.e30")]
#[case::signature("e30.e30.e30\n")]
fn each_part_is_canonical(#[case] compact: &str) {
    assert!(matches!(CompactJws::parse(compact.as_bytes(), LIMIT), Err(JwsError::Encoding(_))));
}

#[test]
fn the_limit_is_in_bytes_of_the_whole() {
    assert!(CompactJws::parse(b"e30.e30.e30", 11).is_ok());
    assert!(matches!(CompactJws::parse(b"e30.e30.e30", 10), Err(JwsError::TooLong(10))));
}

#[test]
fn an_algorithm_outside_the_callers_list_is_refused() {
    let compact = SigningKey::of(KeyKind::Rsa).sign(Algorithm::Rs256, &header(Algorithm::Rs256), "{}");
    let admit = |allowed: &[Algorithm]| CompactJws::parse(compact.as_bytes(), LIMIT).unwrap().admit(allowed).map(drop);
    assert!(admit(&[Algorithm::Rs256]).is_ok());
    assert!(matches!(admit(&[Algorithm::Ps256]), Err(JwsError::Algorithm)));
}

#[test]
fn the_header_is_readable_before_and_after() {
    let key = SigningKey::of(KeyKind::Ed25519);
    let compact = key.sign(Algorithm::EdDsa, r#"{"alg":"EdDSA","kid":"k1","typ":"JWT"}"#, "{}");
    let unverified = CompactJws::parse(compact.as_bytes(), LIMIT).unwrap().admit(&Algorithm::ALL).unwrap();
    assert_eq!(unverified.header().kid(), Some("k1"));
    assert_eq!(unverified.unverified_payload(), b"{}");
    assert_eq!(unverified.verify(&key.verification_key()).unwrap().header().typ(), Some("JWT"));
}

#[test]
fn any_bit_changed_spoils_it() {
    let key = SigningKey::of(KeyKind::Ed25519);
    let compact = key.sign(Algorithm::Ed25519, &header(Algorithm::Ed25519), r#"{"a":1}"#);
    for position in 0..compact.len() {
        let mut changed = compact.clone().into_bytes();
        changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(verify(&changed, &key.verification_key()).is_err(), "{position}");
    }
}

proptest! {
    #[test]
    fn parsing_never_panics(bytes: Vec<u8>, parts in "[A-Za-z0-9_-]{0,9}\\.[A-Za-z0-9_-]{0,9}\\.[A-Za-z0-9_-]{0,9}") {
        let _ = CompactJws::parse(&bytes, LIMIT);
        let _ = CompactJws::parse(parts.as_bytes(), LIMIT);
    }

    #[test]
    fn no_signature_of_chance_is_good(signature: Vec<u8>) {
        for kind in [KeyKind::Rsa, KeyKind::Ec(EcCurve::P521), KeyKind::Ed25519] {
            let key = SigningKey::of(kind).verification_key();
            for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| algorithm.fits(kind)) {
                prop_assert_eq!(key.verify(algorithm, b"input", &signature), Err(SignatureError::Bad));
            }
        }
    }
}
