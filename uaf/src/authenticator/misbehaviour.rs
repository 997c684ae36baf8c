//! An authenticator that does one thing wrong, and signs it correctly all the same: each way that the list of bad input
//! names, as far as it is up to an authenticator and its client.
//!
//! What no authenticator can do wrong alone (replays, concurrent answers, requests of HTTP) takes two right answers.

mod bytes;
mod certificates;
mod params;
mod signed;
mod stated;
mod text;

use std::fmt;

pub use params::Param;

use super::{AuthenticatorError, DeviceKey, Draft};
use crate::tlv::{Tag, tag};
use crate::wire::Operation;

/// Whose answers can be wrong so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Both,
    Registration,
    Authentication,
    /// Registrations of a model that attests in full, at a server that has its statement; others may find them right.
    Stated,
}

use Of::{Authentication, Both, Registration, Stated};

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
            /// What the variants without a member are called, whose they are, and what is wrong.
            const fn plain(self) -> Option<(&'static str, Of, &'static str)> {
                match self {
                    $(Self::$variant => Some(($name, $of, $about)),)*
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
    HalfCharacter = "half-character", Both, "A member holds half of a pair of UTF-16 and so no character.";
    DeepJson = "deep-json", Both, "A member is nested out of all measure.";
    LongMember = "long-member", Both, "The header's appID is longer than any may be.";
    PaddedParams = "padded-params", Both, "fcParams has the padding of base64.";
    StandardParams = "standard-params", Both, "fcParams is in the standard alphabet of base64.";
    BinaryParams = "binary-params", Both, "fcParams is no UTF-8.";
    RepeatedParam = "repeated-param", Both, "A member of fcParams is there twice.";
    RewrittenParams = "rewritten-params", Both, "fcParams says the same in another text than the one that was hashed.";
    OtherVersion = "other-version", Both, "A protocol version that nobody speaks.";
    OtherOperation = "other-operation", Both, "op is that of the other ceremony.";
    OtherAppId = "other-app-id", Both, "The header's appID is another.";
    ChangedServerData = "changed-server-data", Both, "serverData differs in one character.";
    NoServerData = "no-server-data", Both, "serverData is not there.";
    UnknownExtension = "unknown-extension", Both, "The header has an extension that nobody knows and everybody must.";
    NoAssertions = "no-assertions", Both, "There are no assertions, and no code says why.";
    OtherScheme = "other-scheme", Both, "The assertion is said to be of another scheme.";
    UnknownAssertionExtension = "unknown-assertion-extension", Both, "The assertion has an extension that nobody knows and everybody must.";
    EmptyAssertion = "empty-assertion", Both, "The assertion has no bytes.";
    CutAssertion = "cut-assertion", Both, "The assertion's last byte is missing.";
    LengthZero = "length-zero", Both, "The assertion claims to be empty.";
    LengthHuge = "length-huge", Both, "The assertion claims 65535 bytes.";
    BytesBehind = "bytes-behind", Both, "Bytes follow the assertion.";
    BytesInside = "bytes-inside", Both, "The signed object ends inside an element.";
    BytesAround = "bytes-around", Both, "The assertion ends inside an element.";
    OtherOuterTag = "other-outer-tag", Both, "The assertion has the tag of the other ceremony.";
    OtherSignedTag = "other-signed-tag", Both, "The signed object has the tag of the other ceremony.";
    SignedObjectLast = "signed-object-last", Both, "The signed object stands behind its signature.";
    SecondSignedObject = "second-signed-object", Both, "The signed object is there twice.";
    MisplacedElement = "misplaced-element", Both, "A signature stands inside of what is signed.";
    UnknownElement = "unknown-element", Both, "A critical element that nobody knows.";
    UnknownElementBehind = "unknown-element-behind", Both, "A critical element that nobody knows, behind the signature.";
    CriticalExtension = "critical-extension", Both, "A critical extension that nobody knows.";
    DeepElements = "deep-elements", Both, "Extensions are nested fifty deep.";
    MalformedAaid = "malformed-aaid", Both, "The AAID is none.";
    OtherModel = "other-model", Authentication, "The AAID is another model's.";
    UnknownKey = "unknown-key", Authentication, "The key's name is nobody's.";
    ModeZero = "mode-zero", Both, "The authentication mode is 0.";
    ModeTwo = "mode-two", Registration, "The mode is that of a confirmed transaction.";
    ModeThree = "mode-three", Both, "The authentication mode is 3.";
    UnknownAlgorithm = "unknown-algorithm", Both, "The signature algorithm is SM2.";
    OtherAlgorithm = "other-algorithm", Authentication, "Signed, and said so, in the other encoding of the key's signatures.";
    UnknownKeyFormat = "unknown-key-format", Registration, "The key's format is none of the registry.";
    OtherKeyFormat = "other-key-format", Registration, "The key's format is for keys of the other kind.";
    PointOffCurve = "point-off-curve", Registration, "The key is a point beside its curve.";
    PointOfOtherCurve = "point-of-other-curve", Registration, "The key is a point of another curve.";
    PointAtInfinity = "point-at-infinity", Registration, "The key is the point at infinity.";
    CompressedPoint = "compressed-point", Registration, "The key is a compressed point.";
    ShortModulus = "short-modulus", Registration, "The key is of RSA and has 1024 bits.";
    EvenExponent = "even-exponent", Registration, "The key is of RSA and its exponent 2.";
    ExponentOne = "exponent-one", Registration, "The key is of RSA and its exponent 1.";
    NoSignature = "no-signature", Both, "The signature is not there.";
    SecondSignature = "second-signature", Both, "The signature is there twice.";
    ShortSignature = "short-signature", Both, "The signature's last byte is missing.";
    LongSignature = "long-signature", Both, "The signature has a byte behind it.";
    ZeroSignature = "zero-signature", Both, "The signature's numbers are 0.";
    HugeSignature = "huge-signature", Both, "The signature's numbers are above their bounds.";
    LooseSignature = "loose-signature", Both, "The signature's DER is not minimal; where it should be raw, it is DER.";
    StrangersSignature = "strangers-signature", Both, "Signed with another key.";
    NoAttestation = "no-attestation", Registration, "The key is not attested.";
    SecondAttestation = "second-attestation", Registration, "There are two attestations.";
    UncalledForFull = "uncalled-for-full", Registration, "Full attestation, and the model has no roots.";
    EcdaaAttestation = "ecdaa-attestation", Registration, "The attestation is said to be of ECDAA.";
    SurrogateForFull = "surrogate-for-full", Stated, "Attested by the new key itself, and the model has roots.";
    UnstatedAlgorithm = "unstated-algorithm", Stated, "Signed, and said so, in an encoding that is not the model's.";
    OldVersion = "old-version", Stated, "The authenticator is older than the model may be.";
    NoCertificate = "no-certificate", Stated, "Full attestation without a certificate.";
    ReversedCertificates = "reversed-certificates", Stated, "The certificates stand in the wrong order.";
    MissingIssuer = "missing-issuer", Stated, "The certificate of the leaf's issuer is not there.";
    IssuerNoAuthority = "issuer-no-authority", Stated, "The leaf's issuer may issue nothing.";
    ExpiredCertificate = "expired-certificate", Stated, "The leaf ended in 2021.";
    ConstrainedName = "constrained-name", Stated, "The leaf's name is one that its issuer may not certify.";
    CertificateOfOther = "certificate-of-other", Stated, "The leaf is for another model.";
    ForgedCertificate = "forged-certificate", Stated, "The leaf is signed with another key than its issuer's.";
    LongPath = "long-path", Stated, "Ten certificates, each rightly issued by the next.";
    TwentyCertificates = "twenty-certificates", Stated, "Twenty certificates, rightly issued: more than an assertion may hold.";
    GarbageCertificate = "garbage-certificate", Stated, "The leaf is no certificate.";
    Sha1Hash = "sha1-hash", Both, "The final challenge hash is SHA-1.";
    HashOfJson = "hash-of-json", Both, "The final challenge hash is that of the JSON, not of its base64url.";
    EmptyHash = "empty-hash", Both, "The final challenge hash has no bytes.";
    HugeRegistrationCounter = "huge-registration-counter", Registration, "So many keys nobody registers.";
    SameCounter = "same-counter", Authentication, "The counter is that of the last signature that was accepted.";
    LowerCounter = "lower-counter", Authentication, "The counter is below that of the last signature that was accepted.";
    ZeroCounter = "zero-counter", Authentication, "The counter is 0, as of an authenticator that does not count.";
    Unconfirmed = "unconfirmed", Authentication, "A transaction that was asked for is not confirmed.";
    HashUnconfirmed = "hash-unconfirmed", Authentication, "The transaction's hash is there, and the mode is not that of a confirmation.";
    OtherContent = "other-content", Authentication, "Another transaction is confirmed.";
    UnshownRendering = "unshown-rendering", Authentication, "A rendering is confirmed that the display can't show.";
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
        let plain = PLAIN.iter().copied().filter(move |fault| match fault.plain() {
            Some((_, Authentication, _)) => operation == Operation::Auth,
            Some((_, Registration, _)) => operation == Operation::Reg,
            Some((_, of, _)) => of == Both,
            None => false,
        });
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

    /// Every way to be wrong in registrations that takes an authenticator with the attester of a
    /// [`Hierarchy`](super::Hierarchy), and a server that has its model's statement with this root.
    pub fn stated() -> impl Iterator<Item = Self> {
        PLAIN.iter().copied().filter(|fault| matches!(fault.plain(), Some((_, Stated, _))))
    }

    /// The one that [`fmt::Display`] writes so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::all(Operation::Reg).chain(Self::all(Operation::Auth)).chain(Self::stated());
        all.find(|misbehaviour| misbehaviour.to_string() == name)
    }

    /// What is wrong, in a sentence.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::WithoutParam(_) => "A member of fcParams is not there.",
            Self::EmptyParam(_) => "A member of fcParams is an empty string.",
            Self::MistypedParam(_) => "A member of fcParams is a number.",
            Self::OtherParam(_) => "A member of fcParams says something else.",
            Self::Without(_) => "An element of the signed object is not there.",
            Self::Twice(_) => "An element of the signed object is there twice.",
            Self::Longer(_) => "An element of the signed object is a byte too long.",
            Self::Shorter(_) => "An element of the signed object is too short.",
            plain => match plain.plain() {
                Some((_, _, about)) => about,
                None => "",
            },
        }
    }

    /// Whether [`Self::all`] has it for this operation.
    #[must_use]
    pub fn is_of(self, operation: Operation) -> bool {
        Self::all(operation).any(|other| other == self)
    }

    /// Whether this answer can be wrong so: what would be right in it is no misbehaviour.
    fn is_possible(self, draft: &Draft) -> bool {
        let has = match self {
            _ if matches!(self.plain(), Some((_, Stated, _))) => return draft.attester.is_some(),
            Self::UnshownRendering => draft.unshown.is_some(),
            Self::Unconfirmed | Self::HashUnconfirmed | Self::OtherContent | Self::HashOfEncoded => {
                draft.content.is_some()
            }
            Self::UnaskedConfirmation => draft.content.is_none(),
            Self::SameCounter | Self::LowerCounter | Self::ZeroCounter => draft.sign_counter() != 0,
            Self::Shorter(tag) => !draft.fields.get(tag).is_empty(),
            _ => true,
        };
        has && self.is_of(draft.header.op)
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
            other => f.write_str(other.plain().map_or("", |(name, ..)| name)),
        }
    }
}

impl Draft {
    /// The message that [`Self::sign`] would give, with this one thing wrong. It is signed after that is done, by the
    /// attester if there is one, so that no signature betrays it; only where the key or the signature itself is wrong
    /// there is none that could be right.
    ///
    /// # Errors
    /// [`AuthenticatorError`], [`AuthenticatorError::Misbehaviour`] above all.
    pub fn misbehave(mut self, how: Misbehaviour, key: &DeviceKey) -> Result<String, AuthenticatorError> {
        if !how.is_possible(&self) {
            return Err(AuthenticatorError::Misbehaviour(how));
        }
        let signer = stated::spoil(how, &mut self, key)?;
        signed::spoil(how, &mut self, key)?;
        let assertion = bytes::assertion(how, &self, &signer)?;
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
        for misbehaviour in Misbehaviour::stated() {
            assert_eq!(Misbehaviour::named(&misbehaviour.to_string()), Some(misbehaviour));
            assert!(Misbehaviour::all(Operation::Reg).all(|other| other != misbehaviour));
        }
        assert_eq!(Misbehaviour::named(""), None);
    }

    #[test]
    fn an_element_is_wrong_where_it_stands() {
        let of = |name| {
            let how = Misbehaviour::named(name).unwrap();
            (how.is_of(Operation::Reg), how.is_of(Operation::Auth))
        };
        assert_eq!(of("without-pub-key"), (true, false));
        assert_eq!(of("without-authenticator-nonce"), (false, true));
        assert_eq!(of("longer-transaction-content-hash"), (false, true));
        assert_eq!(of("twice-counters"), (true, true));
    }
}
