//! Connections: to servers behind, and how many from clients (`gateway.md` 2.2, 4).

mod behind;
mod cut;
mod heads;
mod health;
mod scripted;
mod servers;
mod streaming;
mod trace;
mod trailers;
mod unread;
mod verified;
mod ways;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use openssl::ssl::{SslAcceptor, SslMethod};
use serde_json::Value;
use sidegate::jose::sample::{Host, Pair, self_signed};

use crate::support::gateway::{Gateway, Setup};
use crate::support::{ports, wait};

/// Answers `ok` to every request on every connection.
fn tls_origin(pair: &Pair) -> SocketAddr {
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    let certificate = openssl::x509::X509::from_pem(&pair.certificate).unwrap();
    acceptor.set_certificate(&certificate).unwrap();
    acceptor.set_private_key(&openssl::pkey::PKey::private_key_from_pem(&pair.key).unwrap()).unwrap();
    let acceptor = Arc::new(acceptor.build());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for tcp in listener.incoming().flatten() {
            let acceptor = acceptor.clone();
            std::thread::spawn(move || acceptor.accept(tcp).map(serve));
        }
    });
    address
}

fn serve(stream: impl Read + Write) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while stream.read_line(&mut line).is_ok_and(|length| length > 0) {
        if line == "\r\n" && stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").is_err() {
            return;
        }
        line.clear();
    }
}

fn row(name: &str) -> String {
    format!("  - {{name: {name}, path: /{name}/*, methods: [GET], filters: [], upstream: {name}}}\n")
}

fn written(folder: &Path, name: &str, pem: &[u8]) -> String {
    let path = folder.join(name);
    std::fs::write(&path, pem).unwrap();
    path.display().to_string()
}

#[tokio::test]
async fn a_connection_that_one_upstreams_authority_vouched_for_is_of_no_use_to_another() {
    let (ours, other) = (self_signed(&Host::local()).unwrap(), self_signed(&Host::local()).unwrap());
    let origin = tls_origin(&ours.server);
    let folder = tempfile::tempdir().unwrap();
    let upstream = |name: &str, ca: &[u8]| {
        let ca = written(folder.path(), name, ca);
        format!("  {name}: {{url: \"https://{origin}\", tls: {{server-name: localhost, ca: {ca}}}}}\n")
    };
    let upstreams = [upstream("right", &ours.ca.certificate), upstream("wrong", &other.ca.certificate)].concat();
    let routes = [row("right"), row("wrong")].concat();
    let gateway = Setup::default().append(format!("upstreams:\n{upstreams}routes:\n{routes}")).start().await;
    let client = gateway.public();
    for _ in 0..4 {
        assert_eq!(client.get("/right/").send().await.expect(200).text(), "ok");
        client.get("/wrong/").send().await.problem(502);
    }
}

#[tokio::test]
async fn a_certificate_that_is_refused_is_logged_with_the_reason() {
    let (theirs, other) = (self_signed(&Host::local()).unwrap(), self_signed(&Host::local()).unwrap());
    let (origin, folder) = (tls_origin(&theirs.server), tempfile::tempdir().unwrap());
    let upstream = |name: &str, server: &str, ca: &[u8]| {
        let ca = written(folder.path(), name, ca);
        format!("  {name}: {{url: \"https://{origin}\", tls: {{server-name: {server}, ca: {ca}}}}}\n")
    };
    let strange = upstream("strange", "localhost", &other.ca.certificate);
    let misnamed = upstream("misnamed", "other.example", &theirs.ca.certificate);
    let routes = [row("strange"), row("misnamed")].concat();
    let gateway = Setup::default().append(format!("upstreams:\n{strange}{misnamed}routes:\n{routes}")).start().await;
    for name in ["strange", "misnamed"] {
        gateway.public().get(&format!("/{name}/")).send().await.problem(502);
    }
    let reason = |log: &str, upstream: &str| {
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut told = lines.filter(|line| line["message"] == "the certificate of a server is refused");
        let line = told.find(|line| line["upstream"] == upstream && line["server"] == origin.to_string())?;
        Some(line["reason"].as_str()?.to_owned())
    };
    let reasons = wait::until("both reasons", wait::BOUND, async || {
        let log = gateway.log();
        reason(&log, "strange").zip(reason(&log, "misnamed"))
    });
    let (strange, misnamed) = reasons.await;
    assert!(strange.contains("issuer certificate") || strange.contains("self-signed"), "{strange}");
    assert!(misnamed.to_lowercase().contains("hostname mismatch"), "{misnamed}");
}

#[tokio::test]
async fn an_upstream_may_have_a_name() {
    // Where `localhost` is two addresses, the server listens on the second alone.
    let last = ("localhost", 0).to_socket_addrs().unwrap().last().unwrap();
    let listener = TcpListener::bind(last).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().flatten().for_each(|tcp| drop(std::thread::spawn(|| serve(tcp)))));
    let setup = format!("upstreams:\n  named: {{url: \"http://localhost:{port}\"}}\nroutes:\n{}", row("named"));
    let gateway = Setup::default().append(setup).start().await;
    for _ in 0..2 {
        assert_eq!(gateway.public().get("/named/").send().await.expect(200).text(), "ok");
    }
}

#[tokio::test]
async fn an_upstream_that_is_gone_has_its_address_in_the_log_and_only_browsers_of_the_public_a_page() {
    let gone = SocketAddr::from(([127, 0, 0, 1], ports::free()));
    let row = "  - {name: gone, path: /gone, methods: [GET], filters: [], upstream: gone, on: [public, internal]}\n";
    let setup = format!("upstreams:\n  gone: {{url: \"http://{gone}\"}}\nroutes:\n{row}");
    let mut gateway = Setup::default().append(setup).start().await;
    let html = ("accept", "text/html");
    let page = gateway.public().get("/gone").header(html.0, html.1).send().await.expect(502).text();
    assert!(page.contains("<h1>Not available just now</h1>"), "{page}");
    gateway.public().get("/gone").send().await.problem(502);
    gateway.internal_as_nobody().get("/gone").header(html.0, html.1).send().await.problem(502);
    gateway.stop();
    let lines = gateway.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect::<Vec<Value>>();
    let failed = lines.iter().filter(|line| line["message"] == "an upstream failed").collect::<Vec<_>>();
    assert_eq!(failed.len(), 3, "{lines:#?}");
    assert!(failed.iter().all(|line| line["upstream"] == "gone" && line["server"] == gone.to_string()), "{failed:#?}");
}

/// Answers nothing, or half: it tells of each request that came.
fn half_origin() -> (SocketAddr, std::sync::mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (came, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut held: Vec<TcpStream> = Vec::new();
        for mut tcp in listener.incoming().flatten() {
            let mut head = [0; 9];
            tcp.read_exact(&mut head).unwrap();
            if head.ends_with(b"half") {
                tcp.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf").unwrap();
            }
            held.push(tcp);
            came.send(()).unwrap();
        }
    });
    (address, told)
}

fn access_lines(gateway: &Gateway) -> Vec<Value> {
    let lines = gateway.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect::<Vec<Value>>();
    lines.into_iter().filter(|line| line["target"] == "access" && line["route"] == "half").collect()
}

#[tokio::test]
async fn a_request_that_the_stop_cuts_has_its_line() {
    let (origin, came) = half_origin();
    let row = "  - {name: half, path: \"/*\", methods: [GET], filters: [], upstream: half}\n";
    let setup = format!("limits: {{stop: 1s}}\nupstreams:\n  half: {{url: \"http://{origin}\"}}\nroutes:\n{row}");
    let mut gateway = Setup::default().append(setup).start().await;
    for client in [gateway.public(), gateway.public_http2()] {
        for path in ["/half", "/none"] {
            tokio::spawn(client.get(path).try_send());
        }
    }
    let mut count = 0;
    wait::until("four requests are under way", wait::BOUND, async || {
        count += came.try_iter().count();
        (count == 4).then_some(())
    })
    .await;
    gateway.stop();
    let lines = access_lines(&gateway);
    assert_eq!(lines.len(), 4, "{lines:#?}");
    assert!(lines.iter().all(|line| line["cut"] == true), "{lines:#?}");
    let origin = origin.to_string();
    assert!(lines.iter().all(|line| line["upstream"] == "half" && line["server"] == *origin), "{lines:#?}");
}

/// What the log says of open files.
fn file_lines(gateway: &Gateway) -> Vec<Value> {
    let lines = gateway.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect::<Vec<Value>>();
    lines.into_iter().filter(|line| !line["open_files"].is_null()).collect()
}

#[tokio::test]
async fn too_few_open_files_are_a_warning_for_a_gateway_that_others_reach() {
    let live = "try-out: false\npublic-url: https://gate.example";
    let app_id = "  app-id: https://gate.example/nevisfido/uaf/1.1/facets";
    let setup = Setup::default().replace("try-out: true", live).under("fido-uaf", app_id).open_files(300);
    let told = file_lines(&setup.start().await);
    assert!(told.len() == 1 && told[0]["level"] == "WARN" && told[0]["connections"] == 4, "{told:#?}");
}

#[tokio::test]
async fn too_few_open_files_leave_room_on_every_listener() {
    // Beside the 256 in reserve, on three listeners: four connections, four on to upstreams, four kept of those.
    let setup = Setup::default().append("limits: {connections-share: 100%}").open_files(300);
    let gateway = setup.start().await;
    let told = file_lines(&gateway);
    let [line] = &told[..] else { panic!("one line: {told:#?}") };
    assert_eq!([&line["needed"], &line["open_files"], &line["connections"]], [61_792, 300, 4]);
    assert_eq!(line["level"], "INFO", "nobody who tries it out has to mend it");
    let number = |field: &str| line[field].as_u64().unwrap_or_else(|| panic!("{field}: {line}"));
    let sum = "needed = listeners * (2 * wanted + kept) + beside";
    let told = line["message"].as_str().unwrap();
    assert!(told.contains(sum) && include_str!("../../docs/operations.md").contains(sum), "{told}");
    let each = 2 * number("wanted") + number("kept");
    assert_eq!(number("needed"), number("listeners") * each + number("beside"), "{line}");
    let (log, place) =
        (gateway.log(), |log: &str, words: &str| log.find(words).unwrap_or_else(|| panic!("{words}: {log}")));
    assert!(place(&log, "Set up for trying out") < place(&log, "open_files"), "what it is for comes first: {log}");
    let held: Vec<TcpStream> = (0..5).map(|_| TcpStream::connect(gateway.address("public")).unwrap()).collect();
    let refused = "sidegate_connections_refused_total{listener=\"public\",reason=\"full\"} 1";
    wait::until(refused, Duration::from_secs(20), async || {
        gateway.management().get("/metrics").send().await.expect(200).text().contains(refused).then_some(())
    })
    .await;
    gateway.internal_as_nobody().get("/nevisfido/uaf/1.1/facets").send().await.expect(200);
    drop(held);
}
