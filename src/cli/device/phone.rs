//! What a phone does with a gateway, one method a deed.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sidegate_filters::clock::{Clock as _, SystemClock};
use sidegate_filters::jws::{EcCurve, KeyKind};
use sidegate_uaf::StatusCode;
use sidegate_uaf::authenticator::{ASM_USER_CANCELLED, Authenticator, DeviceKey, SOFTWARE_MODEL as MODEL, shown_text};
use sidegate_uaf::wire::{
    AuthenticationRequest, DeregistrationRequest, Operation, RegistrationRequest, Reply, Response, SendUafResponse,
};
use uuid::Uuid;

use super::http::{Connection, Gateway};
use super::key::UafKey;
use super::link::{Errand, Payload};
use super::state::{State, Target};
use super::{PhoneError, say};
use crate::jose::{DecryptionKey, MessageSigningKey};

/// Both keys of its dispatch target.
const P256: KeyKind = KeyKind::Ec(EcCurve::P256);
const TARGETS: &str = "/nevisfido/token/dispatch/targets";

/// A phone connected to a gateway.
pub(super) struct Phone {
    connection: Connection,
    authenticator: Authenticator,
    state: State,
    /// The name of a dispatch target whose creation was asked for and got no answer.
    unanswered_target: Option<String>,
    /// The file that it is kept in, if it is kept.
    file: Option<PathBuf>,
}

impl Phone {
    /// The phone that is kept in a file.
    pub(super) fn open(gateway: &Gateway, key: UafKey, state: &Path) -> Result<Self, PhoneError> {
        Self::with(gateway, key, State::load(state)?, Some(state.to_owned()))
    }

    /// One that has never been used and is kept nowhere.
    pub(super) fn fresh(gateway: &Gateway, key: UafKey) -> Result<Self, PhoneError> {
        Self::with(gateway, key, State::fresh(), None)
    }

    fn with(gateway: &Gateway, key: UafKey, state: State, file: Option<PathBuf>) -> Result<Self, PhoneError> {
        let model = MODEL.parse().map_err(|_| PhoneError::Message(format!("{MODEL} is no AAID")))?;
        let authenticator = key.of(Authenticator::new(model));
        Ok(Self { connection: Connection::new(gateway)?, authenticator, state, unanswered_target: None, file })
    }

    /// Keeps the phone as it is now.
    pub(super) fn keep(&self) -> Result<(), PhoneError> {
        self.file.as_ref().map_or(Ok(()), |file| self.state.keep(file))
    }

    /// Keeps it in this file from now on.
    pub(super) fn keep_as(&mut self, file: &Path) -> Result<(), PhoneError> {
        self.file = Some(file.to_owned());
        self.keep()
    }

    /// Whether it has nothing that a gateway could know.
    pub(super) fn is_blank(&self) -> bool {
        self.state.keys.is_empty() && self.state.target.is_none()
    }

    /// Whether its only key may be unknown to the gateway.
    fn doubts(&self) -> bool {
        self.state.unconfirmed && self.state.keys.len() == 1
    }

    /// The id of its dispatch target.
    pub(super) fn target_id(&self) -> Option<&str> {
        self.state.target.as_ref().map(|target| target.id.as_str())
    }

    /// The name of a dispatch target that the gateway may have made without the phone having learnt its id.
    pub(super) fn unanswered_target(&self) -> Option<&str> {
        self.unanswered_target.as_deref()
    }

    /// The name that the server gave for the user of its first key.
    fn username(&self) -> Result<String, PhoneError> {
        let first = self.state.keys.first().map(|key| key.username().to_owned());
        first.ok_or_else(no_key)
    }

    /// Whether the key of a registration whose answer was lost proves to be registered. One that the gateway does not
    /// know is dropped.
    pub(super) async fn has_registered(&mut self) -> Result<bool, PhoneError> {
        if !self.doubts() {
            return Ok(false);
        }
        match self.log_in().await {
            Err(error) if self.doubts() => Err(error),
            login => Ok(login.is_ok()),
        }
    }

    /// Logs in with the password and registers a key.
    pub(super) async fn register(&mut self, user: &str, password: &str) -> Result<(), PhoneError> {
        let form = [("isiwebuserid", user), ("isiwebpasswd", password)];
        let body = self.connection.post_form("/auth/pwd", &form).await?.expect(200, "password login")?;
        say(format_args!("password login: {user}, extId {}", text(&body, "extId")));
        let context = json!({ "context": json!({ "username": user }).to_string() });
        let answer = self.connection.post_uaf("/nevisfido/uaf/1.1/request/registration", &context).await?;
        let (_, request) = answer.uaf_request("registration request")?;
        self.answer_registration(&request).await
    }

    async fn answer_registration(&mut self, request: &str) -> Result<(), PhoneError> {
        let request = RegistrationRequest::from_message(request).map_err(unreadable)?;
        let (response, key) = self.authenticator.register(&request, &self.state.keys)?;
        let reply = Reply {
            device_id: Some(self.state.device_id.clone()),
            device_name: Some("Software phone".into()),
            ..Reply::default()
        };
        let id = key.key_ref().key_id.to_base64url();
        // Before it is sent: an answer that is lost must not leave the gateway with a key that nobody has.
        self.state.keys.push(key);
        self.state.unconfirmed = true;
        let answer = self.send("/nevisfido/uaf/1.1/registration", &response, &reply).await?;
        let refused = (400..500).contains(&answer.status);
        let said = answer.expect_uaf(StatusCode::OK, "registration");
        self.settle(refused, said)?;
        say(format_args!("UAF registration: key {id} of model {MODEL}"));
        Ok(())
    }

    /// Takes what the gateway said of the last key, if it was not known whether it has it: dropped where it has not.
    fn settle(&mut self, refused: bool, said: Result<(), PhoneError>) -> Result<(), PhoneError> {
        let dropped = refused || said.as_ref().is_err_and(PhoneError::is_refusal);
        if self.state.unconfirmed && (dropped || said.is_ok()) {
            self.state.unconfirmed = false;
            if dropped {
                self.state.keys.pop();
            }
        }
        said
    }

    /// Logs in with a key; the session it gives may change targets.
    pub(super) async fn log_in(&mut self) -> Result<(), PhoneError> {
        let user = self.username()?;
        self.log_in_as(&user).await
    }

    async fn log_in_as(&mut self, user: &str) -> Result<(), PhoneError> {
        let said = self.prove(user).await;
        let said = if self.doubts() { self.settle(false, said) } else { said };
        said.map_err(PhoneError::of_login)?;
        say("in-band UAF login: session raised");
        Ok(())
    }

    async fn prove(&mut self, user: &str) -> Result<(), PhoneError> {
        let url = self.connection.at("/auth/fidouaf")?;
        let user = json!({ "username": user });
        let (_, request) = self.connection.post_for_uaf(url, &user).await?.uaf_request("login request")?;
        let response = self.sign(&request)?;
        let answer = self.send("/auth/fidouaf/authenticationresponse", &response, &Reply::default()).await?;
        answer.expect_uaf(StatusCode::OK, "UAF login")
    }

    /// Registers the phone as a dispatch target with two new keys.
    pub(super) async fn register_target(&mut self, name: &str) -> Result<(), PhoneError> {
        if let Some(target) = &self.state.target {
            return Err(PhoneError::State(format!("this phone is dispatch target {} already", target.id)));
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
    pub(super) async fn update_target(&mut self, name: &str) -> Result<(), PhoneError> {
        let Some(target) = &self.state.target else {
            return Err(PhoneError::State(
                "this phone is no dispatch target: run `sidegate device register-target` first".into(),
            ));
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

    /// Redeems a token and does what it asks.
    pub(super) async fn approve(&mut self, message: &Payload) -> Result<(), PhoneError> {
        let errand = self.read(message)?;
        // Before the token is used up: a phone that can't answer leaves it to one that can.
        if self.state.keys.is_empty() && errand.is_authentication() {
            return Err(no_key());
        }
        let (operation, request) = self.redeem(&errand).await?;
        match operation {
            Operation::Reg => self.answer_registration(&request).await,
            Operation::Dereg => self.drop_keys(&request),
            Operation::Auth => {
                let response = self.sign(&request).map_err(PhoneError::of_login)?;
                let answer = self.send("/nevisfido/uaf/1.1/authentication", &response, &Reply::default()).await?;
                answer.expect_uaf(StatusCode::OK, "UAF authentication").map_err(PhoneError::of_login)?;
                say("UAF authentication: approved");
                Ok(())
            }
        }
    }

    /// Redeems a token and says no.
    pub(super) async fn deny(&mut self, message: &Payload) -> Result<(), PhoneError> {
        self.username()?;
        let errand = self.read(message)?;
        let (_, request) = self.redeem(&errand).await?;
        let request = AuthenticationRequest::from_message(&request).map_err(unreadable)?;
        let response = self.authenticator.deny(&request)?;
        let reply = Reply { asm_status_code: Some(ASM_USER_CANCELLED), ..Reply::default() };
        self.send("/nevisfido/uaf/1.1/authentication", &response, &reply)
            .await?
            .expect_uaf(StatusCode::UNACCEPTABLE_CONTENT, "denial")?;
        say("UAF authentication: denied");
        Ok(())
    }

    /// Deletes the dispatch target, then deregisters every key (the order of the vendor's guide). A key that the gateway
    /// has no more counts as gone.
    pub(super) async fn delete(&mut self) -> Result<(), PhoneError> {
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

    async fn delete_target(&mut self) -> Result<(), PhoneError> {
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
        // What is in doubt is the last key.
        self.state.unconfirmed &= self.state.keys.last().is_some_and(|last| !gone(last));
        self.state.keys.retain(|key| !gone(key));
        say(format_args!("{lost}: the key was gone already; {} keys left", self.state.keys.len()));
    }

    fn drop_keys(&mut self, request: &str) -> Result<(), PhoneError> {
        let request = DeregistrationRequest::from_message(request).map_err(unreadable)?;
        self.authenticator.deregister(&request, &mut self.state.keys);
        say(format_args!("deregistration: {} keys left", self.state.keys.len()));
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
        let request =
            self.connection.post_for_uaf(url, &json!({ "token": errand.token })).await?.uaf_request("redeem")?;
        say("token redeemed");
        Ok(request)
    }

    fn sign(&mut self, request: &str) -> Result<Response, PhoneError> {
        let request = AuthenticationRequest::from_message(request).map_err(unreadable)?;
        if let Some(shown) = shown_text(&request) {
            say(format_args!("to confirm: {shown:?}"));
        }
        Ok(self.authenticator.authenticate(&request, &mut self.state.keys, Uuid::new_v4().as_bytes())?)
    }

    async fn send(
        &mut self,
        path: &str,
        response: &Response,
        reply: &Reply,
    ) -> Result<super::http::Answer, PhoneError> {
        // A counter that was used must never be used again, whatever becomes of this process.
        self.keep()?;
        let message = serde_json::to_value(SendUafResponse::new(response, reply));
        self.connection.post_uaf(path, &message.map_err(|error| PhoneError::Message(error.to_string()))?).await
    }
}

fn no_key() -> PhoneError {
    PhoneError::State("this phone has no key yet: run `sidegate device register` first".into())
}

fn unreadable(error: sidegate_uaf::Error) -> PhoneError {
    PhoneError::Message(format!("the gateway's UAF message can't be read: {error}"))
}

fn text(body: &Value, member: &str) -> String {
    body.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
}
