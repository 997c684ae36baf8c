//! Clients: bytes on a socket, curl, and the h2 crate.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{Ssl, SslContext, SslMethod, SslStream, SslVerifyMode};
use openssl::x509::extension::BasicConstraints;
use openssl::x509::{X509, X509Name, X509NameBuilder};

use crate::support::{frames, wait};

/// A certificate for `localhost` with its authority behind it, and its key, as files in `folder`.
pub(crate) fn certificate(folder: &Path) -> (PathBuf, PathBuf) {
    let (authority_key, key) = (new_key(), new_key());
    let authority = signed("authority", "authority", &authority_key, &authority_key);
    let leaf = signed("localhost", "authority", &key, &authority_key);
    let (certificate, key_file) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&certificate, [leaf.to_pem().unwrap(), authority.to_pem().unwrap()].concat()).unwrap();
    std::fs::write(&key_file, key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    (certificate, key_file)
}

fn new_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn name(text: &str) -> X509Name {
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", text).unwrap();
    name.build()
}

fn signed(subject: &str, issuer: &str, key: &PKey<Private>, issuer_key: &PKey<Private>) -> X509 {
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&name(subject)).unwrap();
    builder.set_issuer_name(&name(issuer)).unwrap();
    builder.set_pubkey(key).unwrap();
    if subject == issuer {
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
    }
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
    builder.sign(issuer_key, MessageDigest::sha256()).unwrap();
    builder.build()
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(wait::BOUND)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// A plain connection on which HTTP/2 is spoken, by hand.
pub(crate) fn connect_h2(address: SocketAddr) -> TcpStream {
    let mut stream = connect(address);
    stream.write_all(&frames::greeting()).unwrap();
    stream
}

/// A TLS connection that offers these protocols by ALPN (wire format), and takes any certificate.
pub(crate) fn connect_tls(address: SocketAddr, protocols: &[u8]) -> SslStream<TcpStream> {
    // A connector would read the system's authorities first.
    let mut context = SslContext::builder(SslMethod::tls_client()).unwrap();
    context.set_verify(SslVerifyMode::NONE);
    context.set_alpn_protos(protocols).unwrap();
    let mut tls = Ssl::new(&context.build()).unwrap();
    tls.set_hostname("localhost").unwrap();
    tls.connect(connect(address)).unwrap()
}

/// Sends bytes and reads until the gateway closes.
pub(crate) fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = connect(address);
    stream.write_all(bytes).unwrap();
    rest(&mut stream)
}

/// Everything until the gateway closes.
pub(crate) fn rest(stream: &mut impl Read) -> String {
    let mut all = Vec::new();
    match stream.read_to_end(&mut all) {
        Ok(_) => {}
        Err(error) => {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "after {}", String::from_utf8_lossy(&all))
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// The status of an HTTP/1 answer, 0 if there is none.
pub(crate) fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// What curl says: the status, and the body behind it.
pub(crate) fn curl(arguments: &[&str]) -> (u16, String) {
    let output = Command::new("curl")
        .args(["-sk", "--max-time", "20", "-o", "-", "-w", "\n%{http_code}"])
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), body.to_owned())
}

/// An answer over HTTP/2.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// One request by the h2 crate over a plain connection. The body is sent as the gateway takes it, while the answer is
/// awaited.
pub(crate) fn h2(address: SocketAddr, request: Request<Vec<u8>>) -> Result<Answer, h2::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let tcp = tokio::net::TcpStream::connect(address).await.unwrap();
        let (client, connection) = h2::client::handshake(tcp).await?;
        let driver = tokio::spawn(connection);
        let mut client = client.ready().await?;
        let (head, body) = request.into_parts();
        let (response, stream) = client.send_request(Request::from_parts(head, ()), body.is_empty())?;
        let upload = tokio::spawn(upload(stream, Bytes::from(body)));
        let (head, mut body) = response.await?.into_parts();
        let mut bytes = Vec::new();
        while let Some(piece) = body.data().await {
            let piece = piece?;
            body.flow_control().release_capacity(piece.len())?;
            bytes.extend_from_slice(&piece);
        }
        upload.abort();
        driver.abort();
        Ok(Answer { status: head.status, headers: head.headers, body: bytes.into() })
    })
}

async fn upload(mut stream: h2::SendStream<Bytes>, mut body: Bytes) {
    while !body.is_empty() {
        stream.reserve_capacity(body.len());
        let Some(Ok(room)) = std::future::poll_fn(|context| stream.poll_capacity(context)).await else { return };
        let piece = body.split_to(room.min(body.len()));
        if stream.send_data(piece, body.is_empty()).is_err() {
            return;
        }
    }
}

/// A request for [`h2`].
pub(crate) fn request(address: SocketAddr, method: &str, path: &str, body: Vec<u8>) -> Request<Vec<u8>> {
    Request::builder()
        .method(method)
        .uri(format!("http://{address}{path}"))
        .header("content-type", "application/json")
        .body(body)
        .unwrap()
}
