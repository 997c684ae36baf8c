//! What a session began and did not end: it goes with all sessions of its user, and with the password.

use http::Method;
use serde_json::{Value, json};

use crate::support::gateway::Gateway;
use crate::support::http::Client;
use crate::support::oob::{by_link, dispatched, redeem};
use crate::support::phone::Phone;
use crate::support::scripted_upstream::ScriptedUpstream;

/// A registration that waits for its answer, and a token of each kind that a session of the user is needed for.
pub(crate) struct Begun {
    request: Value,
    registration: String,
    deregistration: String,
}

pub(crate) async fn request(caller: &Client) -> Value {
    let named = json!({"context": json!({"username": "jeff"}).to_string()});
    caller.uaf("/nevisfido/uaf/1.1/request/registration", &named).await.uaf_code(1200)
}

async fn token(caller: &Client, kind: &str) -> String {
    dispatched(caller, kind, &by_link("jeff")).await.token
}

impl Begun {
    pub(crate) async fn by(caller: &Client) -> Self {
        Self {
            request: request(caller).await,
            registration: token(caller, "registration").await,
            deregistration: token(caller, "deregistration").await,
        }
    }

    /// The codes of the answer and of the redeems. The phone is whose hands they are in.
    pub(crate) async fn used(&self, gateway: &Gateway, phone: &Phone) -> [Value; 3] {
        let answered = phone.answer_registration(&self.request).await.json()["statusCode"].clone();
        let redeemed = async |kind, token| redeem(&gateway.public(), kind, token).await.json()["statusCode"].clone();
        [
            answered,
            redeemed("registration", &self.registration).await,
            redeemed("deregistration", &self.deregistration).await,
        ]
    }
}

pub(crate) async fn keys(gateway: &Gateway) -> usize {
    let answer = gateway.internal().get("/nevisfido/admin/credentials?username=jeff").send().await.expect(200);
    answer.json()["credentials"].as_array().unwrap().len()
}

async fn end_all_sessions(gateway: &Gateway) {
    let all = "/nevisfido/admin/sessions?username=jeff";
    gateway.internal().call(Method::DELETE, all).send().await.expect(204);
}

fn change_password(gateway: &Gateway) {
    let other = uuid::Uuid::new_v4().to_string();
    gateway.secrets().add("password", &other);
    assert!(gateway.command(&["user", "passwd", "jeff", "--password-stdin"], &other).status.success());
}

/// jeff with a key, whose session is stolen, and a thief's phone.
async fn robbed() -> (Gateway, Phone, Phone) {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let jeff = Phone::enrolled(&gateway, "jeff").await;
    let thief = Phone::new(&gateway, "jeff");
    (gateway, jeff, thief)
}

#[tokio::test]
async fn an_end_of_all_sessions_ends_what_one_began() {
    let (gateway, mut jeff, thief) = robbed().await;
    let begun = Begun::by(&jeff.client()).await;
    end_all_sessions(&gateway).await;
    assert_eq!(begun.used(&gateway, &thief).await, [1401, 1404, 1404]);
    assert_eq!(keys(&gateway).await, 1, "none came, none went");
    jeff.login_uaf().await;
    let anew = Begun::by(&jeff.client()).await;
    assert_eq!(anew.used(&gateway, &thief).await, [1200, 1200, 1200], "sessions of after that are as good as any");
}

#[tokio::test]
async fn another_password_ends_what_a_session_began() {
    let (gateway, jeff, thief) = robbed().await;
    let begun = Begun::by(&jeff.client()).await;
    let handed_out = redeem(&gateway.public(), "registration", &begun.registration).await.uaf_code(1200);
    change_password(&gateway);
    thief.answer_registration(&handed_out).await.uaf_code(1401);
    assert_eq!(begun.used(&gateway, &thief).await, [1401, 1403, 1404]);
    assert_eq!(keys(&gateway).await, 1, "none came, none went");
}

#[tokio::test]
async fn what_an_internal_caller_began_goes_on() {
    let (gateway, _jeff, phone) = robbed().await;
    let begun = Begun::by(&gateway.internal()).await;
    end_all_sessions(&gateway).await;
    change_password(&gateway);
    assert_eq!(begun.used(&gateway, &phone).await, [1200, 1200, 1200]);
}

#[tokio::test]
async fn a_server_behind_is_not_asked_about_what_has_ended() {
    let upstream = ScriptedUpstream::start().await;
    let gateway = crate::hybrid::before(&upstream).await;
    let mut thief = Phone::new(&gateway, "jeff");
    thief.login_password().await;
    let (handed_out, token) = (request(&thief.client()).await, token(&thief.client(), "registration").await);
    end_all_sessions(&gateway).await;
    let asked = upstream.asked().len();
    thief.answer_registration(&handed_out).await.uaf_code(1401);
    redeem(&gateway.public(), "registration", &token).await.uaf_code(1404);
    assert_eq!((upstream.asked().len(), keys(&gateway).await), (asked, 0));
}
