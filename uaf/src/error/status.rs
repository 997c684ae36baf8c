//! UAF status codes, and which check gives which: the protocol has the codes, and no such table.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Error;

/// The result of a UAF operation, as told to the client in an HTTP 200 (UAF application API 1.1, "UAF Status Codes"). The protocol maps no check to a code; here it is:
///
/// | check | code |
/// | --- | --- |
/// | no UAF message at all; protocol version not spoken; operation not that of the endpoint | 1400 |
/// | the operation needs an authenticated user; the key is another user's | 1401 |
/// | answer after the deadline, operation still known | 1408 |
/// | no metadata for the AAID | 1480 |
/// | unknown key, where challenge and serverData are good and the user is real: the client deletes its key | 1481 |
/// | channel binding present and wrong | 1490 |
/// | challenge unknown, used, expired | 1491 |
/// | AAID not in the policy that was sent; version below the metadata's; a transaction that the display can't show | 1492 |
/// | model revoked | 1493 |
/// | key's format, curve, size, point; a key that is registered already | 1494 |
/// | algorithm not the metadata's, or not the registered one | 1495 |
/// | attestation type, chain, signature, AAID extension | 1496 |
/// | all else: members and their limits, TLV, final challenge hash, counters, mode, transaction hash, signature, facet, appID, serverData; other unknown keys | 1498 |
/// | the server's own fault | 1500 |
///
/// ```
/// use sidegate_uaf::{Error, Folding, StatusCode};
///
/// let code = Error::SignCounter.status();
/// assert_eq!((code, code.meaning()), (StatusCode(1498), "Content not acceptable."));
/// // For FIDO's test tool, which expects 1480 to 1497 folded into one.
/// assert_eq!(Folding::Content.apply(Error::ChannelBinding.status()), StatusCode::UNACCEPTABLE_CONTENT);
/// ```
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

/// Writes [`Error::status`]. A check that is missing in the table does not compile.
macro_rules! table {
    ($($($check:ident $(($any:tt))? $({ $field:ident: $value:literal })?),+ => $code:ident;)*) => {
        impl Error {
            /// The code of this check, by the table at [`StatusCode`].
            #[must_use]
            pub const fn status(&self) -> StatusCode {
                match self {
                    $($(Self::$check $(($any))? $({ $field: $value })?)|+ => StatusCode::$code,)*
                }
            }
        }
    };
}

table! {
    NotUaf(_), UnsupportedVersion, WrongOperation => BAD_REQUEST;
    KeyOfAnotherUser, UserNotAuthenticated => UNAUTHORIZED;
    DeadlinePassed => TIMEOUT;
    UnknownModel(_) => UNKNOWN_AAID;
    KeyUnknown { user_is_real: true } => UNKNOWN_KEY_ID;
    ChannelBinding => CHANNEL_BINDING;
    ChallengeMismatch, ChallengeSpent => INVALID_CHALLENGE;
    NotInPolicy, PolicyIncomplete, VersionTooLow, ProtocolNotOfModel => UNACCEPTABLE_AUTHENTICATOR;
    SecondFactorOnly, NoTransactionDisplay, TransactionNotShown => UNACCEPTABLE_AUTHENTICATOR;
    ModelRevoked => REVOKED_AUTHENTICATOR;
    Key(_), AlreadyRegistered => UNACCEPTABLE_KEY;
    AlgorithmUnsupported, AlgorithmNotOfModel, AlgorithmNotRegistered => UNACCEPTABLE_ALGORITHM;
    AttestationType, AttestationWithoutRoots, AttestationDowngrade => UNACCEPTABLE_ATTESTATION;
    Certificate(_), AttestationSignature => UNACCEPTABLE_ATTESTATION;
    Internal => INTERNAL;
    // The message as a whole.
    SeveralMessages, DuplicateMember, NullMember, TooComplex, Member(_), UnknownExtension => UNACCEPTABLE_CONTENT;
    ServerDataMissing, ServerDataBroken, ServerDataOfAnotherOperation => UNACCEPTABLE_CONTENT;
    FcParamsEncoding, FcParams(_), HeaderAppId, AppId, UntrustedFacet, NoAssertions, BeyondScope => UNACCEPTABLE_CONTENT;
    // One assertion.
    RepeatedKey, Scheme, Tlv(_), Mode, FinalChallengeHash, RegistrationCounter, SignCounter => UNACCEPTABLE_CONTENT;
    KeyUnknown { user_is_real: false }, Signature => UNACCEPTABLE_CONTENT;
    TransactionHashUnexpected, TransactionNotConfirmed, TransactionNotAsked, TransactionHash => UNACCEPTABLE_CONTENT;
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::crypto::KeyError;
    use crate::tlv::TlvError;

    #[test]
    fn a_code_has_its_words() {
        assert_eq!(StatusCode::TIMEOUT.meaning(), "Too late.");
        assert_eq!(StatusCode(1999).meaning(), "");
    }

    #[rstest]
    #[case(Error::UnsupportedVersion, 1400)]
    #[case(Error::KeyOfAnotherUser, 1401)]
    #[case(Error::DeadlinePassed, 1408)]
    #[case(Error::UnknownModel("D0D0#0001".parse().unwrap()), 1480)]
    #[case(Error::KeyUnknown { user_is_real: true }, 1481)]
    #[case(Error::ChannelBinding, 1490)]
    #[case(Error::ChallengeSpent, 1491)]
    #[case(Error::NotInPolicy, 1492)]
    #[case(Error::TransactionNotShown, 1492)]
    #[case(Error::ModelRevoked, 1493)]
    #[case(Error::Key(KeyError::Point), 1494)]
    #[case(Error::AlgorithmNotRegistered, 1495)]
    #[case(Error::AttestationSignature, 1496)]
    #[case(Error::Tlv(TlvError::Truncated), 1498)]
    #[case(Error::KeyUnknown { user_is_real: false }, 1498)]
    #[case(Error::Internal, 1500)]
    fn every_row_of_the_table_has_its_number(#[case] check: Error, #[case] code: u16) {
        assert_eq!(check.status(), StatusCode(code));
        assert_eq!(Folding::Specific.apply(check.status()), StatusCode(code));
    }

    #[test]
    fn folding_takes_1480_to_1497_and_nothing_else() {
        for code in 1200..=1500 {
            let folded = if (1480..=1497).contains(&code) { 1498 } else { code };
            assert_eq!(Folding::Content.apply(StatusCode(code)), StatusCode(folded));
        }
    }
}
