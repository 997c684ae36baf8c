//! The work that a request cannot do without, and nothing else: OpenSSL with its keys ready.

use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private, Public};
use openssl::sign::{Signer, Verifier};
use sidegate::jose::{DecryptionKey, EncryptionKey};
use sidegate_filters::jws::{EcCurve, JwkDocument, KeyKind};

use super::Failure;

/// About the length of what a phone signs to change its target.
const SIGNED: [u8; 400] = [7; 400];
/// About the length of what a link encrypts.
const PAYLOAD: [u8; 160] = [7; 160];

/// Ready keys.
pub(crate) struct Bare {
    verifying: PKey<Public>,
    signature: Vec<u8>,
    mac: PKey<Private>,
    encryption: EncryptionKey,
}

impl Bare {
    pub(crate) fn build() -> Result<Self, Failure> {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
        let key = EcKey::generate(&group)?;
        let verifying = PKey::from_ec_key(EcKey::from_public_key(&group, key.public_key())?)?;
        let key = PKey::from_ec_key(key)?;
        let encryption = DecryptionKey::generate(KeyKind::Ec(EcCurve::P256))?.public_jwk();
        Ok(Self {
            verifying,
            signature: Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot_to_vec(&SIGNED)?,
            mac: PKey::hmac(&[7; 32])?,
            encryption: EncryptionKey::try_from(JwkDocument::parse(&encryption)?)?,
        })
    }

    /// One ECDSA signature over P-256 is checked.
    pub(crate) fn verify(&self) -> bool {
        let verifier = Verifier::new(MessageDigest::sha256(), &self.verifying);
        verifier.and_then(|mut verifier| verifier.verify_oneshot(&self.signature, &SIGNED)).unwrap_or(false)
    }

    /// What a redeem needs: the token's identifier and the proof in serverData, by HMAC-SHA256, and a random challenge.
    pub(crate) fn redeem(&self) -> bool {
        let mut challenge = [0; 32];
        openssl::rand::rand_bytes(&mut challenge).is_ok() && self.tag(&[7; 36]) && self.tag(&[7; 120])
    }

    fn tag(&self, data: &[u8]) -> bool {
        let signer = Signer::new(MessageDigest::sha256(), &self.mac);
        std::hint::black_box(signer.and_then(|mut signer| signer.sign_oneshot_to_vec(data))).is_ok()
    }

    /// One JWE for a phone's P-256 key.
    pub(crate) fn encrypt(&self) -> bool {
        std::hint::black_box(self.encryption.encrypt(&PAYLOAD)).is_ok()
    }
}
