//! Registering a UAF key, and what becomes of one whose registration got no answer.

use serde_json::json;
use sidegate_uaf::StatusCode;
use sidegate_uaf::authenticator::SOFTWARE_MODEL as MODEL;
use sidegate_uaf::wire::{Operation, RegistrationRequest, Reply};

use super::{Phone, text, unreadable};
use crate::cli::device::error::PASSWORD_LOGIN;
use crate::cli::device::{PhoneError, say};

impl Phone {
    /// Whether its only key may be unknown to the gateway.
    pub(super) fn doubts(&self) -> bool {
        self.state.unconfirmed && self.state.keys.len() == 1
    }

    /// Whether the key of a registration whose answer was lost proves to be registered. One that the gateway does not
    /// know is dropped.
    pub(in crate::cli::device) async fn has_registered(&mut self) -> Result<bool, PhoneError> {
        if !self.doubts() {
            return Ok(false);
        }
        match self.log_in().await {
            Err(error) if self.doubts() => Err(error),
            login => Ok(login.is_ok()),
        }
    }

    /// Logs in with the password and registers a key.
    pub(in crate::cli::device) async fn register(&mut self, user: &str, password: &str) -> Result<(), PhoneError> {
        self.fault.check(Operation::Reg)?;
        self.fault.check_channel(self.connection.is_tls())?;
        let form = [("isiwebuserid", user), ("isiwebpasswd", password)];
        let body = self.connection.post_form("/auth/pwd", &form).await?.expect(200, PASSWORD_LOGIN)?;
        say(format_args!("password login: {user}, extId {}", text(&body, "extId")));
        let context = json!({ "context": json!({ "username": user }).to_string() });
        let answer = self.connection.post_uaf("/nevisfido/uaf/1.1/request/registration", &context).await?;
        let (_, request) = answer.uaf_request("registration request")?;
        self.answer_registration(&request).await
    }

    pub(super) async fn answer_registration(&mut self, request: &str) -> Result<(), PhoneError> {
        let request = RegistrationRequest::from_message(request).map_err(unreadable)?;
        let (right, key) = self.authenticator.register(&request, &self.state.keys)?;
        let message = match self.fault.misbehave {
            Some(_) => self.fault.sign(self.authenticator.draft_registration(&request, &key)?, &key)?,
            None => right.to_message(),
        };
        let reply = Reply {
            device_id: Some(self.state.device_id.clone()),
            device_name: Some("Software phone".into()),
            ..Reply::default()
        };
        let id = key.key_ref().key_id.to_base64url();
        // Before it is sent: an answer that is lost must not leave the gateway with a key that nobody has.
        self.state.keys.push(key);
        self.state.unconfirmed = true;
        let answer = self.send("/nevisfido/uaf/1.1/registration", message, &reply).await?;
        let refused = (400..500).contains(&answer.status);
        let said = answer.expect_uaf(StatusCode::OK, "registration");
        self.settle(refused, said)?;
        say(format_args!("UAF registration: key {id} of model {MODEL}"));
        Ok(())
    }

    /// Takes what the gateway said of the last key, if it was not known whether it has it: dropped where it has not.
    pub(super) fn settle(&mut self, refused: bool, said: Result<(), PhoneError>) -> Result<(), PhoneError> {
        let dropped = refused || said.as_ref().is_err_and(PhoneError::is_refusal);
        if self.state.unconfirmed && (dropped || said.is_ok()) {
            self.state.unconfirmed = false;
            if dropped {
                self.state.keys.pop();
            }
        }
        said
    }
}
