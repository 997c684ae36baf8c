//! A server, a phone, and the way of a message from one to the other.

use std::collections::BTreeSet;

use sidegate_uaf::authentication::{AuthenticationOutcome, AuthenticationState, Claimant};
use sidegate_uaf::authenticator::{Authenticator, DeviceKey, Draft};
use sidegate_uaf::encoding::Text;
use sidegate_uaf::facets::{SOFTWARE_FACET, TrustedFacets};
use sidegate_uaf::metadata::{Models, Statement, UnknownModels};
use sidegate_uaf::policy::Policy;
use sidegate_uaf::registration::{NewRegistration, RegistrationOutcome, RegistrationState};
use sidegate_uaf::server_data::ServerDataKey;
use sidegate_uaf::wire::{
    AuthenticationRequest, Challenge, Operation, Outgoing, RegistrationRequest, Response, Transaction,
};
use sidegate_uaf::{Algorithm, Arrival, Credential, Error, KeyRef, PrivateKey, RelyingParty, Start};

pub(crate) const APP_ID: &str = "https://uaf.example/facets";
pub(crate) const AAID: &str = "D0D0#0001";
/// In 2027, in milliseconds.
pub(crate) const END: u64 = 1_800_000_000_000;
/// In 2025, in milliseconds: within the validity of certificates.
pub(crate) const TODAY: u64 = 1_750_000_000_000;
pub(crate) const NONCE: [u8; 16] = [9; 16];

pub(crate) fn any_model() -> Models {
    Models::new(UnknownModels::Surrogate(BTreeSet::from_iter(Algorithm::ALL.iter().copied())))
}

pub(crate) fn server(models: Models) -> RelyingParty {
    RelyingParty::new(
        Some(Text::new(APP_ID).unwrap()),
        TrustedFacets::new([Text::new(SOFTWARE_FACET).unwrap()]),
        models,
        ServerDataKey::new(&[7; 32]).unwrap(),
    )
}

/// A statement for [`AAID`] with some members changed.
pub(crate) fn statement(changes: serde_json::Value) -> Statement {
    let mut statement = serde_json::json!({
        "aaid": AAID, "authenticatorVersion": 1, "assertionScheme": "UAFV1TLV", "authenticationAlgorithm": 1,
        "publicKeyAlgAndEncoding": 256, "upv": [{"major": 1, "minor": 1}], "attestationTypes": [15880], "attestationRootCertificates": [],
        "userVerificationDetails": [[{"userVerification": 2}]], "keyProtection": 2, "matcherProtection": 2,
        "attachmentHint": 1, "tcDisplay": 1, "tcDisplayContentType": "text/plain", "isSecondFactorOnly": "false",
    });
    statement.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    Statement::parse(&statement.to_string()).unwrap()
}

pub(crate) fn of_models(aaids: &[&str]) -> Policy {
    Policy::parse(&serde_json::json!({"accepted": [[{"aaid": aaids}]]}).to_string()).unwrap()
}

pub(crate) fn phone() -> Authenticator {
    Authenticator::new(AAID.parse().unwrap())
}

pub(crate) fn start(operation_id: &str) -> Start<'_> {
    Start { operation_id, purpose: "test", challenge: Challenge::new([1; 32]).unwrap(), expires_at: END }
}

/// The server, the phone and a policy that fits both; a test changes what it is about.
pub(crate) struct World {
    pub(crate) server: RelyingParty,
    pub(crate) phone: Authenticator,
    pub(crate) policy: Policy,
    /// Who is asked for which keys; nobody in particular, if it is not said.
    pub(crate) named: Option<(&'static str, Vec<Credential>)>,
    pub(crate) transaction: Vec<Transaction>,
    pub(crate) now: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            server: server(any_model()),
            phone: phone(),
            policy: of_models(&[AAID]),
            named: None,
            transaction: Vec::new(),
            now: 1_000,
        }
    }

    pub(crate) fn start_registration(&self, registered: &[KeyRef]) -> (RegistrationRequest, RegistrationState) {
        let (request, state) = self.sent_registration(registered);
        (RegistrationRequest::from_message(&request.to_message()).unwrap(), state)
    }

    pub(crate) fn sent_registration(
        &self,
        registered: &[KeyRef],
    ) -> (Outgoing<RegistrationRequest>, RegistrationState) {
        let new = NewRegistration {
            start: start("operation-r"),
            user: "jeff",
            username: "jeff@example",
            policy: self.policy.clone(),
            registered,
        };
        self.server.start_registration(new).unwrap()
    }

    pub(crate) fn start_authentication(&self) -> (AuthenticationRequest, AuthenticationState) {
        let (request, state) = self.sent_authentication();
        (AuthenticationRequest::from_message(&request.to_message()).unwrap(), state)
    }

    pub(crate) fn sent_authentication(&self) -> (Outgoing<AuthenticationRequest>, AuthenticationState) {
        let claimant = match &self.named {
            None => Claimant::Anyone,
            Some((user, credentials)) => Claimant::Named { user, credentials, decoys: None },
        };
        let asking = self.server.asking(&self.policy, claimant, &self.transaction).unwrap();
        self.server.start_authentication(start("operation-a"), asking).unwrap()
    }

    pub(crate) fn arrival(&self) -> Arrival<'static> {
        Arrival { now: self.now, channels: &[] }
    }

    pub(crate) fn finish_registration(
        &self,
        state: &RegistrationState,
        message: &str,
    ) -> Result<RegistrationOutcome, Error> {
        let opened = self.server.open(Operation::Reg, message, None)?;
        self.server.finish_registration(state, &opened, &[], &self.arrival())
    }

    pub(crate) fn finish_authentication(
        &self,
        state: &AuthenticationState,
        message: &str,
        credentials: &[Credential],
    ) -> Result<AuthenticationOutcome, Error> {
        let opened = self.server.open(Operation::Auth, message, None)?;
        self.server.finish_authentication(state, &opened, credentials, &self.arrival())
    }

    /// Registers with a message that a test has had its hands on, and signs it correctly.
    pub(crate) fn register_with(&self, change: impl FnOnce(&mut Draft)) -> Result<Vec<Credential>, Error> {
        self.register_then(change, |_| {})
    }

    /// The same, with changes behind the signature as well.
    pub(crate) fn register_then(
        &self,
        change: impl FnOnce(&mut Draft),
        then: impl FnOnce(&mut Response),
    ) -> Result<Vec<Credential>, Error> {
        let (request, state) = self.start_registration(&[]);
        let (_, key) = self.phone.register(&request, &[]).unwrap();
        let mut draft = self.phone.draft_registration(&request, &key).unwrap();
        change(&mut draft);
        let mut response = draft.sign(self.phone.attesting_key(&key)).unwrap();
        then(&mut response);
        registered(self.finish_registration(&state, &response.to_message()))
    }

    /// A key that is registered, and what the server keeps of it.
    pub(crate) fn registered_key(&self) -> (DeviceKey, Credential) {
        let (request, state) = self.start_registration(&[]);
        let (response, key) = self.phone.register(&request, &[]).unwrap();
        let credentials = registered(self.finish_registration(&state, &response.to_message())).unwrap();
        (key, credentials.into_iter().next().unwrap())
    }

    /// Authenticates with a message that a test has had its hands on, and signs it correctly.
    pub(crate) fn authenticate_with(&self, change: impl FnOnce(&mut Draft)) -> Result<AuthenticationOutcome, Error> {
        let (key, mut credential) = self.registered_key();
        credential.sign_counter = 0;
        self.authenticate_as(&key, key.private_key(), &[credential], change)
    }

    pub(crate) fn authenticate_as(
        &self,
        key: &DeviceKey,
        signer: &PrivateKey,
        credentials: &[Credential],
        change: impl FnOnce(&mut Draft),
    ) -> Result<AuthenticationOutcome, Error> {
        let (request, state) = self.start_authentication();
        let mut draft = self.phone.draft_authentication(&request, key, &NONCE).unwrap();
        change(&mut draft);
        let response = draft.sign(signer).unwrap();
        self.finish_authentication(&state, &response.to_message(), credentials)
    }
}

pub(crate) fn registered(outcome: Result<RegistrationOutcome, Error>) -> Result<Vec<Credential>, Error> {
    match outcome? {
        RegistrationOutcome::Registered { credentials, skipped } => {
            assert_eq!(skipped, []);
            Ok(credentials)
        }
        RegistrationOutcome::Denied(denial) => panic!("denied: {denial:?}"),
    }
}

/// Changes a message as JSON.
pub(crate) fn edited(response: &Response, change: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut message = serde_json::from_str(&response.to_message()).unwrap();
    change(&mut message);
    message.to_string()
}
