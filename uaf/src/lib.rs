//! FIDO UAF 1.1 for servers, and a software authenticator.

#[cfg(test)]
mod testing;

mod aaid;
mod algorithm;
pub mod assertion;
pub mod authentication;
mod credential;
mod crypto;
mod denial;
pub mod deregistration;
pub mod encoding;
mod error;
pub mod facets;
mod incoming;
pub mod metadata;
pub mod policy;
pub mod registration;
mod relying_party;
pub mod server_data;
pub mod tlv;
pub mod transaction;
pub mod wire;

pub use aaid::{Aaid, AaidError, KeyId, KeyRef};
pub use algorithm::{Algorithm, AttestationType, KeyFormat, Unsupported};
pub use credential::Credential;
pub use crypto::{KeyError, PrivateKey, PrivateKeyError, VerificationKey};
pub use denial::Denial;
pub use error::{Error, Folding, StatusCode};
pub use incoming::{Incoming, Opened};
pub use relying_party::{Arrival, RelyingParty, Start, StartError};
