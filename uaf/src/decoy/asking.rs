//! What is asked of a user by their decoy.

use super::{Decoys, DecoysOf};
use crate::aaid::Aaid;
use crate::algorithm::Algorithm;
use crate::credential::Credential;
use crate::error::Error;
use crate::policy::Policy;
use crate::relying_party::RelyingParty;

impl RelyingParty {
    /// The models that there are statements of.
    pub fn stated_models(&self) -> impl Iterator<Item = Aaid> + '_ {
        self.models.stated()
    }

    /// Whether the decoys fill an alternative of `wanted`, which does not depend on the user.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub fn has_decoy(&self, wanted: &Policy, decoys: &Decoys) -> Result<bool, Error> {
        Ok(self.decoy_policy(wanted, decoys.of(""), &[])?.is_some())
    }

    /// What is asked of a user by their decoys, as [`Self::step_up_policy`] by their keys: by the first that fits alone, else by
    /// several together, no more algorithms of each model than it takes. `None` if the decoys fill no alternative of `wanted`,
    /// whoever the user is.
    ///
    /// `own` are the user's keys, which alone don't fill it: each stands where the decoy of its like would, so that several
    /// policies, of which one asks for that key, fit together as those for somebody without any do.
    pub(crate) fn decoy_policy(
        &self,
        wanted: &Policy,
        decoys: DecoysOf<'_>,
        own: &[Credential],
    ) -> Result<Option<Policy>, Error> {
        let models = decoys.keys(own)?;
        for key in models.iter().flatten() {
            let policy = self.step_up_policy(wanted, std::slice::from_ref(key));
            if policy.is_some() {
                return Ok(policy);
            }
        }
        for algorithms in 1..=Algorithm::ALL.len() {
            let keys: Vec<_> = models.iter().flat_map(|model| model.iter().take(algorithms)).cloned().collect();
            if let Some(policy) = self.step_up_policy(wanted, &keys) {
                return Ok(Some(policy.preferred()));
            }
        }
        Ok(None)
    }
}
