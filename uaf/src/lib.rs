//! FIDO UAF 1.1 for servers, and a software authenticator to talk to them (feature `authenticator`).
//!
//! No I/O, no clock, no store: `start_*` returns a message and a state to keep, `finish_*` takes the answer and that
//! state. In between the caller does what only a store can do:
//!
//! 1. [`RelyingParty::open`] reads a response, message and context (where the user or the device refused, the context says
//!    so), verifies its serverData and challenge and tells the operation. The caller compares the purpose
//!    ([`server_data::ServerData::purpose`]) with that of the place where the answer came in: nothing else keeps an answer
//!    for one purpose from being used for another. A failure so far moves no state.
//! 2. The caller loads the operation and **takes its challenge, atomically and for good**: it is used up even if the
//!    rest fails. Nothing there: [`Error::ChallengeSpent`].
//! 3. The caller loads what it has under [`Opened::keys`]: the credentials for `finish_authentication`, and for
//!    `finish_registration` which of these keys are taken, whoever owns them. Where it hides users, decoys count as such
//!    ([`Decoys::among`]), in both.
//! 4. `finish_*` checks everything else. New counters are stored in one step, each if it is greater
//!    than the stored one then or if both are 0, and none if one is not: [`Error::SignCounter`]; new credentials only if
//!    (AAID, keyID) is free: [`Error::AlreadyRegistered`].
//!
//! How a model proves itself is said by its metadata statement ([`metadata::Statement`]): with roots by certificates that
//! lead there, without roots by the new key itself.
//!
//! Every check has its own variant of [`Error`]; [`Error::status`] and [`Folding`] give the code for the client.
//!
//! ```
//! use std::collections::BTreeSet;
//!
//! use sidegate_uaf::authentication::{AuthenticationOutcome, Claimant};
//! use sidegate_uaf::authenticator::{Authenticator, shown_text};
//! use sidegate_uaf::encoding::Text;
//! use sidegate_uaf::facets::{SOFTWARE_FACET, TrustedFacets};
//! use sidegate_uaf::metadata::{Models, UnknownModels};
//! use sidegate_uaf::policy::Policy;
//! use sidegate_uaf::registration::{NewRegistration, RegistrationOutcome};
//! use sidegate_uaf::server_data::ServerDataKey;
//! use sidegate_uaf::wire::{
//!     AuthenticationRequest, Challenge, Operation, RegistrationRequest, Reply, SendUafResponse, Transaction,
//! };
//! use sidegate_uaf::{Algorithm, Arrival, RelyingParty, Start};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = RelyingParty::new(
//!     Some(Text::new("https://gateway.example/nevisfido/uaf/1.1/facets")?),
//!     TrustedFacets::new([Text::new(SOFTWARE_FACET)?]),
//!     Models::new(UnknownModels::Surrogate(BTreeSet::from([Algorithm::P256Raw]))),
//!     ServerDataKey::new(&[7; 32])?, // random, from a file
//! );
//! let policy = Policy::parse(
//!     r#"{"accepted": [[{"authenticationAlgorithms": [1, 2], "assertionSchemes": ["UAFV1TLV"]}]]}"#,
//! )?;
//! let phone = Authenticator::new("D0D0#0001".parse()?);
//! let start = |operation_id, byte| {
//!     Ok::<_, Box<dyn std::error::Error>>(Start {
//!         operation_id,
//!         purpose: "example",
//!         challenge: Challenge::new([byte; 32])?, // random, fresh
//!         expires_at: 120_000,
//!     })
//! };
//!
//! // Registration.
//! let (request, state) = server.start_registration(NewRegistration {
//!     start: start("operation-1", 1)?,
//!     user: "6f7f3c1e",
//!     username: "jeff",
//!     policy: policy.clone(),
//!     registered: &[],
//! })?;
//! let on_phone = RegistrationRequest::from_message(&request.to_message())?;
//! let (response, key) = phone.register(&on_phone, &[])?;
//! let sent = SendUafResponse::new(&response, &Reply::default()); // with why not, if the user said no
//!
//! let opened = server.open(Operation::Reg, &sent.uaf_response, sent.context.as_deref())?;
//! assert_eq!(opened.server_data().purpose(), "example"); // what this place is for
//! assert_eq!(opened.operation_id(), "operation-1"); // load the state, take the challenge
//! let arrival = Arrival { now: 1_000, channels: &[] };
//! let taken = []; // those of opened.keys() that the store has, whoever owns them
//! let outcome = server.finish_registration(&state, &opened, &taken, &arrival)?;
//! let RegistrationOutcome::Registered { credentials, .. } = outcome else { return Err("denied".into()) };
//! assert_eq!(credentials[0].key_ref(), key.key_ref());
//!
//! // Authentication, with a text to confirm.
//! let claimant = Claimant::Named { user: "6f7f3c1e", credentials: &credentials, decoys: None };
//! let asking = server.asking(&policy, claimant, &[Transaction::text("Pay 42.00 CHF to Carol")?])?;
//! let (request, state) = server.start_authentication(start("operation-2", 2)?, asking)?;
//! let on_phone = AuthenticationRequest::from_message(&request.to_message())?;
//! assert_eq!(shown_text(&on_phone), Some("Pay 42.00 CHF to Carol"));
//! let mut keys = [key];
//! let response = phone.authenticate(&on_phone, &mut keys, &[9; 16])?;
//! let sent = SendUafResponse::new(&response, &Reply::default());
//!
//! let opened = server.open(Operation::Auth, &sent.uaf_response, sent.context.as_deref())?;
//! assert_eq!((opened.operation_id(), opened.server_data().purpose()), ("operation-2", "example"));
//! assert_eq!(opened.keys(), [keys[0].key_ref()]); // load the credentials under these
//! let outcome = server.finish_authentication(&state, &opened, &credentials, &arrival)?;
//! let AuthenticationOutcome::Authenticated { user, keys } = outcome else { return Err("denied".into()) };
//! assert_eq!((user.as_str(), keys[0].counter), ("6f7f3c1e", 2));
//! # Ok(())
//! # }
//! ```

#[cfg(test)]
mod testing;

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod aaid;
mod algorithm;
pub mod assertion;
pub mod authentication;
#[cfg(feature = "authenticator")]
pub mod authenticator;
mod credential;
mod crypto;
mod decoy;
mod denial;
pub mod deregistration;
pub mod encoding;
mod error;
pub mod facets;
mod incoming;
pub mod metadata;
mod png;
pub mod policy;
pub mod registration;
mod registry;
pub mod relay;
mod relying_party;
pub mod server_data;
pub mod tlv;
pub mod transaction;
pub mod wire;

pub use aaid::{Aaid, AaidError, KeyId, KeyRef};
pub use algorithm::{Algorithm, AttestationType, KeyFormat, Unsupported};
pub use credential::Credential;
pub use crypto::{CertificateError, KeyError, PrivateKey, PrivateKeyError, VerificationKey};
pub use decoy::{DecoyError, Decoys, DecoysOf};
pub use denial::Denial;
pub use error::{Error, Folding, StatusCode};
pub use incoming::{Incoming, Opened};
pub use png::PngFault;
pub use registry::NotRegistered;
pub use relying_party::{Arrival, RelyingParty, Start, StartError};
