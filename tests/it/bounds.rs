//! What the stores refuse, and what becomes of a gateway whose users' file is lost (`gateway.md` 5).

use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;

use serde_json::json;

use crate::support::gateway::{Gateway, Setup};
use crate::support::jose::SigningKey;
use crate::support::oob::{by_link, dispatched, redeem};
use crate::support::phone::Phone;

const TARGETS: &str = "/nevisfido/token/dispatch/targets";

#[tokio::test]
async fn a_user_has_fifty_targets_and_no_more() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let (key, encryption) = (SigningKey::p256(gateway.secrets()).public(), phone.encryption.public());
    let new = |number: usize| json!({"name": format!("target {number}"), "dispatcher": "link", "signatureKey": key, "encryptionKey": encryption});
    for number in 1..50 {
        phone.client().json(TARGETS, &new(number)).await.expect(201);
    }
    let detail = phone.client().json(TARGETS, &new(50)).await.problem(422);
    assert!(detail.contains("50 dispatch targets"), "{detail}");
}

#[tokio::test]
async fn lost_users_are_unavailable_and_their_sessions_stay() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let (users, aside) = (gateway.data().join("users"), gateway.data().join("aside"));
    for empty in [false, true] {
        fs::rename(&users, &aside).unwrap();
        if empty {
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&users).unwrap();
        }
        phone.client().json(TARGETS, &json!({})).await.problem(503);
        let form = [("isiwebuserid", "jeff"), ("isiwebpasswd", gateway.password("jeff"))];
        gateway.public().post("/auth/pwd").form(&form).send().await.problem(503);
        gateway.management().get("/nevisfido/health").send().await.expect(503);
        gateway.management().get("/nevisfido/liveness").send().await.expect(200);
        fs::rename(&aside, &users).unwrap();
        phone.client().json(TARGETS, &json!({})).await.problem(400);
        gateway.management().get("/nevisfido/health").send().await.expect(200);
    }
}

#[tokio::test]
async fn a_form_of_many_fields_is_refused() {
    let gateway = Gateway::standalone(&[]).await;
    let body: String = (0..16_000).map(|number| format!("{number:04}&")).collect();
    let post = gateway.public().post("/auth/pwd").header("content-type", "application/x-www-form-urlencoded");
    let detail = post.body(body.chars().take(65_000).collect::<String>()).send().await.problem(400);
    assert!(detail.contains("at most 32 fields"), "{detail}");
}

#[tokio::test]
async fn content_codes_are_folded_where_the_configuration_says_so() {
    for (line, code) in [("  fold-content-codes: false", 1491), ("  fold-content-codes: true", 1498)] {
        let gateway = Setup::default().user("jeff").under("fido-uaf", line).start().await;
        let phone = Phone::enrolled(&gateway, "jeff").await;
        let operation = dispatched(&gateway.public(), "authentication", &by_link("jeff")).await;
        let handed_out = redeem(&gateway.public(), "authentication", &operation.token).await.uaf_code(1200);
        phone.authenticate(&handed_out).await.uaf_code(1200);
        phone.authenticate(&handed_out).await.uaf_code(code);
    }
}
