//! What the gateway tells about itself (`gateway.md` 6.4): log lines, audit lines, metrics, health.

mod refusals;

use serde_json::{Value, json};

use crate::support::gateway::Gateway;
use crate::support::issuer::now;
use crate::support::logs::{access_line, lines};
use crate::support::oob::{by_link, by_link_to, dispatched, redeem};
use crate::support::phone::Phone;
use crate::support::wait;

#[tokio::test]
async fn each_request_has_one_line_with_its_id() {
    let gateway = Gateway::standalone(&[]).await;
    for (client, protocol) in [(gateway.public(), "http/1.1"), (gateway.public_http2(), "http/2")] {
        let good = client.json("/nevisfido/status", &json!({"sessionId": "x"})).await.expect(200);
        let line = access_line(&gateway, &good).await;
        assert_eq!((&line["status"], &line["method"], &line["route"]), (&json!(200), &json!("POST"), &json!("status")));
        assert_eq!((&line["listener"], &line["client"]), (&json!("public"), &json!("127.0.0.1")));
        assert_eq!(line["protocol"], protocol);
        let refused = client.get("/nowhere").send().await;
        assert_eq!(access_line(&gateway, &refused).await["status"], 404);
    }
}

#[tokio::test]
async fn security_events_leave_audit_lines() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let client = gateway.public();
    client.post("/auth/pwd").form(&[("isiwebuserid", "jeff"), ("isiwebpasswd", "wrong one")]).send().await.problem(401);
    let operation = dispatched(&client, "authentication", &by_link_to("jeff", phone.target())).await;
    let handed_out = redeem(&client, "authentication", &operation.token).await.uaf_code(1200);
    phone.authenticate(&handed_out).await.uaf_code(1200);
    phone.client().post("/auth/logout").send().await;
    dispatched(&gateway.internal(), "registration", &by_link("jeff")).await;
    let rename = json!({"requestId": uuid::Uuid::new_v4(), "creationTimeInEpochMillis": now() * 1000, "name": "new"});
    let path = format!("/nevisfido/token/dispatch/targets/{}", phone.target());
    client.call(http::Method::PATCH, &path).jose(&phone.signing.sign(&rename)).send().await.expect(204);
    for event in [
        "login",
        "login-failed",
        "step-up",
        "dispatch",
        "redeem",
        "answer",
        "credential",
        "target",
        "logout",
        "act-for",
        "jws-bypass",
    ] {
        wait::until(event, wait::BOUND, async || {
            lines(&gateway).into_iter().find(|line| line["target"] == "audit" && line["event"] == event)
        })
        .await;
        let counted = format!("sidegate_events_total{{event=\"{event}\"}} ");
        wait::until(&counted, wait::BOUND, async || {
            let metrics = gateway.management().get("/metrics").send().await.expect(200).text();
            let count = metrics.lines().find_map(|line| line.strip_prefix(&counted)?.parse::<u64>().ok());
            count.filter(|count| *count > 0)
        })
        .await;
    }
    let failed = lines(&gateway).into_iter().find(|line| line["event"] == "login-failed").unwrap();
    assert_eq!((&failed["user"], &failed["address"]), (&json!(phone.ext_id()), &json!("127.0.0.1")));
    for event in ["dispatch", "redeem"] {
        let line = lines(&gateway).into_iter().find(|line| line["event"] == event && !line["target_id"].is_null());
        let line = line.expect(event);
        assert_eq!((&line["user"], &line["target_id"]), (&json!(phone.ext_id()), &json!(phone.target())), "{event}");
    }
}

/// The audit line of a redeem with this code.
async fn redeemed(gateway: &Gateway, code: u16) -> Value {
    wait::until("the audit line", wait::BOUND, async || {
        lines(gateway).into_iter().find(|line| line["event"] == "redeem" && line["code"] == code)
    })
    .await
}

#[tokio::test]
async fn a_redeem_that_fails_names_the_user_of_a_token_that_was_found_and_nobody_who_is_not_there() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let client = gateway.public();
    let operation = dispatched(&client, "authentication", &by_link_to("jeff", phone.target())).await;
    redeem(&client, "authentication", &operation.token).await.uaf_code(1200);
    redeem(&client, "authentication", &operation.token).await.uaf_code(1403);
    let again = redeemed(&gateway, 1403).await;
    assert_eq!((&again["user"], &again["target_id"]), (&json!(phone.ext_id()), &json!(phone.target())));
    redeem(&client, "authentication", &"A".repeat(operation.token.len())).await.uaf_code(1404);
    let unknown = redeemed(&gateway, 1404).await;
    assert!(unknown["user"].is_null() && unknown["target_id"].is_null(), "{unknown}");
    let seen = lines(&gateway).len();
    let operation = dispatched(&client, "authentication", &by_link("dora")).await;
    redeem(&client, "authentication", &operation.token).await.uaf_code(1200);
    let ghost = wait::until("the audit line", wait::BOUND, async || {
        lines(&gateway).into_iter().skip(seen).find(|line| line["event"] == "redeem" && line["code"] == 1200)
    })
    .await;
    assert!(ghost["user"].is_null() && ghost["target_id"].is_null(), "{ghost}");
}

#[tokio::test]
async fn counters_that_are_foretold_are_there_with_zero_from_the_start() {
    let gateway = Gateway::standalone(&[]).await;
    let metrics = gateway.management().get("/metrics").send().await.expect(200).text();
    for foretold in [
        r#"sidegate_connections_refused_total{listener="public",reason="share"} 0"#,
        r#"sidegate_requests_refused_total{listener="internal",reason="full"} 0"#,
        r#"sidegate_forwards_refused_total{listener="public",reason="full"} 0"#,
        r#"sidegate_requests_cut_total{by="upstream",listener="public",route="status"} 0"#,
        r#"sidegate_requests_cut_total{by="client",listener="internal",route="-"} 0"#,
        r#"sidegate_events_total{event="login-failed"} 0"#,
        r#"sidegate_events_total{event="internal-caller-refused"} 0"#,
    ] {
        assert!(metrics.lines().any(|line| line == foretold), "{foretold}: {metrics}");
    }
    assert!(!metrics.contains("sidegate_uaf_upstream_failures_total{"), "there is none behind: {metrics}");
    assert!(metrics.lines().count() < 700, "{}", metrics.lines().count());
}

#[tokio::test]
async fn requests_are_counted() {
    let gateway = Gateway::standalone(&[]).await;
    for _ in 0..3 {
        gateway.public().json("/nevisfido/status", &json!({"sessionId": "x"})).await.expect(200);
    }
    let counted = "sidegate_requests_total{listener=\"public\",method=\"POST\",route=\"status\",status=\"2xx\"} 3";
    // A request is counted once its answer has left: the client may have it a moment sooner.
    wait::until(counted, wait::BOUND, async || {
        let answer = gateway.management().get("/metrics").send().await.expect(200);
        assert!(answer.media_type().starts_with("text/plain"), "{}", answer.media_type());
        answer.text().contains(counted).then_some(())
    })
    .await;
}

#[tokio::test]
async fn health_and_liveness_are_told_on_the_management_listener() {
    let gateway = Gateway::standalone(&[]).await;
    for path in ["/nevisfido/liveness", "/nevisfido/health"] {
        let answer = gateway.management().get(path).send().await.expect(200);
        assert_eq!((answer.media_type(), answer.json()), ("application/json", json!({"status": "UP"})));
    }
}

#[tokio::test]
async fn what_a_client_sends_does_not_forge_log_lines() {
    let gateway = Gateway::standalone(&[]).await;
    let forged = "{\"target\":\"audit\",\"event\":\"forged\"}";
    let name = format!("x\n{forged}\r\n{forged}");
    let client = gateway.public();
    client.post("/auth/pwd").form(&[("isiwebuserid", &name), ("isiwebpasswd", "wrong one")]).send().await.problem(401);
    client.get("/nowhere?%0a%7b%22event%22:%22forged%22%7d").send().await;
    let own_id = client.get("/nowhere").header("x-request-id", "chosen-by-the-client").send().await;
    assert_ne!(own_id.header("x-request-id"), Some("chosen-by-the-client"));
    access_line(&gateway, &own_id).await;
    assert!(lines(&gateway).iter().all(|line| line["event"] != "forged"));
}

#[tokio::test]
async fn everything_that_serve_writes_is_a_line_of_json() {
    let mut gateway = Gateway::standalone(&[]).await;
    gateway.stop();
    let log = gateway.log();
    for line in log.lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok_and(|line| line.is_object()), "{line}");
    }
    let bearer =
        format!("internal-callers.internal: its bearer is in {}", gateway.data().join("internal.token").display());
    for told in
        ["Set up for trying out", "demo.password", r#""class":"public""#, r#""target":"sidegate::cli::start""#, &bearer]
    {
        assert!(log.contains(told), "{told}: {log}");
    }
    let refused = gateway.command(&["serve", "--config", "no-such-file.yml"], "");
    assert_eq!(refused.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&refused.stderr).unwrap();
    assert!(told["level"] == "ERROR" && told["error"].as_str().unwrap().contains("no-such-file.yml"), "{told}");
    let refused = gateway.command(&["serve", "--listen", "0.0.0.0:18080", "--internal", "0.0.0.0:18081"], "");
    let told = String::from_utf8(refused.stderr).unwrap();
    let told: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [listen, internal] = &told[..] else { panic!("a line for each fault: {told:#?}") };
    let names = |line: &Value, flag: &str| line["error"].as_str().unwrap().starts_with(flag);
    assert!(names(listen, "--listen: ") && names(internal, "--internal: "), "{told:#?}");
}
