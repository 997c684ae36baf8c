//! Which apps a UAF answer may come from, and what they are bound to (`gateway.md` 6.2).

use serde_json::{Value, json};

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::Answer;
use crate::support::logs::lines;
use crate::support::phone::Phone;
use crate::support::wait;

/// The facet of the phone in software.
const SOFTWARE: &str = "android:apk-key-hash:WrjZjrrv1cLr0tQPUUnzdJMW2JQ";
const ANDROID: &str = "android:apk-key-hash:7Q3a2u0xXyq5mJw1o7o0S6k9q3E";
const IOS: &str = "ios:bundle-id:com.example.bank";

/// The answer to a registration of a new key by an app with this facet.
async fn registered_from(gateway: &Gateway, phone: &Phone, facet: &str) -> Answer {
    let request = json!({"context": json!({"username": "jeff"}).to_string()});
    let handed_out = phone.client().uaf("/nevisfido/uaf/1.1/request/registration", &request).await.uaf_code(1200);
    let body = json!({"uafResponse": phone.registration_from(&handed_out, facet)});
    gateway.public().uaf("/nevisfido/uaf/1.1/registration", &body).await
}

async fn published(gateway: &Gateway) -> Vec<Value> {
    let document = gateway.public().get("/nevisfido/uaf/1.1/facets").send().await.expect(200).json();
    document["trustedFacets"].as_array().unwrap().iter().map(|entry| entry["ids"].clone()).collect()
}

/// What was logged as a warning with the facet as its value, whole.
fn told(gateway: &Gateway, facet: &str) -> bool {
    lines(gateway).iter().any(|line| {
        line["level"] == "WARN"
            && line["facet"] == facet
            && line["message"].as_str().unwrap().contains("fido-uaf.facets")
    })
}

fn is_warned(gateway: &Gateway) -> bool {
    let text = "wildcards-for-testing";
    lines(gateway).iter().any(|line| line["level"] == "WARN" && line["message"].as_str().unwrap().contains(text))
}

#[tokio::test]
async fn one_that_is_not_listed_is_refused_and_logged_ready_to_paste() {
    let mut gateway = Setup::default().user("jeff").append("").start().await;
    let mut phone = Phone::new(&gateway, "jeff");
    phone.login_password().await;
    for facet in [ANDROID, IOS, "https://other.example"] {
        assert_ne!(registered_from(&gateway, &phone, facet).await.expect(200).json()["statusCode"], 1200);
        wait::until("it is told", wait::BOUND, async || told(&gateway, facet).then_some(())).await;
    }
    registered_from(&gateway, &phone, SOFTWARE).await.uaf_code(1200);
    assert!(!told(&gateway, SOFTWARE) && !is_warned(&gateway));

    // Pasted as it was logged.
    gateway.reconfigure("  facets:\n", &format!("  facets:\n    - {ANDROID}\n"));
    gateway.stop();
    gateway.restart().await;
    phone.login_password().await;
    registered_from(&gateway, &phone, ANDROID).await.uaf_code(1200);
    assert!(published(&gateway).await[0].as_array().unwrap().contains(&json!(ANDROID)));
}

#[tokio::test]
async fn for_testing_every_app_is_taken_loudly_and_none_of_them_published() {
    let setup = Setup::default().replace("wildcards-for-testing: false", "wildcards-for-testing: true");
    let gateway = setup.user("jeff").start().await;
    assert!(is_warned(&gateway), "{}", gateway.log());
    let mut phone = Phone::new(&gateway, "jeff");
    phone.login_password().await;
    for facet in [ANDROID, IOS] {
        registered_from(&gateway, &phone, facet).await.uaf_code(1200);
    }
    for facet in ["https://other.example", "ios:bundle-id:", "android:apk-key-hash-sha256:abc", "*"] {
        assert_ne!(registered_from(&gateway, &phone, facet).await.expect(200).json()["statusCode"], 1200, "{facet}");
    }
    let own = json!([SOFTWARE, gateway.public().base()]);
    assert_eq!(published(&gateway).await, [own.clone(), own], "one for each version, with no other app");
}

#[tokio::test]
async fn another_app_id_stops_the_start_while_keys_are_bound_to_the_one_before() {
    let mut gateway = Setup::default().user("jeff").append("").start().await;
    let mut phone = Phone::enrolled(&gateway, "jeff").await;
    let kept = std::fs::read_to_string(gateway.data().join("app-id")).unwrap();
    gateway.stop();
    let other = "\nfido-uaf:\n  app-id: https://other.example/facets\n";
    gateway.reconfigure("\nfido-uaf:\n", other);
    gateway.launch();
    assert_eq!(gateway.ended(), Some(1), "{}", gateway.log());
    let expected = [
        "fido-uaf.app-id is \"https://other.example/facets\"".to_owned(),
        format!("credentials were registered for {kept:?}"),
        "write that one, or remove the credentials".to_owned(),
    ];
    let is_told =
        |line: &Value| expected.iter().all(|part| line["error"].as_str().is_some_and(|why| why.contains(part)));
    assert!(lines(&gateway).iter().any(|line| line["level"] == "ERROR" && is_told(line)), "{}", gateway.log());
    assert_eq!(std::fs::read_to_string(gateway.data().join("app-id")).unwrap(), kept);

    gateway.reconfigure(other, &format!("\nfido-uaf:\n  app-id: {kept}\n"));
    gateway.restart().await;
    phone.login_password().await;
    phone.login_uaf().await;
}
