//! What the phone's UAF keys are made of.

use clap::ValueEnum;
use sidegate_uaf::authenticator::Authenticator;
use sidegate_uaf::{Algorithm, KeyFormat};

/// A kind of key, with the encoding of its signatures and of itself.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(super) enum UafKey {
    /// P-256, raw
    #[default]
    P256,
    /// P-256, in DER
    P256Der,
    /// RSA of 2048 bits, signing with PSS, raw
    RsaPss,
    /// RSA of 2048 bits, signing with PSS, in DER
    RsaPssDer,
}

impl UafKey {
    /// The authenticator, making keys of this kind.
    pub(super) fn of(self, authenticator: Authenticator) -> Authenticator {
        let (algorithm, format) = match self {
            Self::P256 => (Algorithm::P256Raw, KeyFormat::EcRaw),
            Self::P256Der => (Algorithm::P256Der, KeyFormat::EcDer),
            Self::RsaPss => (Algorithm::PssRaw, KeyFormat::RsaRaw),
            Self::RsaPssDer => (Algorithm::PssDer, KeyFormat::RsaDer),
        };
        authenticator.with_algorithm(algorithm, format)
    }
}
