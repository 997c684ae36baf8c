mod resumption;

use std::path::Path;

use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::{X509, X509Name};

use super::*;
use crate::gateway::TlsFiles;

fn key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn certificate(key: &PKey<Private>) -> Vec<u8> {
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_text("CN", "localhost").unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(key).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
    builder.sign(key, MessageDigest::sha256()).unwrap();
    builder.build().to_pem().unwrap()
}

/// Files of a good pair, to be spoilt.
fn files(folder: &Path) -> TlsFiles {
    let key = key();
    let files = TlsFiles { certificate: folder.join("cert.pem"), key: folder.join("key.pem"), client_ca: None };
    std::fs::write(&files.certificate, certificate(&key)).unwrap();
    std::fs::write(&files.key, key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    files
}

fn fault(spoil: impl FnOnce(&mut TlsFiles)) -> Option<TlsError> {
    let folder = tempfile::tempdir().unwrap();
    let mut files = files(folder.path());
    spoil(&mut files);
    acceptor(&files, true).err()
}

#[test]
fn a_good_pair_loads() {
    assert!(fault(|_| {}).is_none());
}

#[test]
fn a_certificate_that_is_none_is_named() {
    let error = fault(|files| std::fs::write(&files.certificate, "no").unwrap());
    assert!(matches!(error, Some(TlsError::Certificate { path, .. }) if path.ends_with("cert.pem")));
    let error = fault(|files| files.certificate = "nowhere.pem".into());
    assert!(matches!(error, Some(TlsError::Certificate { path, .. }) if path == Path::new("nowhere.pem")));
}

#[test]
fn a_key_that_is_none_is_named() {
    let error = fault(|files| std::fs::write(&files.key, "no").unwrap());
    assert!(matches!(error, Some(TlsError::Key { path, .. }) if path.ends_with("key.pem")));
}

#[test]
fn a_key_of_another_certificate_is_a_mismatch() {
    let error = fault(|files| std::fs::write(&files.key, key().private_key_to_pem_pkcs8().unwrap()).unwrap());
    assert!(matches!(error, Some(TlsError::Mismatch { .. })), "{error:?}");
}

#[test]
fn a_chain_that_is_broken_further_down_is_refused() {
    let error = fault(|files| {
        let mut pem = std::fs::read(&files.certificate).unwrap();
        pem.extend_from_slice(b"-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n");
        std::fs::write(&files.certificate, pem).unwrap();
    });
    assert!(matches!(error, Some(TlsError::Certificate { .. })), "{error:?}");
}

#[test]
fn client_authorities_that_are_none_are_named() {
    let error = fault(|files| files.client_ca = Some(files.key.clone()));
    assert!(matches!(error, Some(TlsError::ClientCa { path, .. }) if path.ends_with("key.pem")));
}
