//! A server that is faster than Pingora notices the end of the request (`src/gateway/forward/tunnel/held.rs`).

use std::io::{BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use openssl::ssl::{SslAcceptor, SslMethod};
use rstest::rstest;
use sidegate::jose::sample::{Host, self_signed};

use super::{ACCEPTED, Echo, carry, gateway_before, head_of, open, ping};
use crate::support::raw::Socket;

/// How many are opened: without the wait about every second one is closed at once.
const MANY: usize = 20;

impl Echo {
    /// One whose answer is there before it was asked.
    fn early(tls: Option<Arc<SslAcceptor>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { address: listener.local_addr().unwrap(), heads: Arc::default() };
        let heads = server.heads.clone();
        std::thread::spawn(move || {
            for tcp in listener.incoming().flatten() {
                let (heads, tls) = (heads.clone(), tls.clone());
                std::thread::spawn(move || match tls {
                    None => answer_first(tcp, &heads),
                    Some(tls) => answer_first(tls.accept(tcp).unwrap(), &heads),
                });
            }
        });
        server
    }
}

fn answer_first(mut stream: impl Read + Write, heads: &Mutex<Vec<String>>) {
    stream.write_all(ACCEPTED.as_bytes()).unwrap();
    let mut stream = BufReader::new(stream);
    heads.lock().unwrap().extend(head_of(&mut stream));
    carry(stream);
}

fn acceptor() -> Arc<SslAcceptor> {
    let pair = self_signed(&Host::local()).unwrap().server;
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    acceptor.set_certificate(&openssl::x509::X509::from_pem(&pair.certificate).unwrap()).unwrap();
    acceptor.set_private_key(&openssl::pkey::PKey::private_key_from_pem(&pair.key).unwrap()).unwrap();
    Arc::new(acceptor.build())
}

#[rstest]
#[case::plain(false)]
#[case::tls(true)]
#[tokio::test]
async fn one_that_a_server_opens_before_it_was_asked_stays_open(#[case] tls: bool) {
    let echo = Echo::early(tls.then(acceptor));
    let address = echo.address;
    let upstream = match tls {
        false => format!("{{url: 'http://{address}'}}"),
        true => format!("{{url: 'https://{address}', tls: {{verify: none}}}}"),
    };
    let gateway = gateway_before(&upstream, "true").await;
    let (mut first, phone) = open(&gateway, Socket::plain(gateway.address("public"))).await;
    ping(&mut first, b"hello");
    for _ in 1..MANY {
        let mut next = super::open_as(&gateway, Socket::plain(gateway.address("public")), &phone);
        ping(&mut next, b"hello");
    }
    assert_eq!(echo.heads().len(), MANY);
}
