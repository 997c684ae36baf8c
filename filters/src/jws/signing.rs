//! Private keys and a signer for tests: what a phone has.

use std::sync::LazyLock;

use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Signer};
use serde_json::{Value, json};

use super::{Algorithm, EcCurve, JwkDocument, KeyKind, VerificationKey, base64url};

#[derive(Clone)]
pub(crate) struct SigningKey {
    pkey: PKey<Private>,
    kind: KeyKind,
}

static RSA: LazyLock<PKey<Private>> = LazyLock::new(|| PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap());

impl SigningKey {
    /// A key that the algorithm fits; RSA keys are all the same one.
    pub(crate) fn for_algorithm(algorithm: Algorithm) -> Self {
        let kinds = [
            KeyKind::Rsa,
            KeyKind::Ec(EcCurve::P256),
            KeyKind::Ec(EcCurve::P384),
            KeyKind::Ec(EcCurve::P521),
            KeyKind::Ed25519,
        ];
        Self::of(kinds.into_iter().find(|kind| algorithm.fits(*kind)).unwrap())
    }

    pub(crate) fn of(kind: KeyKind) -> Self {
        let pkey = match kind {
            KeyKind::Rsa => RSA.clone(),
            KeyKind::Ec(curve) => PKey::from_ec_key(EcKey::generate(&group(curve)).unwrap()).unwrap(),
            KeyKind::Ed25519 => PKey::generate_ed25519().unwrap(),
            KeyKind::X25519 => PKey::generate_x25519().unwrap(),
        };
        Self { pkey, kind }
    }

    pub(crate) fn jwk(&self) -> Value {
        match self.kind {
            KeyKind::Rsa => {
                let rsa = self.pkey.rsa().unwrap();
                let (n, e) = (base64url::encode(rsa.n().to_vec()), base64url::encode(rsa.e().to_vec()));
                json!({"kty": "RSA", "n": n, "e": e})
            }
            KeyKind::Ec(curve) => {
                let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
                let (key, mut context) = (self.pkey.ec_key().unwrap(), BigNumContext::new().unwrap());
                key.public_key().affine_coordinates(&group(curve), &mut x, &mut y, &mut context).unwrap();
                let len = i32::try_from(curve.coordinate_len()).unwrap();
                let text = |number: BigNum| base64url::encode(number.to_vec_padded(len).unwrap());
                json!({"kty": "EC", "crv": curve.name(), "x": text(x), "y": text(y)})
            }
            KeyKind::Ed25519 => json!({"kty": "OKP", "crv": "Ed25519", "x": self.raw_public()}),
            KeyKind::X25519 => json!({"kty": "OKP", "crv": "X25519", "x": self.raw_public()}),
        }
    }

    fn raw_public(&self) -> String {
        base64url::encode(self.pkey.raw_public_key().unwrap())
    }

    pub(crate) fn verification_key(&self) -> VerificationKey {
        VerificationKey::try_from(JwkDocument::parse(&self.jwk()).unwrap()).unwrap()
    }

    /// The signature as JWS writes it; the algorithm must be one of this kind of key.
    pub(crate) fn signature(&self, algorithm: Algorithm, input: &[u8]) -> Vec<u8> {
        let Some(digest) = algorithm.digest() else {
            return Signer::new_without_digest(&self.pkey).unwrap().sign_oneshot_to_vec(input).unwrap();
        };
        let mut signer = Signer::new(digest, &self.pkey).unwrap();
        if algorithm.is_pss() {
            signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
            signer.set_rsa_mgf1_md(digest).unwrap();
            signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH).unwrap();
        }
        let signature = signer.sign_oneshot_to_vec(input).unwrap();
        match self.kind {
            KeyKind::Ec(curve) => raw(&signature, curve),
            _ => signature,
        }
    }

    /// A compact JWS over any two texts.
    pub(crate) fn sign(&self, algorithm: Algorithm, header: &str, payload: &str) -> String {
        let input = format!("{}.{}", base64url::encode(header), base64url::encode(payload));
        let signature = self.signature(algorithm, input.as_bytes());
        format!("{input}.{}", base64url::encode(signature))
    }
}

fn raw(der: &[u8], curve: EcCurve) -> Vec<u8> {
    let (signature, len) = (EcdsaSig::from_der(der).unwrap(), i32::try_from(curve.coordinate_len()).unwrap());
    [signature.r().to_vec_padded(len).unwrap(), signature.s().to_vec_padded(len).unwrap()].concat()
}

fn group(curve: EcCurve) -> EcGroup {
    EcGroup::from_curve_name(match curve {
        EcCurve::P256 => Nid::X9_62_PRIME256V1,
        EcCurve::P384 => Nid::SECP384R1,
        EcCurve::P521 => Nid::SECP521R1,
    })
    .unwrap()
}

/// What a signature would be were it one of HS256.
pub(crate) fn hmac_sha256(secret: &[u8], input: &[u8]) -> Vec<u8> {
    let secret = PKey::hmac(secret).unwrap();
    Signer::new(MessageDigest::sha256(), &secret).unwrap().sign_oneshot_to_vec(input).unwrap()
}
