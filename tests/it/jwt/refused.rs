//! No token of the list is taken, by the realm or by the bypass of signed changes.

use serde_json::json;

use super::{Shop, realm, rows};
use crate::attacks::{Attack, GOOD, OF_CLAIMS, OF_FORM, Victim};
use crate::support::gateway::{Gateway, Setup};
use crate::support::issuer::{Issuer, KID, listed, now};
use crate::support::jose::SigningKey;
use crate::support::phone::Phone;
use crate::support::secrets::Secrets;
use crate::support::upstream::Upstream;

/// A set with more than the issuer's own key: another one, one for encryption, a secret, one of another curve.
async fn issuer() -> Issuer {
    let (key, secrets) = (SigningKey::p256(&Secrets::default()), Secrets::default());
    let mut of_encryption = listed(&key, "enc-1");
    of_encryption["use"] = "enc".into();
    let other = listed(&SigningKey::p256(&secrets), "key-2");
    let secret = json!({"kty": "oct", "kid": "oct-1", "k": "AA"});
    let p384 = listed(&SigningKey::p384(&secrets), "p384-1");
    Issuer::start(key, &[of_encryption, other, secret, p384]).await
}

#[tokio::test]
async fn the_realm_takes_no_token_of_the_list() {
    let (upstream, issuer) = (Upstream::start().await, issuer().await);
    // A second issuer, whose name is good and whose keys are others.
    let folder = tempfile::tempdir().unwrap();
    let others = folder.path().join("keys.json");
    std::fs::write(&others, json!({"keys": [listed(&SigningKey::p256(&Secrets::default()), KID)]}).to_string())
        .unwrap();
    let second = format!(
        "      - {{issuer: \"https://other.example\", audience: gate, algorithms: [ES256], jwks: {}}}\n",
        others.display()
    );
    let setup = Setup::default().under("realms", realm(&issuer, "", &second)).append(rows(&upstream));
    let shop = Shop { gateway: setup.start().await, upstream, issuer };
    let claims = || {
        let now = now();
        json!({"iss": shop.issuer.url(), "aud": "gate", "sub": "e-1", "exp": now + 600, "x": uuid::Uuid::new_v4()})
            .to_string()
    };
    let (mut taken, mut count) = (Vec::new(), 0);
    let token = |attack: &Attack| {
        let (key, issuer) = (&shop.issuer.key, shop.issuer.url());
        let sign = |input: &str| key.sign_input(input);
        Victim { public: key.public(), sign: &sign, issuer: &issuer, claims: claims() }.token(attack)
    };
    for attack in OF_FORM.iter().flat_map(|(_, attacks)| *attacks).chain(OF_CLAIMS) {
        let token = token(attack);
        let request = shop.gateway.public().get("/api/a").header("authorization", &format!("Bearer {token}"));
        let answer = request.send().await;
        let told = answer.header("www-authenticate") == Some("Bearer realm=\"main\", error=\"invalid_token\"");
        if answer.status != 401 || !told {
            taken.push(format!("{}: {} {}", attack.0, answer.status, answer.text()));
        }
        count += 1;
    }
    assert!(taken.is_empty(), "{taken:#?}");
    assert!(shop.upstream.received().is_empty(), "none arrived");
    assert!(count > 150, "{count}");
    shop.get("/api/a", &token(&GOOD)).await.expect(200);
    shop.get("/api/a", &shop.issuer.token(&json!({}))).await.expect(200);
}

#[tokio::test]
async fn the_bypass_takes_no_change_of_the_list() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let path = format!("/nevisfido/token/dispatch/targets/{}", phone.target());
    let claims = || {
        json!({"requestId": uuid::Uuid::new_v4(), "creationTimeInEpochMillis": now() * 1000, "name": "new"}).to_string()
    };
    let send = async |attack: &Attack| {
        let sign = |input: &str| phone.signing.sign_input(input);
        let victim = Victim { public: phone.signing.public(), sign: &sign, issuer: "", claims: claims() };
        gateway.public().call(http::Method::PATCH, &path).jose(&victim.token(attack)).send().await
    };
    let (mut taken, mut count) = (Vec::new(), 0);
    for (status, attacks) in OF_FORM {
        for attack in *attacks {
            let answer = send(attack).await;
            if answer.status != *status {
                taken.push(format!("{}: {} {}", attack.0, answer.status, answer.text()));
            }
            count += 1;
        }
    }
    assert!(taken.is_empty(), "{taken:#?}");
    assert!(count > 90, "{count}");
    send(&GOOD).await.expect(204);
}
