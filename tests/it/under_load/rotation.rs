//! SecToken keys that are replaced while tokens are made all the time, before servers that verify each of them as they
//! should: with a set that they keep for as long as they may, and not a moment less.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::future::{join, join_all};
use serde_json::{Value, json};

use super::{Effort, Errand, Load, Tally, customer};
use crate::support::gateway::{Gateway, Setup};
use crate::support::http::Client;
use crate::support::issuer::now;
use crate::support::jose::{es256_verifies, from_base64url};
use crate::support::upstream::{Received, Upstream};
use crate::support::wait;

/// Longer than any load.
const WATCH: Duration = Duration::from_secs(3600);

/// A server that trusts the keys at its own address, and what it was shown.
#[derive(Default)]
struct Verifier {
    name: &'static str,
    /// Where the keys are; it is known once the gateway is there.
    keys: Mutex<Option<Client>>,
    kept: tokio::sync::Mutex<Option<Kept>>,
    /// Until when the last token of a key holds, in seconds, by the key.
    held: Mutex<BTreeMap<String, u64>>,
}

#[derive(Clone)]
struct Kept {
    set: Value,
    until: Instant,
}

impl Verifier {
    fn of(name: &'static str) -> Arc<Self> {
        Arc::new(Self { name, ..Self::default() })
    }

    /// A set is as old as its request: the answer may have been long on its way (RFC 9111 4.2.3).
    async fn fetch(&self) -> Kept {
        let asked = Instant::now();
        let client = self.keys.lock().unwrap().clone().unwrap();
        let answer = client.get(&format!("/.well-known/jwks/{}", self.name)).send().await.expect(200);
        let age = answer.header("cache-control").unwrap().strip_prefix("public, max-age=").unwrap();
        let until = asked + Duration::from_secs(age.parse().unwrap());
        Kept { set: answer.json(), until }
    }

    /// The set that it has, which is fetched again when its time is over and for no other reason.
    async fn set(&self) -> Value {
        let mut kept = self.kept.lock().await;
        if kept.as_ref().is_none_or(|kept| kept.until <= Instant::now()) {
            *kept = Some(self.fetch().await);
        }
        kept.as_ref().unwrap().set.clone()
    }

    async fn judge(self: Arc<Self>, received: Received) -> u16 {
        let [authorization] = received.values("authorization")[..] else { return 400 };
        match verified(&self.set().await, authorization.strip_prefix("Bearer ").unwrap(), self.name) {
            Ok((kid, until)) => {
                let mut held = self.held.lock().unwrap();
                let last = held.entry(kid).or_default();
                *last = until.max(*last);
                200
            }
            Err(why) => {
                println!("{}: {why}", self.name);
                401
            }
        }
    }

    fn was_shown(&self, kid: &str) -> bool {
        self.held.lock().unwrap().contains_key(kid)
    }

    /// Until the load has ended no key is missing in the set whose tokens hold still.
    async fn watch(self: Arc<Self>, load: Arc<Tally>) {
        wait::until("the load ends", WATCH, async || {
            let ended = load.ended.load(Ordering::Relaxed);
            let held = self.held.lock().unwrap().clone();
            let fetched = self.fetch().await.set;
            let now = now();
            for (kid, until) in held {
                assert!(until <= now || key_of(&fetched, &kid).is_some(), "{}: {kid} holds until {until}", self.name);
            }
            ended.then_some(())
        })
        .await;
    }
}

fn key_of<'a>(set: &'a Value, kid: &str) -> Option<&'a Value> {
    set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid)
}

/// The key that signed and when the token ends, or why it is refused.
fn verified(set: &Value, token: &str, audience: &str) -> Result<(String, u64), String> {
    let [header, claims, _] = token.split('.').collect::<Vec<_>>()[..] else { return Err("parts".into()) };
    let read = |part| serde_json::from_slice::<Value>(&from_base64url(part)).unwrap();
    let kid = read(header)["kid"].as_str().unwrap().to_owned();
    let key = key_of(set, &kid).ok_or(format!("{kid} is in no set that is kept here"))?;
    let good = es256_verifies(key, token);
    let claims = read(claims);
    let until = claims["exp"].as_u64().unwrap();
    if !good || claims["aud"] != audience || until <= now() {
        return Err(format!("good: {good}, {claims}"));
    }
    Ok((kid, until))
}

/// One server with a key of its own, and one without.
async fn gateway(behind: &[(&Arc<Verifier>, Upstream)]) -> Gateway {
    let upstream = |(verifier, upstream): &(&Arc<Verifier>, Upstream)| {
        let key = if verifier.name == "bank" { "own" } else { "common" };
        format!("  {}: {{url: \"http://{}\", sec-token-key: {key}}}\n", verifier.name, upstream.address)
    };
    let row = |(verifier, _): &(&Arc<Verifier>, Upstream)| {
        let name = verifier.name;
        format!("  - {{name: {name}, path: /{name}, methods: [GET], filters: [customers, told], upstream: {name}}}\n")
    };
    let setup = Setup::default().user("jeff").append(format!(
        "sec-token: {{lifetime: 10s, keys-kept: 1s}}\nupstreams:\n{}\
         filters:\n  customers: {{type: identity-creation, domain: main}}\n\
         \x20 told: {{type: delegation, rules: [\"AUTH:user.auth.SecToken:Authorization\"]}}\nroutes:\n{}",
        behind.iter().map(upstream).collect::<String>(),
        behind.iter().map(row).collect::<String>(),
    ));
    setup.start().await
}

/// Makes new keys as soon as there is room for them, and tells what they are called.
async fn rotate(gateway: &Gateway, load: &Load, rate: u32) -> Vec<String> {
    let file = gateway.data().with_file_name("sidegate.yml");
    loop {
        let output = gateway.command(&["keygen", "--sectoken", "--all", "--config", file.to_str().unwrap()], "");
        if output.status.success() {
            let told = String::from_utf8(output.stdout).unwrap();
            let made = told.lines().filter_map(|line| line.strip_prefix("made the key ")?.split(' ').next());
            return made.map(str::to_owned).collect();
        }
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("tokens may still hold that the key in"), "{told}");
        load.so_many_more(rate.into()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_are_replaced_again_and_again_cost_no_request_and_leave_no_token_without_its_key() {
    let Effort { rate, rotations, .. } = Effort::of_this_run();
    let verifiers = [Verifier::of("shop"), Verifier::of("bank")];
    let mut behind = Vec::new();
    for verifier in &verifiers {
        let judge = verifier.clone();
        behind.push((verifier, Upstream::judging(move |received| judge.clone().judge(received).boxed()).await));
    }
    let gateway = gateway(&behind).await;
    for verifier in &verifiers {
        *verifier.keys.lock().unwrap() = Some(gateway.public());
    }
    let clients = [
        (customer(&gateway, gateway.public()).await, Errand::Page("/shop")),
        (customer(&gateway, gateway.public_http2()).await, Errand::Page("/bank")),
        (customer(&gateway, gateway.public()).await, Errand::Page("/bank")),
    ];
    let load = Load::start(clients.into(), rate);
    let watches = join_all(verifiers.iter().map(|verifier| verifier.clone().watch(load.tally.clone())));
    let rotated = async {
        load.more().await;
        for _ in 0..rotations {
            let made = rotate(&gateway, &load, rate).await;
            wait::until("both servers are shown tokens of the new keys", wait::BOUND, async || {
                let shown = |(verifier, kid): (&Arc<Verifier>, &String)| verifier.was_shown(kid);
                (verifiers.iter().zip(&made).all(shown) && made.len() == 2).then_some(())
            })
            .await;
        }
        load.end().await
    };
    let (sent, _) = join(rotated, watches).await;
    for verifier in &verifiers {
        assert_eq!(verifier.held.lock().unwrap().len(), rotations + 1, "each key signed");
    }
    let told = json!({"requests": sent.count, "seconds": sent.time.as_secs_f32(), "rotations": rotations});
    println!("none refused: {told}; {}", sent.pace());
}
