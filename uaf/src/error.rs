//! One variant per check, so that logs say what was wrong and tests can tell the checks apart; `status` maps each to the
//! code that the client is told.

mod status;

pub use status::{Folding, StatusCode};

use crate::aaid::Aaid;
use crate::crypto::{CertificateError, KeyError};
use crate::encoding::JsonError;
use crate::tlv::TlvError;

/// Why a response is refused. No variant repeats content of the message beyond the path of a member, a tag
/// or the name of a model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not a JSON array with one dictionary.
    #[error("not a UAF message: {0}")]
    NotUaf(&'static str),
    /// More than one dictionary.
    #[error("more than one dictionary in the message")]
    SeveralMessages,
    /// A JSON member occurs twice, at any level.
    #[error("a JSON member occurs twice")]
    DuplicateMember,
    /// A JSON member is null.
    #[error("a JSON member is null")]
    NullMember,
    /// Too much nesting or too many members.
    #[error("JSON nested too deeply or with too many members")]
    TooComplex,
    /// A member is missing, of the wrong type or out of its limits.
    #[error("wrong or missing: {0}")]
    Member(String),
    /// The protocol version is not served.
    #[error("protocol version is not served")]
    UnsupportedVersion,
    /// The message is not for this endpoint.
    #[error("op does not fit the endpoint")]
    WrongOperation,
    /// An extension that must be understood is not.
    #[error("unknown extension with fail_if_unknown")]
    UnknownExtension,
    /// The header has no serverData.
    #[error("serverData is missing")]
    ServerDataMissing,
    /// serverData was not made by this server.
    #[error("serverData is not authentic")]
    ServerDataBroken,
    /// serverData was made for another operation.
    #[error("serverData belongs to another operation")]
    ServerDataOfAnotherOperation,
    /// fcParams is not unpadded base64url of UTF-8 text.
    #[error("fcParams is not base64url")]
    FcParamsEncoding,
    /// fcParams is not the JSON it should be.
    #[error("in fcParams: {0}")]
    FcParams(String),
    /// The challenge is not the one issued with this serverData.
    #[error("challenge was not issued for this operation")]
    ChallengeMismatch,
    /// The challenge is unknown or used; only the store can tell.
    #[error("challenge is unknown or used")]
    ChallengeSpent,
    /// The answer came after the deadline.
    #[error("answer after the deadline")]
    DeadlinePassed,
    /// The header's appID is not the one that was sent.
    #[error("appID in the header differs")]
    HeaderAppId,
    /// The appID in fcParams is not the one that was sent.
    #[error("appID in fcParams differs")]
    AppId,
    /// The facet is not in the trusted list.
    #[error("facet is not trusted")]
    UntrustedFacet,
    /// The TLS channel is not the one the client saw.
    #[error("channel binding differs")]
    ChannelBinding,
    /// No assertion, and no code that would make it a denial.
    #[error("no assertions")]
    NoAssertions,
    /// The same key twice in one response.
    #[error("two assertions for one key")]
    RepeatedKey,
    /// The assertion scheme is not UAFV1TLV.
    #[error("assertion scheme is not served")]
    Scheme,
    /// The assertion is not the TLV it should be.
    #[error("assertion: {0}")]
    Tlv(#[from] TlvError),
    /// The mode is not allowed in this kind of assertion.
    #[error("authentication mode is not allowed here")]
    Mode,
    /// The signature algorithm is none that this server does.
    #[error("unsupported signature algorithm")]
    AlgorithmUnsupported,
    /// The signature algorithm is not one of the model's.
    #[error("signature algorithm is not the model's")]
    AlgorithmNotOfModel,
    /// The signature algorithm is not the one fixed at registration.
    #[error("signature algorithm is not the registered one")]
    AlgorithmNotRegistered,
    /// A deregistration names more than was asked for; only a relay can tell.
    #[error("more is deregistered than was asked for")]
    BeyondScope,
    /// The AAID, key or properties do not fit the policy that was sent.
    #[error("authenticator does not fit the policy")]
    NotInPolicy,
    /// Not all members of any alternative of the policy were verified.
    #[error("no alternative of the policy is complete")]
    PolicyIncomplete,
    /// The model does not speak the protocol version of the message.
    #[error("protocol version is not the model's")]
    ProtocolNotOfModel,
    /// The model is for a second factor, and there was no first one.
    #[error("model is for a second factor only")]
    SecondFactorOnly,
    /// The model has no display, or its keys sign what others made.
    #[error("model cannot confirm transactions")]
    NoTransactionDisplay,
    /// There is no metadata statement for the model.
    #[error("unknown model {0}")]
    UnknownModel(Aaid),
    /// The model was revoked.
    #[error("model is revoked")]
    ModelRevoked,
    /// The authenticator is older than its metadata allows.
    #[error("authenticator version is below the metadata's")]
    VersionTooLow,
    /// The FinalChallengeHash is not that of the fcParams received.
    #[error("final challenge hash differs")]
    FinalChallengeHash,
    /// The registration counter is absurdly high.
    #[error("registration counter is too high")]
    RegistrationCounter,
    /// The attestation is of a type that the model or the policy does not allow.
    #[error("attestation type is not acceptable")]
    AttestationType,
    /// Full attestation of a model whose metadata has no roots.
    #[error("full attestation, and the model has no roots")]
    AttestationWithoutRoots,
    /// Surrogate attestation of a model whose metadata has roots.
    #[error("surrogate attestation, and the model has roots")]
    AttestationDowngrade,
    /// The certificates of a full attestation do not prove the model.
    #[error("attestation certificate: {0}")]
    Certificate(#[from] CertificateError),
    /// The attestation signature is wrong.
    #[error("attestation signature does not verify")]
    AttestationSignature,
    /// The public key is not acceptable.
    #[error("public key: {0}")]
    Key(#[from] KeyError),
    /// The key is registered already; only the store can tell.
    #[error("key is registered already")]
    AlreadyRegistered,
    /// Nobody has this key.
    #[error("unknown key")]
    KeyUnknown {
        /// Whether the operation was for a user who exists, so that the client may be told to delete the key.
        user_is_real: bool,
    },
    /// The key is another user's.
    #[error("key belongs to another user")]
    KeyOfAnotherUser,
    /// The operation needs a user who is logged in; only the caller can tell.
    #[error("user must be authenticated")]
    UserNotAuthenticated,
    /// The sign counter did not grow.
    #[error("sign counter did not grow")]
    SignCounter,
    /// A transaction hash although no transaction was confirmed.
    #[error("transaction hash without confirmation")]
    TransactionHashUnexpected,
    /// A transaction was asked for and not confirmed.
    #[error("transaction was not confirmed")]
    TransactionNotConfirmed,
    /// A transaction was confirmed and none was asked for.
    #[error("no transaction was asked for")]
    TransactionNotAsked,
    /// What was confirmed is none of the renderings that were sent.
    #[error("another transaction was confirmed")]
    TransactionHash,
    /// What was confirmed was sent, and is a rendering that the key's authenticator can't show.
    #[error("a rendering was confirmed that the authenticator can't show")]
    TransactionNotShown,
    /// The assertion's signature is wrong.
    #[error("signature does not verify")]
    Signature,
    /// OpenSSL failed where input cannot make it fail.
    #[error("cryptographic library failed")]
    Internal,
}

impl From<JsonError> for Error {
    fn from(error: JsonError) -> Self {
        match error {
            JsonError::Syntax => Self::NotUaf("not JSON"),
            JsonError::Duplicate => Self::DuplicateMember,
            JsonError::Null(_) => Self::NullMember,
            JsonError::Size => Self::TooComplex,
            JsonError::Member(path) => Self::Member(path),
        }
    }
}
