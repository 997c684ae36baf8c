//! A signed change of a target: row 11 of `http-api.md` 1.1, after the JWS bypass checked rows 1 to 10.

use sidegate_filters::jws_bypass::VerifiedModify;

use super::{MAX_NAME, MAX_PUSH_TOKEN, TargetFault, Targets, check_text};
use crate::store::{PushToken, TargetUpdate};
use crate::telemetry::audit::{Change, Event};

impl Targets {
    /// Applies a change, all of it or nothing.
    ///
    /// # Errors
    /// Why nothing was changed.
    pub async fn modify(&self, modify: &VerifiedModify) -> Result<(), TargetFault> {
        let change = modify.change();
        check_text("name", change.name.as_deref(), MAX_NAME)?;
        check_text("target", change.target.as_ref().map(|token| token.as_str()), MAX_PUSH_TOKEN)?;
        if let Some(dispatcher) = &change.dispatcher {
            self.check_dispatcher(dispatcher)?;
        }
        let target = self.targets.get(modify.target_id()).await?.ok_or(TargetFault::NotFound)?;
        let owned = self.users.password_stamp(&target.owner).await?.is_some();
        // It may have been removed and registered anew with another key meanwhile.
        let is_signer = target.signature_thumbprint == modify.thumbprint().to_string();
        if !owned || !is_signer {
            return Err(TargetFault::NotFound);
        }
        let update = TargetUpdate {
            name: change.name.clone(),
            push_token: change.target.as_ref().map(|token| PushToken::new(token.to_string())),
            dispatcher: change.dispatcher.clone(),
        };
        self.targets.update(&target.id, update).await?;
        Event::Target { change: Change::Changed, target: &target.id, user: target.owner.as_str() }.record();
        Ok(())
    }
}
