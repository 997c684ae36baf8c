//! Many at once before a slow upstream: one network has its share of the questions that may be open there.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::Semaphore;

use super::redeem::asked_again;
use super::{registered, setup, token};
use crate::flood::{LIMIT, flood};
use crate::support::oob::redeem;
use crate::support::scripted_upstream::{Act, ScriptedUpstream};

const AUTH: &str = "authentication";

#[tokio::test]
async fn a_network_with_its_share_of_open_questions_takes_nobody_elses() {
    let upstream = ScriptedUpstream::start().await;
    // Of 256 questions two are one percent.
    let setup = setup(&upstream, "read-timeout: 60s", "lease: 62s").append("limits: {connections-share: 1%}\n");
    let gateway = setup.start().await;
    let (here, elsewhere) = (gateway.public(), gateway.public().elsewhere());
    let phone = registered(&gateway, "jeff").await;
    let handed_out = redeem(&here, AUTH, &token(&gateway).await.token).await.uaf_code(1200);
    let answer = json!({"uafResponse": phone.clone_authenticator().answer(&handed_out)});
    let (first, second, third) = (token(&gateway).await, token(&gateway).await, token(&gateway).await);
    let (before, gate) = (upstream.asked().len(), Arc::new(Semaphore::new(0)));
    for _ in 0..2 {
        upstream.then(Act::Hold(gate.clone()));
    }
    let others = async {
        asked_again(&upstream, before + 1).await;
        redeem(&here, AUTH, &third.token).await.uaf_code(1500);
        here.uaf("/nevisfido/uaf/1.1/authentication", &answer).await.uaf_code(1500);
        assert_eq!(upstream.asked().len(), before + 2, "neither was asked there");
        elsewhere.uaf("/nevisfido/uaf/1.1/authentication", &answer).await.uaf_code(1200);
        gate.add_permits(2);
    };
    let (first, second, ()) =
        tokio::join!(redeem(&here, AUTH, &first.token), redeem(&here, AUTH, &second.token), others);
    first.uaf_code(1200);
    second.uaf_code(1200);
    redeem(&here, AUTH, &third.token).await.uaf_code(1200);
    let counted = r#"sidegate_uaf_upstream_failures_total{kind="share",upstream="uaf"} 2"#;
    let metrics = gateway.management().get("/metrics").send().await.text();
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test]
async fn in_a_full_share_a_token_has_room_for_what_its_redeem_keeps_besides() {
    let upstream = ScriptedUpstream::start().await;
    // Its requests tell of them, and only they.
    upstream.revoke((0..400).map(|number| format!("D1D1#{number:04X}")).collect());
    let gateway = setup(&upstream, "read-timeout: 60s", "lease: 62s, token: 10m").append(LIMIT).start().await;
    let _phone = registered(&gateway, "jeff").await;
    let acknowledged = flood(&gateway).await;
    assert!(acknowledged.len() > 5, "{}", acknowledged.len());
    for operation in &acknowledged {
        redeem(&gateway.public(), AUTH, &operation.token).await.uaf_code(1200);
    }
}
