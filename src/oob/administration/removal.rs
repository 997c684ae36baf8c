//! Removals. Who asked for each is an audit line, and what went has lines of its own. Keys that a UAF server behind has go
//! there first: one that is only forgotten here would still log its user in.

use sidegate_uaf::StatusCode;

use super::{Administration, AdministrationFault};
use crate::fido::{Fido, FidoError, Scope, key_ref};
use crate::store::{KeyBehind, Removal, Removed, User};
use crate::telemetry::audit::{Change, Event};

impl Administration {
    /// Removes a user, and with it sessions, targets and keys.
    ///
    /// # Errors
    /// [`AdministrationFault::UnknownUser`]; [`AdministrationFault::StillBehind`], then the user is still there.
    pub async fn remove_user(&self, caller: &str, username: &str) -> Result<(), AdministrationFault> {
        let user = self.user(username).await?;
        tell(caller, &user, "remove-user");
        if let Some(behind) = self.behind() {
            give_up(behind, &user, &Scope::User).await?;
        }
        let user = self.eras.users.remove(&user.name).await?.ok_or(AdministrationFault::UnknownUser)?;
        Event::User { change: Change::Removed, user: user.ext_id.as_str() }.record();
        match self.eras.belongings.remove_all(&user.ext_id).await {
            Ok(removed) => record(&user, &removed),
            // The removal is on record: what is left goes as that of any removed user.
            Err(error) => tracing::warn!(%error, "targets and keys of a removed user are still there"),
        }
        Ok(())
    }

    /// Removes a user's device: its targets and its keys, those that are here in one step. Where a key goes, so do all
    /// sessions of the user: whoever has the device may have logged in there by password.
    ///
    /// # Errors
    /// [`AdministrationFault::NothingThere`]; [`AdministrationFault::StillBehind`], then its targets are still there.
    pub async fn remove_device(
        &self,
        caller: &str,
        username: &str,
        device_id: &str,
    ) -> Result<(), AdministrationFault> {
        let user = self.user(username).await?;
        tell(caller, &user, "remove-device");
        let given_up = self.give_up_where(&user, |key| key.device_id.as_deref() == Some(device_id)).await?;
        let removed = self.eras.belongings.remove_device(&user.ext_id, device_id).await?;
        record(&user, &removed);
        if given_up || !removed.credentials.is_empty() {
            self.sign_out(&user).await?;
        }
        if given_up || !removed.is_nothing() { Ok(()) } else { Err(AdministrationFault::NothingThere) }
    }

    /// Removes one key, and with it all sessions of the user.
    ///
    /// # Errors
    /// [`AdministrationFault::NothingThere`], [`AdministrationFault::StillBehind`].
    pub async fn remove_credential(
        &self,
        caller: &str,
        username: &str,
        ext_id: &str,
    ) -> Result<(), AdministrationFault> {
        let user = self.user(username).await?;
        tell(caller, &user, "remove-credential");
        if self.give_up_where(&user, |key| key.ext_id == ext_id).await? {
            return self.sign_out(&user).await;
        }
        let keys = self.credentials.list(&user.ext_id).await?;
        let key = keys.into_iter().find(|key| key.ext_id == ext_id).ok_or(AdministrationFault::NothingThere)?.key;
        let credentials = self.credentials.remove(&user.ext_id, &Removal::Key(key)).await?;
        record(&user, &Removed { credentials, ..Removed::default() });
        self.sign_out(&user).await
    }

    /// Removes one dispatch target.
    ///
    /// # Errors
    /// [`AdministrationFault::NothingThere`].
    pub async fn remove_target(&self, caller: &str, username: &str, id: &str) -> Result<(), AdministrationFault> {
        let user = self.user(username).await?;
        tell(caller, &user, "remove-target");
        if !self.targets.delete(id, &user.ext_id).await? {
            return Err(AdministrationFault::NothingThere);
        }
        record(&user, &Removed { targets: vec![id.to_owned()], ..Removed::default() });
        Ok(())
    }

    /// Ends all sessions of a user.
    ///
    /// # Errors
    /// [`AdministrationFault::UnknownUser`].
    pub async fn end_sessions(&self, caller: &str, username: &str) -> Result<(), AdministrationFault> {
        let user = self.user(username).await?;
        tell(caller, &user, "end-sessions");
        self.sign_out(&user).await
    }

    async fn sign_out(&self, user: &User) -> Result<(), AdministrationFault> {
        self.eras.sessions.end_all(&user.ext_id).await?;
        Event::SessionsEnded { user: user.ext_id.as_str() }.record();
        Ok(())
    }

    /// The UAF server behind, if there is one.
    pub(super) fn behind(&self) -> Option<&dyn Fido> {
        self.fido.as_deref().filter(|fido| fido.is_elsewhere())
    }

    /// Has a server behind give up the user's keys that are chosen; whether there were any.
    async fn give_up_where(
        &self,
        user: &User,
        chosen: impl Fn(&KeyBehind) -> bool,
    ) -> Result<bool, AdministrationFault> {
        let Some(behind) = self.behind() else { return Ok(false) };
        let mut keys = self.keys_behind.of_owner(&user.ext_id).await?;
        keys.retain(chosen);
        for key in &keys {
            give_up(behind, user, &Scope::Key(key_ref(key)?)).await?;
        }
        Ok(!keys.is_empty())
    }
}

/// A server behind that no longer has the keys has given them up.
async fn give_up(behind: &dyn Fido, user: &User, scope: &Scope) -> Result<(), AdministrationFault> {
    match behind.deregister(&user.into(), scope, None).await {
        Ok(_) | Err(FidoError::Refused(StatusCode::NOT_FOUND)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn tell(caller: &str, user: &User, operation: &'static str) {
    Event::Administration { caller, user: user.ext_id.as_str(), operation }.record();
}

fn record(user: &User, removed: &Removed) {
    let (change, user) = (Change::Removed, user.ext_id.as_str());
    for target in &removed.targets {
        Event::Target { change, target, user }.record();
    }
    for key in &removed.credentials {
        Event::Credential { change, user, aaid: key.aaid() }.record();
    }
}
