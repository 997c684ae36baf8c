//! Signature algorithms, key formats and attestation types of the FIDO registry, as far as this server does them.

use serde::{Deserialize, Serialize};

/// The number stands for nothing that this server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unsupported registry value {0:#06x}")]
pub struct Unsupported(
    /// The value.
    pub u16,
);

macro_rules! registry {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $value:literal,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(into = "u16", try_from = "u16")]
        pub enum $name { $($(#[$doc])* $variant = $value,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
        }

        impl From<$name> for u16 {
            fn from(value: $name) -> Self {
                value as Self
            }
        }

        impl TryFrom<u16> for $name {
            type Error = Unsupported;

            fn try_from(value: u16) -> Result<Self, Unsupported> {
                match value {
                    $($value => Ok(Self::$variant),)*
                    _ => Err(Unsupported(value)),
                }
            }
        }
    };
}

registry! {
    /// How an assertion is signed (`UAF_ALG_SIGN_*` of the registry of predefined values).
    Algorithm {
        /// ECDSA on P-256 with SHA-256; R and S, 32 bytes each.
        P256Raw = 0x0001,
        /// The same as a DER sequence.
        P256Der = 0x0002,
        /// RSASSA-PSS with SHA-256, salt of 32 bytes; 256 bytes.
        PssRaw = 0x0003,
        /// The same in a DER octet string.
        PssDer = 0x0004,
        /// ECDSA on secp256k1 with SHA-256; R and S, 32 bytes each.
        K256Raw = 0x0005,
        /// The same as a DER sequence.
        K256Der = 0x0006,
        /// RSASSA-PKCS1-v1_5 with SHA-256; 256 bytes.
        Pkcs1Raw = 0x0008,
        /// The same in a DER octet string.
        Pkcs1Der = 0x0009,
    }
}

registry! {
    /// How a public key is written (`UAF_ALG_KEY_*` of the registry of predefined values).
    KeyFormat {
        /// 0x04, X, Y; the curve follows from the algorithm.
        EcRaw = 0x0100,
        /// SubjectPublicKeyInfo with a named curve.
        EcDer = 0x0101,
        /// Modulus of 256 bytes, then the exponent.
        RsaRaw = 0x0102,
        /// DER sequence of modulus and exponent, or SubjectPublicKeyInfo.
        RsaDer = 0x0103,
    }
}

registry! {
    /// How an authenticator proves its model (`TAG_ATTESTATION_*` as in policies and metadata).
    AttestationType {
        /// With a certified key of the model.
        BasicFull = 15879,
        /// With the new key itself: proves possession only.
        BasicSurrogate = 15880,
        /// With direct anonymous attestation.
        Ecdaa = 15881,
    }
}

impl Algorithm {
    /// Whether the key is on an elliptic curve.
    #[must_use]
    pub const fn is_elliptic(self) -> bool {
        matches!(self, Self::P256Raw | Self::P256Der | Self::K256Raw | Self::K256Der)
    }

    /// Whether the signature is wrapped in DER.
    #[must_use]
    pub const fn is_der(self) -> bool {
        matches!(self, Self::P256Der | Self::PssDer | Self::K256Der | Self::Pkcs1Der)
    }
}

impl KeyFormat {
    /// Whether keys of `algorithm` can be written so.
    #[must_use]
    pub const fn fits(self, algorithm: Algorithm) -> bool {
        matches!(self, Self::EcRaw | Self::EcDer) == algorithm.is_elliptic()
    }
}
