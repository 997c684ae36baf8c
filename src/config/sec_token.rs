//! `sec-token`: the signed statement about a session that upstreams get.

use std::time::Duration;

use super::section::Section;
use super::url::WebUrl;

/// How SecTokens are made (`gateway.md` 3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecToken {
    /// `iss`; `None`: the public URL.
    pub issuer: Option<WebUrl>,
    /// From `iat` to `exp`.
    pub lifetime: Duration,
}

/// Below this, three quarters of the life leave an upstream no time.
const SHORTEST: Duration = Duration::from_secs(10);

pub(super) fn read(section: &Section<'_>) -> SecToken {
    let lifetime = section.field("lifetime");
    let token = SecToken { issuer: section.field("issuer").optional(), lifetime: lifetime.or(Duration::from_secs(60)) };
    if token.lifetime < SHORTEST || token.lifetime > Duration::from_secs(3600) {
        lifetime.fault("a SecToken that lives so long is of no use, or of use to thieves", "write 10s to 1h");
    }
    token
}
