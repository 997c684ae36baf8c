//! What to ask, and of whom: one value, so that whoever is asked for a decoy is never taken for one who has the key.
//!
//! ```
//! # use std::collections::BTreeSet;
//! # use sidegate_uaf::{Algorithm, RelyingParty, facets::TrustedFacets, server_data::ServerDataKey};
//! # use sidegate_uaf::metadata::{Models, UnknownModels};
//! use sidegate_uaf::authentication::{Claimant, NotFitting};
//! use sidegate_uaf::policy::Policy;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let models = Models::new(UnknownModels::Surrogate(BTreeSet::from([Algorithm::P256Raw])));
//! # let server = RelyingParty::new(None, TrustedFacets::new([]), models, ServerDataKey::new(&[7; 32])?);
//! let wanted = Policy::any();
//! assert!(server.asking(&wanted, Claimant::Anyone, &[]).is_ok());
//! let keyless = Claimant::Named { user: "jeff", credentials: &[], decoys: None };
//! assert_eq!(server.asking(&wanted, keyless, &[]), Err(NotFitting::NoKey));
//! # Ok(())
//! # }
//! ```

use super::answerer::Answerer;
use crate::credential::Credential;
use crate::decoy::DecoysOf;
use crate::policy::{Candidate, Policy};
use crate::relying_party::RelyingParty;
use crate::wire::Transaction;

/// Who is to authenticate.
#[derive(Debug, Clone, Copy)]
pub enum Claimant<'a> {
    /// Whoever owns the key (login without a name).
    Anyone,
    /// This user.
    Named {
        /// As the store knows him.
        user: &'a str,
        /// The keys that the store has of the user; none of one who does not exist.
        credentials: &'a [Credential],
        /// What is asked for where none of the keys will do, if whoever asks is not to learn whether one does.
        decoys: Option<DecoysOf<'a>>,
    },
}

/// Who is asked, for which keys, and what they are to confirm; [`RelyingParty::asking`] makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    pub(super) answerer: Answerer,
    pub(crate) policy: Policy,
    pub(super) transaction: Vec<Transaction>,
}

/// Why nothing fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotFitting {
    /// The user has the keys for no alternative of the policy, nor decoys.
    #[error("the user has no key that the policy wants")]
    NoKey,
    /// There are such keys, and none that can show any of the renderings.
    #[error("none of the user's keys can show a rendering of the transaction")]
    NoDisplay,
    /// OpenSSL failed where input cannot make it fail.
    #[error("cryptographic library failed")]
    Internal,
}

impl RelyingParty {
    /// What to ask of the claimant. Of anyone: what is wanted. Of a user: the alternatives of `wanted`, each with those of
    /// the user's keys that fill it; keys of models that are revoked or not known, and keys that can show no rendering,
    /// fill nothing, since no answer of theirs would be taken. What the policy says of an authenticator's version is left to
    /// the answer. Renderings that none of the keys named can show are left out.
    ///
    /// With decoys every rendering is sent, since what the user's keys can show is not to be learnt either.
    ///
    /// # Errors
    /// [`NotFitting`].
    pub fn asking(
        &self,
        wanted: &Policy,
        claimant: Claimant<'_>,
        transaction: &[Transaction],
    ) -> Result<Asking, NotFitting> {
        let named = |user: &str, exists| Answerer::Named { user: user.to_owned(), exists };
        let (answerer, policy, transaction) = match claimant {
            Claimant::Anyone => (Answerer::Anyone, wanted.clone(), transaction.to_vec()),
            Claimant::Named { user, credentials, decoys: None } => {
                let (policy, shown) = self.fitting(wanted, credentials, transaction)?;
                (named(user, true), policy, shown)
            }
            Claimant::Named { user, credentials, decoys: Some(decoys) } => {
                let own = self.step_up_policy(wanted, credentials);
                // Made for everybody, so that the work does not tell for whom it was needed.
                let decoy = self.decoy_policy(wanted, decoys, credentials).map_err(|_| NotFitting::Internal)?;
                let exists = own.is_some();
                (named(user, exists), own.or(decoy).ok_or(NotFitting::NoKey)?, transaction.to_vec())
            }
        };
        Ok(Asking { answerer, policy, transaction })
    }

    /// The policy that names the keys that fill `wanted`, if they fill it.
    pub(crate) fn step_up_policy(&self, wanted: &Policy, credentials: &[Credential]) -> Option<Policy> {
        self.policy_among(wanted, credentials.iter())
    }

    /// The same of the keys that can show one of the renderings, and the renderings that they can show.
    fn fitting(
        &self,
        wanted: &Policy,
        credentials: &[Credential],
        transaction: &[Transaction],
    ) -> Result<(Policy, Vec<Transaction>), NotFitting> {
        let shows_one = |key: &&Credential| transaction.is_empty() || transaction.iter().any(|t| self.shows(key, t));
        let Some(policy) = self.policy_among(wanted, credentials.iter().filter(shows_one)) else {
            let has_key = self.step_up_policy(wanted, credentials).is_some();
            return Err(if has_key { NotFitting::NoDisplay } else { NotFitting::NoKey });
        };
        let named: Vec<_> =
            credentials.iter().filter(|credential| policy.as_wire().names(&credential.key_ref())).collect();
        let is_shown = |rendering: &&Transaction| named.iter().any(|credential| self.shows(credential, rendering));
        let transaction = transaction.iter().filter(is_shown).cloned().collect();
        Ok((policy, transaction))
    }

    fn policy_among<'c>(&self, wanted: &Policy, keys: impl Iterator<Item = &'c Credential>) -> Option<Policy> {
        let keys = keys.filter_map(|credential| {
            let model = self.models.find(credential.aaid).ok()?;
            Some((credential.key_ref(), Candidate { version: None, ..Candidate::of(credential, Some(model)) }))
        });
        wanted.among(&keys.collect::<Vec<_>>())
    }

    fn shows(&self, credential: &Credential, rendering: &Transaction) -> bool {
        let model = self.models.find(credential.aaid);
        model.is_ok_and(|m| m.shows(rendering.png_characteristics.as_ref(), &credential.png_characteristics))
    }
}
