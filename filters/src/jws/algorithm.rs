//! The signature algorithms that are accepted at all (`http-api.md` 1.1, row 4).

use openssl::hash::MessageDigest;

use super::jwk::{EcCurve, KeyKind};

/// An asymmetric JWS algorithm (RFC 7518, section 3; RFC 8037; RFC 9864). There is no `none` and no MAC to confuse
/// with a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA, P-256, SHA-256.
    Es256,
    /// ECDSA, P-384, SHA-384.
    Es384,
    /// ECDSA, P-521, SHA-512.
    Es512,
    /// RSASSA-PSS, SHA-256.
    Ps256,
    /// RSASSA-PSS, SHA-384.
    Ps384,
    /// RSASSA-PSS, SHA-512.
    Ps512,
    /// RSASSA-PKCS1-v1_5, SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5, SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5, SHA-512.
    Rs512,
    /// Ed25519 by its older name.
    EdDsa,
    /// Ed25519 by its own name (RFC 9864).
    Ed25519,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::EdDsa,
        Self::Ed25519,
    ];

    /// The name in a header or JWK.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::EdDsa => "EdDSA",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// The algorithm of that name; names are case-sensitive.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Whether a key of this kind signs with it; an ECDSA algorithm belongs to one curve.
    #[must_use]
    pub fn fits(self, kind: KeyKind) -> bool {
        match self {
            Self::Es256 => kind == KeyKind::Ec(EcCurve::P256),
            Self::Es384 => kind == KeyKind::Ec(EcCurve::P384),
            Self::Es512 => kind == KeyKind::Ec(EcCurve::P521),
            Self::Ps256 | Self::Ps384 | Self::Ps512 | Self::Rs256 | Self::Rs384 | Self::Rs512 => kind == KeyKind::Rsa,
            Self::EdDsa | Self::Ed25519 => kind == KeyKind::Ed25519,
        }
    }

    /// The hash, where one is chosen apart from the key.
    pub(super) fn digest(self) -> Option<MessageDigest> {
        match self {
            Self::Es256 | Self::Ps256 | Self::Rs256 => Some(MessageDigest::sha256()),
            Self::Es384 | Self::Ps384 | Self::Rs384 => Some(MessageDigest::sha384()),
            Self::Es512 | Self::Ps512 | Self::Rs512 => Some(MessageDigest::sha512()),
            Self::EdDsa | Self::Ed25519 => None,
        }
    }

    pub(super) fn is_pss(self) -> bool {
        matches!(self, Self::Ps256 | Self::Ps384 | Self::Ps512)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_registry_and_nothing_else() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
        }
        for name in ["none", "HS256", "es256", "ES256K", "Ed448", "", "ES256 "] {
            assert_eq!(Algorithm::from_name(name), None, "{name}");
        }
    }
}
