use josekit::jwe::JweDecrypter;
use josekit::jwk::alg::ec::EcCurve;
use josekit::jwk::alg::ecx::EcxCurve;
use rstest::rstest;

use super::*;

fn rsa() -> Jwk {
    Jwk::generate_rsa_key(2048).unwrap()
}

fn curve(curve: EcCurve) -> Jwk {
    Jwk::generate_ec_key(curve).unwrap()
}

fn x25519() -> Jwk {
    Jwk::generate_ecx_key(EcxCurve::X25519).unwrap()
}

fn public(jwk: &Jwk) -> JwkDocument {
    let mut public = jwk.to_public_key().unwrap();
    // josekit leaves these two out of a public key.
    public.set_parameter("alg", jwk.parameter("alg").cloned()).unwrap();
    public.set_parameter("kid", jwk.parameter("kid").cloned()).unwrap();
    JwkDocument::parse(&Value::Object(public.into())).unwrap()
}

fn decrypter(algorithm: &str, jwk: &Jwk) -> Box<dyn JweDecrypter> {
    match algorithm {
        "RSA-OAEP-256" => Box::new(RSA_OAEP_256.decrypter_from_jwk(jwk).unwrap()),
        "RSA-OAEP" => Box::new(RSA_OAEP.decrypter_from_jwk(jwk).unwrap()),
        "ECDH-ES" => Box::new(ECDH_ES.decrypter_from_jwk(jwk).unwrap()),
        "ECDH-ES+A128KW" => Box::new(ECDH_ES_A128KW.decrypter_from_jwk(jwk).unwrap()),
        _ => Box::new(ECDH_ES_A256KW.decrypter_from_jwk(jwk).unwrap()),
    }
}

#[rstest]
#[case(rsa(), None, "RSA-OAEP-256")]
#[case(rsa(), Some("RSA-OAEP"), "RSA-OAEP")]
#[case(curve(EcCurve::P256), None, "ECDH-ES+A256KW")]
#[case(curve(EcCurve::P384), None, "ECDH-ES+A256KW")]
#[case(curve(EcCurve::P521), None, "ECDH-ES+A256KW")]
#[case(curve(EcCurve::P256), Some("ECDH-ES"), "ECDH-ES")]
#[case(curve(EcCurve::P256), Some("ECDH-ES+A128KW"), "ECDH-ES+A128KW")]
#[case(x25519(), None, "ECDH-ES+A256KW")]
fn every_kind_of_key_reads_what_was_encrypted_to_it(
    #[case] mut jwk: Jwk,
    #[case] wish: Option<&str>,
    #[case] algorithm: &str,
) {
    if let Some(wish) = wish {
        jwk.set_algorithm(wish);
    }
    jwk.set_key_id("phone-1");
    let message = EncryptionKey::try_from(public(&jwk)).unwrap().encrypt(b"{\"token\":1}").unwrap();
    let (plain, header) = jwe::deserialize_compact(&message, decrypter(algorithm, &jwk).as_ref()).unwrap();
    assert_eq!(plain, b"{\"token\":1}");
    assert_eq!((header.algorithm(), header.content_encryption()), (Some(algorithm), Some("A256GCM")));
    assert_eq!(header.key_id(), Some("phone-1"));
    assert_eq!(header.compression(), None);
}

#[rstest]
#[case(rsa(), "RSA1_5")]
#[case(rsa(), "ECDH-ES")]
#[case(curve(EcCurve::P256), "RSA-OAEP-256")]
#[case(curve(EcCurve::P256), "ES256")]
#[case(x25519(), "dir")]
fn an_algorithm_that_is_not_on_the_list_is_refused(#[case] mut jwk: Jwk, #[case] algorithm: &str) {
    jwk.set_algorithm(algorithm);
    assert!(matches!(EncryptionKey::try_from(public(&jwk)), Err(JwkError::Algorithm)));
}
