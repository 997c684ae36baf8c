//! UAF status codes, and which check gives which (uaf.md A13: the protocol text has no such table).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Error;

/// The result of a UAF operation, as told to the client in an HTTP 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StatusCode(
    /// The number.
    pub u16,
);

macro_rules! codes {
    ($($name:ident = $value:literal, $text:literal;)*) => {
        impl StatusCode {
            $(#[doc = $text] pub const $name: Self = Self($value);)*

            /// What the code means, in a few words; empty for a code that the protocol does not know.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self.0 {
                    $($value => $text,)*
                    _ => "",
                }
            }
        }
    };
}

codes! {
    OK = 1200, "Done.";
    ACCEPTED = 1202, "Accepted, not finished.";
    BAD_REQUEST = 1400, "Not understood.";
    UNAUTHORIZED = 1401, "The user must be authenticated, or the key is not his.";
    FORBIDDEN = 1403, "Forbidden, do not retry.";
    NOT_FOUND = 1404, "Nothing there.";
    TIMEOUT = 1408, "Too late.";
    UNKNOWN_AAID = 1480, "No metadata for the model.";
    UNKNOWN_KEY_ID = 1481, "Unknown key; the client deletes it.";
    CHANNEL_BINDING = 1490, "Refused for the channel binding.";
    INVALID_CHALLENGE = 1491, "Nonce unknown, expired or used.";
    UNACCEPTABLE_AUTHENTICATOR = 1492, "Authenticator not acceptable.";
    REVOKED_AUTHENTICATOR = 1493, "Model revoked.";
    UNACCEPTABLE_KEY = 1494, "Key not acceptable.";
    UNACCEPTABLE_ALGORITHM = 1495, "Algorithm not acceptable.";
    UNACCEPTABLE_ATTESTATION = 1496, "Attestation not acceptable.";
    CLIENT_CAPABILITIES = 1497, "Client lacks a capability.";
    UNACCEPTABLE_CONTENT = 1498, "Content not acceptable.";
    INTERNAL = 1500, "The server's own fault.";
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether 1480 to 1497 are told apart (`fold-content-codes`; FIDO's test tool expects them folded).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Folding {
    /// As the table says.
    #[default]
    Specific,
    /// All of them become 1498.
    Content,
}

impl Folding {
    /// The code to tell for `code`.
    #[must_use]
    pub const fn apply(self, code: StatusCode) -> StatusCode {
        match (self, code.0) {
            (Self::Content, 1480..=1497) => StatusCode::UNACCEPTABLE_CONTENT,
            _ => code,
        }
    }
}

impl Error {
    /// The code of this check in the table of uaf.md A13.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NotUaf(_) | Self::UnsupportedVersion | Self::WrongOperation => StatusCode::BAD_REQUEST,
            Self::KeyOfAnotherUser | Self::UserNotAuthenticated => StatusCode::UNAUTHORIZED,
            Self::DeadlinePassed => StatusCode::TIMEOUT,
            Self::UnknownModel => StatusCode::UNKNOWN_AAID,
            Self::KeyUnknown { user_is_real: true } => StatusCode::UNKNOWN_KEY_ID,
            Self::ChannelBinding => StatusCode::CHANNEL_BINDING,
            Self::ChallengeMismatch | Self::ChallengeSpent | Self::Cancelled => StatusCode::INVALID_CHALLENGE,
            Self::NotInPolicy | Self::PolicyIncomplete | Self::VersionTooLow => StatusCode::UNACCEPTABLE_AUTHENTICATOR,
            Self::ModelRevoked => StatusCode::REVOKED_AUTHENTICATOR,
            Self::Key(_) | Self::AlreadyRegistered => StatusCode::UNACCEPTABLE_KEY,
            Self::AlgorithmUnsupported | Self::AlgorithmNotOfModel | Self::AlgorithmNotRegistered => {
                StatusCode::UNACCEPTABLE_ALGORITHM
            }
            Self::AttestationType | Self::AttestationSignature => StatusCode::UNACCEPTABLE_ATTESTATION,
            Self::Internal => StatusCode::INTERNAL,
            Self::SeveralMessages
            | Self::DuplicateMember
            | Self::NullMember
            | Self::TooComplex
            | Self::Member(_)
            | Self::UnknownExtension
            | Self::ServerDataMissing
            | Self::ServerDataBroken
            | Self::ServerDataOfAnotherOperation
            | Self::FcParamsEncoding
            | Self::FcParams(_)
            | Self::HeaderAppId
            | Self::AppId
            | Self::UntrustedFacet
            | Self::NoAssertions
            | Self::RepeatedKey
            | Self::Scheme
            | Self::Tlv(_)
            | Self::Mode
            | Self::FinalChallengeHash
            | Self::RegistrationCounter
            | Self::KeyUnknown { user_is_real: false }
            | Self::SignCounter
            | Self::TransactionHashUnexpected
            | Self::TransactionNotConfirmed
            | Self::TransactionNotAsked
            | Self::TransactionHash
            | Self::Signature => StatusCode::UNACCEPTABLE_CONTENT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::KeyError;
    use crate::tlv::TlvError;

    /// The rows of uaf.md A13.
    fn table() -> Vec<(u16, Vec<Error>)> {
        vec![
            (1400, vec![Error::NotUaf(""), Error::UnsupportedVersion, Error::WrongOperation]),
            (1401, vec![Error::KeyOfAnotherUser, Error::UserNotAuthenticated]),
            (1408, vec![Error::DeadlinePassed]),
            (1480, vec![Error::UnknownModel]),
            (1481, vec![Error::KeyUnknown { user_is_real: true }]),
            (1490, vec![Error::ChannelBinding]),
            (1491, vec![Error::ChallengeMismatch, Error::ChallengeSpent, Error::Cancelled]),
            (1492, vec![Error::NotInPolicy, Error::PolicyIncomplete, Error::VersionTooLow]),
            (1493, vec![Error::ModelRevoked]),
            (1494, vec![Error::Key(KeyError::Point), Error::AlreadyRegistered]),
            (1495, vec![Error::AlgorithmUnsupported, Error::AlgorithmNotOfModel, Error::AlgorithmNotRegistered]),
            (1496, vec![Error::AttestationType, Error::AttestationSignature]),
            (
                1498,
                vec![
                    Error::SeveralMessages,
                    Error::DuplicateMember,
                    Error::NullMember,
                    Error::TooComplex,
                    Error::Member(String::new()),
                    Error::UnknownExtension,
                    Error::ServerDataMissing,
                    Error::ServerDataBroken,
                    Error::ServerDataOfAnotherOperation,
                    Error::FcParamsEncoding,
                    Error::FcParams(String::new()),
                    Error::HeaderAppId,
                    Error::AppId,
                    Error::UntrustedFacet,
                    Error::NoAssertions,
                    Error::RepeatedKey,
                    Error::Scheme,
                    Error::Tlv(TlvError::Truncated),
                    Error::Mode,
                    Error::FinalChallengeHash,
                    Error::RegistrationCounter,
                    Error::KeyUnknown { user_is_real: false },
                    Error::SignCounter,
                    Error::TransactionHashUnexpected,
                    Error::TransactionNotConfirmed,
                    Error::TransactionNotAsked,
                    Error::TransactionHash,
                    Error::Signature,
                ],
            ),
            (1500, vec![Error::Internal]),
        ]
    }

    #[test]
    fn a_code_has_its_words() {
        assert_eq!(StatusCode::TIMEOUT.meaning(), "Too late.");
        assert_eq!(StatusCode(1999).meaning(), "");
    }

    #[test]
    fn every_check_has_the_code_of_the_table() {
        for (code, errors) in table() {
            for error in errors {
                assert_eq!(error.status(), StatusCode(code), "{error}");
                assert_eq!(Folding::Specific.apply(error.status()), StatusCode(code));
            }
        }
    }

    #[test]
    fn folding_takes_1480_to_1497_and_nothing_else() {
        for code in 1200..=1500 {
            let folded = if (1480..=1497).contains(&code) { 1498 } else { code };
            assert_eq!(Folding::Content.apply(StatusCode(code)), StatusCode(folded));
        }
    }
}
