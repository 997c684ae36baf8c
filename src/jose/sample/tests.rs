use openssl::ssl::{Ssl, SslAcceptor, SslConnector, SslMethod, SslVerifyMode};
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyParam;
use openssl::x509::{X509PurposeId, X509StoreContext};
use rstest::rstest;

use super::*;

fn verifies(sample: &Sample, pair: &Pair, purpose: X509PurposeId) -> bool {
    let mut store = X509StoreBuilder::new().unwrap();
    store.add_cert(X509::from_pem(&sample.ca.certificate).unwrap()).unwrap();
    let mut rules = X509VerifyParam::new().unwrap();
    rules.set_purpose(purpose).unwrap();
    store.set_param(&rules).unwrap();
    let certificate = X509::from_pem(&pair.certificate).unwrap();
    let chain = Stack::new().unwrap();
    let mut context = X509StoreContext::new().unwrap();
    context.init(&store.build(), &certificate, &chain, |context| context.verify_cert()).unwrap()
}

#[test]
fn each_certificate_is_good_for_its_own_purpose_only() {
    let sample = self_signed(&Host::local()).unwrap();
    assert!(verifies(&sample, &sample.server, X509PurposeId::SSL_SERVER));
    assert!(!verifies(&sample, &sample.server, X509PurposeId::SSL_CLIENT));
    assert!(verifies(&sample, &sample.client, X509PurposeId::SSL_CLIENT));
    assert!(!verifies(&sample, &sample.client, X509PurposeId::SSL_SERVER));
    let other = self_signed(&Host::local()).unwrap();
    assert!(!verifies(&other, &sample.server, X509PurposeId::SSL_SERVER));
}

#[rstest]
#[case(&[], "localhost", true)]
#[case(&[], "127.0.0.1", true)]
#[case(&[], "::1", true)]
#[case(&[], "example.com", false)]
#[case(&["Gate.example", "192.0.2.7", "2001:db8::7"], "gate.example", true)]
#[case(&["Gate.example", "192.0.2.7", "2001:db8::7"], "192.0.2.7", true)]
#[case(&["Gate.example", "192.0.2.7", "2001:db8::7"], "2001:db8::7", true)]
#[case(&["gate.example"], "localhost", false)]
#[case(&["*.gate.example"], "a.gate.example", true)]
fn the_server_certificate_names_its_hosts(#[case] hosts: &[&str], #[case] host: &str, #[case] expected: bool) {
    let hosts: Vec<Host> = hosts.iter().map(|host| Host::parse(host).unwrap()).collect();
    let sample = self_signed(&if hosts.is_empty() { Host::local() } else { hosts }).unwrap();
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    acceptor.set_certificate(&X509::from_pem(&sample.server.certificate).unwrap()).unwrap();
    acceptor.set_private_key(&PKey::private_key_from_pem(&sample.server.key).unwrap()).unwrap();
    acceptor.check_private_key().unwrap();
    let acceptor = acceptor.build();
    let server = std::thread::spawn(move || Ssl::new(acceptor.context()).unwrap().accept(theirs).is_ok());
    let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
    connector.cert_store_mut().add_cert(X509::from_pem(&sample.ca.certificate).unwrap()).unwrap();
    connector.set_verify(SslVerifyMode::PEER);
    assert_eq!(connector.build().connect(host, ours).is_ok(), expected);
    assert_eq!(server.join().unwrap(), expected);
}
