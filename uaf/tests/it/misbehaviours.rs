//! Each way in which the software authenticator can be told to misbehave is refused by the one check meant for it.

use std::mem::discriminant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rstest::rstest;
use serde_json::json;
use sidegate_uaf::authenticator::{Attester, AuthenticatorError, Hierarchy, Misbehaviour, Param, black_png};
use sidegate_uaf::encoding::Text;
use sidegate_uaf::metadata::{Models, UnknownModels};
use sidegate_uaf::tlv::{Tag, TlvError, tag};
use sidegate_uaf::wire::{ChannelBinding, Operation, Transaction};
use sidegate_uaf::{Algorithm, Arrival, CertificateError, Error, KeyError, KeyFormat};

use crate::support::{AAID, NONCE, TODAY, World, phone, server, statement};

/// The check that finds it. Of variants that hold a text the text does not matter.
fn check(how: Misbehaviour, operation: Operation) -> Error {
    use Misbehaviour as M;
    match how {
        M::NoArray | M::EmptyArray | M::HalfCharacter => Error::NotUaf(""),
        M::TwoDictionaries => Error::SeveralMessages,
        M::MistypedMember | M::LongMember | M::EmptyAssertion => Error::Member(String::new()),
        M::NullMember => Error::NullMember,
        M::RepeatedMember => Error::DuplicateMember,
        M::DeepJson => Error::TooComplex,
        M::OtherVersion => Error::UnsupportedVersion,
        M::OtherOperation => Error::WrongOperation,
        M::OtherAppId => Error::HeaderAppId,
        M::ChangedServerData => Error::ServerDataBroken,
        M::NoServerData => Error::ServerDataMissing,
        M::UnknownExtension | M::UnknownAssertionExtension => Error::UnknownExtension,
        M::NoAssertions => Error::NoAssertions,
        M::OtherScheme => Error::Scheme,
        M::PaddedParams | M::StandardParams | M::BinaryParams => Error::FcParamsEncoding,
        M::RepeatedParam => Error::FcParams(String::new()),
        M::WithoutParam(_) | M::EmptyParam(_) | M::MistypedParam(_) => Error::FcParams(String::new()),
        M::OtherParam(Param::AppId) => Error::AppId,
        M::OtherParam(Param::Challenge) => Error::ChallengeMismatch,
        M::OtherParam(Param::FacetId) => Error::UntrustedFacet,
        M::OtherParam(Param::ChannelBinding) => Error::ChannelBinding,
        M::RewrittenParams | M::Sha1Hash | M::HashOfJson | M::EmptyHash => Error::FinalChallengeHash,
        M::Longer(tag) | M::Shorter(tag) => length(tag),
        M::OtherModel => Error::NotInPolicy,
        M::UnknownKey => Error::KeyUnknown { user_is_real: true },
        M::ModeZero | M::ModeTwo | M::ModeThree => Error::Mode,
        M::UnknownAlgorithm => Error::AlgorithmUnsupported,
        M::OtherAlgorithm => Error::AlgorithmNotRegistered,
        M::UnknownKeyFormat => Error::Key(KeyError::UnsupportedFormat),
        M::OtherKeyFormat => Error::Key(KeyError::FormatForAlgorithm),
        M::PointOffCurve | M::PointOfOtherCurve => Error::Key(KeyError::Point),
        M::PointAtInfinity | M::CompressedPoint => Error::Key(KeyError::Encoding),
        M::ShortModulus => Error::Key(KeyError::Modulus),
        M::EvenExponent | M::ExponentOne => Error::Key(KeyError::Exponent),
        M::UncalledForFull => Error::AttestationWithoutRoots,
        M::EcdaaAttestation => Error::AttestationType,
        M::HugeRegistrationCounter => Error::RegistrationCounter,
        M::SameCounter | M::LowerCounter | M::ZeroCounter => Error::SignCounter,
        M::Unconfirmed => Error::TransactionNotConfirmed,
        M::HashUnconfirmed => Error::TransactionHashUnexpected,
        M::OtherContent | M::HashOfEncoded => Error::TransactionHash,
        M::UnaskedConfirmation => Error::TransactionNotAsked,
        M::UnshownRendering => Error::TransactionNotShown,
        M::ShortSignature | M::LongSignature | M::ZeroSignature => signature(operation),
        M::HugeSignature | M::LooseSignature | M::StrangersSignature => signature(operation),
        other => Error::Tlv(tlv(other, operation)),
    }
}

fn tlv(how: Misbehaviour, operation: Operation) -> TlvError {
    use Misbehaviour as M;
    let other = if operation == Operation::Reg { tag::AUTH_ASSERTION } else { tag::REG_ASSERTION };
    match how {
        M::CutAssertion | M::LengthHuge | M::BytesInside | M::BytesAround => TlvError::Truncated,
        M::LengthZero | M::BytesBehind => TlvError::Leftover,
        M::OtherOuterTag => TlvError::OuterTag(other),
        M::OtherSignedTag | M::SignedObjectLast => TlvError::SignedObjectNotFirst,
        M::SecondSignedObject if operation == Operation::Reg => TlvError::Duplicate(tag::KRD),
        M::SecondSignedObject => TlvError::Duplicate(tag::SIGNED_DATA),
        M::NoSignature => TlvError::Missing(tag::SIGNATURE),
        M::SecondSignature => TlvError::Duplicate(tag::SIGNATURE),
        M::MisplacedElement => TlvError::Misplaced(tag::SIGNATURE),
        M::UnknownElement | M::UnknownElementBehind => TlvError::UnknownCritical(Tag(0x2e99)),
        M::CriticalExtension => TlvError::UnknownCritical(tag::EXTENSION_CRITICAL),
        M::DeepElements => TlvError::Misplaced(tag::EXTENSION),
        M::MalformedAaid => TlvError::Malformed(tag::AAID),
        M::NoAttestation => TlvError::Missing(tag::BASIC_SURROGATE),
        M::SecondAttestation => TlvError::Duplicate(tag::BASIC_SURROGATE),
        M::Without(tag) => TlvError::Missing(tag),
        M::Twice(tag) => TlvError::Duplicate(tag),
        other => panic!("{other} has no check"),
    }
}

fn length(tag: Tag) -> Error {
    match tag {
        tag::FINAL_CHALLENGE_HASH => Error::FinalChallengeHash,
        tag::TRANSACTION_CONTENT_HASH => Error::TransactionHash,
        tag::PUB_KEY => Error::Key(KeyError::Encoding),
        fixed => Error::Tlv(TlvError::Length(fixed)),
    }
}

fn signature(operation: Operation) -> Error {
    if operation == Operation::Reg { Error::AttestationSignature } else { Error::Signature }
}

fn assert_found(how: Misbehaviour, operation: Operation, found: &Error) {
    let check = check(how, operation);
    let is_it = match (found, &check) {
        (Error::Tlv(found), Error::Tlv(check)) => found == check,
        // A raw key of RSA ends with its exponent.
        (Error::Key(KeyError::Exponent), Error::Key(KeyError::Encoding)) => {
            matches!(how, Misbehaviour::Longer(tag::PUB_KEY) | Misbehaviour::Shorter(tag::PUB_KEY))
        }
        (Error::Key(found), Error::Key(check)) => found == check,
        (found, check) => discriminant(found) == discriminant(check),
    };
    assert!(is_it, "{how} in {operation:?}: {found:?} and not {check:?}");
}

/// The channel that a server with a certificate knows.
fn channels() -> [ChannelBinding; 1] {
    [ChannelBinding { server_end_point: Some(Text::new("own").unwrap()), ..ChannelBinding::default() }]
}

fn world(algorithm: Algorithm, format: KeyFormat) -> World {
    let world = World::new();
    World { phone: world.phone.clone().with_algorithm(algorithm, format), ..world }
}

#[rstest]
#[case(Algorithm::P256Raw, KeyFormat::EcRaw)]
#[case(Algorithm::P256Der, KeyFormat::EcDer)]
#[case(Algorithm::PssRaw, KeyFormat::RsaRaw)]
#[case(Algorithm::PssDer, KeyFormat::RsaDer)]
fn a_registration_in_which_one_thing_is_wrong_is_refused(#[case] algorithm: Algorithm, #[case] format: KeyFormat) {
    let world = world(algorithm, format);
    let (request, state) = world.start_registration(&[]);
    let (_, key) = world.phone.register(&request, &[]).unwrap();
    let channels = channels();
    let finish = |message: &str| {
        let opened = world.server.open(Operation::Reg, message, None)?;
        let arrival = Arrival { now: world.now, channels: &channels };
        world.server.finish_registration(&state, &opened, &[], &arrival)
    };
    let draft = world.phone.draft_registration(&request, &key).unwrap();
    assert!(finish(&draft.sign(key.private_key()).unwrap().to_message()).is_ok());
    for how in Misbehaviour::all(Operation::Reg) {
        let message = draft.clone().misbehave(how, &key).unwrap();
        let Err(found) = finish(&message) else { panic!("{how} was not found") };
        assert_found(how, Operation::Reg, &found);
    }
}

#[rstest]
#[case(Algorithm::P256Raw, KeyFormat::EcRaw)]
#[case(Algorithm::P256Der, KeyFormat::EcDer)]
#[case(Algorithm::PssRaw, KeyFormat::RsaRaw)]
#[case(Algorithm::PssDer, KeyFormat::RsaDer)]
fn an_authentication_in_which_one_thing_is_wrong_is_refused(#[case] algorithm: Algorithm, #[case] format: KeyFormat) {
    let plain = world(algorithm, format);
    let (mut key, mut credential) = plain.registered_key();
    // Its counter is to have room below, and runs ahead of what was accepted.
    for accepted in [true, true, false, false] {
        let (request, _) = plain.start_authentication();
        plain.phone.authenticate(&request, std::slice::from_mut(&mut key), &NONCE).unwrap();
        if accepted {
            key.accept();
        }
    }
    credential.sign_counter = key.accepted_counter();
    let renderings = vec![Transaction::text("Pay 1.00").unwrap(), Transaction::png(&black_png(2, 2).unwrap()).unwrap()];
    let asking = World { transaction: renderings, ..world(algorithm, format) };
    let channels = channels();
    let finish = |world: &World, how: Option<Misbehaviour>| {
        let (request, state) = world.start_authentication();
        let draft = world.phone.draft_authentication(&request, &key, &NONCE).unwrap();
        let message = match how {
            Some(how) => draft.misbehave(how, &key).unwrap(),
            None => draft.sign(key.private_key()).unwrap().to_message(),
        };
        let opened = world.server.open(Operation::Auth, &message, None)?;
        let arrival = Arrival { now: world.now, channels: &channels };
        world.server.finish_authentication(&state, &opened, std::slice::from_ref(&credential), &arrival)
    };
    assert!(finish(&plain, None).is_ok() && finish(&asking, None).is_ok());
    for how in Misbehaviour::all(Operation::Auth) {
        let world = if how == Misbehaviour::UnaskedConfirmation { &plain } else { &asking };
        let Err(found) = finish(world, Some(how)) else { panic!("{how} was not found") };
        assert_found(how, Operation::Auth, &found);
    }
}

/// The check that finds it where the model has a statement.
fn stated_check(how: Misbehaviour) -> Error {
    use Misbehaviour as M;
    Error::Certificate(match how {
        M::SurrogateForFull => return Error::AttestationDowngrade,
        M::UnstatedAlgorithm => return Error::AlgorithmNotOfModel,
        M::OldVersion => return Error::VersionTooLow,
        M::NoCertificate => return Error::Tlv(TlvError::Missing(tag::ATTESTATION_CERT)),
        M::TwentyCertificates => return Error::Member("[0].assertions[0].assertion".into()),
        M::ReversedCertificates => CertificateError::Order,
        M::MissingIssuer => CertificateError::UnknownIssuer,
        M::IssuerNoAuthority => CertificateError::NotAuthority,
        M::ExpiredCertificate => CertificateError::Validity,
        M::ConstrainedName => CertificateError::NameConstraint,
        M::CertificateOfOther => CertificateError::OtherModel,
        M::ForgedCertificate => CertificateError::Signature,
        M::LongPath => CertificateError::TooMany,
        M::GarbageCertificate => CertificateError::Malformed,
        other => panic!("{other} has no check"),
    })
}

/// A server with a statement of the model, which has this root, and the model.
fn stated(algorithm: Algorithm, format: KeyFormat, hierarchy: &Hierarchy) -> World {
    let changes = json!({
        "authenticationAlgorithm": u16::from(algorithm), "publicKeyAlgAndEncoding": u16::from(format),
        "attestationTypes": [15879], "attestationRootCertificates": [STANDARD.encode(&hierarchy.root)],
    });
    let models = Models::new(UnknownModels::Refuse).with_statement(statement(changes));
    let phone = phone().with_algorithm(algorithm, format).with_attester(hierarchy.attester.clone());
    World { server: server(models), phone, now: TODAY, ..World::new() }
}

#[rstest]
#[case(Algorithm::P256Raw, KeyFormat::EcRaw)]
#[case(Algorithm::P256Der, KeyFormat::EcDer)]
#[case(Algorithm::PssRaw, KeyFormat::RsaRaw)]
#[case(Algorithm::PssDer, KeyFormat::RsaDer)]
fn a_full_attestation_in_which_one_thing_is_wrong_is_refused(#[case] algorithm: Algorithm, #[case] format: KeyFormat) {
    let world = stated(algorithm, format, &Hierarchy::of_model(AAID.parse().unwrap(), algorithm).unwrap());
    let (request, state) = world.start_registration(&[]);
    let (right, key) = world.phone.register(&request, &[]).unwrap();
    assert!(world.finish_registration(&state, &right.to_message()).is_ok());
    let draft = world.phone.draft_registration(&request, &key).unwrap();
    for how in Misbehaviour::stated() {
        let message = draft.clone().misbehave(how, &key).unwrap();
        assert_eq!(world.finish_registration(&state, &message).unwrap_err(), stated_check(how), "{how}");
    }
    for (how, tag) in [(Misbehaviour::SecondAttestation, tag::BASIC_FULL), (Misbehaviour::NoSignature, tag::SIGNATURE)]
    {
        let refused = world.finish_registration(&state, &draft.clone().misbehave(how, &key).unwrap()).unwrap_err();
        assert!(
            matches!(refused, Error::Tlv(TlvError::Duplicate(of) | TlvError::Missing(of)) if of == tag),
            "{refused}"
        );
    }
}

#[test]
fn what_an_answer_cannot_do_wrong_is_said() {
    let world = World::new();
    let (request, _) = world.start_registration(&[]);
    let (_, key) = world.phone.register(&request, &[]).unwrap();
    let draft = world.phone.draft_registration(&request, &key).unwrap();
    let refused = |how| draft.clone().misbehave(how, &key).unwrap_err();
    for how in Misbehaviour::stated().chain([Misbehaviour::SameCounter]) {
        assert_eq!(refused(how), AuthenticatorError::Misbehaviour(how));
    }
    let (asked, _) = world.start_authentication();
    let untold = world.phone.draft_authentication(&asked, &key, &NONCE).unwrap();
    for name in [
        "without-pub-key",
        "unconfirmed",
        "hash-unconfirmed",
        "other-content",
        "hash-of-encoded",
        "shorter-transaction-content-hash",
        "unshown-rendering",
    ] {
        let how = Misbehaviour::named(name).unwrap();
        assert_eq!(untold.clone().misbehave(how, &key).unwrap_err(), AuthenticatorError::Misbehaviour(how));
    }
    // Certificates from elsewhere: nobody here can have wrong ones issued.
    let private = key.private_key().clone();
    let elsewhere = world.phone.clone().with_attester(Attester::new(private, vec![vec![0]]));
    let draft = elsewhere.draft_registration(&request, &key).unwrap();
    let how = Misbehaviour::ExpiredCertificate;
    assert_eq!(draft.clone().misbehave(how, &key).unwrap_err(), AuthenticatorError::Misbehaviour(how));
    assert!(draft.misbehave(Misbehaviour::OldVersion, &key).is_ok());
}
