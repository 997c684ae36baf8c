//! Transactions with pictures, in both deployments: which rendering goes to whom, and what is refused before it does.

use serde_json::{Value, json};
use sidegate_uaf::assertion::AuthenticationAssertion;
use sidegate_uaf::authenticator::black_png;
use sidegate_uaf::encoding::{decode, encode};
use sidegate_uaf::wire::PngCharacteristics;

use super::endings::{Deployment, Running};
use crate::support::gateway::Gateway;
use crate::support::oob::{dispatch, dispatched, redeem, status};
use crate::support::phone::Phone;

const AUTH: &str = "authentication";
const USER: &str = "jeff";
const PAYMENT: &str = "Pay 42.00 CHF to Carol";

fn rendering(content_type: &str, content: &[u8]) -> Value {
    json!({"contentType": content_type, "content": encode(content)})
}

fn picture() -> Value {
    rendering("image/png", &black_png(320, 480).unwrap())
}

fn text() -> Value {
    rendering("text/plain", PAYMENT.as_bytes())
}

/// What the header of [`picture`] says.
fn kind() -> Value {
    json!({"width": 320, "height": 480, "bitDepth": 8, "colorType": 0, "compression": 0, "filter": 0, "interlace": 0})
}

fn context(renderings: &[Value]) -> String {
    json!({"username": USER, "transaction": renderings}).to_string()
}

fn by_link(renderings: &[Value]) -> Value {
    json!({"dispatcher": "link", "getUafRequest": {"context": context(renderings)}})
}

/// A phone of the user with a display for the picture, or for texts alone.
async fn phone(front: &Gateway, sees: bool) -> Phone {
    let kinds: Vec<PngCharacteristics> = if sees { vec![serde_json::from_value(kind()).unwrap()] } else { vec![] };
    Phone::enrolled_seeing(front, USER, kinds).await
}

/// The renderings that came to the phone, once it has confirmed the one whose content this is.
async fn confirmed(front: &Gateway, phone: &Phone, renderings: &[Value], content: &[u8]) -> Value {
    let operation = dispatched(&phone.client(), AUTH, &by_link(renderings)).await;
    let handed_out = redeem(&front.public(), AUTH, &operation.token).await.uaf_code(1200);
    let request: Value = serde_json::from_str(handed_out["uafRequest"].as_str().unwrap()).unwrap();
    let answer = phone.assertion(&handed_out);
    let response: Value = serde_json::from_str(&answer).unwrap();
    let assertion = decode(response[0]["assertions"][0]["assertion"].as_str().unwrap()).unwrap();
    let signed = AuthenticationAssertion::parse(&assertion).unwrap();
    assert_eq!(signed.transaction_hash, openssl::sha::sha256(content));
    phone.post_authentication(&answer).await.uaf_code(1200);
    let told = status(&front.public(), &operation.session_id).await;
    assert_eq!((&told["status"], &told["userId"]), (&json!("succeeded"), &json!(phone.ext_id())));
    request[0]["transaction"].clone()
}

/// Of a user who sees no pictures nobody hears that one was approved.
async fn a_blind_phone(front: &Gateway) {
    let mut phone = phone(front, false).await;
    let got = confirmed(front, &phone, &[picture(), text()], PAYMENT.as_bytes()).await;
    assert_eq!(got, json!([text()]), "the picture is left out");
    let named = json!({"context": context(&[picture()])});
    phone.client().uaf("/nevisfido/uaf/1.1/request/authentication", &named).await.uaf_code(1497);
    let operation = dispatched(&phone.client(), AUTH, &by_link(&[picture()])).await;
    redeem(&front.public(), AUTH, &operation.token).await.uaf_code(1497);
    assert_eq!(status(&front.public(), &operation.session_id).await["status"], "tokenCreated");
    phone.login_uaf().await;
    phone.deregister().await;
}

async fn a_seeing_phone(front: &Gateway) {
    let phone = phone(front, true).await;
    let mut characterised = picture();
    characterised["tcDisplayPNGCharacteristics"] = kind();
    let got = confirmed(front, &phone, &[picture()], &black_png(320, 480).unwrap()).await;
    assert_eq!(got, json!([characterised]), "the header is told beside it");
    let got = confirmed(front, &phone, &[text(), picture()], PAYMENT.as_bytes()).await;
    assert_eq!(got, json!([text(), characterised]), "a phone shows the first that it can");
    let other = rendering("image/png", &black_png(480, 320).unwrap());
    let got = confirmed(front, &phone, &[other.clone(), picture()], &black_png(320, 480).unwrap()).await;
    assert_eq!(got, json!([characterised]), "a picture for another display is left out");
    let operation = dispatched(&phone.client(), AUTH, &by_link(&[other])).await;
    redeem(&front.public(), AUTH, &operation.token).await.uaf_code(1497);
}

/// Nothing is made for what is no picture.
async fn lies(front: &Gateway) {
    let mut jeff = Phone::new(front, USER);
    jeff.login_password().await;
    let caller = jeff.client();
    let mut lying = black_png(320, 480).unwrap();
    lying[19] ^= 1;
    let mut cut = black_png(320, 480).unwrap();
    cut.truncate(cut.len() - 1);
    for (content, why) in [
        (lying, "CRC"),
        (black_png(4097, 1).unwrap(), "4096 pixels"),
        (cut, "not a whole PNG"),
        (b"GIF89a".to_vec(), "signature"),
        ([black_png(1, 1).unwrap(), b"more".to_vec()].concat(), "something follows"),
    ] {
        let renderings = [text(), rendering("image/png", &content)];
        let told = dispatch(&caller, AUTH, &by_link(&renderings)).await.problem(400);
        assert!(told.contains("context.transaction.content: ") && told.contains(why), "{told}");
        let named = json!({"context": context(&renderings)});
        caller.uaf("/nevisfido/uaf/1.1/request/authentication", &named).await.problem(400);
    }
}

async fn tell_all(deployment: Deployment) {
    let running: Running = deployment.start().await;
    lies(&running.front).await;
    a_blind_phone(&running.front).await;
    a_seeing_phone(&running.front).await;
}

#[tokio::test]
async fn pictures_are_for_whom_they_can_be_shown_to() {
    tell_all(Deployment::Standalone).await;
}

#[tokio::test]
async fn pictures_are_for_whom_they_can_be_shown_to_before_a_server_behind() {
    tell_all(Deployment::Hybrid).await;
}

#[tokio::test]
async fn a_device_with_too_long_a_name_is_not_registered() {
    let running = Deployment::Standalone.start().await;
    let mut phone = Phone::new(&running.front, USER);
    phone.login_password().await;
    for member in ["deviceId", "deviceName"] {
        for (name, code) in [("x".repeat(257), 400), ("a\u{7}b".to_owned(), 400), ("x".repeat(256), 200)] {
            let body = json!({"uafResponse": "[]", "context": json!({member: name}).to_string()});
            let answer = phone.client().uaf("/nevisfido/uaf/1.1/registration", &body).await;
            match code {
                400 => assert!(answer.problem(400).starts_with(&format!("context.{member}: "))),
                // Looked at further: it is no message.
                _ => drop(answer.uaf_code(1400)),
            }
        }
    }
}
