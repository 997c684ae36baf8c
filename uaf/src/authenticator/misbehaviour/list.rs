//! The list: each with its name, whose it is, and what is wrong.

use super::Param;
use crate::tlv::Tag;

/// Whose answers can be wrong so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
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

        /// Those without a member.
        pub(super) const PLAIN: &[Misbehaviour] = &[$(Misbehaviour::$variant,)*];

        impl Misbehaviour {
            /// What the variants without a member are called, whose they are, and what is wrong.
            pub(super) const fn plain(self) -> Option<(&'static str, Of, &'static str)> {
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
