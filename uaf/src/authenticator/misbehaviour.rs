//! An authenticator that does one thing wrong, and signs it correctly all the same: each way that the list of bad input
//! names (uaf.md B, 1 to 9), as far as it is up to an authenticator and its client.
//!
//! What no authenticator can do wrong alone (replays, concurrent answers, requests of HTTP) takes two right answers.

mod bytes;
mod params;
mod signed;
mod text;

use std::fmt;

pub use params::Param;

use super::{AuthenticatorError, Draft};
use crate::crypto::PrivateKey;
use crate::tlv::{Tag, tag};
use crate::wire::Operation;

/// Whose answers can be wrong so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Both,
    Registration,
    Authentication,
}

use Of::{Authentication, Both, Registration};

macro_rules! misbehaviours {
    ($($variant:ident = $name:literal, $of:ident, $about:literal;)*) => {
        /// One thing that is wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Misbehaviour {
            $(#[doc = $about] $variant,)*
            /// A member of fcParams is not there.
            WithoutParam(Param),
            /// A member of fcParams is an empty string.
            EmptyParam(Param),
            /// A member of fcParams is a number.
            MistypedParam(Param),
            /// A member of fcParams says something else.
            OtherParam(Param),
            /// An element of the signed object is not there.
            Without(Tag),
            /// An element of the signed object is there twice.
            Twice(Tag),
            /// An element of the signed object is a byte too long.
            Longer(Tag),
            /// An element of the signed object is a byte too short.
            Shorter(Tag),
        }

        const PLAIN: &[Misbehaviour] = &[$(Misbehaviour::$variant,)*];

        impl Misbehaviour {
            /// What the variants without a member are called, and whose they are.
            const fn plain(self) -> Option<(&'static str, Of)> {
                match self {
                    $(Self::$variant => Some(($name, $of)),)*
                    _ => None,
                }
            }
        }
    };
}

misbehaviours! {
    NoArray = "no-array", Both, "The message is a dictionary, not an array of one.";
    EmptyArray = "empty-array", Both, "The message holds no dictionary.";
    TwoDictionaries = "two-dictionaries", Both, "The message holds the dictionary twice.";
    MistypedMember = "mistyped-member", Both, "fcParams is a number.";
    NullMember = "null-member", Both, "A member is null.";
    RepeatedMember = "repeated-member", Both, "A member is there twice.";
    DeepJson = "deep-json", Both, "A member is nested out of all measure.";
    LongMember = "long-member", Both, "The header's appID is longer than any may be.";
    PaddedParams = "padded-params", Both, "fcParams has the padding of base64.";
    StandardParams = "standard-params", Both, "fcParams is in the standard alphabet of base64.";
    BinaryParams = "binary-params", Both, "fcParams is no UTF-8.";
    RewrittenParams = "rewritten-params", Both, "fcParams says the same in another text than the one that was hashed.";
    OtherVersion = "other-version", Both, "A protocol version that nobody speaks.";
    OtherOperation = "other-operation", Both, "op is that of the other ceremony.";
    OtherAppId = "other-app-id", Both, "The header's appID is another.";
    ChangedServerData = "changed-server-data", Both, "serverData differs in one character.";
    NoServerData = "no-server-data", Both, "serverData is not there.";
    UnknownExtension = "unknown-extension", Both, "The header has an extension that nobody knows and everybody must.";
    EmptyAssertion = "empty-assertion", Both, "The assertion has no bytes.";
    CutAssertion = "cut-assertion", Both, "The assertion's last byte is missing.";
    LengthZero = "length-zero", Both, "The assertion claims to be empty.";
    LengthHuge = "length-huge", Both, "The assertion claims 65535 bytes.";
    BytesBehind = "bytes-behind", Both, "Bytes follow the assertion.";
    BytesInside = "bytes-inside", Both, "The signed object ends inside an element.";
    OtherOuterTag = "other-outer-tag", Both, "The assertion has the tag of the other ceremony.";
    OtherSignedTag = "other-signed-tag", Both, "The signed object has the tag of the other ceremony.";
    MisplacedElement = "misplaced-element", Both, "A signature stands inside of what is signed.";
    UnknownElement = "unknown-element", Both, "A critical element that nobody knows.";
    DeepElements = "deep-elements", Both, "Extensions are nested fifty deep.";
    MalformedAaid = "malformed-aaid", Both, "The AAID is none.";
    OtherModel = "other-model", Authentication, "The AAID is another model's.";
    ModeZero = "mode-zero", Both, "The authentication mode is 0.";
    ModeTwo = "mode-two", Registration, "The mode is that of a confirmed transaction.";
    ModeThree = "mode-three", Both, "The authentication mode is 3.";
    UnknownAlgorithm = "unknown-algorithm", Both, "The signature algorithm is SM2.";
    OtherAlgorithm = "other-algorithm", Authentication, "Signed, and said so, in the other encoding of the key's signatures.";
    UnknownKeyFormat = "unknown-key-format", Registration, "The key's format is none of the registry.";
    OtherKeyFormat = "other-key-format", Registration, "The key's format is for keys of the other kind.";
    PointOffCurve = "point-off-curve", Registration, "The key is a point beside its curve.";
    PointAtInfinity = "point-at-infinity", Registration, "The key is the point at infinity.";
    CompressedPoint = "compressed-point", Registration, "The key is a compressed point.";
    ShortModulus = "short-modulus", Registration, "The key is of RSA and has 1024 bits.";
    EvenExponent = "even-exponent", Registration, "The key is of RSA and its exponent 2.";
    ShortSignature = "short-signature", Both, "The signature's last byte is missing.";
    LongSignature = "long-signature", Both, "The signature has a byte behind it.";
    ZeroSignature = "zero-signature", Both, "The signature's numbers are 0.";
    HugeSignature = "huge-signature", Both, "The signature's numbers are above their bounds.";
    LooseSignature = "loose-signature", Both, "The signature's DER is not minimal; where it should be raw, it is DER.";
    StrangersSignature = "strangers-signature", Both, "Signed with another key.";
    NoAttestation = "no-attestation", Registration, "The key is not attested.";
    SecondAttestation = "second-attestation", Registration, "There are two attestations.";
    UncalledForFull = "uncalled-for-full", Registration, "Full attestation, and the model has no roots.";
    Sha1Hash = "sha1-hash", Both, "The final challenge hash is SHA-1.";
    HashOfJson = "hash-of-json", Both, "The final challenge hash is that of the JSON, not of its base64url.";
    EmptyHash = "empty-hash", Both, "The final challenge hash has no bytes.";
    HugeRegistrationCounter = "huge-registration-counter", Registration, "So many keys nobody registers.";
    SameCounter = "same-counter", Authentication, "The counter is that of the signature before.";
    LowerCounter = "lower-counter", Authentication, "The counter is below that of the signature before.";
    ZeroCounter = "zero-counter", Authentication, "The counter is 0, as of an authenticator that does not count.";
    Unconfirmed = "unconfirmed", Authentication, "A transaction that was asked for is not confirmed.";
    HashUnconfirmed = "hash-unconfirmed", Authentication, "The transaction's hash is there, and the mode is not that of a confirmation.";
    OtherContent = "other-content", Authentication, "Another transaction is confirmed.";
    HashOfEncoded = "hash-of-encoded", Authentication, "The transaction's hash is that of its base64url.";
    UnaskedConfirmation = "unasked-confirmation", Authentication, "A transaction is confirmed, and none was asked for.";
}

const EVERYWHERE: [Tag; 5] = [tag::AAID, tag::ASSERTION_INFO, tag::FINAL_CHALLENGE_HASH, tag::KEYID, tag::COUNTERS];

impl Misbehaviour {
    /// Every way to be wrong in answers to this operation.
    pub fn all(operation: Operation) -> impl Iterator<Item = Self> {
        let (own, own_fixed) = match operation {
            Operation::Auth => {
                (&[tag::AUTHENTICATOR_NONCE, tag::TRANSACTION_CONTENT_HASH][..], &[tag::TRANSACTION_CONTENT_HASH][..])
            }
            _ => (&[tag::PUB_KEY][..], &[tag::PUB_KEY][..]),
        };
        let elements = move || EVERYWHERE.into_iter().chain(own.iter().copied());
        // A key id may be longer than this authenticator's, a nonce as well.
        let fixed = EVERYWHERE.into_iter().filter(|tag| *tag != tag::KEYID).chain(own_fixed.iter().copied());
        let params = || Param::ALL.into_iter();
        let plain = PLAIN.iter().copied().filter(move |fault| fault.is_of(operation));
        plain
            .chain(params().map(Self::WithoutParam))
            .chain(params().map(Self::EmptyParam))
            .chain(params().map(Self::MistypedParam))
            .chain(params().map(Self::OtherParam))
            .chain(elements().map(Self::Without))
            .chain(elements().map(Self::Twice))
            .chain(fixed.map(Self::Longer))
            .chain(elements().map(Self::Shorter))
    }

    /// The one that [`fmt::Display`] writes so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::all(Operation::Reg).chain(Self::all(Operation::Auth));
        all.find(|misbehaviour| misbehaviour.to_string() == name)
    }

    fn is_of(self, operation: Operation) -> bool {
        match self.plain() {
            Some((_, Authentication)) => operation == Operation::Auth,
            Some((_, Registration)) => operation == Operation::Reg,
            _ => true,
        }
    }
}

impl fmt::Display for Misbehaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let element = |tag: Tag| tag.name().unwrap_or_default().to_ascii_lowercase().replace('_', "-");
        match self {
            Self::WithoutParam(param) => write!(f, "without-{param}"),
            Self::EmptyParam(param) => write!(f, "empty-{param}"),
            Self::MistypedParam(param) => write!(f, "mistyped-{param}"),
            Self::OtherParam(param) => write!(f, "other-param-{param}"),
            Self::Without(tag) => write!(f, "without-{}", element(*tag)),
            Self::Twice(tag) => write!(f, "twice-{}", element(*tag)),
            Self::Longer(tag) => write!(f, "longer-{}", element(*tag)),
            Self::Shorter(tag) => write!(f, "shorter-{}", element(*tag)),
            other => f.write_str(other.plain().map_or("", |(name, _)| name)),
        }
    }
}

impl Draft {
    /// The message that [`Self::sign`] would give, with this one thing wrong. It is signed after that is done, so that no
    /// signature betrays it; only where the key or the signature itself is wrong there is none that could be right.
    ///
    /// # Errors
    /// [`AuthenticatorError`].
    pub fn misbehave(mut self, how: Misbehaviour, key: &PrivateKey) -> Result<String, AuthenticatorError> {
        signed::spoil(how, &mut self)?;
        let assertion = bytes::assertion(how, &self, key)?;
        Ok(text::spoil(how, &self.respond(assertion)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_of_one_misbehaviour_alone() {
        for operation in [Operation::Reg, Operation::Auth] {
            for misbehaviour in Misbehaviour::all(operation) {
                assert_eq!(Misbehaviour::named(&misbehaviour.to_string()), Some(misbehaviour));
            }
        }
        assert_eq!(Misbehaviour::named(""), None);
    }
}
