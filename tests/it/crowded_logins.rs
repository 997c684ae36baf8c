//! Many logins at once: one network gets its share of the places for passwords, and many that take all of them keep out
//! nobody who is familiar, nor anybody for longer than that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures::future::join_all;
use tokio::task::JoinSet;

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::{Answer, Client};
use crate::support::wait;

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

/// Many networks: four have as many shares as there are places.
const NETWORKS: std::ops::RangeInclusive<u8> = 10..=21;

/// Strangers in many networks who guess without a break, at jeff's password too.
struct Flood {
    ended: Arc<AtomicBool>,
    refused: Arc<AtomicUsize>,
    guessing: JoinSet<()>,
}

impl Flood {
    fn begin(gateway: &Gateway) -> Self {
        let (ended, refused) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let places = std::thread::available_parallelism().unwrap().get() * 33;
        let clients = NETWORKS.map(|number| gateway.public().in_network(number));
        // Each takes a fourth of the places, which is its share.
        let guessing = clients.flat_map(|client| std::iter::repeat_n(client, places / 4));
        let guessing = guessing.map(|client| guess(client, ended.clone(), refused.clone())).collect();
        Self { ended, refused, guessing }
    }

    /// Waits until a guess is refused for want of a place.
    async fn is_full(&self) {
        let before = self.refused.load(Ordering::Relaxed);
        let more = async || (self.refused.load(Ordering::Relaxed) > before).then_some(());
        wait::until("all places are taken", wait::BOUND, more).await;
    }

    async fn end(self) {
        self.ended.store(true, Ordering::Relaxed);
        self.guessing.join_all().await;
    }
}

async fn guess(client: Client, ended: Arc<AtomicBool>, refused: Arc<AtomicUsize>) {
    let mut names = ["jeff".to_owned()].into_iter().chain((0..).map(|_| uuid::Uuid::new_v4().to_string()));
    while !ended.load(Ordering::Relaxed) {
        let answer = login(&client, &names.next().unwrap(), "a guessed password").await;
        match answer.status {
            503 => {
                assert_eq!(answer.header("retry-after"), Some("1"), "{}", answer.text());
                assert!(answer.set_cookie().is_none());
                refused.fetch_add(1, Ordering::Relaxed);
            }
            status => assert!([401, 429].contains(&status), "{status}: {}", answer.text()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_who_take_all_places_keep_out_nobody_who_is_familiar_and_nobody_for_longer() {
    let gateway = Setup::default().user("jeff").user("ann").start().await;
    let (here, password) = (gateway.public(), gateway.password("jeff"));
    login(&here, "jeff", password).await.expect(200);
    let flood = Flood::begin(&gateway);
    let ann = async |network| login(&gateway.public().in_network(network), "ann", gateway.password("ann")).await;
    for _ in 0..3 {
        flood.is_full().await;
        login(&here, "jeff", password).await.expect(200);
    }
    // From another network each time: where a place happens to be free she gets in, and is familiar there from then on.
    let mut networks = 30..=u8::MAX;
    let (network, refused) = wait::until("who is not familiar is refused", wait::BOUND, async || {
        let network = networks.next().unwrap();
        let answer = ann(network).await;
        (answer.status != 200).then_some((network, answer))
    })
    .await;
    assert_eq!(refused.header("retry-after"), Some("1"));
    refused.problem(503);
    flood.end().await;
    // The attempt that was not looked at counts for nothing.
    ann(network).await.expect(200);
    // Guesses at him from so many networks hold him up where he never was, for some seconds.
    let elsewhere = here.elsewhere();
    let gets_in = async || (login(&elsewhere, "jeff", password).await.status == 200).then_some(());
    wait::until("jeff gets in elsewhere", wait::BOUND, gets_in).await;
}
