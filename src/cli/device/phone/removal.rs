//! Leaving nothing behind: the dispatch target deleted, every key deregistered.

use serde_json::json;
use sidegate_uaf::StatusCode;
use sidegate_uaf::authenticator::DeviceKey;
use sidegate_uaf::wire::DeregistrationRequest;

use super::{Phone, unreadable};
use crate::cli::device::{PhoneError, say};

impl Phone {
    /// Deletes the dispatch target, then deregisters every key (the order of the vendor's guide). A key that the gateway
    /// has no more counts as gone.
    pub(in crate::cli::device) async fn delete(&mut self) -> Result<(), PhoneError> {
        let owner = self.username()?;
        for user in self.usernames() {
            self.connection.forget();
            match self.log_in_as(&user).await {
                Err(_) if self.state.keys.is_empty() => say("the gateway never had the key"),
                Err(PhoneError::KeyLost(lost)) => self.count_as_gone(|key| key.username() == user, &lost),
                login => {
                    login?;
                    if user == owner {
                        self.delete_target().await?;
                    }
                    self.deregister(&user).await?;
                }
            }
        }
        self.state.target.as_ref().map_or(Ok(()), |target| Err(PhoneError::TargetLeft { id: target.id.clone() }))
    }

    /// Whom its keys are for: a session of the one deregisters no key of the other.
    fn usernames(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for key in &self.state.keys {
            if !names.iter().any(|name| name == key.username()) {
                names.push(key.username().to_owned());
            }
        }
        names
    }

    async fn deregister(&mut self, user: &str) -> Result<(), PhoneError> {
        let own = self.state.keys.iter().filter(|key| key.username() == user);
        for key in own.map(DeviceKey::key_ref).collect::<Vec<_>>() {
            let context = json!({ "username": user, "mode": "key", "aaid": key.aaid.as_str(), "keyId": key.key_id.to_base64url() });
            let body = json!({ "context": context.to_string() });
            let answer = self.connection.post_uaf("/nevisfido/uaf/1.1/request/deregistration", &body).await?;
            match answer.uaf_request("deregistration request") {
                Err(lost @ PhoneError::Uaf { code: StatusCode::NOT_FOUND, .. }) => {
                    self.count_as_gone(|kept| kept.key_ref() == key, &lost);
                }
                asked => self.drop_keys(&asked?.1)?,
            }
        }
        Ok(())
    }

    fn count_as_gone(&mut self, gone: impl Fn(&DeviceKey) -> bool, lost: &PhoneError) {
        self.state.lose(|keys| keys.retain(|key| !gone(key)));
        say(format_args!(
            "{lost}: the gateway does not know the key or no longer takes its model; {} keys left",
            self.state.keys.len()
        ));
    }

    pub(super) fn drop_keys(&mut self, request: &str) -> Result<(), PhoneError> {
        let request = DeregistrationRequest::from_message(request).map_err(unreadable)?;
        self.state.lose(|keys| self.authenticator.deregister(&request, keys));
        say(format_args!("deregistration: {} keys left", self.state.keys.len()));
        Ok(())
    }
}
