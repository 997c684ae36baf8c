//! Signatures by the right key over the right bytes, in an encoding that is not the algorithm's one right form.

use openssl::bn::{BigNum, BigNumRef};
use openssl::ecdsa::EcdsaSig;
use rstest::rstest;
use sidegate_uaf::authentication::AuthenticationState;
use sidegate_uaf::authenticator::{DeviceKey, Draft, Fields};
use sidegate_uaf::registration::RegistrationState;
use sidegate_uaf::tlv::tag;
use sidegate_uaf::{Algorithm, Credential, Error, KeyFormat, PrivateKey};

use crate::support::{NONCE, World, registered};

type Change = fn(&[u8]) -> Vec<u8>;

/// The assertion with a signature that was changed after it was made.
fn assertion(draft: &Draft, signer: &PrivateKey, change: Change) -> Vec<u8> {
    let signed = draft.fields.inside(draft.signed).unwrap();
    let signature = change(&signer.sign(&signed).unwrap());
    draft.wrap(&signed, &Fields(vec![(tag::SIGNATURE, signature)])).unwrap()
}

/// A registration and an authentication with one key; making keys for RSA takes long.
struct Ceremonies {
    world: World,
    key: DeviceKey,
    registration: (Draft, RegistrationState),
    authentication: (Draft, AuthenticationState),
    credential: Credential,
}

impl Ceremonies {
    fn new(algorithm: Algorithm) -> Self {
        let format = if algorithm.is_elliptic() { KeyFormat::EcRaw } else { KeyFormat::RsaRaw };
        let mut world = World::new();
        world.phone = world.phone.with_algorithm(algorithm, format);
        let (request, registration) = world.start_registration(&[]);
        let (response, key) = world.phone.register(&request, &[]).unwrap();
        let good = registered(world.finish_registration(&registration, &response.to_message())).unwrap();
        let credential = Credential { sign_counter: 0, ..good[0].clone() };
        let registration = (world.phone.draft_registration(&request, &key).unwrap(), registration);
        let (request, authentication) = world.start_authentication();
        let authentication = (world.phone.draft_authentication(&request, &key, &NONCE).unwrap(), authentication);
        Self { world, key, registration, authentication, credential }
    }

    /// What comes of both with signatures that were changed after they were made.
    fn run(&self, signer: &PrivateKey, change: Change) -> [Option<Error>; 2] {
        let (draft, state) = &self.registration;
        let message = draft.respond(assertion(draft, signer, change)).unwrap().to_message();
        let registration = self.world.finish_registration(state, &message).err();
        let (draft, state) = &self.authentication;
        let message = draft.respond(assertion(draft, signer, change)).unwrap().to_message();
        let credentials = std::slice::from_ref(&self.credential);
        [registration, self.world.finish_authentication(state, &message, credentials).err()]
    }
}

const REFUSED: [Option<Error>; 2] = [Some(Error::AttestationSignature), Some(Error::Signature)];

fn both_refuse(algorithm: Algorithm, changes: &[Change]) {
    let both = Ceremonies::new(algorithm);
    assert_eq!(both.run(both.key.private_key(), |signature| signature.to_vec()), [None, None]);
    for (at, change) in changes.iter().enumerate() {
        assert_eq!(both.run(both.key.private_key(), *change), REFUSED, "{algorithm:?}, change {at}");
    }
}

#[rstest]
fn a_signature_has_its_length(#[values(1, 2, 3, 4, 5, 6, 8, 9)] algorithm: u16) {
    let changes: [Change; 4] = [
        |_| Vec::new(),
        |signature| signature[..signature.len() - 1].to_vec(),
        |signature| [signature, &[0]].concat(),
        |signature| [&[0], signature].concat(),
    ];
    both_refuse(Algorithm::try_from(algorithm).unwrap(), &changes);
}

fn part(raw: &[u8], at: usize) -> BigNum {
    BigNum::from_slice(&raw[at..at + 32]).unwrap()
}

fn der_of(r: &BigNumRef, s: &BigNumRef) -> Vec<u8> {
    let [r, s] = [r, s].map(|number| BigNum::from_slice(&number.to_vec()).unwrap());
    EcdsaSig::from_private_components(r, s).unwrap().to_der().unwrap()
}

#[rstest]
fn a_raw_signature_is_two_numbers_within_the_order(
    #[values(Algorithm::P256Raw, Algorithm::K256Raw)] algorithm: Algorithm,
) {
    let changes: [Change; 7] = [
        |raw| der_of(&part(raw, 0), &part(raw, 32)),
        |raw| [&[0; 32], &raw[32..]].concat(),
        |raw| [&raw[..32], &[0; 32]].concat(),
        |_| vec![0; 64],
        |raw| [&[0xff; 32], &raw[32..]].concat(),
        |raw| [&raw[..32], &[0xff; 32]].concat(),
        |raw| [&raw[32..], &raw[..32]].concat(),
    ];
    both_refuse(algorithm, &changes);
}

fn numbers(der: &[u8]) -> EcdsaSig {
    EcdsaSig::from_der(der).unwrap()
}

/// Each number as so many bytes, between a head and a middle.
fn padded(der: &[u8], length: i32, head: &[u8], middle: &[u8]) -> Vec<u8> {
    let signature = numbers(der);
    let [r, s] = [signature.r(), signature.s()].map(|number| number.to_vec_padded(length).unwrap());
    [head, &r, middle, &s].concat()
}

#[rstest]
fn a_der_signature_has_its_one_right_form(#[values(Algorithm::P256Der, Algorithm::K256Der)] algorithm: Algorithm) {
    let changes: [Change; 7] = [
        |der| padded(der, 32, &[], &[]),
        |der| padded(der, 34, &[0x30, 72, 2, 34], &[2, 34]),
        |der| [&[0x30, 0x81], &der[1..]].concat(),
        |der| [&[0x30, der[1] + 3], &der[2..], &[2, 1, 1]].concat(),
        |der| der_of(&BigNum::new().unwrap(), numbers(der).s()),
        |der| der_of(numbers(der).r(), &BigNum::new().unwrap()),
        |der| [&[0x31], &der[1..]].concat(),
    ];
    both_refuse(algorithm, &changes);
}

#[rstest]
fn a_bare_rsa_signature_is_not_wrapped(#[values(Algorithm::PssRaw, Algorithm::Pkcs1Raw)] algorithm: Algorithm) {
    both_refuse(algorithm, &[|bare| [&[4, 0x82, 1, 0], bare].concat()]);
}

#[rstest]
fn a_wrapped_rsa_signature_is_one_octet_string(#[values(Algorithm::PssDer, Algorithm::Pkcs1Der)] algorithm: Algorithm) {
    let changes: [Change; 4] = [
        |wrapped| wrapped[4..].to_vec(),
        |wrapped| [&[3], &wrapped[1..]].concat(),
        |wrapped| [&[0x24], &wrapped[1..]].concat(),
        |wrapped| [&[4, 0x83, 0], &wrapped[2..]].concat(),
    ];
    both_refuse(algorithm, &changes);
}

#[rstest]
#[case(Algorithm::PssRaw, Algorithm::Pkcs1Raw)]
#[case(Algorithm::Pkcs1Raw, Algorithm::PssRaw)]
#[case(Algorithm::PssDer, Algorithm::Pkcs1Der)]
#[case(Algorithm::Pkcs1Der, Algorithm::PssDer)]
fn the_padding_is_the_algorithms(#[case] said: Algorithm, #[case] used: Algorithm) {
    let both = Ceremonies::new(said);
    let signer = PrivateKey::from_pkcs8(used, &both.key.private_key().to_pkcs8().unwrap()).unwrap();
    assert_eq!(both.run(&signer, |signature| signature.to_vec()), REFUSED);
}
