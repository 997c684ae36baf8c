//! Models that the gateway knows by their metadata statements (`uaf.md` A7, A10).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sidegate_uaf::Algorithm;
use sidegate_uaf::authenticator::{Authenticator, Hierarchy, Misbehaviour};
use sidegate_uaf::wire::{RegistrationRequest, Version};

use crate::support::gateway::{Gateway, Setup};
use crate::support::phone::Phone;

const AAID: &str = "D0D0#0001";

/// A gateway that refuses models without a statement, and has one for [`AAID`].
async fn gateway(folder: &tempfile::TempDir, root: &[u8], more: &str) -> Gateway {
    let statement = json!({
        "aaid": AAID, "authenticatorVersion": 1, "upv": [{"major": 1, "minor": 0}, {"major": 1, "minor": 1}],
        "assertionScheme": "UAFV1TLV", "authenticationAlgorithm": 1, "publicKeyAlgAndEncoding": 256,
        "attestationTypes": [15879], "attestationRootCertificates": [STANDARD.encode(root)],
        "userVerificationDetails": [[{"userVerification": 4}]], "keyProtection": 1, "matcherProtection": 1,
        "attachmentHint": 1, "tcDisplay": 1, "tcDisplayContentType": "text/plain", "isSecondFactorOnly": false,
    });
    std::fs::write(folder.path().join("model.json"), statement.to_string()).unwrap();
    let metadata = format!("    statements: '{}'\n    unknown-models: refuse{more}\n", folder.path().display());
    Setup::default()
        .user("jeff")
        .replace("    unknown-models: surrogate               # default refuse\n", metadata)
        .start()
        .await
}

async fn request(phone: &Phone) -> Value {
    let request = json!({"context": json!({"username": "jeff"}).to_string()});
    phone.client().uaf("/nevisfido/uaf/1.1/request/registration", &request).await.uaf_code(1200)
}

/// What the gateway says of a registration by an authenticator in a client of this version.
async fn registration(gateway: &Gateway, phone: &Phone, authenticator: &Authenticator, version: Version) -> Value {
    let handed_out = request(phone).await;
    let message = handed_out["uafRequest"].as_str().unwrap();
    let request = RegistrationRequest::from_message_of(version, message).unwrap();
    let (response, key) = authenticator.register(&request, &[]).unwrap();
    gateway.secrets().add("UAF key", &**key.private_key().to_pkcs8().unwrap());
    sent(gateway, &response.to_message()).await
}

async fn sent(gateway: &Gateway, message: &str) -> Value {
    gateway.public().uaf("/nevisfido/uaf/1.1/registration", &json!({ "uafResponse": message })).await.json()
}

#[tokio::test]
async fn a_model_proves_itself_as_its_statement_says() {
    let folder = tempfile::tempdir().unwrap();
    let [own, foreign] = [(); 2].map(|()| Hierarchy::of_model(AAID.parse().unwrap(), Algorithm::P256Raw).unwrap());
    let gateway = gateway(&folder, &own.root, "").await;
    let mut phone = Phone::new(&gateway, "jeff");
    phone.login_password().await;
    let model = Authenticator::new(AAID.parse().unwrap());
    let unknown = Authenticator::new("D0D0#0002".parse().unwrap());
    for (authenticator, code) in [
        (model.clone().with_attester(own.attester), 1200),
        (model.clone().with_attester(foreign.attester), 1496),
        (model, 1496),
        (unknown, 1480),
    ] {
        let answer = registration(&gateway, &phone, &authenticator, Version::V1_1).await;
        assert_eq!(answer["statusCode"], code, "{answer}");
    }
}

/// What the table (`uaf.md` A13) gives for what goes against a model's statement.
fn code(how: Misbehaviour) -> u64 {
    use Misbehaviour as M;
    match how {
        M::OldVersion => 1492,
        M::UnstatedAlgorithm => 1495,
        M::NoCertificate | M::TwentyCertificates => 1498,
        _ => 1496,
    }
}

#[tokio::test]
async fn what_goes_against_the_statement_gets_its_code_and_registers_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let own = Hierarchy::of_model(AAID.parse().unwrap(), Algorithm::P256Raw).unwrap();
    let mut gateway = gateway(&folder, &own.root, "").await;
    let mut phone = Phone::new(&gateway, "jeff");
    phone.login_password().await;
    let model = Authenticator::new(AAID.parse().unwrap()).with_attester(own.attester);
    for how in Misbehaviour::stated() {
        let handed_out = request(&phone).await;
        let request = RegistrationRequest::from_message(handed_out["uafRequest"].as_str().unwrap()).unwrap();
        let (right, key) = model.register(&request, &[]).unwrap();
        gateway.secrets().add("UAF key", &**key.private_key().to_pkcs8().unwrap());
        let wrong = model.draft_registration(&request, &key).unwrap().misbehave(how, &key).unwrap();
        let answer = sent(&gateway, &wrong).await;
        assert_eq!(answer["statusCode"], code(how), "{how}: {answer}");
        // So much is not read, and no operation is found that it would end.
        if how != Misbehaviour::TwentyCertificates {
            assert_eq!(sent(&gateway, &right.to_message()).await["statusCode"], 1491, "{how}: it is too late then");
        }
    }
    assert_eq!(registration(&gateway, &phone, &model, Version::V1_1).await["statusCode"], 1200);
    gateway.stop();
    assert_eq!(gateway.log().matches(r#""event":"credential""#).count(), 1);
}

#[tokio::test]
async fn old_clients_are_served_where_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let own = Hierarchy::of_model(AAID.parse().unwrap(), Algorithm::P256Raw).unwrap();
    let gateway = gateway(&folder, &own.root, "\n  old-clients: true").await;
    let mut phone = Phone::new(&gateway, "jeff");
    phone.login_password().await;
    let model = Authenticator::new(AAID.parse().unwrap()).with_attester(own.attester);
    for version in [Version::V1_0, Version::V1_1] {
        let answer = registration(&gateway, &phone, &model, version).await;
        assert_eq!(answer["statusCode"], 1200, "{version:?}: {answer}");
    }
}
