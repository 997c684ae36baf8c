//! Redeeming a dispatched token, and saying yes or no to what it asks.

use serde_json::json;
use sidegate_uaf::StatusCode;
use sidegate_uaf::authenticator::ASM_USER_CANCELLED;
use sidegate_uaf::wire::{AuthenticationRequest, Operation, Reply};

use super::{Phone, unreadable};
use crate::cli::device::link::{Errand, Payload};
use crate::cli::device::{PhoneError, say};

impl Phone {
    /// Redeems a token and does what it asks.
    pub(in crate::cli::device) async fn approve(&mut self, message: &Payload) -> Result<(), PhoneError> {
        self.fault.check_channel(self.connection.is_tls())?;
        let errand = self.read(message)?;
        // Before the token is used up: a phone that can't answer leaves it to one that can.
        if errand.is_authentication() {
            self.username()?;
            self.fault.check(Operation::Auth)?;
        }
        let (operation, request) = self.redeem(&errand).await?;
        match operation {
            Operation::Reg => self.answer_registration(&request).await,
            Operation::Dereg => self.drop_keys(&request),
            Operation::Auth => {
                let place = ("/nevisfido/uaf/1.1/authentication", "UAF authentication");
                self.authenticate(&request, self.fault, place).await.map_err(PhoneError::of_login)?;
                say("UAF authentication: approved");
                Ok(())
            }
        }
    }

    /// Redeems a token and says no.
    pub(in crate::cli::device) async fn deny(&mut self, message: &Payload) -> Result<(), PhoneError> {
        self.username()?;
        let errand = self.read(message)?;
        let (_, request) = self.redeem(&errand).await?;
        let request = AuthenticationRequest::from_message(&request).map_err(unreadable)?;
        let message = self.authenticator.deny(&request)?.to_message();
        let reply = Reply { asm_status_code: Some(ASM_USER_CANCELLED), ..Reply::default() };
        self.send("/nevisfido/uaf/1.1/authentication", message, &reply)
            .await?
            .expect_uaf(StatusCode::UNACCEPTABLE_CONTENT, "denial")?;
        say("UAF authentication: denied");
        Ok(())
    }

    fn read(&self, message: &Payload) -> Result<Errand, PhoneError> {
        let errand = message.open(self.state.target.as_ref().map(|target| &target.encryption))?;
        say(if message.is_encrypted() {
            "message decrypted with the target's key"
        } else {
            "message read (not encrypted)"
        });
        Ok(errand)
    }

    async fn redeem(&mut self, errand: &Errand) -> Result<(Operation, String), PhoneError> {
        let url = self.connection.own_url(&errand.redeem_url)?;
        let answer = self.connection.post_for_uaf(url, &json!({ "token": errand.token })).await?;
        let request = answer.uaf_request("redeem").map_err(PhoneError::of_redeem)?;
        say("token redeemed");
        Ok(request)
    }
}
