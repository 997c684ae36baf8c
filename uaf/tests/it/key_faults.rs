//! New keys that are not acceptable, in registrations that a model's certified key has signed rightly.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::bn::BigNumContext;
use openssl::ec::{EcGroup, EcKey, PointConversionForm};
use openssl::nid::Nid;
use openssl::rsa::Rsa;
use rstest::rstest;
use serde_json::json;
use sidegate_uaf::authenticator::{Draft, Hierarchy};
use sidegate_uaf::metadata::{Models, UnknownModels};
use sidegate_uaf::tlv::tag;
use sidegate_uaf::{Algorithm, Error, KeyError, KeyFormat, PrivateKey};

use crate::support::{AAID, TODAY, World, phone, server, statement};

/// A model that attests in full; its certified key is made once, as making keys for RSA takes long.
struct Model(Hierarchy);

impl Model {
    fn of(algorithm: Algorithm) -> Self {
        Self(Hierarchy::of_model(AAID.parse().unwrap(), algorithm).unwrap())
    }

    /// Registers this key.
    fn register(&self, format: KeyFormat, key: &[u8]) -> Result<(), Error> {
        let changes = json!({
            "authenticationAlgorithm": u16::from(self.0.attester.key().algorithm()),
            "publicKeyAlgAndEncodings": [257, 258, 259], "attestationTypes": [15879],
            "attestationRootCertificates": [STANDARD.encode(&self.0.root)],
        });
        let models = Models::new(UnknownModels::Refuse).with_statement(statement(changes));
        let phone = phone().with_attester(self.0.attester.clone());
        let world = World { server: server(models), phone, now: TODAY, ..World::new() };
        let other_key = |draft: &mut Draft| {
            let mut info = draft.fields.get(tag::ASSERTION_INFO).to_vec();
            info[5..].copy_from_slice(&u16::from(format).to_le_bytes());
            draft.fields.set(tag::ASSERTION_INFO, info);
            draft.fields.set(tag::PUB_KEY, key);
        };
        world.register_with(other_key).map(drop)
    }

    fn refused(&self, format: KeyFormat, key: &[u8]) -> KeyError {
        match self.register(format, key) {
            Err(Error::Key(fault)) => fault,
            other => panic!("{other:?}"),
        }
    }
}

fn public(algorithm: Algorithm, format: KeyFormat) -> Vec<u8> {
    PrivateKey::generate(algorithm).unwrap().public_key(format).unwrap()
}

#[rstest]
#[case(Algorithm::P256Raw, KeyFormat::EcRaw)]
#[case(Algorithm::P256Raw, KeyFormat::EcDer)]
#[case(Algorithm::K256Der, KeyFormat::EcRaw)]
#[case(Algorithm::PssRaw, KeyFormat::RsaRaw)]
#[case(Algorithm::Pkcs1Der, KeyFormat::RsaDer)]
fn a_good_key_is_registered(#[case] algorithm: Algorithm, #[case] format: KeyFormat) {
    assert_eq!(Model::of(algorithm).register(format, &public(algorithm, format)), Ok(()));
}

#[test]
fn the_format_fits_the_algorithm() {
    let point = public(Algorithm::P256Raw, KeyFormat::EcRaw);
    assert_eq!(Model::of(Algorithm::PssRaw).refused(KeyFormat::EcDer, &point), KeyError::FormatForAlgorithm);
    let modulus = public(Algorithm::PssRaw, KeyFormat::RsaRaw);
    assert_eq!(Model::of(Algorithm::P256Raw).refused(KeyFormat::RsaRaw, &modulus), KeyError::FormatForAlgorithm);
}

#[rstest]
fn a_point_is_whole_and_on_the_curve(#[values(Algorithm::P256Raw, Algorithm::K256Raw)] algorithm: Algorithm) {
    let model = Model::of(algorithm);
    let error = |bytes: &[u8]| model.refused(KeyFormat::EcRaw, bytes);
    let point = public(algorithm, KeyFormat::EcRaw);
    let mut off = point.clone();
    off[64] ^= 1;
    assert_eq!(error(&off), KeyError::Point);
    assert_eq!(error(&[&[4][..], &[0; 64]].concat()), KeyError::Point);
    let infinity = [0];
    let compressed = [&[2 + (point[64] & 1)], &point[1..33]].concat();
    let hybrid = [&[6 + (point[64] & 1)], &point[1..]].concat();
    for bytes in [&infinity[..], &compressed, &hybrid, &[], &point[..64], &[&point[..], &[0]].concat()] {
        assert_eq!(error(bytes), KeyError::Encoding);
    }
}

#[test]
fn a_point_is_on_the_algorithms_curve() {
    let (p256, k256) = (Algorithm::P256Raw, Algorithm::K256Raw);
    assert_eq!(Model::of(p256).refused(KeyFormat::EcDer, &public(k256, KeyFormat::EcDer)), KeyError::Curve);
    assert_eq!(Model::of(k256).refused(KeyFormat::EcDer, &public(p256, KeyFormat::EcDer)), KeyError::Curve);
    assert_eq!(Model::of(p256).refused(KeyFormat::EcRaw, &public(k256, KeyFormat::EcRaw)), KeyError::Point);
    let wide = EcKey::generate(&EcGroup::from_curve_name(Nid::SECP384R1).unwrap()).unwrap();
    assert_eq!(Model::of(p256).refused(KeyFormat::EcDer, &wide.public_key_to_der().unwrap()), KeyError::Encoding);
    let mut context = BigNumContext::new().unwrap();
    let raw = wide.public_key().to_bytes(wide.group(), PointConversionForm::UNCOMPRESSED, &mut context).unwrap();
    assert_eq!(Model::of(p256).refused(KeyFormat::EcRaw, &raw), KeyError::Encoding);
}

#[rstest]
#[case(1024)]
#[case(3072)]
fn an_rsa_key_has_2048_bits(#[case] bits: u32) {
    let key = Rsa::generate(bits).unwrap().public_key_to_der_pkcs1().unwrap();
    assert_eq!(Model::of(Algorithm::Pkcs1Raw).refused(KeyFormat::RsaDer, &key), KeyError::Modulus);
}

#[test]
fn an_rsa_modulus_is_odd_and_whole_and_the_exponent_odd_and_short() {
    let model = Model::of(Algorithm::PssRaw);
    let error = |bytes: &[u8]| model.refused(KeyFormat::RsaRaw, bytes);
    let key = public(Algorithm::PssRaw, KeyFormat::RsaRaw);
    let (modulus, exponent) = key.split_at(256);
    let mut even = modulus.to_vec();
    even[255] &= 0xfe;
    assert_eq!(error(&[&even, exponent].concat()), KeyError::Modulus);
    assert_eq!(error(&[&[0], &modulus[1..], exponent].concat()), KeyError::Modulus);
    assert_eq!(error(&modulus[..255]), KeyError::Encoding);
    for bad in [&[][..], &[0], &[1], &[2], &[1, 0, 0], &[1, 0, 0, 0, 0, 0, 0, 0, 1]] {
        assert_eq!(error(&[modulus, bad].concat()), KeyError::Exponent, "{bad:?}");
    }
}
