//! The two samples, as they are: a gateway, and a Sidegate behind it that is only the UAF server.

use serde_json::{Value, json};

use crate::support::gateway::{Gateway, Setup};
use crate::support::oob::{by_link_to, dispatched, payload, redeem, status};
use crate::support::phone::Phone;
use crate::support::wait;

/// The gateway and the server behind it.
async fn both() -> (Gateway, Gateway) {
    let behind = Setup::sample("hybrid-upstream.yml").start().await;
    let front = before(&behind).start().await;
    (front, behind)
}

/// The gateway before this server, with a user jeff.
pub(crate) fn before(behind: &Gateway) -> Setup {
    let address = format!("https://{}", behind.internal_address());
    Setup::sample("hybrid.yml")
        .certificates_of(behind)
        .replace("public-url: https://localhost:8443", "public-url: https://127.0.0.1:PUBLIC_PORT")
        .replace("https://127.0.0.1:9443", address)
        .user("jeff")
}

/// What a registration comes to, and what the log says of it.
async fn registration(front: &Gateway, code: u64, reason: &str) {
    let mut phone = Phone::new(front, "jeff");
    phone.login_password().await;
    let body = json!({"context": json!({"username": "jeff"}).to_string()});
    phone.client().uaf("/nevisfido/uaf/1.1/request/registration", &body).await.uaf_code(code);
    let told = async || front.log().contains(reason).then_some(());
    wait::until("the reason is logged", wait::BOUND, told).await;
}

#[tokio::test]
async fn a_server_that_is_not_the_one_behind_is_asked_nothing() {
    let behind = Setup::sample("hybrid-upstream.yml").start().await;
    let other_name = before(&behind).replace("server-name: localhost", "server-name: elsewhere.example");
    registration(&other_name.start().await, 1500, "hostname mismatch").await;
    // No certificate is signed by a client's.
    let other_authority = before(&behind).replace("ca: certs/ca.pem", "ca: certs/client.pem");
    registration(&other_authority.start().await, 1500, "certificate verify failed").await;
}

#[tokio::test]
async fn a_gateway_that_is_not_the_configured_one_is_told_nothing() {
    let known = ("client-certificate: certs/client.pem", "client-certificate: certs/server.pem");
    let behind = Setup::sample("hybrid-upstream.yml").replace(known.0, known.1).start().await;
    registration(&before(&behind).start().await, 1500, "HTTP status 401").await;
}

#[tokio::test]
async fn a_phone_approves_a_login_through_two_gateways() {
    let (front, behind) = both().await;
    let shop = front.public();
    let mut phone = Phone::enrolled(&front, "jeff").await;

    let operation = dispatched(&shop, "authentication", &by_link_to("jeff", phone.target())).await;
    let opened = phone.encryption.open(payload(&operation.response)["nma_data"].as_str().unwrap());
    let handed_out = redeem(&shop, "authentication", opened["token"].as_str().unwrap()).await.uaf_code(1200);
    redeem(&shop, "authentication", opened["token"].as_str().unwrap()).await.uaf_code(1403);
    phone.authenticate(&handed_out).await.uaf_code(1200);
    let done = status(&shop, &operation.session_id).await;
    assert_eq!((&done["status"], &done["userId"]), (&json!("succeeded"), &json!(phone.ext_id())));

    let operation = dispatched(&shop, "authentication", &by_link_to("jeff", phone.target())).await;
    let opened = phone.encryption.open(payload(&operation.response)["nma_data"].as_str().unwrap());
    let handed_out = redeem(&shop, "authentication", opened["token"].as_str().unwrap()).await.uaf_code(1200);
    phone.deny(&handed_out, &json!({"asmStatusCode": 3})).await.uaf_code(1498);
    assert_eq!(status(&shop, &operation.session_id).await["status"], "failed");

    phone.login_uaf().await;
    phone.deregister().await;
    let users = behind.command(&["user", "list"], "");
    let users = String::from_utf8(users.stdout).unwrap();
    assert!(users.lines().count() == 1 && users.contains("jeff"), "made at the first registration: {users}");
    let told = async || behind.log().contains(r#""event":"provision""#).then_some(());
    wait::until("the making is logged", wait::BOUND, told).await;
}

#[tokio::test]
async fn the_demo_of_the_command_line_succeeds_through_two_gateways() {
    let (front, _behind) = both().await;
    let ca = front.certificates().join("ca.pem").display().to_string();
    let shop = front.public();
    let arguments = ["--gateway", shop.base(), "--ca", &ca, "--user", "jeff", "--password-stdin"];
    let output = front.command(&[&["device", "demo"][..], &arguments].concat(), front.password("jeff"));
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn the_server_behind_talks_to_nobody_else() {
    let behind = Setup::sample("hybrid-upstream.yml").start().await;
    let stranger = behind.internal_tls();
    let body = json!({"context": json!({"username": "jeff"}).to_string()});
    let refused = stranger.post("/nevisfido/uaf/1.1/request/registration").uaf(&body).try_send().await;
    assert!(refused.is_err(), "no connection without a certificate");
    let health: Value = behind.management().get("/nevisfido/health").send().await.json();
    assert_eq!(health["status"], "UP");
}
