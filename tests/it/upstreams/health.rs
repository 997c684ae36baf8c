//! Health checks, and sessions that keep their server (`gateway.md` 4).

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use openssl::ssl::{SslAcceptor, SslMethod};
use sidegate::jose::sample::{Host, Pair, self_signed};

use super::written;
use crate::support::gateway::{Gateway, Setup};
use crate::support::phone::Phone;
use crate::support::upstream::Upstream;
use crate::support::{ports, wait};

/// How it answers a question for `/health`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Health {
    Good,
    Bad,
    /// Not at all.
    Silent,
}

/// A server that answers all other requests with 200 whatever its health.
struct Patient {
    address: SocketAddr,
    health: Arc<Mutex<Health>>,
    requests: Arc<AtomicUsize>,
}

impl Patient {
    /// Over TLS with this certificate, or plain.
    fn start(pair: Option<&Pair>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (health, requests) = (Arc::new(Mutex::new(Health::Good)), Arc::new(AtomicUsize::new(0)));
        let tls = pair.map(acceptor);
        let (state, count) = (health.clone(), requests.clone());
        std::thread::spawn(move || {
            for tcp in listener.incoming().flatten() {
                let (tls, state, count) = (tls.clone(), state.clone(), count.clone());
                std::thread::spawn(move || match tls {
                    Some(tls) => drop(tls.accept(tcp).map(|stream| answer(stream, &state, &count))),
                    None => answer(tcp, &state, &count),
                });
            }
        });
        Self { address, health, requests }
    }

    fn is(&self, health: Health) {
        *self.health.lock().unwrap() = health;
    }

    /// How many requests of clients it had.
    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn acceptor(pair: &Pair) -> Arc<SslAcceptor> {
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    acceptor.set_certificate(&openssl::x509::X509::from_pem(&pair.certificate).unwrap()).unwrap();
    acceptor.set_private_key(&openssl::pkey::PKey::private_key_from_pem(&pair.key).unwrap()).unwrap();
    Arc::new(acceptor.build())
}

/// One request a connection.
fn answer(stream: impl Read + Write, health: &Mutex<Health>, requests: &AtomicUsize) {
    let mut stream = BufReader::new(stream);
    let mut lines: Vec<String> = Vec::new();
    while lines.last().is_none_or(|line| line != "\r\n") {
        let mut line = String::new();
        if !stream.read_line(&mut line).is_ok_and(|length| length > 0) {
            return;
        }
        lines.push(line);
    }
    let is_check = lines[0].starts_with("GET /health HTTP/1.1");
    requests.fetch_add(usize::from(!is_check), Ordering::SeqCst);
    let now = if is_check { *health.lock().unwrap() } else { Health::Good };
    let status = match now {
        Health::Good => "204 No Content",
        Health::Bad => "503 Ill",
        Health::Silent => return drop(std::io::copy(&mut stream, &mut std::io::sink())),
    };
    let _ = write!(stream.get_mut(), "HTTP/1.1 {status}\r\nConnection: close\r\n\r\n");
}

const ROW: &str = "routes:\n  - {name: app, path: /app/*, methods: [GET], filters: [], upstream: app}\n";
const CHECK: &str =
    "health-check: {path: /health, codes: [204], interval: 100ms, timeout: 1s, failures: 2, successes: 2}";

async fn is_healthy(gateway: &Gateway, server: SocketAddr) -> bool {
    gateway.metric(&format!("sidegate_upstream_server_healthy{{server=\"{server}\",upstream=\"app\"}}")).await == 1
}

async fn turned(gateway: &Gateway, server: SocketAddr, healthy: bool) {
    let what = format!("{server} is healthy: {healthy}");
    wait::until(&what, wait::BOUND, async || (is_healthy(gateway, server).await == healthy).then_some(())).await;
}

async fn ask(gateway: &Gateway, times: usize) {
    for _ in 0..times {
        gateway.public().get("/app/a").send().await.expect(204);
    }
}

#[tokio::test]
async fn a_server_whose_checks_fail_is_left_out_and_comes_back_over_the_upstreams_tls() {
    let (ours, folder) = (self_signed(&Host::local()).unwrap(), tempfile::tempdir().unwrap());
    let servers = [(); 2].map(|()| Patient::start(Some(&ours.server)));
    let ca = written(folder.path(), "ca.pem", &ours.ca.certificate);
    let [first, second] = servers.each_ref().map(|server| format!("'https://{}'", server.address));
    let upstream = format!(
        "upstreams:\n  app:\n    servers: [{first}, {second}]\n    {CHECK}\n    tls: {{server-name: localhost, ca: {ca}}}\n"
    );
    let gateway = Setup::default().append(upstream + ROW).start().await;
    let [ill, well] = &servers;
    for (health, word) in [(Health::Bad, "Status"), (Health::Silent, "Timeout")] {
        turned(&gateway, ill.address, true).await;
        ask(&gateway, 4).await;
        ill.is(health);
        turned(&gateway, ill.address, false).await;
        assert!(is_healthy(&gateway, well.address).await);
        let (of_ill, of_well) = (ill.requests(), well.requests());
        assert!(of_ill > 0 && of_well > 0);
        ask(&gateway, 6).await;
        assert_eq!((ill.requests(), well.requests()), (of_ill, of_well + 6));
        let line = format!("\"server\":\"{}\",\"kind\":\"{word}\"", ill.address);
        wait::until(&line, wait::BOUND, async || gateway.log().contains(&line).then_some(())).await;
        ill.is(Health::Good);
        turned(&gateway, ill.address, true).await;
        ask(&gateway, 2).await;
        assert!(ill.requests() > of_ill);
    }
    assert!(gateway.log().contains("the health checks of a server go well again"));
}

/// Answers every request over HTTP/2 with this status, and tells what was asked for.
async fn http2_server(status: Arc<AtomicU16>, asked: Arc<Mutex<Vec<String>>>) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let (status, asked) = (status.clone(), asked.clone());
            tokio::spawn(async move {
                let Ok(mut connection) = h2::server::handshake(tcp).await else { return };
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    asked.lock().unwrap().push(format!("{} {}", request.method(), request.uri()));
                    let answer = http::Response::builder().status(status.load(Ordering::SeqCst)).body(()).unwrap();
                    let _ = respond.send_response(answer, true);
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn a_server_that_is_spoken_to_by_http2_is_checked_by_it() {
    let (status, asked) = (Arc::new(AtomicU16::new(204)), Arc::new(Mutex::new(Vec::new())));
    let server = http2_server(status.clone(), asked.clone()).await;
    let upstream = format!("upstreams:\n  app:\n    url: 'http://{server}'\n    protocol: h2\n    {CHECK}\n");
    let gateway = Setup::default().append(upstream + ROW).start().await;
    let good = format!("sidegate_health_checks_total{{result=\"good\",server=\"{server}\",upstream=\"app\"}}");
    wait::until("good checks", wait::BOUND, async || (gateway.metric(&good).await >= 2).then_some(())).await;
    status.store(503, Ordering::SeqCst);
    turned(&gateway, server, false).await;
    ask_all_the_same(&gateway).await;
    status.store(204, Ordering::SeqCst);
    turned(&gateway, server, true).await;
    let question = format!("GET http://{server}/health");
    assert!(asked.lock().unwrap().contains(&question), "{:?}", asked.lock().unwrap());
}

/// A lone server is asked whatever its checks say.
async fn ask_all_the_same(gateway: &Gateway) {
    gateway.public().get("/app/a").send().await.expect(503);
}

#[tokio::test]
async fn with_all_checks_failing_servers_are_asked_all_the_same() {
    let servers = [(); 2].map(|()| Patient::start(None));
    let [first, second] = servers.each_ref().map(|server| server.address);
    let upstream = format!("upstreams:\n  app:\n    servers: ['http://{first}', 'http://{second}']\n    {CHECK}\n");
    let gateway = Setup::default().append(upstream + ROW).start().await;
    for server in &servers {
        server.is(Health::Bad);
        turned(&gateway, server.address, false).await;
    }
    ask(&gateway, 2).await;
}

#[tokio::test]
async fn a_reload_keeps_what_checks_found_and_without_checks_it_counts_no_longer() {
    let servers = [(); 2].map(|()| Patient::start(None));
    let [first, second] = servers.each_ref().map(|server| server.address);
    let upstream = format!("upstreams:\n  app:\n    servers: ['http://{first}', 'http://{second}']\n    {CHECK}\n");
    let gateway = Setup::default().append(upstream + ROW).start().await;
    let ill = &servers[0];
    ill.is(Health::Bad);
    turned(&gateway, ill.address, false).await;
    gateway.reconfigure("failures: 2", "failures: 1000000");
    gateway.reloaded("done", 1).await;
    ask(&gateway, 4).await;
    assert_eq!(ill.requests(), 0);
    gateway.reconfigure(&CHECK.replace("failures: 2", "failures: 1000000"), "");
    gateway.reloaded("done", 2).await;
    wait::until("a request to the server that is checked no more", wait::BOUND, async || {
        ask(&gateway, 2).await;
        (ill.requests() > 0).then_some(())
    })
    .await;
    assert!(!gateway.management().get("/metrics").send().await.text().contains("sidegate_upstream_server_healthy{"));
}

/// Which of the servers had a request since it was looked at last.
fn asked(servers: &[Upstream]) -> Vec<usize> {
    let asked = servers.iter().enumerate().filter(|(_, server)| !server.received().is_empty());
    let asked = asked.map(|(index, _)| index).collect();
    servers.iter().for_each(Upstream::forget);
    asked
}

#[tokio::test]
async fn a_session_keeps_its_server_and_strangers_of_one_network_have_one() {
    let mut servers = vec![Upstream::start().await, Upstream::start().await, Upstream::start().await];
    let list = servers.iter().map(|server| format!("'http://{}'", server.address)).collect::<Vec<_>>();
    let filters = "filters:\n  known: {type: identity-creation, domain: main, open: true}\n";
    let setup = format!(
        "upstreams:\n  app: {{servers: [{}], balance: session}}\n{filters}{}",
        list.join(", "),
        ROW.replace("filters: []", "filters: [known]")
    );
    let gateway = Setup::default().user("jeff").append(setup).start().await;
    let mut used = Vec::new();
    for _ in 0..12 {
        let mut phone = Phone::new(&gateway, "jeff");
        phone.login_password().await;
        for _ in 0..3 {
            phone.client().get("/app/a").send().await.expect(200);
        }
        let [own] = asked(&servers)[..] else { panic!("one session, one server") };
        used.push(own);
    }
    assert!(used.iter().any(|own| *own != used[0]), "sessions are spread: {used:?}");
    let strangers = async || {
        for _ in 0..3 {
            gateway.public().get("/app/a").send().await.expect(200);
        }
    };
    strangers().await;
    let [own] = asked(&servers)[..] else { panic!("one network, one server") };
    servers[own].close().await;
    strangers().await;
    let [other] = asked(&servers)[..] else { panic!("one network, one server") };
    assert_ne!(other, own);
}

#[tokio::test]
async fn a_server_more_takes_over_its_own_sessions_alone() {
    let servers = [Upstream::start().await, Upstream::start().await];
    let unused = ports::free();
    let [first, second] = servers.each_ref().map(|server| server.address);
    let filters = "filters:\n  known: {type: identity-creation, domain: main}\n";
    let setup = format!(
        "upstreams:\n  app: {{servers: ['http://{first}', 'http://{second}'], balance: session}}\n{filters}{}",
        ROW.replace("filters: []", "filters: [known]")
    );
    let gateway = Setup::default().user("jeff").append(setup).start().await;
    let mut sessions = Vec::new();
    for _ in 0..8 {
        let mut phone = Phone::new(&gateway, "jeff");
        phone.login_password().await;
        phone.client().get("/app/a").send().await.expect(200);
        let [own] = asked(&servers)[..] else { panic!("one server") };
        sessions.push((phone, own));
    }
    gateway.reconfigure(&format!("'http://{second}'"), &format!("'http://127.0.0.1:{unused}', 'http://{second}'"));
    gateway.reloaded("done", 1).await;
    for (phone, own) in &sessions {
        // Those whom the new one would have fall back to their server before, since it is down: nobody else moves either.
        phone.client().get("/app/a").send().await.expect(200);
        assert_eq!(asked(&servers), [*own]);
    }
}
