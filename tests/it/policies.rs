//! Policies that a request names (`uaf.md` A3), and what they show of who is there.

use serde_json::{Value, json};
use sidegate_uaf::{Algorithm, KeyFormat};

use crate::support::gateway::{Gateway, Setup};
use crate::support::phone::Phone;

const AAID: &str = "5347#0001";

/// A gateway with the policy `default`, which takes every model, and this one.
async fn gateway(folder: &tempfile::TempDir, name: &str, policy: &Value) -> Gateway {
    let any = r#"{"accepted":[[{"authenticationAlgorithms":[1, 2],"assertionSchemes":["UAFV1TLV"]}]]}"#;
    std::fs::write(folder.path().join("default.json"), any).unwrap();
    std::fs::write(folder.path().join(name).with_extension("json"), policy.to_string()).unwrap();
    let settings = format!("  decoy-models: [{AAID}]\n  policies: '{}'\n", folder.path().display());
    Setup::default().user("jeff").under("fido-uaf", settings).start().await
}

async fn asked(gateway: &Gateway, user: &str, policy: &str) -> Value {
    let request = json!({"context": json!({"username": user, "policy": policy}).to_string()});
    gateway.public().uaf("/nevisfido/uaf/1.1/request/authentication", &request).await.json()
}

#[tokio::test]
async fn the_version_that_a_policy_wants_is_that_of_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let version = |lowest: u16| json!({"aaid": [AAID], "authenticatorVersion": lowest});
    let policy = json!({"accepted": [[version(3)]], "disallowed": [version(5)]});
    let gateway = gateway(&folder, "newest", &policy).await;
    // Registered at version 1.
    let phone = Phone::enrolled(&gateway, "jeff").await;
    for (version, code) in [(1, 1492), (2, 1492), (5, 1492), (3, 1200), (1, 1492), (4, 1200)] {
        let handed_out = asked(&gateway, "jeff", "newest").await;
        assert_eq!(handed_out["statusCode"], 1200, "{handed_out}");
        let answer = phone.assertion_of_version(&handed_out, version, 100 + u32::from(version));
        let answer = phone.post_authentication(&answer).await.json();
        assert_eq!(answer["statusCode"], code, "version {version}: {answer}");
    }
}

#[tokio::test]
async fn whatever_a_policy_wants_nobody_shows() {
    let of = |algorithm: u16| json!({"authenticationAlgorithms": [algorithm], "assertionSchemes": ["UAFV1TLV"]});
    let version = json!({"aaid": [AAID], "authenticatorVersion": 9});
    for policy in [json!({"accepted": [[of(2)]]}), json!({"accepted": [[of(2)]], "disallowed": [version]})] {
        let folder = tempfile::tempdir().unwrap();
        let gateway = gateway(&folder, "other", &policy).await;
        Phone::enrolled_with(&gateway, "jeff", Algorithm::P256Der, KeyFormat::EcRaw).await;
        for user in ["jeff", "dora"] {
            let handed_out = asked(&gateway, user, "other").await;
            assert_eq!(handed_out["statusCode"], 1200, "{user}: {handed_out}");
            let messages: Value = serde_json::from_str(handed_out["uafRequest"].as_str().unwrap()).unwrap();
            let asked_for = &messages[0]["policy"]["accepted"];
            assert_eq!(asked_for[0][0]["aaid"], json!([AAID]), "{user}: {messages}");
            assert_eq!(asked_for[0][0]["keyIDs"].as_array().unwrap().len(), 1, "{user}: {messages}");
            assert_eq!(messages[0]["policy"]["disallowed"], policy["disallowed"], "{user}: {messages}");
        }
    }
}
