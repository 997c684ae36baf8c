//! Requests on their way out, in every version that their clients may speak.

use std::ops::Deref;

use serde::Serialize;

use super::{OperationHeader, Versions};

/// A request to clients.
pub trait Request: Clone + Serialize {
    /// Its head.
    fn header_mut(&mut self) -> &mut OperationHeader;

    /// In which of `versions` it can be said.
    #[must_use]
    fn sayable_in(&self, versions: Versions) -> Versions {
        versions
    }
}

/// A request in the versions that its server speaks.
///
/// ```
/// use sidegate_uaf::wire::{DeregisterAuthenticator, DeregistrationRequest, Operation, OperationHeader};
/// use sidegate_uaf::wire::{Outgoing, Version, Versions};
/// use sidegate_uaf::{KeyId, KeyRef};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = KeyRef { aaid: "D0D0#0001".parse()?, key_id: KeyId::new([7; 32])? };
/// let header = OperationHeader {
///     upv: Version::V1_1,
///     op: Operation::Dereg,
///     app_id: None,
///     server_data: None,
///     exts: vec![],
/// };
/// let request = DeregistrationRequest { header, authenticators: vec![DeregisterAuthenticator::Key(key)] };
/// let message = Outgoing::new(request, Versions::From1_0).to_message();
/// for version in [Version::V1_0, Version::V1_1] {
///     assert_eq!(DeregistrationRequest::from_message_of(version, &message)?.header.upv, version);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing<T> {
    request: T,
    versions: Versions,
}

impl<T> Outgoing<T> {
    /// The request for clients of these versions.
    pub const fn new(request: T, versions: Versions) -> Self {
        Self { request, versions }
    }

    /// The request alone.
    #[must_use]
    pub fn into_request(self) -> T {
        self.request
    }
}

impl<T: Request> Outgoing<T> {
    /// The protocol message: a JSON array with a dictionary for each version, of which a client answers one.
    #[must_use]
    pub fn to_message(&self) -> String {
        let mut request = self.request.clone();
        let versions = request.sayable_in(self.versions).all();
        let dictionaries = versions.iter().map(|version| {
            request.header_mut().upv = *version;
            // Dictionaries of strings, numbers and lists have a JSON form whatever their content.
            serde_json::to_string(&request).unwrap_or_default()
        });
        format!("[{}]", dictionaries.collect::<Vec<_>>().join(","))
    }
}

impl<T> Deref for Outgoing<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.request
    }
}
