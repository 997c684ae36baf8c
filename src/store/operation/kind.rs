//! What operations there are: by purpose, and by the UAF operation behind it.

use serde::de::value::{self, StrDeserializer};
use serde::{Deserialize, Serialize};

/// What an operation is for (`http-api.md` 0.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Makes a session where it was asked for; the only one that `/auth/…` accepts.
    InBandLogin,
    /// A login elsewhere, approved on the phone.
    OutOfBand,
    /// A login of a browser here, approved on the phone: makes a session of the browser that asked, once.
    BrowserLogin,
    /// Approval of a shown text.
    Transaction,
    /// A new credential.
    Registration,
    /// Removal of credentials.
    Deregistration,
}

impl Purpose {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::InBandLogin => "in-band-login",
            Self::OutOfBand => "out-of-band",
            Self::BrowserLogin => "browser-login",
            Self::Transaction => "transaction",
            Self::Registration => "registration",
            Self::Deregistration => "deregistration",
        }
    }

    /// The purpose of this word, if there is one.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::deserialize(StrDeserializer::<value::Error>::new(word)).ok()
    }
}

/// The UAF operation behind it (`op` of the messages).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OperationKind {
    /// Registration.
    Reg,
    /// Authentication.
    Auth,
    /// Deregistration: has no answer, the operation succeeds when its request is handed out.
    Dereg,
}

impl OperationKind {
    /// The operation as paths and the audit name it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Reg => "registration",
            Self::Auth => "authentication",
            Self::Dereg => "deregistration",
        }
    }
}
