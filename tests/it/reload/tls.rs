//! Certificates that are replaced while clients are connected.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use openssl::ssl::{SslConnector, SslFiletype, SslMethod, SslStream, SslVerifyMode};

use crate::support::gateway::{Gateway, Setup};

/// A connection over TLS, kept open, whose server shows any certificate; with a client's certificate out of this folder.
struct Connection(SslStream<TcpStream>);

impl Connection {
    fn open(address: SocketAddr, client: Option<&Path>) -> Option<Self> {
        let mut builder = SslConnector::builder(SslMethod::tls()).unwrap();
        builder.set_verify(SslVerifyMode::NONE);
        if let Some(folder) = client {
            builder.set_certificate_file(folder.join("client.pem"), SslFiletype::PEM).unwrap();
            builder.set_private_key_file(folder.join("client.key"), SslFiletype::PEM).unwrap();
        }
        builder.build().connect("localhost", TcpStream::connect(address).unwrap()).ok().map(Self)
    }

    fn certificate(&self) -> Vec<u8> {
        self.0.ssl().peer_certificate().unwrap().to_der().unwrap()
    }

    /// The status of an answer to a request on it; `None` where it ended.
    fn ask(&mut self) -> Option<u16> {
        let request = b"GET /nevisfido/uaf/1.1/facets HTTP/1.1\r\nHost: localhost\r\n\r\n";
        self.0.write_all(request).ok()?;
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            self.0.read_exact(&mut byte).ok()?;
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        self.0.read_exact(&mut vec![0; length.parse().unwrap()]).ok()?;
        Some(head.split(' ').nth(1).unwrap().parse().unwrap())
    }
}

/// Makes certificates anew, and puts these of them in the place of those that are there.
fn replace(gateway: &Gateway, names: &[&str]) {
    let folder = gateway.certificates();
    let anew = folder.with_file_name(format!("anew-{}", uuid::Uuid::new_v4()));
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_sidegate"))
        .args(["keygen", "--self-signed"])
        .arg(&anew)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    for name in names {
        std::fs::copy(anew.join(name), folder.join(name)).unwrap();
    }
}

#[tokio::test]
async fn new_handshakes_see_the_new_certificate_and_open_connections_go_on() {
    let gateway = Setup::default().tls().start().await;
    let mut open = Connection::open(gateway.tls_address(), None).unwrap();
    let old = open.certificate();
    assert_eq!(open.ask(), Some(200));
    // Between the two the pair does not fit.
    replace(&gateway, &["server.pem"]);
    gateway.reloaded("faults", 1).await;
    assert!(gateway.log().contains("is not the key of the certificate in"));
    assert_eq!(Connection::open(gateway.tls_address(), None).unwrap().certificate(), old);
    replace(&gateway, &["server.pem", "server.key"]);
    gateway.reloaded("done", 1).await;
    let mut new = Connection::open(gateway.tls_address(), None).unwrap();
    assert_ne!(new.certificate(), old);
    assert_eq!((open.ask(), new.ask()), (Some(200), Some(200)));
}

#[tokio::test]
async fn whom_other_authorities_vouched_for_has_to_prove_it_anew() {
    let listener = "tls: {certificate: CERTS/server.pem, key: CERTS/server.key";
    let gateway =
        Setup::default().tls().replace(listener, format!("{listener}, client-ca: CERTS/ca.pem")).start().await;
    let certs = gateway.certificates();
    let mut open = Connection::open(gateway.tls_address(), Some(&certs)).unwrap();
    assert_eq!(open.ask(), Some(200));
    gateway.hang_up();
    gateway.reloaded("done", 1).await;
    assert_eq!(open.ask(), Some(200), "the authorities are the same");
    replace(&gateway, &["ca.pem"]);
    gateway.reloaded("done", 2).await;
    assert_eq!(open.ask(), Some(421));
    assert_eq!(open.ask(), None, "the connection ends with it");
    let refused = || Connection::open(gateway.tls_address(), Some(&certs)).and_then(|mut new| new.ask());
    assert_eq!(refused(), None);
}
