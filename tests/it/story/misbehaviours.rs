//! A phone that misbehaves in each way that its authenticator can be told to, over a socket: each gets the code of the
//! table (`uaf.md` A13), and nothing has changed.

use serde_json::{Value, json};
use sidegate_uaf::authenticator::{Authenticator, DeviceKey, Draft, Misbehaviour, Param, black_png};
use sidegate_uaf::encoding::encode;
use sidegate_uaf::tlv::tag;
use sidegate_uaf::wire::{AuthenticationRequest, Operation, RegistrationRequest};
use sidegate_uaf::{Algorithm, KeyFormat, PrivateKey};

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::Client;
use crate::support::oob::{by_link, dispatched, redeem, status};
use crate::support::phone::Phone;

const AAID: &str = "D0D0#0001";

/// The code that the table gives.
fn code(how: Misbehaviour, operation: Operation) -> u64 {
    use Misbehaviour as M;
    match how {
        M::NoArray | M::EmptyArray | M::HalfCharacter | M::OtherVersion | M::OtherOperation => 1400,
        M::OtherParam(Param::ChannelBinding) => 1490,
        M::OtherParam(Param::Challenge) => 1491,
        M::OtherModel | M::UnknownKey | M::UnshownRendering => 1492,
        M::UnknownKeyFormat | M::OtherKeyFormat => 1494,
        M::PointOffCurve | M::PointOfOtherCurve | M::PointAtInfinity | M::CompressedPoint => 1494,
        M::ShortModulus | M::EvenExponent | M::ExponentOne => 1494,
        M::Longer(tag::PUB_KEY) | M::Shorter(tag::PUB_KEY) => 1494,
        M::UnknownAlgorithm | M::OtherAlgorithm => 1495,
        M::UncalledForFull | M::EcdaaAttestation => 1496,
        M::ShortSignature
        | M::LongSignature
        | M::ZeroSignature
        | M::HugeSignature
        | M::LooseSignature
        | M::StrangersSignature
            if operation == Operation::Reg =>
        {
            1496
        }
        _ => 1498,
    }
}

/// Whether it is found before serverData and challenge have told which operation the answer is to: then none may move.
fn is_to_nothing(how: Misbehaviour) -> bool {
    use Misbehaviour as M;
    matches!(
        how,
        M::NoArray
            | M::EmptyArray
            | M::TwoDictionaries
            | M::MistypedMember
            | M::NullMember
            | M::RepeatedMember
            | M::HalfCharacter
            | M::DeepJson
            | M::LongMember
            | M::PaddedParams
            | M::StandardParams
            | M::BinaryParams
            | M::RepeatedParam
            | M::OtherVersion
            | M::OtherOperation
            | M::ChangedServerData
            | M::NoServerData
            | M::UnknownExtension
            | M::EmptyAssertion
            | M::WithoutParam(_)
            | M::EmptyParam(_)
            | M::MistypedParam(_)
            | M::OtherParam(Param::Challenge)
    )
}

/// A gateway that knows a certificate of its own, and so what a channel to it is.
async fn gateway() -> Gateway {
    Setup::default().user("jeff").tls().start().await
}

/// One ceremony's place: where its answers go, and what its status is while there is none.
struct Place {
    operation: Operation,
    name: &'static str,
    pending: &'static str,
}

const REGISTRATION: Place = Place { operation: Operation::Reg, name: "registration", pending: "clientRegistering" };
const AUTHENTICATION: Place =
    Place { operation: Operation::Auth, name: "authentication", pending: "clientAuthenticating" };

impl Place {
    /// The request of a new operation, and its session id.
    async fn redeemed(&self, caller: &Client, body: &Value) -> (String, String) {
        let operation = dispatched(caller, self.name, body).await;
        let handed_out = redeem(caller, self.name, &operation.token).await.uaf_code(1200);
        (handed_out["uafRequest"].as_str().unwrap().to_owned(), operation.session_id)
    }

    async fn post(&self, caller: &Client, message: &str) -> u64 {
        let path = format!("/nevisfido/uaf/1.1/{}", self.name);
        let answer = caller.uaf(&path, &json!({"uafResponse": message})).await.expect(200);
        answer.json()["statusCode"].as_u64().unwrap()
    }

    /// Sends the draft with one thing wrong, and then as it should be, which is too late by then.
    async fn misbehave(&self, how: Misbehaviour, caller: &Client, draft: &Draft, key: &DeviceKey, session_id: &str) {
        let wrong = draft.clone().misbehave(how, key).unwrap();
        let code = code(how, self.operation);
        assert_eq!(self.post(caller, &wrong).await, code, "{how}");
        let seen = status(caller, session_id).await;
        if is_to_nothing(how) {
            assert_eq!(seen["status"], self.pending, "{how}");
            return;
        }
        assert_eq!((&seen["status"], &seen["uafStatusCode"]), (&json!("failed"), &json!(code)), "{how}");
        let right = draft.sign(key.private_key()).unwrap().to_message();
        assert_eq!(self.post(caller, &right).await, 1491, "{how}");
    }
}

/// Registers one and the same key again and again, with something wrong; at last, with nothing wrong, it is still new.
async fn register(authenticator: &Authenticator, gateway: &Gateway) -> DeviceKey {
    let mut phone = Phone::new(gateway, "jeff");
    phone.login_password().await;
    let (caller, place) = (phone.client(), REGISTRATION);
    let begin = async || {
        let (message, session_id) = place.redeemed(&caller, &by_link("jeff")).await;
        (RegistrationRequest::from_message(&message).unwrap(), session_id)
    };
    let (request, _) = begin().await;
    let private = PrivateKey::generate(authenticator.algorithm()).unwrap();
    gateway.secrets().add("UAF key", &**private.to_pkcs8().unwrap());
    let key = authenticator.make_key(&request, private).unwrap();
    for how in Misbehaviour::all(place.operation) {
        let (request, session_id) = begin().await;
        let draft = authenticator.draft_registration(&request, &key).unwrap();
        place.misbehave(how, &caller, &draft, &key, &session_id).await;
    }
    let right = authenticator.draft_registration(&request, &key).unwrap().sign(key.private_key()).unwrap();
    assert_eq!(place.post(&caller, &right.to_message()).await, 1200);
    key
}

/// A request to authenticate, with a text to confirm where there is one.
async fn authentication(caller: &Client, text: Option<&str>) -> (AuthenticationRequest, String) {
    let mut body = by_link("jeff");
    if let Some(text) = text {
        // Nobody in particular asks, so that the picture is sent although the phone can't show it.
        let transaction = json!([
            {"contentType": "text/plain", "content": encode(text.as_bytes())},
            {"contentType": "image/png", "content": encode(&black_png(2, 2).unwrap())},
        ]);
        body["getUafRequest"]["context"] = json!(json!({"username": "jeff", "transaction": transaction}).to_string());
    }
    let (message, session_id) = AUTHENTICATION.redeemed(caller, &body).await;
    (AuthenticationRequest::from_message(&message).unwrap(), session_id)
}

/// Answers again and again with one counter and something wrong; at last, with nothing wrong, the counter is still new.
async fn authenticate(authenticator: &Authenticator, gateway: &Gateway, mut key: DeviceKey) {
    let (caller, place) = (gateway.public(), AUTHENTICATION);
    let nonce = || uuid::Uuid::new_v4().into_bytes();
    // So that there are counters below the last one.
    for _ in 0..2 {
        let (request, _) = authentication(&caller, None).await;
        let right = authenticator.authenticate(&request, std::slice::from_mut(&mut key), &nonce()).unwrap();
        assert_eq!(place.post(&caller, &right.to_message()).await, 1200);
        key.accept();
    }
    let (request, _) = authentication(&caller, None).await;
    let right = authenticator.authenticate(&request, std::slice::from_mut(&mut key), &nonce()).unwrap();
    for how in Misbehaviour::all(place.operation) {
        let text = (how != Misbehaviour::UnaskedConfirmation).then_some("Pay 42.00 CHF to Carol");
        let (request, session_id) = authentication(&caller, text).await;
        let draft = authenticator.draft_authentication(&request, &key, &nonce()).unwrap();
        place.misbehave(how, &caller, &draft, &key, &session_id).await;
    }
    assert_eq!(place.post(&caller, &right.to_message()).await, 1200);
}

async fn misbehave_with(algorithm: Algorithm, format: KeyFormat) {
    let mut gateway = gateway().await;
    let authenticator = Authenticator::new(AAID.parse().unwrap()).with_algorithm(algorithm, format);
    let key = register(&authenticator, &gateway).await;
    authenticate(&authenticator, &gateway, key).await;
    gateway.stop();
    assert_eq!(gateway.log().matches(r#""event":"credential""#).count(), 1, "one key was added, once");
}

#[tokio::test]
async fn whatever_is_wrong_gets_its_code_and_changes_nothing() {
    misbehave_with(Algorithm::P256Raw, KeyFormat::EcRaw).await;
    if std::env::var_os("SIDEGATE_SOAK").is_some() {
        misbehave_with(Algorithm::P256Der, KeyFormat::EcDer).await;
        misbehave_with(Algorithm::PssRaw, KeyFormat::RsaRaw).await;
        misbehave_with(Algorithm::PssDer, KeyFormat::RsaDer).await;
    }
}
