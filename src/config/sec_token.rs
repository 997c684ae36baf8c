//! `sec-token`: the signed statement about a session that upstreams get.

use std::time::Duration;

use super::section::Section;
use super::url::WebUrl;
use crate::identity::sec_token::Overlap;

/// How SecTokens are made (`gateway.md` 3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecToken {
    /// `iss`; `None`: the public URL.
    pub issuer: Option<WebUrl>,
    /// From `iat` to `exp`.
    pub lifetime: Duration,
    /// How long upstreams may keep the keys that they verify with.
    pub keys_kept: Duration,
}

impl SecToken {
    /// How long a key overlaps with the next one.
    #[must_use]
    pub fn overlap(&self) -> Overlap {
        Overlap { kept: self.keys_kept, lifetime: self.lifetime }
    }
}

/// Below this, three quarters of the life leave an upstream no time.
const SHORTEST: Duration = Duration::from_secs(10);

pub(super) fn read(section: &Section<'_>) -> SecToken {
    let (lifetime, keys_kept) = (section.field("lifetime"), section.field("keys-kept"));
    let minute = Duration::from_secs(60);
    let issuer = section.field("issuer").optional();
    let token = SecToken { issuer, lifetime: lifetime.or(minute), keys_kept: keys_kept.or(minute) };
    if token.lifetime < SHORTEST || token.lifetime > Duration::from_secs(3600) {
        lifetime.fault("a SecToken that lives so long is of no use, or of use to thieves", "write 10s to 1h");
    }
    if token.keys_kept.as_secs() == 0 || token.keys_kept > Duration::from_secs(24 * 3600) {
        keys_kept.fault("upstreams keep keys for whole seconds, and a new key signs later than that", "write 1s to 1d");
    }
    token
}
