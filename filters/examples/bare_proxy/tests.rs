//! Requests over sockets, through Pingora's own proxy, to an application that answers with what it got.

use std::net::SocketAddr;
use std::sync::Arc;

use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use pingora::apps::ServerApp;
use pingora::protocols::l4::stream::Stream;
use pingora::server::configuration::ServerConf;
use sidegate_filters::clock::{Clock, SystemClock};
use sidegate_filters::jws::{JwkDocument, VerificationKey, base64url};
use sidegate_filters::memory::MemoryTargetKeys;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Proxy;

/// An application: its answer is the request, byte for byte.
async fn application() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let request = read_message(&mut stream).await;
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", request.len());
            stream.write_all(format!("{head}{request}").as_bytes()).await.unwrap();
        }
    });
    address
}

/// A head, and as much of a body as its length says.
async fn read_message(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return text;
            }
        }
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.unwrap();
        assert_ne!(read, 0, "ended after {text:?}");
        text.push_str(std::str::from_utf8(&piece[..read]).unwrap());
    }
}

/// The proxy on a listener of its own.
async fn proxy(keys: MemoryTargetKeys, internal: bool) -> SocketAddr {
    let proxy = Proxy::new(keys, internal, application().await).unwrap();
    let proxy = Arc::new(pingora::proxy::http_proxy(&Arc::new(ServerConf::default()), proxy));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (_running, shutdown) = tokio::sync::watch::channel(false);
        while let Ok((stream, _)) = listener.accept().await {
            proxy.process_new(Box::new(Stream::from(stream)), &shutdown).await;
        }
    });
    address
}

/// The answer to a request of these lines.
async fn ask(proxy: SocketAddr, lines: &[&str], body: &str) -> String {
    let mut stream = TcpStream::connect(proxy).await.unwrap();
    let length = format!("Content-Length: {}", body.len());
    let head = [lines, &["Host: localhost", "Connection: close", &length, "", ""]].concat().join("\r\n");
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    read_message(&mut stream).await
}

fn status(answer: &str) -> &str {
    &answer["HTTP/1.1 ".len()..][..3]
}

#[tokio::test]
async fn nobody_passes_without_a_session() {
    let proxy = proxy(MemoryTargetKeys::new(1), false).await;
    let nobody = ask(proxy, &["GET /account HTTP/1.1"], "").await;
    assert_eq!(status(&nobody), "401", "{nobody}");
    assert!(nobody.contains("application/problem+json") && !nobody.contains("GET /account"), "{nobody}");
    for lines in [
        ["GET /account HTTP/1.1", "Cookie: sidegate-main=another"],
        ["GET /account HTTP/1.1", "Authorization: Bearer shop-secret"],
    ] {
        assert_eq!(status(&ask(proxy, &lines, "").await), "401", "{lines:?}");
    }
    assert_eq!(status(&ask(proxy, &["GET /a%2Fb HTTP/1.1"], "").await), "400");
}

#[tokio::test]
async fn the_application_learns_who_has_a_session() {
    let proxy = proxy(MemoryTargetKeys::new(1), false).await;
    let cookies = "Cookie: a=b; sidegate-main=jeffs-session";
    let lines = ["POST /%61ccount?x=1 HTTP/1.1", cookies, "X_User: root", "X-Caller: root", "X-Other: kept"];
    let answer = ask(proxy, &lines, "hello").await;
    assert_eq!(status(&answer), "200", "{answer}");
    let got = answer.to_ascii_lowercase();
    assert!(got.contains("post /account?x=1 http/1.1") && got.ends_with("hello"), "{got}");
    assert!(got.contains("x-user: jeff\r\n") && got.contains("x-other: kept\r\n"), "{got}");
    assert!(got.contains("cookie: a=b\r\n") && got.contains("cache-control: no-store\r\n"), "{got}");
    assert!(!got.contains("root") && !got.contains("x-caller"), "{got}");
}

#[tokio::test]
async fn a_client_hides_nothing_of_ours_from_the_application() {
    let proxy = proxy(MemoryTargetKeys::new(1), false).await;
    let lines = ["GET / HTTP/1.1", "Cookie: sidegate-main=jeffs-session", "Connection: X-User, X-Hop", "X-Hop: 1"];
    let got = ask(proxy, &[&lines[..], &["X-Method-Override: DELETE"]].concat(), "").await.to_ascii_lowercase();
    assert!(got.contains("x-user: jeff\r\n") && !got.contains("x-hop") && !got.contains("delete"), "{got}");
}

#[tokio::test]
async fn the_application_learns_which_server_calls() {
    let proxy = proxy(MemoryTargetKeys::new(1), true).await;
    let answer = ask(proxy, &["GET /account HTTP/1.1", "Authorization: Bearer shop-secret"], "").await;
    assert_eq!(status(&answer), "200", "{answer}");
    let got = answer.to_ascii_lowercase();
    assert!(got.contains("x-caller: shop\r\n") && !got.contains("x-user") && !got.contains("shop-secret"), "{got}");
    let wrong = ask(proxy, &["GET /account HTTP/1.1", "Authorization: Bearer shop"], "").await;
    assert_eq!(status(&wrong), "401", "{wrong}");
}

fn signed(key: &PKey<Private>) -> String {
    let (header, now) = (base64url::encode(r#"{"alg":"EdDSA"}"#), SystemClock.now().0);
    let claims = format!(r#"{{"requestId":"r-1","creationTimeInEpochMillis":{now},"name":"my new phone"}}"#);
    let input = format!("{header}.{}", base64url::encode(claims));
    let signature = Signer::new_without_digest(key).unwrap().sign_oneshot_to_vec(input.as_bytes()).unwrap();
    format!("{input}.{}", base64url::encode(signature))
}

#[tokio::test]
async fn a_phone_passes_with_its_signature_alone_and_once() {
    let key = PKey::generate_ed25519().unwrap();
    let x = base64url::encode(key.raw_public_key().unwrap());
    let jwk = serde_json::json!({"kty": "OKP", "crv": "Ed25519", "x": x});
    let key_of_phone = VerificationKey::try_from(JwkDocument::parse(&jwk).unwrap()).unwrap();
    let keys = MemoryTargetKeys::new(1);
    keys.register("phone-1", Arc::new(key_of_phone)).unwrap();
    let proxy = proxy(keys, false).await;
    let lines = ["PATCH /targets/phone-1 HTTP/1.1", "Content-Type: application/jose"];
    let message = signed(&key);
    let foreign = ask(proxy, &lines, &signed(&PKey::generate_ed25519().unwrap())).await;
    assert_ne!(status(&foreign), "200", "{foreign}");
    let answer = ask(proxy, &lines, &message).await;
    assert_eq!(status(&answer), "200", "{answer}");
    assert!(answer.ends_with(&message) && !answer.to_ascii_lowercase().contains("x-user"), "{answer}");
    let again = ask(proxy, &lines, &message).await;
    assert_ne!(status(&again), "200", "{again}");
}
