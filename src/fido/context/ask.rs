//! What a UAF request asks of the phone.

use serde::{Deserialize, Serialize};
use sidegate_uaf::wire::Transaction;
use sidegate_uaf::{Aaid, KeyRef};

use super::super::renderings;

/// What is kept of a rendering beside what a picture needs: its hash, in JSON.
const KEPT_OF_RENDERING: usize = 80;

/// What a UAF request is to ask of the phone; kept with the operation until its token is redeemed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// A new key.
    Registration {
        /// Name of the policy.
        policy: String,
    },
    /// Proof of a key.
    Authentication {
        /// Name of the policy.
        policy: String,
        /// What to confirm, in one or more renderings; none for a plain authentication.
        #[serde(with = "renderings")]
        transaction: Vec<Transaction>,
    },
    /// The end of keys.
    Deregistration(Scope),
}

/// Which keys a deregistration ends: the context's `mode`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// All keys of the user.
    User,
    /// The user's keys of one model.
    Model(Aaid),
    /// One key of the user.
    Key(KeyRef),
}

impl Ask {
    /// Whether it puts words of the caller before the user's eyes.
    #[must_use]
    pub fn has_transaction(&self) -> bool {
        matches!(self, Self::Authentication { transaction, .. } if !transaction.is_empty())
    }

    /// Bytes that the state of a request takes for the transaction: hashes, and what pictures need of a display.
    pub(in crate::fido) fn kept_of_transaction(&self) -> usize {
        let Self::Authentication { transaction, .. } = self else { return 0 };
        let of_picture = |rendering: &Transaction| {
            let needed = rendering.png_characteristics.as_ref();
            needed.and_then(|needed| serde_json::to_string(needed).ok()).map_or(0, |text| text.len())
        };
        transaction.iter().map(|rendering| KEPT_OF_RENDERING + of_picture(rendering)).sum()
    }

    /// The policy that it names.
    #[must_use]
    pub fn policy(&self) -> Option<&str> {
        match self {
            Self::Registration { policy } | Self::Authentication { policy, .. } => Some(policy),
            Self::Deregistration(_) => None,
        }
    }
}
