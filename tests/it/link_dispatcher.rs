//! The documented examples of the link dispatcher, with a real target and user.

use serde_json::{Value, json};

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::Answer;
use crate::support::jose::base64url;
use crate::support::oob::{by_link, dispatch, payload};
use crate::support::phone::Phone;

/// The documented configuration, its indentation restored.
fn documented(base_url: &str) -> Setup {
    Setup::default()
        .replace("base-url: sidegate://x-callback-url/authenticate", format!("base-url: {base_url}"))
        .replace(
            "${public-url}/nevisfido/token/redeem/registration",
            "https://siven.ch/nevisfido/token/redeem/registration",
        )
        .replace(
            "${public-url}/nevisfido/token/redeem/authentication",
            "https://siven.ch/nevisfido/token/redeem/authentication",
        )
        .replace(
            "${public-url}/nevisfido/token/redeem/deregistration",
            "https://siven.ch/nevisfido/token/redeem/deregistration",
        )
        .user("jeff")
}

const HTTPS: &str = "https://siven.ch";
const CUSTOM: &str = "nevisaccessapp://x-callback-url/authenticate?x-success=https://success.siven.ch&x-error=https://error.siven.ch&x-cancel=https://cancel.siven.ch";

fn without_encryption() -> Value {
    json!({
        "dispatcher": "link",
        "dispatchInformation": {"data": {"attributeName": "some additional data to be included in the link contents"}},
        "getUafRequest": {"context": "{\"username\":\"jeff\"}", "op": "Reg"}
    })
}

fn with_encryption(target: &str) -> Value {
    json!({
        "dispatchTargetId": target,
        "dispatcher": "link",
        "dispatchInformation": {"data": {"attributeName": "some additional data to be included in the link contents"}},
        "getUafRequest": {"context": "{\"username\":\"jeff\"}", "op": "Auth"}
    })
}

/// Token and link of an answer of the documented shape.
fn documented_shape(answer: Answer) -> (String, String) {
    let answer = answer.expect(200);
    assert_eq!(answer.media_type(), "application/json");
    let body = answer.json();
    let mut members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["dispatchResult", "dispatcherInformation", "sessionId", "token"]);
    assert_eq!(body["dispatchResult"], "dispatched");
    for id in ["token", "sessionId"] {
        assert_eq!(body[id].as_str().unwrap().parse::<uuid::Uuid>().unwrap().get_version_num(), 4);
    }
    let information = body["dispatcherInformation"].as_object().unwrap();
    assert_eq!((information.len(), &information["name"]), (2, &json!("link")));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&body["token"]), text(&information["response"]))
}

#[tokio::test]
async fn the_example_without_encryption() {
    let gateway = documented(HTTPS).start().await;
    let mut phone = Phone::new(&gateway, "jeff");
    phone.login_password().await;
    let answer = dispatch(&phone.client(), "registration", &without_encryption()).await;
    let (token, link) = documented_shape(answer);
    let text = link.strip_prefix("https://siven.ch?dispatchTokenResponse=").unwrap();
    assert!(!text.contains(['=', '&', '?', '#', '+', '/']), "{text}");
    assert_eq!(
        payload(&link),
        json!({
            "nma_data": {
                "token": token,
                "redeem_url": "https://siven.ch/nevisfido/token/redeem/registration",
                "attributeName": "some additional data to be included in the link contents"
            },
            "nma_data_content_type": "application/json",
            "nma_data_version": "1"
        })
    );
}

#[tokio::test]
async fn the_example_with_encryption() {
    let gateway = documented(HTTPS).start().await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let answer = dispatch(&gateway.public(), "authentication", &with_encryption(phone.target())).await;
    let (token, link) = documented_shape(answer);
    assert!(link.starts_with("https://siven.ch?dispatchTokenResponse="));
    let sealed = payload(&link);
    assert_eq!(
        (&sealed["nma_data_content_type"], &sealed["nma_data_version"]),
        (&json!("application/jose"), &json!("1"))
    );
    assert_eq!(sealed.as_object().unwrap().len(), 3);
    assert_eq!(
        phone.encryption.open(sealed["nma_data"].as_str().unwrap()),
        json!({
            "token": token,
            "redeem_url": "https://siven.ch/nevisfido/token/redeem/authentication",
            "attributeName": "some additional data to be included in the link contents"
        })
    );
}

#[tokio::test]
async fn a_base_url_with_a_query_is_continued() {
    let gateway = documented(CUSTOM).start().await;
    let mut phone = Phone::new(&gateway, "jeff");
    phone.login_password().await;
    let (token, link) = documented_shape(dispatch(&phone.client(), "registration", &without_encryption()).await);
    assert!(link.starts_with(&format!("{CUSTOM}&dispatchTokenResponse=")));
    assert_eq!(link.matches('?').count(), 1);
    assert_eq!(payload(&link)["nma_data"]["token"], token);
}

#[tokio::test]
async fn what_is_not_dispatched_leaves_nothing_behind() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let client = gateway.public();
    let mut unknown = by_link("jeff");
    unknown["dispatcher"] = json!("png-qr-code");
    let mut nowhere = by_link("jeff");
    nowhere["dispatchTargetId"] = json!("0ea3abe9-c26c-4401-b5d5-2c1f4a4fd2eb");
    for (body, result) in [(unknown, "dispatcherNotFound"), (nowhere, "dispatchTargetNotFound")] {
        let answer = dispatch(&client, "authentication", &body).await.expect(200).json();
        assert_eq!(answer["dispatchResult"], result);
        assert!(answer.get("token").is_none() && answer.get("sessionId").is_none(), "{answer}");
    }
    let by_default = json!({"dispatchTargetId": phone.target(), "getUafRequest": {"context": "{}"}});
    documented_shape(dispatch(&client, "authentication", &by_default).await);
}

#[tokio::test]
async fn a_malformed_request_is_400() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let _phone = Phone::enrolled(&gateway, "jeff").await;
    let client = gateway.public();
    let with = |member: &str, value: Value| {
        let mut body = by_link("jeff");
        body[member] = value;
        body
    };
    let context = |context: Value| with("getUafRequest", json!({"context": context}));
    let data = |data: Value| with("dispatchInformation", json!({"data": data}));
    for bad in [
        json!({"dispatcher": "link"}),
        json!({"getUafRequest": {"context": "{}"}}),
        with("dispatcher", json!(1)),
        with("dispatchTargetId", json!({})),
        with("dispatchInformation", json!("text")),
        with("getUafRequest", json!([])),
        with("getUafRequest", json!({"op": "Reg", "context": "{}"})),
        with("getUafRequest", json!({"op": "auth", "context": "{}"})),
        context(json!({"username": "jeff"})),
        context(json!("no json")),
        context(json!("{\"username\":7}")),
        context(json!("{\"username\":\"jeff\",\"policy\":\"no-such-policy\"}")),
        context(json!(
            json!({"username": "jeff", "transaction": [{"contentType": "text/html", "content": base64url("x")}]})
                .to_string()
        )),
        context(json!(
            json!({"username": "jeff", "transaction": [{"contentType": "text/plain", "content": "not base64url!"}]})
                .to_string()
        )),
        context(json!(json!({"username": "jeff", "padding": "x".repeat(9 * 1024)}).to_string())),
        data(json!({"token": "mine"})),
        data(json!({"redeem_url": "https://evil.example"})),
        data(json!("text")),
        data(json!({"x": "x".repeat(1024)})),
    ] {
        dispatch(&client, "authentication", &bad).await.problem(400);
    }
    documented_shape(dispatch(&client, "authentication", &data(json!({"x": "x".repeat(1000)}))).await);
    documented_shape(dispatch(&client, "authentication", &with("unknown", json!(1))).await);
}

#[tokio::test]
async fn a_targets_keys_are_checked_when_it_is_made() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let (signing, encryption) = (phone.signing.public(), phone.encryption.public());
    let create = async |signing: &Value, encryption: &Value| {
        let body = json!({"name": uuid::Uuid::new_v4(), "dispatcher": "link", "signatureKey": signing, "encryptionKey": encryption});
        phone.client().json("/nevisfido/token/dispatch/targets", &body).await
    };
    create(&signing, &encryption).await.expect(201);
    create(&json!(signing.to_string()), &json!(encryption.to_string())).await.expect(201);
    let with = |member: &str, value: Value| {
        let mut key = signing.clone();
        key[member] = value;
        key
    };
    let weak = json!({"kty": "RSA", "n": base64url([0xc5; 128]), "e": "AQAB"});
    for (bad, status) in [
        (json!(7), 400),
        (json!(["no", "key"]), 400),
        (json!("no json"), 422),
        (json!({}), 422),
        (weak, 422),
        (with("crv", json!("secp256k1")), 422),
        (with("x", json!(base64url([1; 32]))), 422),
        (with("x", json!(base64url([1; 31]))), 422),
        (with("use", json!("enc")), 422),
        (with("key_ops", json!(["encrypt"])), 422),
        (with("alg", json!("HS256")), 422),
        (with("d", json!(base64url([1; 32]))), 422),
        (json!({"kty": "oct", "k": base64url([1; 32])}), 422),
    ] {
        let answer = create(&bad, &encryption).await;
        assert_eq!(answer.status, status, "{bad}: {}", answer.text());
        assert!(answer.problem(status).starts_with("signatureKey"), "{bad}");
    }
    create(&signing, &with("use", json!("sig"))).await.problem(422);
}

#[tokio::test]
async fn a_target_needs_a_free_name_and_a_configured_dispatcher() {
    let gateway = Gateway::standalone(&["jeff", "eve"]).await;
    let (jeff, eve) = (Phone::enrolled(&gateway, "jeff").await, Phone::enrolled(&gateway, "eve").await);
    let body = |name: &str, dispatcher: &str| {
        json!({"name": name, "dispatcher": dispatcher, "signatureKey": jeff.signing.public(),
            "encryptionKey": jeff.encryption.public()})
    };
    let path = "/nevisfido/token/dispatch/targets";
    jeff.client().json(path, &body("tablet", "link")).await.expect(201);
    jeff.client().json(path, &body("tablet", "link")).await.problem(422);
    eve.client().json(path, &body("tablet", "link")).await.expect(201);
    jeff.client().json(path, &body("watch", "png-qr-code")).await.problem(422);
    for missing in ["name", "dispatcher", "signatureKey", "encryptionKey"] {
        let mut incomplete = body("watch", "link");
        incomplete.as_object_mut().unwrap().remove(missing);
        assert!(jeff.client().json(path, &incomplete).await.problem(400).contains(missing));
    }
    let list = gateway.internal().get(&format!("{path}?username=jeff")).send().await.expect(200).json();
    let mut listed: Vec<_> = list["dispatchTargets"].as_array().unwrap().clone();
    assert!(listed.iter().all(|target| target.as_object().unwrap().len() == 3), "never keys or push addresses: {list}");
    listed.sort_by_key(|target| target["name"].to_string());
    let named: Vec<_> = listed.iter().map(|target| (&target["name"], &target["dispatcher"])).collect();
    assert_eq!(named, [(&json!("phone"), &json!("link")), (&json!("tablet"), &json!("link"))]);
}

/// What Android and iOS fetch from the host of a link, without a proof of who they are.
#[tokio::test]
async fn the_files_that_lead_links_to_an_app_are_there_for_everybody() {
    let print = ["AB"; 32].join(":");
    let app_links = format!(
        "  app-links:\n    android: [{{ package: ch.siven.access, fingerprints: ['{print}'] }}]\n    ios: [ABCDE12345.ch.siven.access]\n"
    );
    let base_url = "base-url: https://siven.ch/open";
    let gateway =
        documented("https://siven.ch/open").replace(base_url, format!("{base_url}\n{app_links}")).start().await;
    let target =
        json!({ "namespace": "android_app", "package_name": "ch.siven.access", "sha256_cert_fingerprints": [print] });
    let android = json!([{ "relation": ["delegate_permission/common.handle_all_urls"], "target": target }]);
    let components = json!([{ "/": "/open*", "?": { "dispatchTokenResponse": "?*" } }]);
    let ios =
        json!({ "applinks": { "details": [{ "appIDs": ["ABCDE12345.ch.siven.access"], "components": components }] } });
    let files = [
        ("/.well-known/assetlinks.json", android),
        ("/.well-known/apple-app-site-association", ios.clone()),
        ("/apple-app-site-association", ios),
    ];
    for client in [gateway.public(), gateway.internal_as_nobody()] {
        for (path, expected) in &files {
            let answer = client.get(path).send().await.expect(200);
            assert_eq!((answer.media_type(), &answer.json()), ("application/json", expected), "{path}");
            client.post(path).send().await.expect(405);
        }
    }
}
