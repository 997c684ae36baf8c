//! A server, a phone, and its answers.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sidegate_uaf::authentication::{AuthenticationOutcome, AuthenticationState, Claimant};
use sidegate_uaf::authenticator::{Authenticator, DeviceKey, Hierarchy};
use sidegate_uaf::encoding::Text;
use sidegate_uaf::facets::{SOFTWARE_FACET, TrustedFacets};
use sidegate_uaf::metadata::{Models, Statement, UnknownModels};
use sidegate_uaf::policy::Policy;
use sidegate_uaf::registration::{NewRegistration, RegistrationOutcome, RegistrationState};
use sidegate_uaf::server_data::ServerDataKey;
use sidegate_uaf::wire::{AuthenticationRequest, Challenge, Operation, RegistrationRequest};
use sidegate_uaf::{Algorithm, Arrival, Credential, Incoming, Opened, RelyingParty, Start};

use crate::Failure;

const AAID: &str = "D0D0#0001";
/// In 2025, within the validity of certificates; milliseconds.
const NOW: u64 = 1_750_000_000_000;
const ARRIVAL: Arrival<'static> = Arrival { now: NOW, channels: &[] };

/// A phone's answer to an authentication, and all that the server needs to judge it.
pub(crate) struct Authentication {
    server: RelyingParty,
    state: AuthenticationState,
    credentials: Vec<Credential>,
    message: String,
    opened: Opened,
}

impl Authentication {
    pub(crate) fn build() -> Result<Self, Failure> {
        let every = BTreeSet::from_iter(Algorithm::ALL.iter().copied());
        let server = server(Models::new(UnknownModels::Surrogate(every)))?;
        let phone = Authenticator::new(AAID.parse()?);
        let registered = Registration::of(&server, &phone)?;
        let credentials = registered.credentials().ok_or("the registration is refused")?;
        let claimant = Claimant::Named { user: "jeff", credentials: &credentials, decoys: None };
        let asking = server.asking(&Policy::any(), claimant, &[])?;
        let (request, state) = server.start_authentication(start("operation-a")?, asking)?;
        let request = AuthenticationRequest::from_message(&request.to_message())?;
        let message = phone.authenticate(&request, &mut [registered.key], &[9; 16])?.to_message();
        let opened = server.open(Operation::Auth, &message, None)?;
        Ok(Self { server, state, credentials, message, opened })
    }

    pub(crate) fn parse(&self) -> bool {
        Incoming::parse(Operation::Auth, &self.message, None).is_ok()
    }

    pub(crate) fn open(&self) -> Option<Opened> {
        self.server.open(Operation::Auth, &self.message, None).ok()
    }

    pub(crate) fn finish(&self) -> bool {
        self.finish_with(&self.opened)
    }

    pub(crate) fn finish_with(&self, opened: &Opened) -> bool {
        let outcome = self.server.finish_authentication(&self.state, opened, &self.credentials, &ARRIVAL);
        matches!(outcome, Ok(AuthenticationOutcome::Authenticated { .. }))
    }
}

/// A phone's answer to a registration, and all that the server needs to judge it.
pub(crate) struct Registration {
    server: RelyingParty,
    state: RegistrationState,
    message: String,
    opened: Opened,
    key: DeviceKey,
}

impl Registration {
    /// With full attestation: a leaf, an authority and a root.
    pub(crate) fn build() -> Result<Self, Failure> {
        let hierarchy = Hierarchy::of_model(AAID.parse()?, Algorithm::P256Raw)?;
        let statement = serde_json::json!({
            "aaid": AAID, "authenticatorVersion": 1, "upv": [{"major": 1, "minor": 1}], "assertionScheme": "UAFV1TLV",
            "authenticationAlgorithm": 1, "publicKeyAlgAndEncoding": 256, "attestationTypes": [15879],
            "attestationRootCertificates": [STANDARD.encode(&hierarchy.root)],
            "userVerificationDetails": [[{"userVerification": 2}]], "keyProtection": 2, "matcherProtection": 2,
            "attachmentHint": 1, "tcDisplay": 0, "isSecondFactorOnly": false,
        });
        let statement = Statement::parse(&statement.to_string())?;
        let phone = Authenticator::new(AAID.parse()?).with_attester(hierarchy.attester);
        Self::of(&server(Models::new(UnknownModels::Refuse).with_statement(statement))?, &phone)
    }

    fn of(server: &RelyingParty, phone: &Authenticator) -> Result<Self, Failure> {
        let (start, policy) = (start("operation-r")?, Policy::any());
        let new = NewRegistration { start, user: "jeff", username: "jeff@example", policy, registered: &[] };
        let (request, state) = server.start_registration(new)?;
        let request = RegistrationRequest::from_message(&request.to_message())?;
        let (response, key) = phone.register(&request, &[])?;
        let message = response.to_message();
        let opened = server.open(Operation::Reg, &message, None)?;
        Ok(Self { server: server.clone(), state, message, opened, key })
    }

    pub(crate) fn parse(&self) -> bool {
        Incoming::parse(Operation::Reg, &self.message, None).is_ok()
    }

    pub(crate) fn finish(&self) -> bool {
        self.credentials().is_some()
    }

    fn credentials(&self) -> Option<Vec<Credential>> {
        match self.server.finish_registration(&self.state, &self.opened, &[], &ARRIVAL) {
            Ok(RegistrationOutcome::Registered { credentials, .. }) => Some(credentials),
            _ => None,
        }
    }
}

fn server(models: Models) -> Result<RelyingParty, Failure> {
    Ok(RelyingParty::new(
        Some(Text::new("https://uaf.example/facets")?),
        TrustedFacets::new([Text::new(SOFTWARE_FACET)?]),
        models,
        ServerDataKey::new(&[7; 32])?,
    ))
}

fn start(operation_id: &str) -> Result<Start<'_>, Failure> {
    Ok(Start { operation_id, purpose: "test", challenge: Challenge::new([1; 32])?, expires_at: NOW })
}
