//! Where a further key takes the first one (`additional-registration: step-up`), whoever knows the password alone registers
//! a first key or none: whenever that was asked for.

use serde_json::{Value, json};

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::Client;
use crate::support::oob::{by_link, dispatched, redeem};
use crate::support::phone::Phone;
use crate::support::scripted_upstream::ScriptedUpstream;

const STEP_UP: &str = "  additional-registration: step-up";

fn inside() -> Setup {
    Setup::default().user("jeff").under("fido-uaf", STEP_UP)
}

/// A phone whose user has logged in by the password alone.
async fn by_password(gateway: &Gateway) -> Phone {
    let mut phone = Phone::new(gateway, "jeff");
    phone.login_password().await;
    phone
}

async fn request(caller: &Client) -> Value {
    let named = json!({"context": json!({"username": "jeff"}).to_string()});
    caller.uaf("/nevisfido/uaf/1.1/request/registration", &named).await.uaf_code(1200)
}

async fn token(caller: &Client) -> String {
    dispatched(caller, "registration", &by_link("jeff")).await.token
}

async fn keys(gateway: &Gateway) -> usize {
    let answer = gateway.internal().get("/nevisfido/admin/credentials?username=jeff").send().await.expect(200);
    answer.json()["credentials"].as_array().unwrap().len()
}

/// What a thief of the password asked for before the user had a key is worth nothing once there is one.
async fn nothing_is_kept_in_store(gateway: &Gateway) {
    let thief = by_password(gateway).await;
    let (asked, kept, opened) =
        (request(&thief.client()).await, token(&thief.client()).await, token(&thief.client()).await);
    let opened = redeem(&gateway.public(), "registration", &opened).await.uaf_code(1200);
    let mut jeff = by_password(gateway).await;
    jeff.register().await;
    for handed_out in [&asked, &opened] {
        thief.answer_registration(handed_out).await.uaf_code(1401);
    }
    redeem(&gateway.public(), "registration", &kept).await.uaf_code(1401);
    assert_eq!(keys(gateway).await, 1);
    jeff.login_uaf().await;
    let further = Phone::new(gateway, "jeff");
    further.answer_registration(&request(&jeff.client()).await).await.uaf_code(1200);
    assert_eq!(keys(gateway).await, 2, "whoever showed the first one has another");
}

/// Of first keys that are registered at once there is one.
async fn one_is_first(gateway: &Gateway) {
    let (one, other) = (by_password(gateway).await, by_password(gateway).await);
    let (first, second) = (request(&one.client()).await, request(&other.client()).await);
    let (first, second) = tokio::join!(one.answer_registration(&first), other.answer_registration(&second));
    let mut codes = [first, second].map(|answer| answer.json()["statusCode"].as_u64().unwrap());
    codes.sort_unstable();
    assert_eq!((codes, keys(gateway).await), ([1200, 1401], 1));
}

#[tokio::test]
async fn a_registration_that_was_asked_for_before_there_was_a_key_adds_none() {
    nothing_is_kept_in_store(&inside().start().await).await;
}

#[tokio::test]
async fn of_two_first_keys_at_once_one_stays() {
    one_is_first(&inside().start().await).await;
}

#[tokio::test]
async fn before_a_server_behind_it_is_the_same() {
    let upstream = ScriptedUpstream::start().await;
    let setup = crate::hybrid::setup(&upstream, "read-timeout: 5s", "lease: 30s");
    nothing_is_kept_in_store(&setup.under("fido-uaf", STEP_UP).start().await).await;
}

#[tokio::test]
async fn an_internal_caller_registers_further_keys_all_the_same() {
    let gateway = inside().start().await;
    let (asked, further) = (request(&gateway.internal()).await, Phone::new(&gateway, "jeff"));
    by_password(&gateway).await.register().await;
    further.answer_registration(&asked).await.uaf_code(1200);
    assert_eq!(keys(&gateway).await, 2);
}
