//! Why a phone does not answer.

use super::Misbehaviour;
use crate::crypto::PrivateKeyError;
use crate::encoding::EncodingError;
use crate::error::Error;
use crate::tlv::TlvError;

/// Why a request is not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticatorError {
    /// The request cannot be understood.
    #[error("request: {0}")]
    Request(#[from] Error),
    /// The policy wants another authenticator, or a key that is not here.
    #[error("no suitable authenticator")]
    NoSuitableAuthenticator,
    /// There is a key, and its display shows none of the transaction's renderings.
    #[error("none of the transaction's renderings can be shown here")]
    CannotShow,
    /// The user has a key here already.
    #[error("the user has a key here already")]
    AlreadyRegistered,
    /// The sign counter is at its end.
    #[error("sign counter is used up")]
    CounterExhausted,
    /// The key cannot be made, read or used.
    #[error(transparent)]
    Key(#[from] PrivateKeyError),
    /// The answer is of the other ceremony, or it takes certificates of a [`super::Hierarchy`], a transaction or none, a
    /// rendering that can't be shown, or a key that counts.
    #[error("{0} is not possible in this answer")]
    Misbehaviour(Misbehaviour),
    /// A picture of no pixels, or one that can't be encoded.
    #[error("no picture: {0}")]
    Picture(String),
    /// A value does not fit its element or member.
    #[error("too long for its element: {0}")]
    Tlv(#[from] TlvError),
    /// A value does not fit its member.
    #[error("does not fit its member: {0}")]
    Encoding(#[from] EncodingError),
}
