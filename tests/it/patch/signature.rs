//! Rows 8 to 11, and what else binds a change.

use serde_json::json;

use super::{Bench, claims, now, path, rename, send};
use crate::support::gateway::Setup;
use crate::support::jose::{SigningKey, base64url};
use crate::support::oob::{by_link_to, dispatch};
use crate::support::phone::Phone;
use crate::support::wait;

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
    let answer = wait::until("the user is gone", wait::BOUND, async || {
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
