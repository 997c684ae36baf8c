//! Servers behind over TLS: whose certificates are believed, the name that is asked for, and how long a connection is kept
//! (`gateway.md` 4).

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use openssl::ssl::{NameType, SslAcceptor, SslMethod};
use sidegate::jose::sample::{Host, Pair, self_signed};

use super::{row, serve, written};
use crate::support::gateway::Setup;
use crate::support::wait;

/// A server that tells each name that it is asked for.
fn asked_for(pair: &Pair) -> (SocketAddr, Receiver<Option<String>>) {
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    acceptor.set_certificate(&openssl::x509::X509::from_pem(&pair.certificate).unwrap()).unwrap();
    acceptor.set_private_key(&openssl::pkey::PKey::private_key_from_pem(&pair.key).unwrap()).unwrap();
    let (acceptor, (asked, names)) = (Arc::new(acceptor.build()), channel());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for tcp in listener.incoming().flatten() {
            let (acceptor, asked) = (acceptor.clone(), asked.clone());
            std::thread::spawn(move || {
                let Ok(stream) = acceptor.accept(tcp) else { return };
                let _ = asked.send(stream.ssl().servername(NameType::HOST_NAME).map(str::to_owned));
                serve(stream);
            });
        }
    });
    (address, names)
}

#[tokio::test]
async fn a_server_is_asked_for_by_the_name_that_is_written_and_an_address_by_none() {
    let certificates = self_signed(&Host::local()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ca = written(folder.path(), "ca.pem", &certificates.ca.certificate);
    let (mut upstreams, mut routes, mut servers) = (String::new(), String::new(), Vec::new());
    for (name, host, tls, asked) in [
        ("written", "127.0.0.1", format!("server-name: localhost, ca: {ca}"), Some("localhost")),
        ("of-the-url", "localhost", format!("ca: {ca}"), Some("localhost")),
        ("unchecked", "127.0.0.1", "server-name: other.example, verify: none".to_owned(), Some("other.example")),
        ("address", "127.0.0.1", "verify: none".to_owned(), None),
    ] {
        let (address, names) = asked_for(&certificates.server);
        let port = address.port();
        upstreams.push_str(&format!("  {name}: {{url: \"https://{host}:{port}\", tls: {{{tls}}}}}\n"));
        routes.push_str(&row(name));
        servers.push((name, asked, names));
    }
    let gateway = Setup::default().append(format!("upstreams:\n{upstreams}routes:\n{routes}")).start().await;
    for (name, asked, names) in servers {
        assert_eq!(gateway.public().get(&format!("/{name}/")).send().await.expect(200).text(), "ok");
        let names: Vec<_> = names.try_iter().collect();
        assert!(!names.is_empty() && names.iter().all(|name| name.as_deref() == asked), "{name}: {names:?}");
    }
}

#[tokio::test]
async fn without_a_ca_the_systems_authorities_are_asked_and_nobody_else() {
    let (theirs, others) = (self_signed(&Host::local()).unwrap(), self_signed(&Host::local()).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let (origin, asked) = asked_for(&theirs.server);
    let upstream = format!("  plain: {{url: \"https://{origin}\", tls: {{server-name: localhost}}}}\n");
    let setup = || Setup::default().append(format!("upstreams:\n{upstream}routes:\n{}", row("plain")));
    let of = |name: &str, pem: &[u8]| written(folder.path(), name, pem);
    for system in [of("others.pem", &others.ca.certificate), "/dev/null".to_owned()] {
        let gateway = setup().env("SSL_CERT_FILE", system).start().await;
        gateway.public().get("/plain/").send().await.problem(502);
    }
    drop(asked);
    let gateway = setup().env("SSL_CERT_FILE", of("theirs.pem", &theirs.ca.certificate)).start().await;
    assert_eq!(gateway.public().get("/plain/").send().await.expect(200).text(), "ok");
}

#[tokio::test]
async fn whatever_certificate_is_taken_is_said_loudly() {
    let certificates = self_signed(&Host::local()).unwrap();
    let (origin, _names) = asked_for(&certificates.server);
    let upstream = format!("  blind: {{url: \"https://{origin}\", tls: {{verify: none}}}}\n");
    let gateway = Setup::default().append(format!("upstreams:\n{upstream}routes:\n{}", row("blind"))).start().await;
    gateway.public().get("/blind/").send().await.expect(200);
    let loud = |line: &&str| line.contains("upstreams.blind.tls.verify") && line.contains("\"WARN\"");
    let log = gateway.log();
    let line = log.lines().find(loud).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains("can read and answer everything"), "{line}");
}

/// A server that counts its connections and tells when the other side has closed one.
fn counting() -> (SocketAddr, Arc<AtomicUsize>, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (count, (closed, ends)) = (Arc::new(AtomicUsize::new(0)), channel());
    let opened = count.clone();
    std::thread::spawn(move || {
        for tcp in listener.incoming().flatten() {
            opened.fetch_add(1, Ordering::SeqCst);
            let closed: Sender<()> = closed.clone();
            std::thread::spawn(move || {
                serve(tcp);
                let _ = closed.send(());
            });
        }
    });
    (address, count, ends)
}

#[tokio::test]
async fn a_connection_that_nobody_needs_is_kept_for_its_idle_time() {
    let (origin, opened, closed) = counting();
    let upstream = format!("  idle: {{url: \"http://{origin}\", idle-timeout: 1s}}\n");
    let gateway = Setup::default().append(format!("upstreams:\n{upstream}routes:\n{}", row("idle"))).start().await;
    let ask = async || assert_eq!(gateway.public().get("/idle/").send().await.expect(200).text(), "ok");
    let begun = Instant::now();
    ask().await;
    wait::until("it is closed", wait::BOUND, async || closed.try_recv().ok()).await;
    assert!(opened.load(Ordering::SeqCst) == 1 && begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    ask().await;
    assert_eq!(opened.load(Ordering::SeqCst), 2, "a new one");
}
