//! What a role that is given or taken does to WebSockets that are open.

use std::io::Write as _;

use rstest::rstest;

use super::{Echo, closed, customer, handshake, head, logged, ping};
use crate::support::gateway::{Gateway, Setup};
use crate::support::raw::Socket;

fn give(gateway: &Gateway, roles: &[&str]) {
    let flags: Vec<&str> = roles.iter().flat_map(|role| ["--role", *role]).collect();
    let output = gateway.command(&[&["user", "roles", "jeff"][..], &flags].concat(), "");
    assert!(output.status.success(), "{output:?}");
}

#[rstest]
#[case::in_a_filter_of_its_own("domain: main", "[known, staff]")]
#[case::where_who_is_calling_is_found_out("domain: main, roles: [staff]", "[known]")]
#[tokio::test]
async fn one_whose_user_loses_the_role_is_closed(#[case] known: &str, #[case] filters: &str) {
    let echo = Echo::start();
    let setup = format!(
        "upstreams:\n  app: {{url: 'http://{}'}}\n\
         filters:\n  known: {{type: identity-creation, {known}}}\n  staff: {{type: role, one-of: [staff]}}\n\
         routes:\n  - {{name: feed, path: /feed/*, methods: [GET], filters: {filters}, upstream: app, websocket: {{origins: [none]}}}}\n",
        echo.address
    );
    let gateway = Setup::default().user("jeff").append(setup).start().await;
    let phone = customer(&gateway).await;
    let request = handshake("/feed/a", &[("Cookie", phone.session())]);
    let asked = || {
        let mut socket = Socket::plain(gateway.address("public"));
        socket.write_all(request.as_bytes()).unwrap();
        let head = head(&mut socket);
        (socket, head)
    };
    assert!(asked().1.starts_with("http/1.1 403 "), "nobody has a role unless it was given");
    give(&gateway, &["staff", "night"]);
    let (mut socket, head) = asked();
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    give(&gateway, &["boss", "night", "staff"]);
    // It is open for as long as there is between two looks at the first.
    let mut other = asked().0;
    give(&gateway, &["night", "staff"]);
    closed(&mut other).await;
    ping(&mut socket, b"it has what it had");
    give(&gateway, &["night"]);
    closed(&mut socket).await;
    logged(&gateway, "its session has ended, or lost a level or a role").await;
    assert!(asked().1.starts_with("http/1.1 403 "));
}
