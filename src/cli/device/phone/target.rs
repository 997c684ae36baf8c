//! The phone as a dispatch target: made, renamed and deleted.

use serde_json::json;
use sidegate_filters::clock::{Clock as _, SystemClock};
use sidegate_filters::jws::{EcCurve, KeyKind};
use uuid::Uuid;

use super::{Phone, text};
use crate::cli::device::state::Target;
use crate::cli::device::{PhoneError, say};
use crate::cli::program::command;
use crate::jose::{DecryptionKey, MessageSigningKey};

/// Both keys of its dispatch target.
const P256: KeyKind = KeyKind::Ec(EcCurve::P256);
const TARGETS: &str = "/nevisfido/token/dispatch/targets";

impl Phone {
    /// Registers the phone as a dispatch target with two new keys.
    pub(in crate::cli::device) async fn register_target(&mut self, name: &str) -> Result<(), PhoneError> {
        if let Some(target) = &self.state.target {
            return Err(PhoneError::State(format!(
                "this phone is dispatch target {} already; {} deletes it, also where it was removed at the gateway, \
                 --state FILE is another phone",
                target.id,
                command("device delete"),
            )));
        }
        self.log_in().await?;
        let (signing, encryption) = (MessageSigningKey::generate(P256)?, DecryptionKey::generate(P256)?);
        let body = json!({
            "name": name, "deviceId": self.state.device_id, "dispatcher": "link", "username": self.username()?,
            "signatureKey": signing.public_jwk(), "encryptionKey": encryption.public_jwk(),
        });
        self.unanswered_target = Some(name.to_owned());
        let answer = self.connection.post_json(TARGETS, &body).await?;
        self.unanswered_target = None;
        let answer = answer.expect(201, "dispatch target")?;
        let id = text(&answer, "id");
        say(format_args!("dispatch target: {id}, signature and encryption key registered"));
        self.state.target = Some(Target { id, signing, encryption });
        Ok(())
    }

    /// Renames the dispatch target: a signature, no session.
    pub(in crate::cli::device) async fn update_target(&mut self, name: &str) -> Result<(), PhoneError> {
        let Some(target) = &self.state.target else {
            return Err(self.no_target());
        };
        let claims = json!({
            "name": name, "dispatchTargetId": target.id, "requestId": Uuid::new_v4(),
            "creationTimeInEpochMillis": SystemClock.now().0,
        });
        let jws = target.signing.sign(claims.to_string().as_bytes())?;
        let path = format!("{TARGETS}/{}", target.id);
        self.connection.forget();
        self.connection.patch_jws(&path, jws).await?.expect(204, "signed PATCH")?;
        say(format_args!("signed PATCH: the target is now called {name:?}"));
        Ok(())
    }

    fn no_target(&self) -> PhoneError {
        let register_target = command("device register-target");
        PhoneError::State(if self.state.keys.is_empty() {
            let register = command("device register");
            format!("this phone has no key and is no dispatch target: run {register}, then {register_target}")
        } else {
            format!("this phone is no dispatch target: run {register_target} first")
        })
    }

    pub(super) async fn delete_target(&mut self) -> Result<(), PhoneError> {
        let Some(target) = &self.state.target else { return Ok(()) };
        let answer = self.connection.delete(&format!("{TARGETS}/{}", target.id)).await?;
        // Not there: the answer to a deletion before was lost.
        if answer.status != 404 {
            answer.expect(204, "deletion of the target")?;
        }
        self.state.target = None;
        say("dispatch target deleted");
        Ok(())
    }
}
