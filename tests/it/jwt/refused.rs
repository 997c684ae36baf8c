//! No token of the list is taken, by the realm or by the bypass of signed changes.

use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use serde_json::{Value, json};

use super::attacks::{Attack, By, Hash, Known, OF_CLAIMS, OF_FORM};
use super::{Shop, realm, rows};
use crate::support::gateway::{Gateway, Setup};
use crate::support::issuer::{Issuer, KID, listed, now};
use crate::support::jose::{SigningKey, base64url};
use crate::support::phone::Phone;
use crate::support::secrets::Secrets;
use crate::support::upstream::Upstream;

/// Whose token it pretends to be.
struct Victim<'a> {
    key: &'a SigningKey,
    issuer: &'a str,
    claims: String,
}

impl Victim<'_> {
    fn written(&self, template: &str, stranger: &SigningKey) -> String {
        let now = now();
        let text = template.replace("CLAIMS", &self.claims).replace("ISSUER", self.issuer).replace("KID", KID);
        let text = text.replace("JWK", &stranger.public().to_string()).replace("LONG", &"x".repeat(1000));
        let text = text.replace("DEEP", &format!("{}{}", "[".repeat(200), "]".repeat(200)));
        let [past, soon] = [now - 60, now + 600].map(|time| time.to_string());
        text.replace("PAST", &past).replace("SOON", &soon).replace("NOW", &now.to_string())
    }

    fn token(&self, (_, header, claims, by): &Attack) -> String {
        let stranger = SigningKey::p256(&Secrets::default());
        let (header, claims) = (self.written(header, &stranger), self.written(claims, &stranger));
        let input = format!("{}.{}", base64url(&header), base64url(&claims));
        match by {
            By::Right => self.key.sign_input(&input),
            By::Stranger => stranger.sign_input(&input),
            By::Nobody => format!("{input}."),
            By::PublicKey(hash, known) => format!("{input}.{}", base64url(self.mac(*hash, *known, input.as_bytes()))),
            By::Bent(bend) => {
                let good = self.key.sign_input(&input);
                let parts: Vec<&str> = good.split('.').collect();
                bend(parts[0], parts[1], parts[2])
            }
        }
    }

    fn mac(&self, hash: Hash, known: Known, input: &[u8]) -> Vec<u8> {
        let public = self.key.public();
        let secret = match known {
            Known::Jwk => public.to_string().into_bytes(),
            Known::Pem => pkey(&public).public_key_to_pem().unwrap(),
            Known::Der => pkey(&public).public_key_to_der().unwrap(),
            Known::Nothing => b"\0".to_vec(),
        };
        let digest = match hash {
            Hash::Sha256 => MessageDigest::sha256(),
            Hash::Sha384 => MessageDigest::sha384(),
            Hash::Sha512 => MessageDigest::sha512(),
        };
        Signer::new(digest, &PKey::hmac(&secret).unwrap()).unwrap().sign_oneshot_to_vec(input).unwrap()
    }
}

fn pkey(jwk: &Value) -> PKey<openssl::pkey::Public> {
    sidegate_filters::jws::JwkDocument::parse(jwk).unwrap().public_key().unwrap()
}

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
    for attack in OF_FORM.iter().chain(OF_CLAIMS) {
        let victim = Victim { key: &shop.issuer.key, issuer: &shop.issuer.url(), claims: claims() };
        let token = victim.token(attack);
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
    // What they are all one step away from.
    let good = ("", r#"{"alg":"ES256","kid":"KID","typ":"JWT","x":1}"#, "CLAIMS", By::Right);
    let victim = Victim { key: &shop.issuer.key, issuer: &shop.issuer.url(), claims: claims() };
    shop.get("/api/a", &victim.token(&good)).await.expect(200);
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
        let victim = Victim { key: &phone.signing, issuer: "", claims: claims() };
        gateway.public().call(http::Method::PATCH, &path).jose(&victim.token(attack)).send().await
    };
    let mut taken = Vec::new();
    for attack in OF_FORM {
        let answer = send(attack).await;
        if ![400, 401, 413].contains(&answer.status) {
            taken.push(format!("{}: {} {}", attack.0, answer.status, answer.text()));
        }
    }
    assert!(taken.is_empty(), "{taken:#?}");
    send(&("", r#"{"alg":"ES256","kid":"KID","typ":"JWT","x":1}"#, "CLAIMS", By::Right)).await.expect(204);
}
