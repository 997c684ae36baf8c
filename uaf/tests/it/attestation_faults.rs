//! Full attestations whose signature is good and whose certificates are wrong in one respect.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rstest::rstest;
use serde_json::json;
use sidegate_uaf::authenticator::{
    Attester, CertificateDigest, CertificateExtension, CertificateFields, Draft, Hierarchy,
};
use sidegate_uaf::metadata::{Models, UnknownModels};
use sidegate_uaf::tlv::{TlvError, tag};
use sidegate_uaf::{Algorithm, CertificateError, Credential, Error, KeyError, KeyFormat, PrivateKey};

use crate::support::{AAID, TODAY, World, any_model, phone, server, statement};

const DAY: i64 = 86_400;
/// Today in seconds, as certificates count.
const NOW: i64 = TODAY.cast_signed() / 1_000;

/// A root, an authority and a leaf; a test changes what it is about.
struct Vendor {
    root: CertificateFields,
    authority: CertificateFields,
    leaf: CertificateFields,
    /// Whose key the leaf is signed with, if not the authority's.
    forger: Option<PrivateKey>,
    algorithm: Algorithm,
    authority_algorithm: Algorithm,
}

/// What a vendor made.
struct Made {
    root_key: PrivateKey,
    root: Vec<u8>,
    authority: Vec<u8>,
    leaf: Vec<u8>,
    key: PrivateKey,
}

impl Vendor {
    fn new() -> Self {
        Self {
            root: CertificateFields::authority("root", None),
            authority: CertificateFields::authority("authority", None),
            leaf: CertificateFields::leaf("leaf", AAID.parse().unwrap()),
            forger: None,
            algorithm: Algorithm::P256Raw,
            authority_algorithm: Algorithm::P256Raw,
        }
    }

    fn make(&self) -> Made {
        let root_key = PrivateKey::generate(Algorithm::P256Raw).unwrap();
        let authority = PrivateKey::generate(self.authority_algorithm).unwrap();
        let key = PrivateKey::generate(self.algorithm).unwrap();
        Made {
            root: self.root.issue(&root_key, "root", &root_key).unwrap(),
            authority: self.authority.issue(&authority, "root", &root_key).unwrap(),
            leaf: self.leaf.issue(&key, "authority", self.forger.as_ref().unwrap_or(&authority)).unwrap(),
            root_key,
            key,
        }
    }

    fn register(&self) -> Result<Vec<Credential>, Error> {
        let made = self.make();
        made.register(&[&made.root], &[&made.leaf, &made.authority])
    }

    fn refused(&self) -> CertificateError {
        match self.register() {
            Err(Error::Certificate(fault)) => fault,
            other => panic!("{other:?}"),
        }
    }
}

fn models(roots: &[&[u8]]) -> Models {
    let roots: Vec<_> = roots.iter().map(|der| STANDARD.encode(der)).collect();
    let changes = json!({"attestationTypes": [15879, 15880], "attestationRootCertificates": roots});
    Models::new(UnknownModels::Refuse).with_statement(statement(changes))
}

fn world(models: Models, attester: Attester) -> World {
    World { server: server(models), phone: phone().with_attester(attester), now: TODAY, ..World::new() }
}

impl Made {
    /// Registers with these certificates at a model that has these roots.
    fn register(&self, roots: &[&[u8]], certificates: &[&[u8]]) -> Result<Vec<Credential>, Error> {
        self.register_at(models(roots), certificates)
    }

    fn register_at(&self, models: Models, certificates: &[&[u8]]) -> Result<Vec<Credential>, Error> {
        let certificates = certificates.iter().map(|der| der.to_vec()).collect();
        world(models, Attester::new(self.key.clone(), certificates)).register_with(|_| {})
    }

    fn refused(&self, certificates: &[&[u8]]) -> Error {
        self.register(&[&self.root], certificates).unwrap_err()
    }
}

#[test]
fn a_path_ends_at_a_root_an_authority_or_the_leaf_itself() {
    let made = Vendor::new().make();
    let (root, authority, leaf) = (&made.root[..], &made.authority[..], &made.leaf[..]);
    assert!(made.register(&[root], &[leaf, authority]).is_ok());
    assert!(made.register(&[root], &[leaf, authority, root]).is_ok(), "the root may be sent as well");
    assert!(made.register(&[authority], &[leaf]).is_ok());
    assert!(made.register(&[authority], &[leaf, authority]).is_ok());
    assert!(made.register(&[leaf], &[leaf]).is_ok());
    let other = Vendor::new().make();
    assert!(made.register(&[&other.root, root], &[leaf, authority]).is_ok(), "one of several");
}

#[rstest]
fn every_algorithm_attests(#[values(1, 2, 3, 4, 5, 6, 8, 9)] algorithm: u16) {
    let algorithm = Algorithm::try_from(algorithm).unwrap();
    let format = if algorithm.is_elliptic() { KeyFormat::EcDer } else { KeyFormat::RsaDer };
    let hierarchy = Hierarchy::of_model(AAID.parse().unwrap(), algorithm).unwrap();
    let changes = json!({
        "authenticationAlgorithm": u16::from(algorithm), "publicKeyAlgAndEncoding": u16::from(format),
        "attestationTypes": [15879], "attestationRootCertificates": [STANDARD.encode(&hierarchy.root)],
    });
    let mut world = world(Models::new(UnknownModels::Refuse).with_statement(statement(changes)), hierarchy.attester);
    world.phone = world.phone.with_algorithm(algorithm, format);
    let (key, credential) = world.registered_key();
    assert_eq!(credential.algorithm, algorithm);
    let proven = world.authenticate_as(&key, key.private_key(), &[credential], |draft| {
        draft.fields.set(tag::COUNTERS, 9u32.to_le_bytes());
    });
    assert!(proven.is_ok());
}

#[test]
fn there_is_a_certificate() {
    let made = Vendor::new().make();
    assert_eq!(made.refused(&[]), Error::Tlv(TlvError::Missing(tag::ATTESTATION_CERT)));
}

#[test]
fn a_surrogate_of_a_model_with_roots_is_a_downgrade() {
    let made = Vendor::new().make();
    let surrogate = World { server: server(models(&[&made.root])), ..World::new() };
    assert_eq!(surrogate.register_with(|_| {}).unwrap_err(), Error::AttestationDowngrade);
}

#[test]
fn a_model_without_roots_cannot_attest_by_certificates() {
    let made = Vendor::new().make();
    let refused = made.register(&[], &[&made.leaf, &made.authority]).unwrap_err();
    assert_eq!(refused, Error::AttestationWithoutRoots);
    let stated = any_model();
    assert_eq!(made.register_at(stated, &[&made.leaf]).unwrap_err(), Error::AttestationWithoutRoots);
}

#[test]
fn each_certificate_is_issued_by_the_next() {
    let made = Vendor::new().make();
    let (leaf, authority, root) = (&made.leaf[..], &made.authority[..], &made.root[..]);
    for certificates in [&[authority, leaf][..], &[leaf, root, authority], &[leaf, leaf, authority]] {
        assert_eq!(made.refused(certificates), Error::Certificate(CertificateError::Order));
    }
}

#[test]
fn the_path_leads_to_a_root_of_the_model() {
    let made = Vendor::new().make();
    let unknown = Error::Certificate(CertificateError::UnknownIssuer);
    assert_eq!(made.refused(&[&made.leaf]), unknown, "the authority is missing");
    let other = Vendor { root: CertificateFields::authority("other root", None), ..Vendor::new() }.make();
    assert_eq!(made.register(&[&other.root], &[&made.leaf, &made.authority, &made.root]).unwrap_err(), unknown);
    assert_eq!(made.register(&[&other.leaf], &[&made.leaf]).unwrap_err(), unknown);
}

#[test]
fn certificates_are_few_and_der() {
    let made = Vendor::new().make();
    let (leaf, authority) = (&made.leaf[..], &made.authority[..]);
    assert_eq!(made.refused(&[leaf; 9]), Error::Certificate(CertificateError::TooMany));
    let behind = [leaf, &[0]].concat();
    for garbage in [&b"garbage"[..], &[], &leaf[..leaf.len() - 1], &behind] {
        assert_eq!(made.refused(&[garbage, authority]), Error::Certificate(CertificateError::Malformed));
        assert_eq!(made.refused(&[leaf, garbage]), Error::Certificate(CertificateError::Malformed));
    }
}

#[test]
fn an_issuer_is_an_authority() {
    let plain = CertificateFields {
        extensions: vec![CertificateExtension::basic_constraints(false, None)],
        ..Vendor::new().authority
    };
    assert_eq!(Vendor { authority: plain, ..Vendor::new() }.refused(), CertificateError::NotAuthority);
    // Key usage keyCertSign without basic constraints, which OpenSSL takes for an authority.
    let usage = CertificateExtension { oid: "2.5.29.15", critical: true, value: vec![3, 2, 2, 4] };
    let usage_only = CertificateFields { extensions: vec![usage], ..Vendor::new().authority };
    assert_eq!(Vendor { authority: usage_only, ..Vendor::new() }.refused(), CertificateError::NotAuthority);
    let old = CertificateFields { extensions: vec![], ..Vendor::new().authority };
    assert_eq!(Vendor { authority: old, ..Vendor::new() }.refused(), CertificateError::NotAuthority);
    // An authority that may sign, but no certificates.
    let constraints = CertificateExtension::basic_constraints(true, None);
    let usage = CertificateExtension { oid: "2.5.29.15", critical: true, value: vec![3, 2, 7, 0x80] };
    let no_certificates = CertificateFields { extensions: vec![constraints, usage], ..Vendor::new().authority };
    assert_eq!(Vendor { authority: no_certificates, ..Vendor::new() }.refused(), CertificateError::NotAuthority);
}

#[test]
fn a_path_is_as_short_as_an_authority_says() {
    let root = CertificateFields::authority("root", Some(0));
    assert_eq!(Vendor { root, ..Vendor::new() }.refused(), CertificateError::PathLength);
    let root = CertificateFields::authority("root", Some(1));
    assert!(Vendor { root, ..Vendor::new() }.register().is_ok());
}

#[rstest]
#[case(NOW - 2 * DAY, NOW - DAY)]
#[case(NOW + DAY, NOW + 2 * DAY)]
fn certificates_are_within_their_validity(#[case] not_before: i64, #[case] not_after: i64) {
    let leaf = CertificateFields { not_before, not_after, ..Vendor::new().leaf };
    let authority = CertificateFields { not_before, not_after, ..Vendor::new().authority };
    let root = CertificateFields { not_before, not_after, ..Vendor::new().root };
    let vendors =
        [Vendor { leaf, ..Vendor::new() }, Vendor { authority, ..Vendor::new() }, Vendor { root, ..Vendor::new() }];
    for vendor in vendors {
        assert_eq!(vendor.refused(), CertificateError::Validity);
        let made = vendor.make();
        let tolerant = models(&[&made.root]).with_outdated_attestation(AAID.parse().unwrap());
        assert!(made.register_at(tolerant, &[&made.leaf, &made.authority]).is_ok());
        let of_another = models(&[&made.root]).with_outdated_attestation("D0D0#0002".parse().unwrap());
        assert!(made.register_at(of_another, &[&made.leaf, &made.authority]).is_err());
    }
}

#[test]
fn a_path_that_was_good_is_judged_again() {
    let leaf = CertificateFields { not_after: NOW + DAY, ..Vendor::new().leaf };
    let made = Vendor { leaf, ..Vendor::new() }.make();
    let attester = Attester::new(made.key.clone(), vec![made.leaf.clone(), made.authority.clone()]);
    let mut world = world(models(&[&made.root]), attester);
    for _ in 0..2 {
        assert!(world.register_with(|_| {}).is_ok());
    }
    world.now += 2 * 1_000 * DAY.cast_unsigned();
    let expired = world.register_with(|_| {}).unwrap_err();
    assert_eq!(expired, Error::Certificate(CertificateError::Validity));
}

#[test]
fn sha_1_is_for_models_of_which_it_is_said_and_md5_for_none() {
    for (digest, tolerable) in [(CertificateDigest::Sha1, true), (CertificateDigest::Md5, false)] {
        // Signed with RSA, as ECDSA with MD5 has no name.
        let leaf = CertificateFields { digest, ..Vendor::new().leaf };
        let vendor = Vendor { leaf, authority_algorithm: Algorithm::Pkcs1Raw, ..Vendor::new() };
        assert_eq!(vendor.refused(), CertificateError::Weak);
        let made = vendor.make();
        let tolerant = models(&[&made.root]).with_outdated_attestation(AAID.parse().unwrap());
        let tolerated = made.register_at(tolerant, &[&made.leaf, &made.authority]);
        assert_eq!(tolerated.err(), (!tolerable).then_some(Error::Certificate(CertificateError::Weak)));
        assert!(made.register(&[&made.leaf], &[&made.leaf]).is_ok(), "a pinned leaf proves itself");
    }
}

#[test]
fn names_are_within_an_authoritys_constraints() {
    let within = |name| {
        let mut authority = Vendor::new().authority;
        authority.extensions.push(CertificateExtension::permitted_name(name));
        Vendor { authority, ..Vendor::new() }
    };
    assert!(within("leaf").register().is_ok());
    assert_eq!(within("inside").refused(), CertificateError::NameConstraint);
}

#[test]
fn a_critical_extension_is_understood() {
    let with = |critical| {
        let mut leaf = Vendor::new().leaf;
        leaf.extensions.push(CertificateExtension { oid: "1.2.3.4", critical, value: vec![5, 0] });
        Vendor { leaf, ..Vendor::new() }
    };
    assert!(with(false).register().is_ok());
    assert_eq!(with(true).refused(), CertificateError::CriticalExtension);
}

/// An authority that requires certificate policies of whatever is below it (RFC 5280, section 4.2.1.11): nobody here says
/// which would do.
#[test]
fn no_path_is_good_that_has_to_be_under_policies() {
    let extension = |oid, value: &[u8]| CertificateExtension { oid, critical: true, value: value.to_vec() };
    let required = extension("2.5.29.36", &[0x30, 3, 0x80, 1, 0]);
    // anyPolicy.
    let policies = extension("2.5.29.32", &[0x30, 8, 0x30, 6, 6, 4, 0x55, 0x1d, 0x20, 0]);
    let with = |mut fields: CertificateFields, more: &[&CertificateExtension]| {
        fields.extensions.extend(more.iter().map(|&extension| extension.clone()));
        fields
    };
    let vendor = |authority: &[&CertificateExtension], leaf: &[&CertificateExtension]| Vendor {
        authority: with(Vendor::new().authority, authority),
        leaf: with(Vendor::new().leaf, leaf),
        ..Vendor::new()
    };
    assert!(vendor(&[&policies], &[&policies]).register().is_ok());
    for leaf in [&[&policies][..], &[]] {
        assert_eq!(vendor(&[&required], leaf).refused(), CertificateError::Policy);
        assert_eq!(vendor(&[&required, &policies], leaf).refused(), CertificateError::Policy);
    }
}

#[rstest]
#[case::key_agreement(&[3, 2, 3, 8], false)]
#[case::certificates_alone(&[3, 2, 2, 4], false)]
#[case::signatures(&[3, 2, 7, 0x80], true)]
#[case::signatures_and_agreement(&[3, 2, 3, 0x88], true)]
fn the_leafs_key_is_for_signatures(#[case] usage: &[u8], #[case] is_good: bool) {
    let mut leaf = Vendor::new().leaf;
    leaf.extensions.push(CertificateExtension { oid: "2.5.29.15", critical: true, value: usage.to_vec() });
    let made = Vendor { leaf, ..Vendor::new() }.make();
    let refused = (!is_good).then_some(Error::Certificate(CertificateError::KeyUsage));
    assert_eq!(made.register(&[&made.root], &[&made.leaf, &made.authority]).err(), refused);
    assert_eq!(made.register(&[&made.leaf], &[&made.leaf]).err(), refused, "listed or not");
}

/// clientAuth, 1.3.6.1.5.5.7.3.2.
const CLIENT_AUTH: &[u8] = &[6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 2];
/// anyExtendedKeyUsage, 2.5.29.37.0.
const ANY_USAGE: &[u8] = &[6, 4, 0x55, 0x1d, 0x25, 0];

#[rstest]
#[case::of_another_purpose(true, &[CLIENT_AUTH], false)]
#[case::of_another_purpose_that_may_be_passed_over(false, &[CLIENT_AUTH], true)]
#[case::of_any(true, &[ANY_USAGE], true)]
#[case::of_another_and_any(true, &[CLIENT_AUTH, ANY_USAGE], true)]
fn the_leafs_key_is_not_kept_to_other_purposes(
    #[case] critical: bool,
    #[case] purposes: &[&[u8]],
    #[case] is_good: bool,
) {
    let purposes = purposes.concat();
    let value = [&[0x30, u8::try_from(purposes.len()).unwrap()], &purposes[..]].concat();
    let mut leaf = Vendor::new().leaf;
    leaf.extensions.push(CertificateExtension { oid: "2.5.29.37", critical, value });
    let made = Vendor { leaf, ..Vendor::new() }.make();
    let refused = (!is_good).then_some(Error::Certificate(CertificateError::ExtendedKeyUsage));
    assert_eq!(made.register(&[&made.root], &[&made.leaf, &made.authority]).err(), refused);
    assert_eq!(made.register(&[&made.leaf], &[&made.leaf]).err(), refused, "listed or not");
}

#[test]
fn an_authority_attests_nothing_unless_it_is_listed_itself() {
    let authority = CertificateExtension::basic_constraints(true, None);
    let mut leaf = Vendor::new().leaf;
    leaf.extensions[0] = authority;
    let made = Vendor { leaf, ..Vendor::new() }.make();
    let refused = Error::Certificate(CertificateError::LeafIsAuthority);
    assert_eq!(made.refused(&[&made.leaf, &made.authority]), refused);
    assert_eq!(made.register(&[&made.authority], &[&made.leaf]).unwrap_err(), refused);
    assert!(made.register(&[&made.leaf], &[&made.leaf]).is_ok());
    let mut leaf = Vendor::new().leaf;
    leaf.extensions[0].value = vec![0x30, 3, 1, 1, 0];
    assert!(Vendor { leaf, ..Vendor::new() }.register().is_ok(), "no authority, and says so");
}

#[test]
fn a_certificate_is_signed_by_its_issuer() {
    let forger = Some(PrivateKey::generate(Algorithm::P256Raw).unwrap());
    assert_eq!(Vendor { forger, ..Vendor::new() }.refused(), CertificateError::Signature);
}

#[test]
fn the_leafs_key_is_of_the_algorithm() {
    let made = Vendor { algorithm: Algorithm::K256Raw, ..Vendor::new() }.make();
    let other_curve = |draft: &mut Draft| {
        let mut info = draft.fields.get(tag::ASSERTION_INFO).to_vec();
        info[3] = 1;
        draft.fields.set(tag::ASSERTION_INFO, info);
    };
    let attester = Attester::new(made.key.clone(), vec![made.leaf.clone(), made.authority.clone()]);
    let refused = world(models(&[&made.root]), attester).register_with(other_curve).unwrap_err();
    assert_eq!(refused, Error::Certificate(CertificateError::Key(KeyError::Curve)));
}

#[test]
fn the_leaf_is_for_the_model() {
    let naming = |extensions: Vec<CertificateExtension>| {
        let mut leaf = Vendor::new().leaf;
        leaf.extensions.truncate(1);
        leaf.extensions.extend(extensions);
        Vendor { leaf, ..Vendor::new() }
    };
    assert!(naming(vec![]).register().is_ok(), "the extension may be absent");
    let of = |text: &str| CertificateExtension::aaid(text.parse().unwrap());
    assert_eq!(naming(vec![of("D0D0#0002")]).refused(), CertificateError::OtherModel);
    let valued = |value: &[u8]| CertificateExtension { value: value.to_vec(), ..of(AAID) };
    assert!(naming(vec![valued(b"\x0c\x09d0d0#0001")]).register().is_ok(), "as UTF-8 string");
    for value in [&b"D0D0#0001"[..], b"\x04\x08D0D0#001", b"\x04\x09D0D0#0001\0", b"\x13\x09D0D0#0001", b""] {
        assert_eq!(naming(vec![valued(value)]).refused(), CertificateError::Aaid, "{value:?}");
    }
    assert_eq!(naming(vec![of(AAID), of(AAID)]).refused(), CertificateError::Aaid, "twice");
    let critical = CertificateExtension { critical: true, ..of(AAID) };
    assert_eq!(naming(vec![critical]).refused(), CertificateError::CriticalExtension);
}

#[test]
fn a_leaf_under_a_root_of_several_models_names_its_own() {
    let mut vendor = Vendor::new();
    let named = vendor.make();
    vendor.leaf.extensions.truncate(1);
    let made = vendor.make();
    let path = |made: &Made| [made.leaf.clone(), made.authority.clone()];
    let beside = |made: &Made, other: &[u8]| {
        let other = json!({
            "aaid": "D0D0#0002", "attestationTypes": [15879], "attestationRootCertificates": [STANDARD.encode(other)],
        });
        let models = models(&[&made.root]).with_statement(statement(other));
        made.register_at(models, &path(made).each_ref().map(Vec::as_slice)).map(|_| ())
    };
    let nameless = Err(Error::Certificate(CertificateError::Nameless));
    for shared in [&made.root, &made.authority, &made.leaf] {
        assert_eq!(beside(&made, shared), nameless);
    }
    assert_eq!(beside(&named, &named.root), Ok(()));
    assert_eq!(beside(&made, &named.root), Ok(()), "a namesake with another key is another authority");
    let renewed = CertificateFields { not_after: NOW + DAY, ..vendor.root.clone() };
    let renewed = renewed.issue(&made.root_key, "root", &made.root_key).unwrap();
    assert_eq!(beside(&made, &renewed), nameless, "an authority is the same under a newer certificate");
}

#[test]
fn the_signature_is_the_leafs() {
    let made = Vendor::new().make();
    let stranger = PrivateKey::generate(Algorithm::P256Raw).unwrap();
    let stranger = Made { key: stranger, ..made };
    assert_eq!(stranger.refused(&[&stranger.leaf, &stranger.authority]), Error::AttestationSignature);
}
