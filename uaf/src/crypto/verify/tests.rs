use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{Asn1Flag, EcGroup, EcKey, EcPoint, PointConversionForm};
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use rstest::rstest;

use super::*;
use crate::crypto::PrivateKey;

const MESSAGE: &[u8] = b"what was signed";

fn pair(algorithm: Algorithm) -> (PrivateKey, VerificationKey) {
    let private = PrivateKey::generate(algorithm).unwrap();
    let format = if algorithm.is_elliptic() { KeyFormat::EcRaw } else { KeyFormat::RsaRaw };
    let public = VerificationKey::parse(algorithm, format, &private.public_key(format).unwrap()).unwrap();
    (private, public)
}

fn parse_error(algorithm: Algorithm, format: KeyFormat, bytes: &[u8]) -> KeyError {
    VerificationKey::parse(algorithm, format, bytes).err().unwrap()
}

#[test]
fn a_signature_verifies_in_its_own_encoding_only() {
    for algorithm in Algorithm::ALL {
        let (private, public) = pair(*algorithm);
        let signature = private.sign(MESSAGE).unwrap();
        assert!(public.verifies(MESSAGE, &signature), "{algorithm:?}");
        assert!(!public.verifies(b"something else", &signature));
        let longer = [&signature[..], &[0]].concat();
        let leading = [&[0], &signature[..]].concat();
        let shorter = &signature[..signature.len() - 1];
        for wrong in [&longer[..], &leading, shorter, &[]] {
            assert!(!public.verifies(MESSAGE, wrong), "{algorithm:?}");
            assert!(ErrorStack::get().errors().is_empty(), "{algorithm:?} leaves errors on the thread");
        }
        let pkcs8 = private.to_pkcs8().unwrap();
        for other in Algorithm::ALL.iter().filter(|other| *other != algorithm) {
            if let Ok(signer) = PrivateKey::from_pkcs8(*other, &pkcs8) {
                assert!(!public.verifies(MESSAGE, &signer.sign(MESSAGE).unwrap()), "{other:?} as {algorithm:?}");
            }
        }
    }
}

#[test]
fn numbers_of_an_ecdsa_signature_are_within_the_order() {
    let order = |nid| {
        let (mut order, mut context) = (BigNum::new().unwrap(), BigNumContext::new().unwrap());
        EcGroup::from_curve_name(nid).unwrap().order(&mut order, &mut context).unwrap();
        order.to_vec_padded(32).unwrap()
    };
    for (algorithm, nid) in [(Algorithm::P256Raw, Nid::X9_62_PRIME256V1), (Algorithm::K256Raw, Nid::SECP256K1)] {
        let (private, public) = pair(algorithm);
        let signature = private.sign(MESSAGE).unwrap();
        for bad in [vec![0; 32], order(nid), vec![0xff; 32]] {
            assert!(!public.verifies(MESSAGE, &[&bad, &signature[32..]].concat()));
            assert!(!public.verifies(MESSAGE, &[&signature[..32], &bad].concat()));
        }
        assert!(!public.verifies(MESSAGE, &[0; 64]));
        assert!(ErrorStack::get().errors().is_empty(), "errors were left on the thread");
    }
}

#[test]
fn a_der_signature_has_its_one_right_form() {
    let (private, public) = pair(Algorithm::P256Der);
    // A value without the top bit, so that a zero in front of it is one too many.
    let signature = std::iter::repeat_with(|| private.sign(MESSAGE).unwrap()).find(|der| der[3] == 32).unwrap();
    assert!(public.verifies(MESSAGE, &signature));
    let zero = [&[0x30, signature[1] + 1, 2, 33, 0], &signature[4..]].concat();
    let long_length = [&[0x30, 0x81], &signature[1..]].concat();
    let inside = [&[0x30, signature[1] + 2], &signature[2..], &[5, 0]].concat();
    let behind = [&signature[..], &[5, 0]].concat();
    for wrong in [zero, long_length, inside, behind] {
        assert!(!public.verifies(MESSAGE, &wrong));
    }
}

#[test]
fn a_pss_salt_has_32_bytes() {
    use openssl::hash::MessageDigest;
    use openssl::sign::{RsaPssSaltlen, Signer};
    let (private, public) = pair(Algorithm::PssRaw);
    let key = PKey::private_key_from_pkcs8(&private.to_pkcs8().unwrap()).unwrap();
    for (salt, good) in [(32, true), (31, false), (0, false)] {
        let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
        signer.set_rsa_padding(openssl::rsa::Padding::PKCS1_PSS).unwrap();
        signer.set_rsa_pss_saltlen(RsaPssSaltlen::custom(salt)).unwrap();
        let signature = signer.sign_oneshot_to_vec(MESSAGE).unwrap();
        assert_eq!(public.verifies(MESSAGE, &signature), good, "salt of {salt} bytes");
    }
}

fn p256() -> (EcKey<openssl::pkey::Private>, Vec<u8>) {
    let key = EcKey::generate(&EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap()).unwrap();
    let mut context = BigNumContext::new().unwrap();
    let point = key.public_key().to_bytes(key.group(), PointConversionForm::UNCOMPRESSED, &mut context).unwrap();
    (key, point)
}

#[test]
fn a_point_is_whole_and_on_the_curve() {
    let (key, point) = p256();
    let error = |bytes: &[u8]| parse_error(Algorithm::P256Raw, KeyFormat::EcRaw, bytes);
    let mut off = point.clone();
    off[64] ^= 1;
    assert_eq!(error(&off), KeyError::Point);
    assert_eq!(error(&[&[4][..], &[0xff; 64]].concat()), KeyError::Point);
    assert_eq!(error(&[&[4][..], &[0; 64]].concat()), KeyError::Point);
    let mut context = BigNumContext::new().unwrap();
    for form in [PointConversionForm::COMPRESSED, PointConversionForm::HYBRID] {
        let bytes = key.public_key().to_bytes(key.group(), form, &mut context).unwrap();
        assert_eq!(error(&bytes), KeyError::Encoding);
    }
    for bytes in [&[0][..], &[], &point[..64], &[&point[..], &[0]].concat(), &point[1..]] {
        assert_eq!(error(bytes), KeyError::Encoding);
    }
}

#[test]
fn a_subject_public_key_info_is_of_the_named_curve() {
    let error = |bytes: &[u8]| parse_error(Algorithm::P256Der, KeyFormat::EcDer, bytes);
    let (key, _) = p256();
    let der = key.public_key_to_der().unwrap();
    assert!(VerificationKey::parse(Algorithm::P256Der, KeyFormat::EcDer, &der).is_ok());
    assert_eq!(error(&[&der[..], &[0]].concat()), KeyError::Encoding);
    assert_eq!(error(&der[..90]), KeyError::Encoding);

    let koblitz = PrivateKey::generate(Algorithm::K256Raw).unwrap().public_key(KeyFormat::EcDer).unwrap();
    assert_eq!(error(&koblitz), KeyError::Curve);
    assert_eq!(parse_error(Algorithm::K256Raw, KeyFormat::EcDer, &der), KeyError::Curve);

    let mut group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    group.set_asn1_flag(Asn1Flag::EXPLICIT_CURVE);
    let explicit = EcKey::generate(&group).unwrap().public_key_to_der().unwrap();
    assert_eq!(error(&explicit), KeyError::Encoding);
    let wide = EcKey::generate(&EcGroup::from_curve_name(Nid::SECP384R1).unwrap()).unwrap();
    assert_eq!(error(&wide.public_key_to_der().unwrap()), KeyError::Encoding);
    let rsa = Rsa::generate(2048).unwrap().public_key_to_der().unwrap();
    assert_eq!(error(&rsa), KeyError::Encoding);
}

#[test]
fn the_curve_follows_from_the_algorithm() {
    let (_, point) = p256();
    assert_eq!(parse_error(Algorithm::K256Raw, KeyFormat::EcRaw, &point), KeyError::Point);
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let mut context = BigNumContext::new().unwrap();
    assert!(EcPoint::from_bytes(&group, &point, &mut context).is_ok());
}

#[rstest]
#[case(1024)]
#[case(2040)]
#[case(3072)]
fn an_rsa_key_has_2048_bits(#[case] bits: u32) {
    let key = Rsa::generate(bits).unwrap();
    let error = |format, bytes: &[u8]| parse_error(Algorithm::PssRaw, format, bytes);
    assert_eq!(error(KeyFormat::RsaDer, &key.public_key_to_der_pkcs1().unwrap()), KeyError::Modulus);
    assert_eq!(error(KeyFormat::RsaDer, &key.public_key_to_der().unwrap()), KeyError::Modulus);
}

#[test]
fn an_rsa_key_is_written_in_its_one_right_form() {
    let key = Rsa::generate(2048).unwrap();
    let (pkcs1, info) = (key.public_key_to_der_pkcs1().unwrap(), key.public_key_to_der().unwrap());
    for der in [&pkcs1, &info] {
        assert!(VerificationKey::parse(Algorithm::PssRaw, KeyFormat::RsaDer, der).is_ok());
        let behind = [&der[..], &[0]].concat();
        for wrong in [&behind[..], &der[..der.len() - 1], &[]] {
            assert_eq!(parse_error(Algorithm::PssRaw, KeyFormat::RsaDer, wrong), KeyError::Encoding);
        }
    }
    let elliptic = p256().0.public_key_to_der().unwrap();
    assert_eq!(parse_error(Algorithm::PssRaw, KeyFormat::RsaDer, &elliptic), KeyError::Encoding);
}

#[rstest]
#[case(&[], KeyError::Exponent)]
#[case(&[0], KeyError::Exponent)]
#[case(&[1], KeyError::Exponent)]
#[case(&[1, 0, 0], KeyError::Exponent)]
#[case(&[1, 0, 0, 0, 0, 0, 0, 0, 1], KeyError::Exponent)]
fn an_rsa_exponent_is_odd_and_short(#[case] exponent: &[u8], #[case] error: KeyError) {
    let modulus = Rsa::generate(2048).unwrap().n().to_vec();
    let bytes = [&modulus[..], exponent].concat();
    assert_eq!(parse_error(Algorithm::PssRaw, KeyFormat::RsaRaw, &bytes), error);
}

#[test]
fn an_rsa_modulus_is_odd_and_whole() {
    let mut modulus = Rsa::generate(2048).unwrap().n().to_vec();
    let with_exponent = |modulus: &[u8]| [modulus, &[1, 0, 1]].concat();
    modulus[255] ^= 1;
    assert_eq!(parse_error(Algorithm::PssRaw, KeyFormat::RsaRaw, &with_exponent(&modulus)), KeyError::Modulus);
    modulus[255] ^= 1;
    modulus[0] = 0;
    assert_eq!(parse_error(Algorithm::PssRaw, KeyFormat::RsaRaw, &with_exponent(&modulus)), KeyError::Modulus);
    assert_eq!(parse_error(Algorithm::PssRaw, KeyFormat::RsaRaw, &modulus[..255]), KeyError::Encoding);
}
