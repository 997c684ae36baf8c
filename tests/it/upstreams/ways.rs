//! More requests on their way to a server behind than the gateway has room for: each is a connection there.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::gateway::{Gateway, Setup};
use crate::support::wait;

/// Requests that one connection over HTTP/2 may have under way, nearly.
const STREAMS: usize = 95;
const HERE: [u8; 4] = [127, 0, 0, 1];

/// Takes connections and says nothing on them.
fn mute() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let held: Vec<_> = listener.incoming().flatten().collect();
        drop(held);
    });
    address
}

fn setup(limits: &str) -> Setup {
    let row = "  - {name: mute, path: \"/mute\", methods: [GET], filters: [], upstream: mute}\n";
    let limits = format!("limits: {{stop: 1s, streams: 100, {limits}}}\n");
    Setup::default().append(format!("{limits}upstreams:\n  mute: {{url: \"http://{}\"}}\nroutes:\n{row}", mute()))
}

/// Requests of one connection over HTTP/2, from one address of this machine; how many were told to come again.
async fn ask(gateway: &Gateway, from: impl Into<IpAddr>, requests: usize) -> Arc<AtomicUsize> {
    let address = gateway.address("public");
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((from.into(), 0).into()).unwrap();
    let (mut client, connection) = h2::client::handshake(socket.connect(address).await.unwrap()).await.unwrap();
    tokio::spawn(connection);
    let told = Arc::new(AtomicUsize::new(0));
    for _ in 0..requests {
        client = client.ready().await.unwrap();
        let request = http::Request::get(format!("http://{address}/mute")).body(()).unwrap();
        let (answer, _) = client.send_request(request, true).unwrap();
        let (told, client) = (told.clone(), client.clone());
        tokio::spawn(async move {
            // Those that wait are cut at the end.
            if let Ok(answer) = answer.await {
                assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (503, &"1".parse().unwrap()));
                told.fetch_add(1, Ordering::SeqCst);
            }
            drop(client);
        });
    }
    told
}

async fn all_told(told: &[Arc<AtomicUsize>], expected: usize) {
    let sum = || told.iter().map(|told| told.load(Ordering::SeqCst)).sum::<usize>();
    wait::until("those without a way are told", wait::BOUND, async || (sum() >= expected).then_some(())).await;
    assert_eq!(sum(), expected);
}

#[tokio::test]
async fn requests_to_a_slow_server_leave_open_files_for_every_listener() {
    // Four connections of each listener, and four requests on their way.
    let gateway = setup("connections-share: 100%").open_files(300).start().await;
    let mut told = Vec::new();
    for _ in 0..4 {
        told.push(ask(&gateway, HERE, STREAMS).await);
    }
    all_told(&told, 4 * STREAMS - 4).await;
    let metrics = gateway.management().get("/metrics").send().await.expect(200).text();
    let counted =
        format!("sidegate_forwards_refused_total{{listener=\"public\",reason=\"full\"}} {}\n", 4 * STREAMS - 4);
    assert!(metrics.contains(&counted), "{metrics}");
    gateway.management().get("/nevisfido/health").send().await.expect(200);
    assert!(!gateway.log().contains("Too many open files"), "{}", gateway.log());
}

#[tokio::test]
async fn one_network_does_not_get_all_ways() {
    let gateway = setup("connections: 8, connections-share: 25%").start().await;
    let first = ask(&gateway, HERE, 5).await;
    all_told(&[first], 3).await;
    let other = ask(&gateway, [127, 0, 0, 2], 3).await;
    all_told(&[other], 1).await;
    let metrics = gateway.management().get("/metrics").send().await.expect(200).text();
    let counted = r#"sidegate_forwards_refused_total{listener="public",reason="share"} 4"#;
    assert!(metrics.contains(counted), "{metrics}");
}
