//! The dictionaries of the protocol, as they stand in JSON (UAF protocol 1.1, section 3). Limits are part of the types;
//! members this server does not know are ignored when reading.

mod authentication;
mod deregistration;
mod outgoing;
mod picture;
mod policy;
mod registration;
mod response;
mod transport;

use serde::{Deserialize, Deserializer, Serialize};

use serde::de::DeserializeOwned;

use crate::encoding::{self, Octets, Text};
use crate::error::Error;

use crate::encoding::dictionary;
pub use authentication::{AuthenticationRequest, ContentType, Transaction};
pub use deregistration::{DeregisterAuthenticator, DeregistrationRequest};
pub use outgoing::{Outgoing, Request};
pub(crate) use picture::kinds;
pub use picture::{PaletteEntry, PngCharacteristics};
pub use policy::{MatchCriteria, Policy};
pub use registration::RegistrationRequest;
pub(crate) use response::IncompleteParams;
pub use response::{AssertionBytes, AuthenticatorAssertion, ChannelBinding, FinalChallengeParams, Response};
pub use transport::{GetUafRequest, Reply, ReturnUafRequest, SendUafResponse, ServerResponse, Token, TokenType};

dictionary!(Version, OperationHeader, Extension);

/// The application's identity, at most 512 characters.
pub type AppId = Text<0, 512>;
/// The calling app or origin, 1 to 512 characters.
pub type FacetId = Text<1, 512>;
/// The server's own opaque session data, 1 to 1536 characters.
pub type ServerDataText = Text<1, 1536>;
/// The name shown to the user, 1 to 128 characters.
pub type Username = Text<1, 128>;
/// The server's nonce, 8 to 64 bytes.
pub type Challenge = Octets<8, 64>;
/// The one assertion scheme of UAF 1.1.
pub const UAFV1TLV: &str = "UAFV1TLV";

/// A protocol version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Version {
    /// Major part.
    pub major: u16,
    /// Minor part.
    pub minor: u16,
}

impl Version {
    /// UAF 1.0.
    pub const V1_0: Self = Self { major: 1, minor: 0 };
    /// UAF 1.1.
    pub const V1_1: Self = Self { major: 1, minor: 1 };
}

/// The protocol versions that a server speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Versions {
    /// 1.1 alone.
    #[default]
    Only1_1,
    /// 1.1, and 1.0 with old clients: requests hold a dictionary for each, of which a client answers one.
    From1_0,
    /// The same, and answers of 1.0 are forgiven what some clients leave out of fcParams: `facetID` may be empty,
    /// `channelBinding` absent; and that some pad them. Nothing says then which app answered.
    From1_0Incomplete,
}

impl Versions {
    /// All of them, the best first.
    #[must_use]
    pub const fn all(self) -> &'static [Version] {
        match self {
            Self::Only1_1 => &[Version::V1_1],
            Self::From1_0 | Self::From1_0Incomplete => &[Version::V1_1, Version::V1_0],
        }
    }

    /// Whether this one is spoken.
    #[must_use]
    pub fn include(self, version: Version) -> bool {
        self.all().contains(&version)
    }
}

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Registration of a new key.
    Reg,
    /// Authentication with a registered key.
    Auth,
    /// Deletion of keys on the device.
    Dereg,
}

/// The head of every message; a response carries a copy of the request's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct OperationHeader {
    /// Protocol version.
    pub upv: Version,
    /// Kind of message.
    pub op: Operation,
    /// The application; empty or absent where the facet stands for it.
    #[serde(rename = "appID", default, skip_serializing_if = "Option::is_none")]
    pub app_id: Option<AppId>,
    /// Opaque to everybody but the server.
    #[serde(rename = "serverData", default, skip_serializing_if = "Option::is_none")]
    pub server_data: Option<ServerDataText>,
    /// Extensions.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "non_empty")]
    pub exts: Vec<Extension>,
}

/// An extension of a dictionary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Extension {
    /// Its name.
    pub id: Text<1, 32>,
    /// Its content, which may be empty.
    pub data: String,
    /// Whether a receiver that does not know it must refuse the message.
    pub fail_if_unknown: bool,
}

/// Lists may be left out, but not empty (UAF protocol 1.1, section 2.1).
pub(crate) fn non_empty<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let list = Vec::<T>::deserialize(deserializer)?;
    if list.is_empty() { Err(serde::de::Error::custom(crate::encoding::EMPTY_LIST)) } else { Ok(list) }
}

/// The array with one dictionary that travels as `uafProtocolMessage`.
pub(crate) fn message<T: Serialize>(dictionary: &T) -> String {
    // Dictionaries of strings, numbers and lists have a JSON form whatever their content.
    serde_json::to_string(std::slice::from_ref(dictionary)).unwrap_or_default()
}

/// The dictionary of one version out of a request array, which may hold one for each version.
fn pick<T: DeserializeOwned>(
    text: &str,
    operation: Operation,
    version: Version,
    header: impl Fn(&T) -> &OperationHeader,
) -> Result<T, Error> {
    let list: Vec<T> = encoding::parse(text)?;
    if list.is_empty() {
        return Err(Error::NotUaf("empty array"));
    }
    let mut served = list.into_iter().filter(|request| header(request).upv == version);
    let request = served.next().ok_or(Error::UnsupportedVersion)?;
    if served.next().is_some() {
        return Err(Error::SeveralMessages);
    }
    if header(&request).op == operation { Ok(request) } else { Err(Error::WrongOperation) }
}
