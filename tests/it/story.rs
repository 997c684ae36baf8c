//! The main job, end to end: a phone approves a login (`README.md`, `gateway.md` 6.1).

mod endings;
mod misbehaviours;
mod pictures;
mod races;

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::gateway::Gateway;
use crate::support::oob::{by_link_to, dispatched, payload, redeem, status};
use crate::support::phone::Phone;

#[tokio::test]
async fn a_phone_approves_a_login() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let shop = gateway.public();
    let phone = Phone::enrolled(&gateway, "jeff").await;

    let operation = dispatched(&shop, "authentication", &by_link_to("jeff", phone.target())).await;
    assert!(operation.response.starts_with("sidegate://x-callback-url/authenticate?dispatchTokenResponse="));
    let opened = phone.encryption.open(payload(&operation.response)["nma_data"].as_str().unwrap());
    assert_eq!(opened["redeem_url"], format!("{}/nevisfido/token/redeem/authentication", shop.base()));
    let handed_out = redeem(&shop, "authentication", opened["token"].as_str().unwrap()).await.uaf_code(1200);
    phone.authenticate(&handed_out).await.uaf_code(1200);
    let done = status(&shop, &operation.session_id).await;
    assert_eq!((&done["status"], &done["userId"]), (&json!("succeeded"), &json!(phone.ext_id())));

    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let change = json!({"requestId": "the first change", "creationTimeInEpochMillis": u64::try_from(now).unwrap(),
        "target": "a-new-push-address"});
    let target = format!("/nevisfido/token/dispatch/targets/{}", phone.target());
    shop.call(http::Method::PATCH, &target).jose(&phone.signing.sign(&change)).send().await.expect(204);

    phone.client().call(http::Method::DELETE, &target).send().await.expect(204);
    phone.deregister().await;
    let nothing_left = gateway.internal().get("/nevisfido/token/dispatch/targets?username=jeff").send().await;
    nothing_left.problem(404);
}

#[tokio::test]
async fn the_demo_of_the_command_line_succeeds_twice_in_a_row() {
    let gateway = Gateway::standalone(&[]).await;
    for _ in 0..2 {
        let output = gateway.command(&["device", "demo", "--gateway", gateway.public().base()], "");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
        assert!(told.lines().count() >= 9, "one line a step: {told}");
    }
    let left: Value = gateway.internal().get("/nevisfido/token/dispatch/targets?username=demo").send().await.json();
    assert_eq!(left["status"], 404, "it cleans up");
}
