//! HMAC-SHA256 with one of the server's own keys.

use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use zeroize::Zeroizing;

use super::CryptoError;

/// A key for HMAC-SHA256, for one kind of data. Another key may be made of it: by the tag of a label that no such data is.
#[derive(Clone)]
pub struct MacKey(PKey<Private>);

impl MacKey {
    /// A key of these bytes.
    ///
    /// # Errors
    /// If the library fails.
    pub fn new(bytes: &Zeroizing<[u8; 32]>) -> Result<Self, CryptoError> {
        Ok(Self(PKey::hmac(bytes.as_slice())?))
    }

    /// The tag of these bytes.
    ///
    /// # Errors
    /// If the library fails.
    pub fn tag(&self, data: &[u8]) -> Result<[u8; 32], CryptoError> {
        let mut tag = [0; 32];
        let mut signer = Signer::new(MessageDigest::sha256(), &self.0)?;
        signer.update(data)?;
        signer.sign(&mut tag)?;
        Ok(tag)
    }

    /// Whether `tag` is the tag of these bytes; compared in constant time.
    ///
    /// # Errors
    /// If the library fails.
    pub fn verify(&self, data: &[u8], tag: &[u8]) -> Result<bool, CryptoError> {
        let expected = self.tag(data)?;
        Ok(tag.len() == expected.len() && openssl::memcmp::eq(&expected, tag))
    }
}

impl std::fmt::Debug for MacKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MacKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2, has a short key; HMAC pads keys with zeros, so it stands here padded to 32 bytes.
    #[test]
    fn rfc_4231() {
        let mut bytes = Zeroizing::new([0; 32]);
        bytes[..4].copy_from_slice(b"Jefe");
        let key = MacKey::new(&bytes).unwrap();
        let data = b"what do ya want for nothing?";
        assert_eq!(
            crate::jose::hex(&key.tag(data).unwrap()),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn only_the_whole_tag_verifies() {
        let key = MacKey::new(&Zeroizing::new([9; 32])).unwrap();
        let tag = key.tag(b"data").unwrap();
        assert!(key.verify(b"data", &tag).unwrap());
        assert!(!key.verify(b"date", &tag).unwrap());
        assert!(!key.verify(b"data", &tag[..31]).unwrap());
        assert!(!key.verify(b"data", b"").unwrap());
    }
}
