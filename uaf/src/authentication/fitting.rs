//! What to ask of a user whose keys are known: of which keys, and in which renderings.

use crate::credential::Credential;
use crate::policy::Candidate;
use crate::relying_party::RelyingParty;
use crate::wire::{Policy, Transaction};

/// What fits a user's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fitting {
    /// Names the keys that may answer.
    pub policy: Policy,
    /// The renderings that one of them can show, in the order that they were given in.
    pub transaction: Vec<Transaction>,
}

/// Why nothing fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotFitting {
    /// The user has the keys for no alternative of the policy.
    #[error("the user has no key that the policy wants")]
    NoKey,
    /// There are such keys, and none that can show any of the renderings.
    #[error("none of the user's keys can show a rendering of the transaction")]
    NoDisplay,
}

impl RelyingParty {
    /// The policy for a known user: the alternatives of `wanted`, each with those of the user's keys that fill it; keys
    /// of models that are revoked or not known fill nothing, since no answer of theirs would be taken. What it says of an
    /// authenticator's version is left to the answer. `None` if the user has the keys for no alternative.
    #[must_use]
    pub fn step_up_policy(&self, wanted: &Policy, credentials: &[Credential]) -> Option<Policy> {
        self.policy_among(wanted, credentials.iter())
    }

    /// The same for a transaction: keys that can show none of its renderings fill nothing either, and renderings that
    /// none of the keys named can show are left out.
    ///
    /// # Errors
    /// [`NotFitting`].
    pub fn fitting(
        &self,
        wanted: &Policy,
        credentials: &[Credential],
        transaction: &[Transaction],
    ) -> Result<Fitting, NotFitting> {
        let shows_one = |key: &&Credential| transaction.is_empty() || transaction.iter().any(|t| self.shows(key, t));
        let Some(policy) = self.policy_among(wanted, credentials.iter().filter(shows_one)) else {
            let has_key = self.step_up_policy(wanted, credentials).is_some();
            return Err(if has_key { NotFitting::NoDisplay } else { NotFitting::NoKey });
        };
        let named: Vec<_> = credentials.iter().filter(|credential| policy.names(&credential.key_ref())).collect();
        let is_shown = |rendering: &&Transaction| named.iter().any(|credential| self.shows(credential, rendering));
        let transaction = transaction.iter().filter(is_shown).cloned().collect();
        Ok(Fitting { policy, transaction })
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
