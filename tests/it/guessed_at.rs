//! One user is guessed at from many networks: all of them together are slowed, and nobody where he has logged in before.

use futures::future::join_all;
use serde_json::json;

use crate::support::gateway::Gateway;
use crate::support::http::{Answer, Client};
use crate::support::logs::audited;
use crate::support::phone::Phone;
use crate::support::wait;

const EVENTS: &str = "sidegate_events_total{event=\"guessed-at\"}";

async fn login(client: &Client, name: &str, password: &str) -> Answer {
    client.post("/auth/pwd").form(&[("isiwebuserid", name), ("isiwebpasswd", password)]).send().await
}

/// One guess at this user from each of many networks, at once; how many were refused unheard.
async fn guesses(gateway: &Gateway, name: &str) -> usize {
    let clients: Vec<_> = (10..70).map(|number| gateway.public().in_network(number)).collect();
    let answers = join_all(clients.iter().map(|client| login(client, name, "a guessed password"))).await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 401).collect();
    for answer in &refused {
        let seconds = answer.header("retry-after").and_then(|seconds| seconds.parse::<u64>().ok());
        assert_eq!((answer.status, seconds.is_some_and(|seconds| (1..=5).contains(&seconds))), (429, true));
    }
    refused.len()
}

#[tokio::test]
async fn guesses_at_one_user_from_many_networks_are_slowed_and_lock_nobody_out_at_home() {
    let gateway = Gateway::standalone(&["jeff", "eve"]).await;
    let (home, jeff) = (gateway.public(), gateway.password("jeff"));
    let ext_id = login(&home, "jeff", jeff).await.expect(200).json()["extId"].clone();
    assert!(guesses(&gateway, "jeff").await > 0, "nobody was slowed");
    for _ in 0..2 {
        let (refused, at_home) = futures::join!(guesses(&gateway, "jeff"), login(&home, "jeff", jeff));
        assert!(refused > 30, "only {refused} were slowed");
        at_home.expect(200);
    }
    login(&home.elsewhere(), "eve", gateway.password("eve")).await.expect(200);
    assert_eq!(gateway.metric(EVENTS).await, 1, "it is told once");
    let told = wait::until("the audit line", wait::BOUND, async || audited(&gateway, "guessed-at").pop()).await;
    assert_eq!((&told["user"], &told["realm"]), (&ext_id, &"password".into()));
    // Where he never was he gets in once they are fewer, and is known there from then on.
    let elsewhere = home.elsewhere();
    let gets_in = async || (login(&elsewhere, "jeff", jeff).await.status == 200).then_some(());
    wait::until("he gets in elsewhere", wait::BOUND, gets_in).await;
    let (_, there) = futures::join!(guesses(&gateway, "jeff"), login(&elsewhere, "jeff", jeff));
    there.expect(200);
}

#[tokio::test]
async fn who_is_not_there_is_guessed_at_alike() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    assert!(guesses(&gateway, "nobody").await > 0, "nobody was slowed");
    let told = wait::until("the audit line", wait::BOUND, async || audited(&gateway, "guessed-at").pop()).await;
    assert!(told["user"].is_null(), "{told}");
}

#[tokio::test]
async fn answers_that_prove_nothing_are_slowed() {
    let gateway = Gateway::standalone(&["jeff", "eve"]).await;
    let (jeff, mut eve) = (Phone::enrolled(&gateway, "jeff").await, Phone::enrolled(&gateway, "eve").await);
    let forge = async || {
        let begun = gateway.public().json("/auth/fidouaf", &json!({"username": "jeff"})).await;
        if begun.status == 429 {
            return begun;
        }
        let forged = json!({"uafResponse": eve.forgery(&begun.uaf_code(1200))});
        gateway.public().uaf("/auth/fidouaf/authenticationresponse", &forged).await
    };
    let mut judged = 0;
    let slowed = loop {
        let answer = forge().await;
        if answer.status == 429 {
            break answer;
        }
        assert_ne!(answer.json()["statusCode"], 1200);
        judged += 1;
        assert!(judged <= 60, "nothing was slowed");
    };
    assert!(judged >= 50, "{judged}");
    let wait: u64 = slowed.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=5).contains(&wait), "{wait}");
    eve.login_uaf().await;
    wait::until("jeff is let in", wait::BOUND, async || (jeff.try_login_uaf().await.status == 200).then_some(())).await;
}
