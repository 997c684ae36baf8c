//! What is asked of a user by their decoy.

use super::Decoys;
use crate::aaid::Aaid;
use crate::algorithm::Algorithm;
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
        Ok(self.decoy_policy(wanted, decoys, "")?.is_some())
    }

    /// What is asked of a user by their decoy, as [`Self::step_up_policy`] by their keys: by the first that fits alone, else by
    /// several together, no more algorithms of each model than it takes. `None` if the decoys fill no alternative of `wanted`,
    /// whoever the user is.
    pub(crate) fn decoy_policy(&self, wanted: &Policy, decoys: &Decoys, user: &str) -> Result<Option<Policy>, Error> {
        let models: Vec<_> = decoys.models(user)?.collect();
        for likeness in models.iter().copied().flatten() {
            let policy = self.step_up_policy(wanted, &[decoys.key(user, likeness)?]);
            if policy.is_some() {
                return Ok(policy);
            }
        }
        for algorithms in 1..=Algorithm::ALL.len() {
            let keys = models.iter().flat_map(|model| model.iter().take(algorithms));
            let keys = keys.map(|likeness| decoys.key(user, likeness)).collect::<Result<Vec<_>, _>>()?;
            if let Some(policy) = self.step_up_policy(wanted, &keys) {
                return Ok(Some(policy.preferred()));
            }
        }
        Ok(None)
    }
}
