//! Many logins at once from one network: it gets its share of the places for passwords, others have theirs.

use futures::future::join_all;

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::{Answer, Client};

/// More than one percent of the places on any machine with fewer than 90 cores, and as many as one connection takes.
const CROWD: usize = 30;

async fn login(client: &Client, name: &str, password: &str) -> Answer {
    client.post("/auth/pwd").form(&[("isiwebuserid", name), ("isiwebpasswd", password)]).send().await
}

/// Guesses of so many users at once; how many were let in.
async fn crowd(gateway: &Gateway) -> usize {
    let client = gateway.public_http2();
    let names: Vec<String> = (0..CROWD).map(|number| format!("guessed-{number}")).collect();
    let answers = join_all(names.iter().map(|name| login(&client, name, "a guessed password"))).await;
    let (refused, looked_at): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 429);
    for answer in &refused {
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    assert!(looked_at.iter().all(|answer| answer.status == 401));
    looked_at.len()
}

#[tokio::test]
async fn one_network_does_not_get_all_places_for_passwords_and_locks_nobody_out() {
    let gateway = Setup::default().user("jeff").append("limits: {connections-share: 1%}\n").start().await;
    let (here, password) = (gateway.public(), gateway.password("jeff"));
    let elsewhere = here.elsewhere();
    let (looked_at, jeff) = futures::join!(crowd(&gateway), login(&elsewhere, "jeff", password));
    assert!(looked_at < CROWD, "nobody was refused");
    jeff.expect(200);
    login(&here, "jeff", password).await.expect(200);
}
