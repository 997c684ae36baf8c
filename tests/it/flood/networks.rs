//! What strangers of one network may fill, and what is left for others (`gateway.md` 5).

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::Answer;
use crate::support::oob::by_link;
use crate::support::phone::Phone;

/// Room for strangers of which nothing is said but how large it is, behind a proxy that tells whom it speaks for.
async fn behind_a_proxy() -> (Gateway, Phone) {
    let believed = "    forwarded: {from: [127.0.0.1/32], header: x-forwarded-for}\n";
    let setup = Setup::default()
        .user("jeff")
        .replace("    address: 127.0.0.1:8080\n", format!("    address: 127.0.0.1:8080\n{believed}"))
        .append("limits: {operations: 512KiB}\n")
        // Nothing expires meanwhile, however slow the machine is.
        .under("fido-uaf", "  time-limits: {token: 10m}");
    let gateway = setup.start().await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    (gateway, phone)
}

async fn dispatch_from(gateway: &Gateway, address: &str) -> Answer {
    let request = gateway.public().post("/nevisfido/token/dispatch/authentication").json(&by_link("jeff"));
    request.header("x-forwarded-for", address).send().await
}

/// Dispatches from this address until there is no more room for it, and counts what was taken.
async fn fill(gateway: &Gateway, address: &str) -> usize {
    for taken in 0..1_000 {
        let answer = dispatch_from(gateway, address).await;
        if answer.status != 200 {
            answer.problem(503);
            return taken;
        }
    }
    panic!("{address} has no limit");
}

#[tokio::test]
async fn one_network_fills_a_twentieth_and_every_other_gets_in() {
    let (gateway, _phone) = behind_a_proxy().await;
    let own = fill(&gateway, "203.0.113.1").await;
    assert!(own > 2, "{own}");
    for other in 2..=20 {
        let address = format!("203.0.113.{other}");
        assert_eq!(fill(&gateway, &address).await, own, "{address}: the first is full, and it has a share of its own");
        dispatch_from(&gateway, "203.0.113.1").await.problem(503);
    }
    let rest = fill(&gateway, "203.0.113.21").await;
    assert!(rest < own, "twenty have all but what was too little for one more: {rest} of {own}");
    gateway.internal().json("/nevisfido/token/dispatch/authentication", &by_link("jeff")).await.expect(200);
}

#[tokio::test]
async fn the_addresses_of_one_household_are_one_network() {
    let (gateway, _phone) = behind_a_proxy().await;
    fill(&gateway, "2001:db8::1").await;
    for same in ["2001:db8::2", "2001:db8:0:0:ffff::1", "2001:db8:0:ff::1"] {
        dispatch_from(&gateway, same).await.problem(503);
    }
    for other in ["2001:db8:0:100::1", "2001:db8:1::1", "203.0.113.1"] {
        dispatch_from(&gateway, other).await.expect(200);
    }
}
