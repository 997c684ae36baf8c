//! More connections than a listener has room for.

use std::io::Write;
use std::time::Duration;

use super::clients::{connect, exchange, rest, status};
use super::front::{Front, eventually, quick};
use sidegate::gateway::Limits;

const HELLO: &[u8] = b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

#[test]
fn a_connection_too_many_is_closed_at_once_and_counted() {
    let front =
        Front::start(Limits { connections: 2, connections_share: 100, idle: Duration::from_secs(60), ..quick() }, None);
    let mut held = [connect(front.plain), connect(front.plain)];
    eventually("both are open", || front.metrics.open_connections() == 2);
    assert_eq!(exchange(front.plain, b""), "");
    let refused = "sidegate_connections_refused_total{listener=\"public\",reason=\"full\"} 1";
    eventually("it is counted", || front.metrics().contains(refused));
    assert_eq!(front.metrics.open_connections(), 2);

    // Another listener has room of its own, and who was there first is served.
    let other = connect(front.tls);
    eventually("the other listener takes it", || front.metrics.open_connections() == 3);
    drop(other);
    held[0].write_all(HELLO).unwrap();
    assert_eq!(status(&rest(&mut held[0])), 200);
    eventually("there is room again", || front.metrics.open_connections() < 2);
    eventually("it is taken", || status(&exchange(front.plain, HELLO)) == 200);
    assert!(front.metrics().contains(refused.trim_end_matches(" 1")));
}

#[test]
fn one_network_does_not_get_all_connections() {
    let front = Front::start(Limits { connections: 8, idle: Duration::from_secs(60), ..quick() }, None);
    let mut held = [connect(front.plain), connect(front.plain)];
    eventually("both are open", || front.metrics.open_connections() == 2);
    assert_eq!(exchange(front.plain, b""), "", "a quarter of eight");
    let refused = "sidegate_connections_refused_total{listener=\"public\",reason=\"share\"} 1";
    eventually("it is counted", || front.metrics().contains(refused));
    held[0].write_all(HELLO).unwrap();
    assert_eq!(status(&rest(&mut held[0])), 200);
    eventually("there is room again", || status(&exchange(front.plain, HELLO)) == 200);
}
