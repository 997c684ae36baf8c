//! Internal callers that prove themselves by tokens (`gateway.md` 2.4), of the issuer whose users a realm takes.

use serde_json::{Value, json};

use super::realm;
use crate::support::gateway::{Gateway, Setup};
use crate::support::http::Answer;
use crate::support::issuer::{Issuer, KID, listed};
use crate::support::jose::SigningKey;
use crate::support::logs::{access_line, audited};
use crate::support::secrets::Secrets;
use crate::support::wait;

struct House {
    gateway: Gateway,
    issuer: Issuer,
}

impl House {
    /// A shop that may act for users, and an operator, whose tokens one claim tells from another's of the same subject.
    async fn open(keys: &str) -> Self {
        let issuer = Issuer::start(SigningKey::p256(&Secrets::default()), &[]).await;
        let caller = |name: &str, role: &str, whose: &str| {
            format!(
                "  {name}:\n    roles: [{role}]\n    jwt: {{issuer: \"{0}\", audience: callers, algorithms: [ES256], \
                 jwks: \"{0}\", {whose}{keys}}}\n",
                issuer.url()
            )
        };
        let callers = [
            caller("shop", "act-for", "subject: s-shop"),
            caller("operator", "admin", "subject: s-operator, claim: azp, value: operator"),
        ];
        let setup =
            Setup::default().under("realms", realm(&issuer, "", "")).under("internal-callers", callers.concat());
        Self { gateway: setup.user("jeff").start().await, issuer }
    }

    fn shop(&self, change: &Value) -> String {
        let mut claims = json!({"aud": "callers", "sub": "s-shop"});
        claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        self.issuer.token(&claims)
    }

    fn operator(&self) -> String {
        self.shop(&json!({"sub": "s-operator", "azp": "operator"}))
    }

    /// Asks for a registration of a user, which takes `act-for`.
    async fn act(&self, token: &str) -> Answer {
        let body = json!({"context": json!({"username": "jeff"}).to_string()});
        let client = self.gateway.internal_as_nobody().bearer(token);
        client.uaf("/nevisfido/uaf/1.1/request/registration", &body).await
    }

    /// Asks what users there are, which takes `admin`.
    async fn list(&self, token: &str) -> Answer {
        self.gateway.internal_as_nobody().bearer(token).get("/nevisfido/admin/users").send().await
    }
}

#[tokio::test]
async fn a_token_proves_the_caller_that_it_names_and_no_more_than_its_roles() {
    let house = House::open("").await;
    house.act(&house.shop(&json!({}))).await.uaf_code(1200);
    house.act(&house.shop(&json!({"aud": ["other", "callers"]}))).await.uaf_code(1200);
    house.list(&house.operator()).await.expect(200);
    house.list(&house.shop(&json!({"roles": ["admin"]}))).await.problem(403);
    house.act(&house.operator()).await.problem(403);
    assert_eq!(house.issuer.asked(), 1, "all who take its tokens share what is known of its keys");
    house.gateway.internal().get("/nevisfido/admin/users").send().await.expect(200);
    let acted = wait::until("the audit line", wait::BOUND, async || audited(&house.gateway, "act-for").pop()).await;
    assert_eq!(acted["caller"], "shop");
}

#[tokio::test]
async fn what_proves_no_caller_is_refused_with_a_reason_in_the_audit() {
    let house = House::open("").await;
    let stranger = SigningKey::p256(&Secrets::default());
    let claims = json!({"aud": "callers", "sub": "s-shop"});
    let refused = [
        (house.shop(&json!({"aud": "gate"})), "aud is missing, or names somebody else"),
        (house.shop(&json!({"aud": null})), "aud is missing, or names somebody else"),
        (house.shop(&json!({"iss": "https://idp.example"})), "its issuer is not trusted here"),
        (house.shop(&json!({"exp": 1})), "it is over"),
        (house.shop(&json!({"exp": null})), "exp, nbf, iat or auth_time is no time"),
        (house.shop(&json!({"sub": "e-1"})), "its issuer names nobody who is known here"),
        (house.shop(&json!({"sub": "s-operator"})), "its issuer names nobody who is known here"),
        (house.shop(&json!({"sub": "s-operator", "azp": "shop"})), "its issuer names nobody who is known here"),
        (house.issuer.signed_by(&stranger, KID, &claims), "its signature is wrong"),
        (house.issuer.signed_by(&stranger, "other", &claims), "its issuer has no key that fits it"),
        // A user's, which the realm takes elsewhere.
        (house.issuer.token(&json!({})), "its issuer names nobody who is known here"),
        (house.issuer.token(&json!({"sub": "s-shop"})), "aud is missing, or names somebody else"),
        ("a".repeat(43), "it is no caller's bearer"),
    ];
    for (count, (token, reason)) in refused.iter().enumerate() {
        let answer = house.act(token).await.expect(401);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"internal\", error=\"invalid_token\""));
        access_line(&house.gateway, &answer).await;
        let told = audited(&house.gateway, "internal-caller-refused");
        assert_eq!((told.len(), told.last().unwrap()["reason"].as_str()), (count + 1, Some(*reason)), "{told:#?}");
    }
    let public = house.gateway.public().bearer(&house.operator());
    public.get("/nevisfido/admin/users").send().await.problem(404);
}

#[tokio::test]
async fn a_key_that_left_the_set_proves_nobody_and_a_new_one_does() {
    let house = House::open(", keys: {refresh: 10ms, retry: 10ms}").await;
    let old = house.shop(&json!({}));
    house.act(&old).await.uaf_code(1200);
    let rotated = SigningKey::p256(&Secrets::default());
    house.issuer.say(Some(&[listed(&rotated, "new")]));
    wait::until("the old key is out", wait::BOUND, async || (house.act(&old).await.status == 401).then_some(())).await;
    let new = house.issuer.signed_by(&rotated, "new", &json!({"aud": "callers", "sub": "s-shop"}));
    house.act(&new).await.uaf_code(1200);
}

#[tokio::test]
async fn nobody_is_let_in_while_the_keys_are_out_of_reach() {
    let house = House::open("").await;
    house.issuer.say(None);
    house.act(&house.shop(&json!({}))).await.problem(503);
    house.gateway.internal().get("/nevisfido/admin/users").send().await.expect(200);
}
