//! Modifying a target with nothing but its signature: one test per row of `http-api.md` 1.1.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::{Answer, Client};
use crate::support::jose::{SigningKey, base64url};
use crate::support::oob::{by_link_to, dispatch};
use crate::support::phone::Phone;

/// A gateway with jeff's phone and its target.
struct Bench {
    gateway: Gateway,
    phone: Phone,
}

impl Bench {
    async fn new() -> Self {
        let gateway = Gateway::standalone(&["jeff"]).await;
        let phone = Phone::enrolled(&gateway, "jeff").await;
        Self { gateway, phone }
    }

    fn path(&self) -> String {
        path(self.phone.target())
    }

    /// Signs with the phone's key and sends.
    async fn patch(&self, claims: &Value) -> Answer {
        self.send(&self.phone.signing.sign(claims)).await
    }

    async fn send(&self, jws: &str) -> Answer {
        send(&self.gateway.public(), &self.path(), jws).await
    }

    /// The name under which the target is listed.
    async fn name(&self) -> String {
        let list = self.gateway.internal().get("/nevisfido/token/dispatch/targets?username=jeff").send().await;
        let list = list.expect(200).json();
        list["dispatchTargets"].as_array().unwrap().iter().find(|target| target["id"] == self.phone.target()).unwrap()
            ["name"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

fn path(target: &str) -> String {
    format!("/nevisfido/token/dispatch/targets/{target}")
}

async fn send(client: &Client, path: &str, jws: &str) -> Answer {
    client.call(http::Method::PATCH, path).jose(jws).send().await
}

fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// Good claims with a change.
fn claims(change: &Value) -> Value {
    let mut claims = json!({"requestId": uuid::Uuid::new_v4(), "creationTimeInEpochMillis": now()});
    claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    claims
}

fn rename() -> Value {
    claims(&json!({"name": "new name"}))
}

#[tokio::test]
async fn a_good_change_is_made_on_both_paths_and_both_protocols() {
    let bench = Bench::new().await;
    let alias = format!("/nevisfido/dispatch/targets/{}/", bench.phone.target());
    for (client, path, name) in [
        (bench.gateway.public(), bench.path(), "one"),
        (bench.gateway.public(), alias.clone(), "two"),
        (bench.gateway.public_http2(), bench.path(), "three"),
        (bench.gateway.public_http2(), alias, "four"),
    ] {
        let jws = bench.phone.signing.sign(&claims(&json!({"name": name})));
        let answer = send(&client, &path, &jws).await.expect(204);
        assert!(answer.body.is_empty() && answer.set_cookie().is_none());
        assert_eq!(bench.name().await, name);
    }
}

#[tokio::test]
async fn row_1_more_than_8_kib_is_413() {
    let bench = Bench::new().await;
    let jws = bench.phone.signing.sign(&claims(&json!({"name": "n", "padding": "x".repeat(8 * 1024)})));
    bench.send(&jws).await.problem(413);
    let fits = bench.phone.signing.sign(&claims(&json!({"name": "n", "padding": "x".repeat(5 * 1024)})));
    bench.send(&fits).await.expect(204);
}

#[tokio::test]
async fn row_2_three_parts_of_canonical_base64url() {
    let bench = Bench::new().await;
    let good = bench.phone.signing.sign(&rename());
    let parts: Vec<_> = good.split('.').collect();
    let (head, payload, signature) = (parts[0], parts[1], parts[2]);
    // 64 bytes end in a character with four zero bits: another one there decodes to the same bytes.
    let loose = format!("{}{}", &signature[..signature.len() - 1], next(signature.chars().last().unwrap()));
    for bad in [
        String::new(),
        format!("{head}.{payload}"),
        format!("{good}.{signature}"),
        format!(".{payload}.{signature}"),
        format!("{head}..{signature}"),
        format!("{head}.{payload}."),
        format!("{good}=="),
        format!("{head}.{payload}.{loose}"),
        format!("{head}.{payload}.+/{}", &signature[2..]),
        format!(" {good}"),
        format!("{good}\n"),
        format!("{head}.{payload}!.{signature}"),
    ] {
        bench.send(&bad).await.problem(400);
    }
    bench.send(&good).await.expect(204);
}

/// The next character of the base64url alphabet.
fn next(last: char) -> char {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    ALPHABET.chars().nth(ALPHABET.find(last).unwrap() + 1).unwrap()
}

#[tokio::test]
async fn row_3_json_objects_without_duplicates_of_the_right_types() {
    let bench = Bench::new().await;
    let sign = |header: &str, payload: &str| bench.phone.signing.sign_parts(header, payload);
    let es256 = r#"{"alg":"ES256"}"#;
    let good = rename().to_string();
    let mut bad = vec![
        sign("[]", &good),
        sign("no json", &good),
        sign(r#"{"alg":"ES256","alg":"ES256"}"#, &good),
        sign(r#"{"alg":256}"#, &good),
        sign(r#"{"alg":"ES256"} x"#, &good),
        sign(es256, "[]"),
        sign(es256, "no json"),
        sign(es256, &format!("{good} x")),
        sign(es256, &good.replacen('{', r#"{"name":"other","#, 1)),
        bench.phone.signing.sign_input(&format!("{}.{}", base64url(es256), base64url([0xff, 0xfe]))),
    ];
    for (member, value) in [
        ("requestId", json!(1)),
        ("requestId", json!("")),
        ("requestId", json!("x".repeat(65))),
        ("requestId", Value::Null),
        ("creationTimeInEpochMillis", json!("1")),
        ("creationTimeInEpochMillis", json!(1.5)),
        ("creationTimeInEpochMillis", Value::Null),
        ("name", json!(1)),
        ("target", json!([])),
        ("dispatcher", json!({})),
        ("dispatchTargetId", json!(7)),
    ] {
        let mut claims = rename();
        claims[member] = value;
        bad.push(bench.phone.signing.sign(&claims));
    }
    for member in ["requestId", "creationTimeInEpochMillis"] {
        let mut claims = rename();
        claims.as_object_mut().unwrap().remove(member);
        bad.push(bench.phone.signing.sign(&claims));
    }
    for jws in &bad {
        bench.send(jws).await.problem(400);
    }
    bench.send(&sign(es256, &good)).await.expect(204);
}

#[tokio::test]
async fn row_4_only_listed_algorithms() {
    let bench = Bench::new().await;
    for alg in ["none", "None", "HS256", "es256", "ES256K", "RSA1_5", "dir", "Ed448", ""] {
        let jws = bench.phone.signing.sign_parts(&json!({"alg": alg}).to_string(), &rename().to_string());
        bench.send(&jws).await.problem(401);
    }
    bench.send(&bench.phone.signing.sign_parts("{}", &rename().to_string())).await.problem(401);
}

#[tokio::test]
async fn row_5_no_header_that_brings_a_key_or_changes_the_meaning() {
    let bench = Bench::new().await;
    let own = bench.phone.signing.public();
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("jwk", own),
        ("jku", json!("https://siven.ch/keys")),
        ("x5c", json!(["MIIB"])),
        ("x5u", json!("https://siven.ch/cert")),
        ("b64", json!(true)),
    ] {
        let mut header = json!({"alg": "ES256"});
        header[name] = value;
        bench.send(&bench.phone.signing.sign_parts(&header.to_string(), &rename().to_string())).await.problem(401);
    }
    let harmless = r#"{"alg":"ES256","kid":"mine","typ":"JWT"}"#;
    bench.send(&bench.phone.signing.sign_parts(harmless, &rename().to_string())).await.expect(204);
}

#[tokio::test]
async fn row_6_a_named_target_is_the_one_of_the_path() {
    let mut bench = Bench::new().await;
    let first = bench.phone.target().to_owned();
    bench.phone.add_target("second target of the same key").await;
    let named = |target: &str| claims(&json!({"name": "n", "dispatchTargetId": target}));
    bench.patch(&named(&first)).await.problem(401);
    // With one key for two targets an unnamed change could be replayed against the other target.
    bench.patch(&rename()).await.problem(401);
    bench.patch(&named(bench.phone.target())).await.expect(204);
}

#[tokio::test]
async fn row_7_the_time_is_now_give_or_take_five_minutes() {
    let bench = Bench::new().await;
    let at = |time: i128| {
        let mut claims = rename();
        claims["creationTimeInEpochMillis"] = json!(i64::try_from(time).unwrap());
        claims
    };
    let now = i128::from(now());
    for wrong in [now - 310_000, now + 310_000, 0, -1, i128::from(i64::MAX)] {
        bench.patch(&at(wrong)).await.problem(401);
    }
    bench.patch(&at(now - 280_000)).await.expect(204);
    bench.patch(&at(now + 280_000)).await.expect(204);
}

#[tokio::test]
async fn row_8_an_unknown_target_is_404() {
    let bench = Bench::new().await;
    for unknown in ["0ea3abe9-c26c-4401-b5d5-2c1f4a4fd2eb", "abc"] {
        let jws = bench.phone.signing.sign(&rename());
        send(&bench.gateway.public(), &path(unknown), &jws).await.problem(404);
    }
    let deeper = format!("{}/more", bench.path());
    send(&bench.gateway.public(), &deeper, &bench.phone.signing.sign(&rename())).await.problem(404);
}

#[tokio::test]
async fn row_9_the_signature_is_good_and_of_the_targets_key() {
    let bench = Bench::new().await;
    let secrets = bench.gateway.secrets();
    for stranger in [SigningKey::p256(secrets), SigningKey::p384(secrets), SigningKey::ed25519(secrets)] {
        bench.send(&stranger.sign(&rename())).await.problem(401);
    }
    // The right key under the name of another algorithm.
    for alg in ["ES384", "ES512", "RS256", "PS256", "EdDSA", "Ed25519"] {
        let jws = bench.phone.signing.sign_parts(&json!({"alg": alg}).to_string(), &rename().to_string());
        bench.send(&jws).await.problem(401);
    }
    let good = bench.phone.signing.sign(&rename());
    let parts: Vec<_> = good.split('.').collect();
    let swapped = base64url(claims(&json!({"name": "swapped in"})).to_string());
    bench.send(&format!("{}.{swapped}.{}", parts[0], parts[2])).await.problem(401);
    bench.send(&format!("{}.{}.{}", parts[0], parts[1], base64url([0; 64]))).await.problem(401);
    bench.send(&good).await.expect(204);
}

#[tokio::test]
async fn row_9_a_keys_own_alg_binds() {
    let bench = Bench::new().await;
    let key = SigningKey::rsa(2048, bench.gateway.secrets());
    let mut public = key.public();
    public["alg"] = json!("PS256");
    let target = bench.phone.create_target("bound to PS256", &public).await;
    send(&bench.gateway.public(), &path(&target), &key.sign(&rename())).await.problem(401);
}

#[tokio::test]
async fn row_10_a_request_id_works_once_even_when_the_change_failed() {
    let bench = Bench::new().await;
    let good = bench.phone.signing.sign(&rename());
    bench.send(&good).await.expect(204);
    bench.send(&good).await.problem(401);
    // Other claims under the same id are no new request.
    let mut again = claims(&json!({"name": "again"}));
    again["requestId"] = json!("fixed id");
    bench.patch(&again).await.expect(204);
    again["name"] = json!("and again");
    bench.patch(&again).await.problem(401);

    let mut failing = claims(&json!({"dispatcher": "not-configured"}));
    failing["requestId"] = json!("kept though it failed");
    bench.patch(&failing).await.problem(422);
    failing["dispatcher"] = json!("link");
    bench.patch(&failing).await.problem(401);
}

#[tokio::test]
async fn row_10_a_captured_change_fails_after_a_kill_and_restart() {
    let mut bench = Bench::new().await;
    let captured = bench.phone.signing.sign(&rename());
    bench.send(&captured).await.expect(204);
    bench.gateway.kill();
    bench.gateway.restart().await;
    bench.send(&captured).await.problem(401);
    bench.patch(&rename()).await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn row_10_of_parallel_copies_one_works() {
    let bench = Bench::new().await;
    let jws = bench.phone.signing.sign(&rename());
    let copies: Vec<_> = (0..10)
        .map(|_| {
            let (client, path, jws) = (bench.gateway.public(), bench.path(), jws.clone());
            tokio::spawn(async move { send(&client, &path, &jws).await.status })
        })
        .collect();
    let mut statuses = Vec::new();
    for copy in copies {
        statuses.push(copy.await.unwrap());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 9, "{statuses:?}");
}

#[tokio::test]
async fn row_11_there_is_a_change_to_make_and_it_can_be_made() {
    let bench = Bench::new().await;
    bench.phone.create_target("taken", &SigningKey::p256(bench.gateway.secrets()).public()).await;
    let before = bench.name().await;
    bench.patch(&claims(&json!({}))).await.problem(400);
    bench.patch(&claims(&json!({"name": "taken"}))).await.problem(422);
    bench.patch(&claims(&json!({"name": "free", "dispatcher": "not-configured"}))).await.problem(422);
    assert_eq!(bench.name().await, before, "a refused change changes nothing");
    bench.patch(&claims(&json!({"name": before}))).await.expect(204);
    bench
        .patch(&claims(&json!({"name": "all at once", "dispatcher": "link", "target": "a-new-push-token"})))
        .await
        .expect(204);
    assert_eq!(bench.name().await, "all at once");
}

#[tokio::test]
async fn sessions_and_credentials_count_for_nothing_here() {
    let bench = Bench::new().await;
    let forged = SigningKey::p256(bench.gateway.secrets()).sign(&rename());
    send(&bench.phone.client(), &bench.path(), &forged).await.problem(401);
    send(&bench.gateway.internal(), &bench.path(), &forged).await.problem(401);
    let good = bench.phone.signing.sign(&rename());
    send(&bench.gateway.public().cookie("sidegate-main=no-session-at-all"), &bench.path(), &good).await.expect(204);
}

#[tokio::test]
async fn a_change_needs_a_user_who_still_exists() {
    let bench = Bench::new().await;
    let removed = bench.gateway.command(&["user", "remove", "jeff"], "");
    assert!(removed.status.success());
    let answer = crate::support::wait::until("the user is gone", crate::support::wait::BOUND, async || {
        Some(bench.patch(&rename()).await).filter(|answer| answer.status != 204)
    })
    .await;
    assert!([401, 404].contains(&answer.status), "{}", answer.text());
    let dispatched =
        dispatch(&bench.gateway.public(), "authentication", &by_link_to("jeff", bench.phone.target())).await;
    assert_ne!(dispatched.expect(200).json()["dispatchResult"], "dispatched");
}

#[tokio::test]
async fn the_clock_skew_can_be_configured() {
    let gateway = Setup::default().user("jeff").seconds("clock-skew", 30).start().await;
    let bench = Bench { phone: Phone::enrolled(&gateway, "jeff").await, gateway };
    let mut old = rename();
    old["creationTimeInEpochMillis"] = json!(now() - 60_000);
    bench.patch(&old).await.problem(401);
}

#[tokio::test]
async fn a_target_is_changed_a_few_times_at_once_and_then_slowly() {
    let bench = Bench::new().await;
    let limited = loop {
        let answer = bench.patch(&rename()).await;
        if answer.status != 204 {
            break answer;
        }
    };
    let wait: u64 = limited.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    limited.problem(429);
    // The limit is the target's: another one has its own.
    let key = SigningKey::p256(bench.gateway.secrets());
    let other = bench.phone.create_target("another", &key.public()).await;
    send(&bench.gateway.public(), &path(&other), &key.sign(&claims(&json!({"name": "other"})))).await.expect(204);
}
