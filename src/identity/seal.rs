//! What a browser keeps for us: readable, expiring, and made by nobody else. It is stored nowhere here.

use std::time::Duration;

use sidegate_filters::clock::Millis;
use sidegate_filters::jws::base64url;

use crate::jose::{CryptoError, MacKey};

const TAG: usize = 32;

/// Seals contents of one kind.
#[derive(Debug, Clone)]
pub(super) struct Seal {
    key: MacKey,
    /// The tag is bound to this use, whatever else the key may ever sign.
    purpose: Vec<u8>,
    lifetime: Duration,
}

/// What came back is not what was sealed, or too old.
#[derive(Debug, thiserror::Error)]
pub(super) enum SealError {
    /// Changed, made by somebody else, or for another use.
    #[error("it was not sealed here for this use")]
    Forged,
    /// Its time is over.
    #[error("its time is over")]
    Expired,
    /// The tag could not be computed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl Seal {
    /// Seals with `key`, for `lifetime`, what is for the use of this name in these places. None of them holds a zero byte.
    pub(super) fn new(key: MacKey, name: &str, places: &[&str], lifetime: Duration) -> Self {
        let purpose = std::iter::once(&name).chain(places).flat_map(|part| part.bytes().chain([0])).collect();
        Self { key, purpose, lifetime }
    }

    /// How long what is sealed is good.
    pub(super) fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// The text for the browser.
    pub(super) fn close(&self, content: &[u8], now: Millis) -> Result<String, CryptoError> {
        let mut sealed = now.after(self.lifetime).0.to_be_bytes().to_vec();
        sealed.extend_from_slice(content);
        let tag = self.key.tag(&self.bound(&sealed))?;
        sealed.extend_from_slice(&tag);
        Ok(base64url::encode(sealed))
    }

    /// What was sealed.
    pub(super) fn open(&self, text: &str, now: Millis) -> Result<Vec<u8>, SealError> {
        let bytes = base64url::decode(text).map_err(|_| SealError::Forged)?;
        let (sealed, tag) = bytes.split_last_chunk::<TAG>().ok_or(SealError::Forged)?;
        if !self.key.verify(&self.bound(sealed), tag)? {
            return Err(SealError::Forged);
        }
        let (expires, content) = sealed.split_first_chunk::<8>().ok_or(SealError::Forged)?;
        if now >= Millis(i64::from_be_bytes(*expires)) {
            return Err(SealError::Expired);
        }
        Ok(content.to_vec())
    }

    fn bound(&self, sealed: &[u8]) -> Vec<u8> {
        [&self.purpose, sealed].concat()
    }
}
