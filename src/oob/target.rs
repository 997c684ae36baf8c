//! Dispatch targets (`http-api.md` 1): create, list, modify, delete.

mod modify;

use std::sync::Arc;

use serde_json::Value;
use sidegate_filters::clock::Clock;
use sidegate_filters::jws::{JwkDocument, JwkError, VerificationKey};

use super::{Acting, Asker, Deed, Named, NotPermitted};
use crate::dispatchers::Dispatchers;
use crate::jose::EncryptionKey;
use crate::store::targets::TARGETS_PER_OWNER;
use crate::store::{PushToken, StoreError, Target, TargetError, Targets as TargetStore, Users};
use crate::telemetry::audit::{Change, Event};

/// The longest name, device id and app id, in bytes.
const MAX_NAME: usize = 256;
/// The longest push token, in bytes; those of FCM have about 200.
const MAX_PUSH_TOKEN: usize = 4096;

/// A target that somebody wants to register, as it was read.
#[derive(Debug, Clone)]
pub struct NewTarget {
    /// Whose it shall be; absent: the session's user.
    pub username: Option<String>,
    /// Unique among the user's targets.
    pub name: String,
    /// Ties it to the UAF credentials of the same device.
    pub device_id: Option<String>,
    /// The app that registers it.
    pub app_id: Option<String>,
    /// The dispatcher that it is for.
    pub dispatcher: String,
    /// The push token.
    pub push_token: Option<PushToken>,
    /// A JWK, as an object or a string holding one.
    pub signature_key: Value,
    /// The same.
    pub encryption_key: Value,
}

/// What was asked of a target can't be done.
#[derive(Debug, thiserror::Error)]
pub enum TargetFault {
    /// A member can't be kept: 400.
    #[error("{member}: {reason}")]
    Malformed {
        /// Which one.
        member: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A key can't be used: 422.
    #[error("{member}: {source}")]
    Key {
        /// Which one.
        member: &'static str,
        /// Why not.
        source: JwkError,
    },
    /// The dispatcher is not configured: 422.
    #[error("dispatcher: not configured here")]
    Dispatcher,
    /// The name is taken: 422.
    #[error("name: the user has another target of this name")]
    NameTaken,
    /// The user has as many targets as may be: 422.
    #[error("the user has {TARGETS_PER_OWNER} dispatch targets, which is the limit; delete one first")]
    TooMany,
    /// There is no such target, or not one of this user: 404.
    #[error("there is no such dispatch target")]
    NotFound,
    /// The caller may not.
    #[error(transparent)]
    NotPermitted(#[from] NotPermitted),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The dispatch target service.
pub struct Targets {
    /// Where targets are kept.
    pub targets: Arc<dyn TargetStore>,
    /// Who exists.
    pub users: Arc<dyn Users>,
    /// Who acts for whom.
    pub acting: Acting,
    /// The configured dispatchers.
    pub dispatchers: Dispatchers,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Targets {
    /// Registers a target; gives back its id.
    ///
    /// # Errors
    /// Why it was not registered.
    pub async fn create(&self, asker: &Asker<'_>, new: NewTarget) -> Result<String, TargetFault> {
        check_texts(&new)?;
        let named = new.username.as_deref().map_or(Named::Nobody, Named::Username);
        let permit = self.acting.permit(asker, Deed::Own, named).await?;
        let owner = permit.user().ok_or(NotPermitted::Unnamed)?;
        self.check_dispatcher(&new.dispatcher)?;
        let signature_key = SignatureKey::read(&new.signature_key)?;
        let target = Target {
            id: uuid::Uuid::new_v4().to_string(),
            owner: owner.ext_id.clone(),
            name: new.name,
            device_id: new.device_id,
            app_id: new.app_id,
            dispatcher: new.dispatcher,
            push_token: new.push_token,
            signature_key: signature_key.text,
            signature_thumbprint: signature_key.thumbprint,
            encryption_key: encryption_key(&new.encryption_key)?,
            created: self.clock.now(),
            version: 0,
        };
        let id = target.id.clone();
        self.targets.create(target).await?;
        Event::Target { change: Change::Added, target: &id, user: owner.ext_id.as_str() }.record();
        Ok(id)
    }

    /// The targets of a user, oldest first, of one app where `app_id` names it. For any internal caller: the
    /// route lets in nobody else.
    ///
    /// # Errors
    /// [`NotPermitted::UnknownUser`], [`TargetFault::NotFound`] where there are none.
    pub async fn list(
        &self,
        asker: &Asker<'_>,
        username: &str,
        app_id: Option<&str>,
    ) -> Result<Vec<Target>, TargetFault> {
        let permit = self.acting.permit(asker, Deed::List, Named::Username(username)).await?;
        let owner = permit.user().ok_or(NotPermitted::Unnamed)?;
        let mut targets = self.targets.list(&owner.ext_id).await?;
        targets.retain(|target| app_id.is_none() || target.app_id.as_deref() == app_id);
        if targets.is_empty() { Err(TargetFault::NotFound) } else { Ok(targets) }
    }

    /// Removes a target of the caller.
    ///
    /// # Errors
    /// [`TargetFault::NotFound`] for another user's too.
    pub async fn delete(&self, asker: &Asker<'_>, id: &str) -> Result<(), TargetFault> {
        let target = self.targets.get(id).await?;
        let named = target.as_ref().map_or(Named::Nobody, |target| Named::Owner(&target.owner));
        let permit = match self.acting.permit(asker, Deed::Own, named).await {
            Ok(permit) => permit,
            Err(NotPermitted::OtherUser | NotPermitted::Unnamed | NotPermitted::UnknownUser) => {
                return Err(TargetFault::NotFound);
            }
            Err(refusal) => return Err(refusal.into()),
        };
        let owner = permit.user().ok_or(TargetFault::NotFound)?;
        if !self.targets.delete(id, &owner.ext_id).await? {
            return Err(TargetFault::NotFound);
        }
        Event::Target { change: Change::Removed, target: id, user: owner.ext_id.as_str() }.record();
        Ok(())
    }

    fn check_dispatcher(&self, name: &str) -> Result<(), TargetFault> {
        self.dispatchers.get(name).map(|_| ()).ok_or(TargetFault::Dispatcher)
    }
}

fn check_texts(new: &NewTarget) -> Result<(), TargetFault> {
    check_text("name", Some(&new.name), MAX_NAME)?;
    check_text("deviceId", new.device_id.as_deref(), MAX_NAME)?;
    check_text("appId", new.app_id.as_deref(), MAX_NAME)?;
    check_text("target", new.push_token.as_ref().map(PushToken::expose), MAX_PUSH_TOKEN)
}

fn check_text(member: &'static str, text: Option<&str>, longest: usize) -> Result<(), TargetFault> {
    match text {
        Some("") => Err(TargetFault::Malformed { member, reason: "empty" }),
        Some(text) if text.len() > longest => Err(TargetFault::Malformed { member, reason: "too long" }),
        Some(text) if text.chars().any(char::is_control) => {
            Err(TargetFault::Malformed { member, reason: "has control characters" })
        }
        _ => Ok(()),
    }
}

/// A key that can verify, as it is kept.
struct SignatureKey {
    /// Its canonical text.
    text: String,
    thumbprint: String,
}

impl SignatureKey {
    fn read(jwk: &Value) -> Result<Self, TargetFault> {
        let fault = |source| TargetFault::Key { member: "signatureKey", source };
        let document = JwkDocument::parse(jwk).map_err(fault)?;
        let key = VerificationKey::try_from(document.clone()).map_err(fault)?;
        let text = Value::Object(document.public_members()).to_string();
        Ok(Self { text, thumbprint: key.thumbprint().to_string() })
    }
}

/// Imports the key to see that it can encrypt; what is kept is its canonical text.
fn encryption_key(jwk: &Value) -> Result<String, TargetFault> {
    let fault = |source| TargetFault::Key { member: "encryptionKey", source };
    let document = JwkDocument::parse(jwk).map_err(fault)?;
    EncryptionKey::try_from(document.clone()).map_err(fault)?;
    Ok(Value::Object(document.public_members()).to_string())
}

impl From<TargetError> for TargetFault {
    fn from(error: TargetError) -> Self {
        match error {
            TargetError::NameTaken => Self::NameTaken,
            TargetError::TooMany => Self::TooMany,
            TargetError::NotFound => Self::NotFound,
            TargetError::Store(error) => Self::Store(error),
        }
    }
}
