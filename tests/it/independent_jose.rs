//! Somebody else's JOSE reads our links, and we read its signatures.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::gateway::Gateway;
use crate::support::http::Client;
use crate::support::independent_jose::{decrypt, keygen, sign};
use crate::support::oob::{by_link_to, dispatched, payload, redeem};
use crate::support::phone::Phone;

async fn target(phone: &Phone, signature: &Value, encryption: &Value) -> String {
    let body = json!({"name": uuid::Uuid::new_v4(), "dispatcher": "link", "signatureKey": signature,
        "encryptionKey": encryption});
    let answer = phone.client().json("/nevisfido/token/dispatch/targets", &body).await.expect(201).json();
    answer["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn it_decrypts_the_links_of_every_type_of_key() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    for (kty, size, alg) in [
        ("RSA", json!(2048), "RSA-OAEP-256"),
        ("RSA", json!(3072), "RSA-OAEP-256"),
        ("EC", json!("P-256"), "ECDH-ES+A256KW"),
        ("EC", json!("P-384"), "ECDH-ES+A256KW"),
        ("EC", json!("P-521"), "ECDH-ES+A256KW"),
        ("OKP", json!("X25519"), "ECDH-ES+A256KW"),
    ] {
        let mut key = keygen(kty, &size);
        gateway.secrets().add("private key", key["private"]["d"].as_str().unwrap());
        key["public"]["kid"] = json!(format!("the {size} key"));
        let target = target(&phone, &phone.signing.public(), &key["public"]).await;
        let operation = dispatched(&gateway.public(), "authentication", &by_link_to("jeff", &target)).await;
        let sealed = payload(&operation.response);
        assert_eq!(sealed["nma_data_content_type"], "application/jose");
        let (header, opened) = decrypt(&key["private"], sealed["nma_data"].as_str().unwrap());
        assert_eq!((&header["alg"], &header["enc"]), (&json!(alg), &json!("A256GCM")), "{size}");
        assert_eq!(header["kid"], key["public"]["kid"]);
        assert!(header.get("zip").is_none());
        assert_eq!(opened["token"], operation.token);
        redeem(&gateway.public(), "authentication", &operation.token).await.uaf_code(1200);
    }
}

#[tokio::test]
async fn a_key_that_names_its_algorithm_gets_it() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    for (kty, size, alg) in
        [("RSA", json!(2048), "RSA-OAEP"), ("EC", json!("P-256"), "ECDH-ES"), ("EC", json!("P-256"), "ECDH-ES+A128KW")]
    {
        let mut key = keygen(kty, &size);
        gateway.secrets().add("private key", key["private"]["d"].as_str().unwrap());
        key["public"]["alg"] = json!(alg);
        let target = target(&phone, &phone.signing.public(), &key["public"]).await;
        let operation = dispatched(&gateway.public(), "authentication", &by_link_to("jeff", &target)).await;
        let (header, opened) = decrypt(&key["private"], payload(&operation.response)["nma_data"].as_str().unwrap());
        assert_eq!(header["alg"], alg);
        assert_eq!(opened["token"], operation.token);
    }
}

#[tokio::test]
async fn its_signed_changes_are_accepted() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    for (kty, size, algorithms) in [
        ("RSA", json!(2048), &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"][..]),
        ("EC", json!("P-256"), &["ES256"]),
        ("EC", json!("P-384"), &["ES384"]),
        ("EC", json!("P-521"), &["ES512"]),
        ("OKP", json!("Ed25519"), &["EdDSA", "Ed25519"]),
    ] {
        let key = keygen(kty, &size);
        gateway.secrets().add("private key", key["private"]["d"].as_str().unwrap());
        let target = target(&phone, &key["public"], &phone.encryption.public()).await;
        for alg in algorithms {
            patch(&gateway.public(), &target, &key["private"], alg).await;
        }
    }
}

async fn patch(client: &Client, target: &str, key: &Value, alg: &str) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let name = format!("{target} by {alg}");
    let claims = json!({"requestId": uuid::Uuid::new_v4(), "creationTimeInEpochMillis": u64::try_from(now).unwrap(),
        "name": name});
    let jws = sign(key, &json!({"alg": alg}), &claims.to_string());
    let path = format!("/nevisfido/token/dispatch/targets/{target}");
    let answer = client.call(http::Method::PATCH, &path).jose(&jws).send().await;
    assert_eq!(answer.status, 204, "{alg}: {}", answer.text());
}
