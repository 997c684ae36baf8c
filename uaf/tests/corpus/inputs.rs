//! What is done with an input, by the fuzzer and by the test that feeds the corpus: nothing panics, nothing is accepted
//! but what was signed, and what was read is written and read again the same.
// Each of those who include this file needs a part of it.
#![allow(dead_code)]

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::LazyLock;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sidegate_uaf::assertion::{AuthenticationAssertion, RegistrationAssertion};
use sidegate_uaf::authentication::{AuthenticationState, Claimant};
use sidegate_uaf::encoding::Text;
use sidegate_uaf::facets::{SOFTWARE_FACET, TrustedFacets, TrustedFacetsDocument};
use sidegate_uaf::metadata::{Models, Statement, UnknownModels};
use sidegate_uaf::policy::Policy;
use sidegate_uaf::registration::{NewRegistration, RegistrationOutcome, RegistrationState};
use sidegate_uaf::server_data::ServerDataKey;
use sidegate_uaf::tlv::Elements;
use sidegate_uaf::wire::{
    AssertionBytes, AuthenticationRequest, Challenge, DeregistrationRequest, GetUafRequest, Operation,
    RegistrationRequest, Reply, Response, ReturnUafRequest, SendUafResponse, ServerResponse, Version,
};
use sidegate_uaf::{Algorithm, Arrival, Credential, Incoming, RelyingParty, Start};

/// The model that attests by certificates; of others nothing is known.
pub(crate) const ATTESTED: &str = "D0D0#0002";
/// Within the validity of the certificates, Unix time in milliseconds.
const NOW: u64 = 1_750_000_000_000;

const STATEMENT: &str = include_str!("messages/statement");
const REGISTRATION: &str = include_str!("messages/registration-response");
const AUTHENTICATION: &str = include_str!("messages/authentication-response");
/// The assertions that authenticators made, and nobody else can make.
const GENUINE: [&[u8]; 3] = [
    include_bytes!("assertions/registration"),
    include_bytes!("assertions/registration-full"),
    include_bytes!("assertions/authentication"),
];

/// A server that has asked, and is the same in every run.
pub(crate) struct Server {
    pub(crate) party: RelyingParty,
    pub(crate) registration: (RegistrationRequest, RegistrationState),
    pub(crate) authentication: (AuthenticationRequest, AuthenticationState),
}

impl Server {
    pub(crate) fn new(models: Models) -> Self {
        let party = RelyingParty::new(
            Some(Text::new("https://uaf.example/facets").unwrap()),
            TrustedFacets::new([Text::new(SOFTWARE_FACET).unwrap()]),
            models,
            ServerDataKey::new(&[7; 32]).unwrap(),
        );
        let policy = Policy::any();
        let start = |operation_id, byte| Start {
            operation_id,
            purpose: "fuzzing",
            challenge: Challenge::new([byte; 32]).unwrap(),
            expires_at: NOW,
        };
        let (user, username, registered) = ("jeff", "jeff", &[][..]);
        let new = NewRegistration { start: start("r", 1), user, username, policy: policy.clone(), registered };
        let (to_register, registering) = party.start_registration(new).unwrap();
        let asking = party.asking(&policy, Claimant::Anyone, &[]).unwrap();
        let (to_authenticate, authenticating) = party.start_authentication(start("a", 2), asking).unwrap();
        let registration = (to_register.into_request(), registering);
        let authentication = (to_authenticate.into_request(), authenticating);
        Self { party, registration, authentication }
    }

    pub(crate) fn models() -> Models {
        Models::new(UnknownModels::Surrogate(BTreeSet::from_iter(Algorithm::ALL.iter().copied())))
    }

    fn register(&self, response: &Response) -> Vec<Credential> {
        let opened = self.party.open(Operation::Reg, &response.to_message(), None);
        let arrival = Arrival { now: NOW, channels: &[] };
        match opened.and_then(|opened| self.party.finish_registration(&self.registration.1, &opened, &[], &arrival)) {
            Ok(RegistrationOutcome::Registered { credentials, .. }) => credentials,
            _ => vec![],
        }
    }

    fn authenticates(&self, response: &Response, credentials: &[Credential]) -> bool {
        let opened = self.party.open(Operation::Auth, &response.to_message(), None);
        let arrival = Arrival { now: NOW, channels: &[] };
        let finish = |opened| self.party.finish_authentication(&self.authentication.1, &opened, credentials, &arrival);
        opened.and_then(finish).is_ok()
    }
}

/// The server, the answers whose assertion is replaced, and the key that authenticates.
struct World {
    server: Server,
    registration: Response,
    authentication: Response,
    credentials: Vec<Credential>,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let server = Server::new(Server::models().with_statement(Statement::parse(STATEMENT).unwrap()));
    let answer = |text| serde_json::from_str::<[Response; 1]>(text).map(|[response]| response).unwrap();
    let (registration, authentication) = (answer(REGISTRATION), answer(AUTHENTICATION));
    let credentials = server.register(&registration);
    assert!(server.authenticates(&authentication, &credentials), "the genuine answers are not accepted");
    World { server, registration, authentication, credentials }
});

fn answer(template: &Response, assertion: &[u8]) -> Response {
    let mut response = template.clone();
    response.assertions[0].assertion = AssertionBytes::new(assertion.to_vec());
    response
}

/// What is under an assertion's signature, whichever kind it is of.
fn signed(assertion: &[u8]) -> Option<&[u8]> {
    let registration = RegistrationAssertion::parse(assertion).map(|read| read.common.signed);
    registration.or_else(|_| AuthenticationAssertion::parse(assertion).map(|read| read.common.signed)).ok()
}

/// Whether the server accepts these bytes as an assertion. What it accepts was signed as it stands.
pub(crate) fn assertion(bytes: &[u8]) -> bool {
    let covered: usize = Elements::new(bytes).map_while(Result::ok).map(|element| element.whole.len()).sum();
    assert!(covered <= bytes.len());
    let accepted = !WORLD.server.register(&answer(&WORLD.registration, bytes)).is_empty()
        || WORLD.server.authenticates(&answer(&WORLD.authentication, bytes), &WORLD.credentials);
    let genuine = || GENUINE.iter().any(|seed| signed(seed) == signed(bytes));
    assert!(!accepted || genuine(), "a forgery is accepted");
    accepted
}

/// Reads bytes as everything that they may be meant for; whether they were any of it.
pub(crate) fn message(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let responses = [Operation::Reg, Operation::Auth].map(|operation| response(operation, text));
    let requests = [Version::V1_1, Version::V1_0].map(|version| {
        same(|text| RegistrationRequest::from_message_of(version, text), RegistrationRequest::to_message, text)
            | same(
                |text| AuthenticationRequest::from_message_of(version, text),
                AuthenticationRequest::to_message,
                text,
            )
            | same(
                |text| DeregistrationRequest::from_message_of(version, text),
                DeregistrationRequest::to_message,
                text,
            )
    });
    let dictionaries = dictionary::<TrustedFacetsDocument>(text)
        | dictionary::<GetUafRequest>(text)
        | dictionary::<ReturnUafRequest>(text)
        | dictionary::<SendUafResponse>(text)
        | dictionary::<ServerResponse>(text)
        | dictionary::<Reply>(text);
    let files = Policy::parse(text).is_ok() | Statement::parse(text).is_ok();
    responses.contains(&true) || requests.contains(&true) || dictionaries || files
}

/// Whether the text is read; if so, what is written of it is read as the same.
fn same<T: Debug + PartialEq, E: Debug>(
    read: impl Fn(&str) -> Result<T, E>,
    write: impl Fn(&T) -> String,
    text: &str,
) -> bool {
    let Ok(first) = read(text) else { return false };
    assert_eq!(read(&write(&first)).unwrap(), first);
    true
}

fn dictionary<T: Debug + PartialEq + Serialize + DeserializeOwned>(text: &str) -> bool {
    same(|text| serde_json::from_str::<T>(text), |read| serde_json::to_string(read).unwrap(), text)
}

fn response(operation: Operation, text: &str) -> bool {
    // The text stands for the context as well, which is read in the same breath.
    let _ = Incoming::parse(operation, REGISTRATION, Some(text));
    let Ok(incoming) = Incoming::parse(operation, text, None) else { return false };
    let written = incoming.to_transport();
    let again = Incoming::parse(operation, &written.uaf_response, written.context.as_deref());
    assert_eq!(again.unwrap().to_transport(), written, "an answer is not passed on as it was read");
    let _ = (incoming.keys(), incoming.denial(), incoming.final_challenge());
    let _ = WORLD.server.party.open(operation, text, None);
    true
}
