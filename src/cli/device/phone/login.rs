//! Logging in with a UAF key.

use serde_json::json;

use super::Phone;
use crate::cli::device::error::LOGIN_REQUEST;
use crate::cli::device::fault::Fault;
use crate::cli::device::{PhoneError, say};

impl Phone {
    /// Logs in with a key; the session it gives may change targets.
    pub(in crate::cli::device) async fn log_in(&mut self) -> Result<(), PhoneError> {
        let user = self.username()?;
        self.log_in_as(&user).await
    }

    pub(super) async fn log_in_as(&mut self, user: &str) -> Result<(), PhoneError> {
        let said = self.prove(user).await;
        let said = if self.doubts() { self.settle(false, said) } else { said };
        said.map_err(PhoneError::of_login)?;
        say("in-band UAF login: session raised");
        Ok(())
    }

    async fn prove(&mut self, user: &str) -> Result<(), PhoneError> {
        let url = self.connection.at("/auth/fidouaf")?;
        let user = json!({ "username": user });
        let (_, request) = self.connection.post_for_uaf(url, &user).await?.uaf_request(LOGIN_REQUEST)?;
        self.authenticate(&request, Fault::default(), ("/auth/fidouaf/authenticationresponse", "UAF login")).await
    }
}
