//! Who has to answer an authentication request, and whether a key is theirs.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::assertion::AuthenticationAssertion;
use crate::credential::Credential;
use crate::error::Error;

/// Who has to answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Answerer {
    /// Whoever owns the key (login without a name).
    Anyone,
    /// This user.
    Named {
        /// As the store knows him.
        user: String,
        /// `false` where a decoy was asked for in place of a user's key: nobody is told to delete a key then.
        // As long whichever it is: of who is not there as much is kept.
        #[serde(serialize_with = "as_digit", deserialize_with = "from_digit")]
        exists: bool,
    },
}

fn as_digit<S: Serializer>(flag: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    u8::from(*flag).serialize(serializer)
}

fn from_digit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(u8::deserialize(deserializer)? == 1)
}

impl Answerer {
    pub(super) fn user(&self) -> Option<&str> {
        match self {
            Self::Anyone => None,
            Self::Named { user, .. } => Some(user),
        }
    }

    /// The key that an assertion is about, if it is the answerer's.
    pub(super) fn key<'c>(
        &self,
        read: &AuthenticationAssertion<'_>,
        credentials: &'c [Credential],
    ) -> Result<&'c Credential, Error> {
        let is_it = |credential: &&Credential| {
            credential.aaid == read.common.aaid && credential.key_id.as_bytes() == read.common.key_id
        };
        match (self, credentials.iter().find(is_it)) {
            (Self::Anyone, None) => Err(Error::KeyUnknown { user_is_real: false }),
            (Self::Named { exists, .. }, None) => Err(Error::KeyUnknown { user_is_real: *exists }),
            (Self::Named { user, .. }, Some(credential)) if credential.user != *user => Err(Error::KeyOfAnotherUser),
            (_, Some(credential)) => Ok(credential),
        }
    }
}
