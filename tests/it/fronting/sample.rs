//! The sample as it is, with TLS on both sides, before a Sidegate that stands for the server.

use serde_json::json;

use crate::support::gateway::Setup;
use crate::support::oob::{by_link, dispatch, dispatched, redeem, status};
use crate::support::phone::Phone;

#[tokio::test]
async fn it_stands_before_a_server_over_tls() {
    let behind = Setup::default().tls().user("jeff").start().await;
    let phone = Phone::enrolled(&behind, "jeff").await;
    let setup = Setup::sample("fronting.yml").certificates_of(&behind).user("jeff");
    let front = setup.replace("127.0.0.1:9443", behind.tls_address().to_string()).start().await;
    let shop = front.public();

    let operation = dispatched(&shop, "authentication", &by_link("jeff")).await;
    let handed_out = redeem(&shop, "authentication", &operation.token).await.uaf_code(1200);
    phone.authenticate(&handed_out).await.uaf_code(1200);
    assert_eq!(status(&shop, &operation.session_id).await["status"], "succeeded");

    dispatch(&shop, "registration", &by_link("jeff")).await.problem(401);
    let mut here = Phone::new(&front, "jeff");
    here.login_password().await;
    let naming_eve = json!({"context": json!({"username": "eve"}).to_string()});
    here.client().uaf("/nevisfido/uaf/1.1/request/registration", &naming_eve).await.problem(403);
    // The server behind takes no SecToken, so its own 401 comes back.
    let told = dispatch(&here.client(), "registration", &by_link("jeff")).await.expect(401);
    assert_ne!(told.json()["instance"].as_str(), told.header("x-request-id"), "{}", told.text());
}
