use rstest::rstest;
use sidegate_filters::clock::{Clock as _, SystemClock};

use super::*;
use crate::jose::sample::{Host, self_signed};
use crate::jose::sha256;

fn read(pem: &[u8]) -> Result<ServerCertificate, ServerCertificateError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, pem).unwrap();
    ServerCertificate::read(file.path())
}

fn sample() -> ServerCertificate {
    read(&self_signed(&Host::local()).unwrap().server.certificate).unwrap()
}

#[test]
fn the_first_certificate_and_its_hash() {
    let sample = self_signed(&Host::local()).unwrap();
    let found = read(&[&sample.server.certificate[..], &sample.ca.certificate].concat()).unwrap();
    let der = X509::from_pem(&sample.server.certificate).unwrap().to_der().unwrap();
    assert_eq!(found.end_point().unwrap(), sha256(&der));
    assert_eq!(found.der(), der);
    let fault = read(&sample.server.key).err().unwrap();
    assert!(fault.to_string().ends_with("holds no PEM certificates"));
}

#[test]
fn a_signature_without_a_hash_of_its_own_has_no_end_point() {
    for pem in [&include_bytes!("ed25519.pem")[..], include_bytes!("pss.pem")] {
        let found = read(pem).unwrap();
        assert!(!found.der().is_empty());
        assert_eq!(found.end_point(), None);
    }
}

#[rstest]
#[case("localhost", true)]
#[case("LOCALHOST", true)]
#[case("127.0.0.1", true)]
#[case("[::1]", true)]
#[case("127.0.0.2", false)]
#[case("gate.example", false)]
#[case("a.localhost", false)]
fn it_names_some_hosts(#[case] host: &str, #[case] expected: bool) {
    assert_eq!(sample().names(host), expected);
}

#[rstest]
#[case("*.example", "gate.example", true)]
#[case("*.EXAMPLE", "gate.example", true)]
#[case("*.example", "a.gate.example", false)]
#[case("*.example", "example", false)]
#[case("g*.example", "gate.example", false)]
fn a_star_is_one_label(#[case] name: &str, #[case] host: &str, #[case] expected: bool) {
    assert_eq!(covers(name, host), expected);
}

#[test]
fn it_is_good_for_its_time_only() {
    let (sample, now, day) = (sample(), SystemClock.now().0, 24 * 3600 * 1000);
    assert_eq!(sample.doubt(Millis(now + day)), None);
    assert_eq!(sample.doubt(Millis(now - day)), Some(Doubt::Early));
    assert_eq!(sample.doubt(Millis(now + 400 * day)), Some(Doubt::Late));
}
