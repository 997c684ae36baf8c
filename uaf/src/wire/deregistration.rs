//! `DeregistrationRequest` (UAF protocol 1.1, section 3.6). There is no response to it.

use serde::{Deserialize, Deserializer, Serialize};

use super::{Operation, OperationHeader, Request, Version, Versions, message, non_empty, pick};
use crate::aaid::{Aaid, KeyId, KeyRef};
use crate::encoding::dictionary;
use crate::error::Error;

dictionary!(DeregistrationRequest, Entry);

/// Tells a client to delete keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct DeregistrationRequest {
    /// Head with op `Dereg`.
    pub header: OperationHeader,
    /// Which keys: [`DeregisterAuthenticator::Everything`] stands alone.
    #[serde(deserialize_with = "list")]
    pub authenticators: Vec<DeregisterAuthenticator>,
}

impl DeregistrationRequest {
    /// Reads a protocol message as a client does: the dictionary of version 1.1 in it.
    ///
    /// # Errors
    /// [`Error`]: what is wrong with the message.
    pub fn from_message(text: &str) -> Result<Self, Error> {
        Self::from_message_of(Version::V1_1, text)
    }

    /// The same of another version.
    ///
    /// # Errors
    /// [`Error`]: what is wrong with the message.
    pub fn from_message_of(version: Version, text: &str) -> Result<Self, Error> {
        pick(text, Operation::Dereg, version, |request: &Self| &request.header)
    }

    /// A protocol message with this one dictionary; a server writes [`super::Outgoing::to_message`].
    #[must_use]
    pub fn to_message(&self) -> String {
        message(self)
    }
}

impl Request for DeregistrationRequest {
    fn header_mut(&mut self) -> &mut OperationHeader {
        &mut self.header
    }

    fn sayable_in(&self, versions: Versions) -> Versions {
        // Empty names are new in 1.1.
        let plain = self.authenticators.iter().all(|entry| matches!(entry, DeregisterAuthenticator::Key(_)));
        if plain { versions } else { Versions::Only1_1 }
    }
}

/// What of the appID's keys is to go.
///
/// ```
/// use sidegate_uaf::wire::DeregisterAuthenticator;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let read = |text| serde_json::from_str::<DeregisterAuthenticator>(text);
/// let model = DeregisterAuthenticator::Model("D0D0#0001".parse()?);
/// assert_eq!(read(r#"{"aaid": "D0D0#0001", "keyID": ""}"#)?, model);
/// assert_eq!(read(r#"{"aaid": "", "keyID": ""}"#)?, DeregisterAuthenticator::Everything);
/// assert!(read(r#"{"aaid": "", "keyID": "x"}"#).is_err(), "a key of no model");
/// assert!(DeregisterAuthenticator::Everything.covers(&model) && !model.covers(&DeregisterAuthenticator::Everything));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Entry", try_from = "Entry")]
pub enum DeregisterAuthenticator {
    /// One key.
    Key(KeyRef),
    /// All keys of a model: the key id is empty.
    Model(Aaid),
    /// All keys: both are empty.
    Everything,
}

impl DeregisterAuthenticator {
    /// Whether nothing goes with `other` that does not go with this.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Everything, _) => true,
            (Self::Model(aaid), Self::Model(other) | Self::Key(KeyRef { aaid: other, .. })) => aaid == other,
            (Self::Key(key), Self::Key(other)) => key == other,
            (Self::Model(_) | Self::Key(_), _) => false,
        }
    }
}

/// `DeregisterAuthenticator` as it is written.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Self")]
struct Entry {
    /// AAID or the empty string.
    aaid: String,
    /// Key id as base64url, or the empty string.
    #[serde(rename = "keyID")]
    key_id: String,
}

impl From<DeregisterAuthenticator> for Entry {
    fn from(entry: DeregisterAuthenticator) -> Self {
        let (aaid, key_id) = match entry {
            DeregisterAuthenticator::Key(key) => (key.aaid.into(), key.key_id.to_base64url()),
            DeregisterAuthenticator::Model(aaid) => (aaid.into(), String::new()),
            DeregisterAuthenticator::Everything => (String::new(), String::new()),
        };
        Self { aaid, key_id }
    }
}

impl TryFrom<Entry> for DeregisterAuthenticator {
    type Error = &'static str;

    fn try_from(Entry { aaid, key_id }: Entry) -> Result<Self, Self::Error> {
        let model = |aaid: &str| aaid.parse().map_err(|_| "aaid is neither empty nor an AAID");
        Ok(match (aaid.as_str(), key_id.as_str()) {
            ("", "") => Self::Everything,
            (aaid, "") => Self::Model(model(aaid)?),
            (aaid, key_id) => {
                let key_id = KeyId::from_base64url(key_id).map_err(|_| "keyID is neither empty nor a key id")?;
                Self::Key(KeyRef { aaid: model(aaid)?, key_id })
            }
        })
    }
}

fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<DeregisterAuthenticator>, D::Error> {
    let list: Vec<_> = non_empty(deserializer)?;
    if list.len() > 1 && list.contains(&DeregisterAuthenticator::Everything) {
        return Err(serde::de::Error::custom("everything, and an entry beside it"));
    }
    Ok(list)
}
