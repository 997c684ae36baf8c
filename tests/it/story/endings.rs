//! The main job in both deployments, with every kind of key, to every ending that a phone can give it.

use serde_json::{Value, json};
use sidegate_uaf::assertion::{AuthenticationAssertion, Mode};
use sidegate_uaf::authenticator::shown_text;
use sidegate_uaf::encoding::{decode, encode};
use sidegate_uaf::wire::AuthenticationRequest;
use sidegate_uaf::{Algorithm, KeyFormat};

use crate::hybrid::samples;
use crate::support::gateway::{Gateway, Setup};
use crate::support::oob::{by_link_to, dispatched, payload, redeem, status};
use crate::support::phone::Phone;
use crate::support::wait;

const AUTH: &str = "authentication";
const USER: &str = "jeff";
const PAYMENT: &str = "Pay 42.00 CHF to Carol";

const KEYS: [(Algorithm, KeyFormat); 4] = [
    (Algorithm::P256Raw, KeyFormat::EcRaw),
    (Algorithm::P256Der, KeyFormat::EcDer),
    (Algorithm::PssRaw, KeyFormat::RsaRaw),
    (Algorithm::PssDer, KeyFormat::RsaDer),
];

#[derive(Debug, Clone, Copy)]
pub(super) enum Deployment {
    Standalone,
    Hybrid,
}

/// How an operation ends whose request a phone has.
#[derive(Debug, Clone, Copy)]
enum Ending {
    Approved,
    Confirmed,
    Denied,
    Deregistered,
}

const ENDINGS: [Ending; 4] = [Ending::Approved, Ending::Confirmed, Ending::Denied, Ending::Deregistered];

/// Whether a row of the table is told in this deployment. In a soak each is; in `make test` every other one, and the
/// rest in the other deployment, so that each kind of key meets each ending, and each deployment all of both.
fn is_told(deployment: Deployment, row: usize) -> bool {
    std::env::var_os("SIDEGATE_SOAK").is_some() || row % 2 == deployment as usize
}

/// The gateway that phones talk to, and the UAF server behind it where there is one.
pub(super) struct Running {
    pub(super) front: Gateway,
    _behind: Option<Gateway>,
}

const AMPLE: &str = "answer: 300s";

impl Deployment {
    pub(super) async fn start(self) -> Running {
        let (setup, behind) = match self {
            Self::Standalone => (Setup::default().user(USER), None),
            Self::Hybrid => {
                let behind = Setup::sample("hybrid-upstream.yml").start().await;
                (samples::before(&behind), Some(behind))
            }
        };
        let front = setup.under("fido-uaf", format!("  time-limits: {{{AMPLE}}}")).start().await;
        Running { front, _behind: behind }
    }
}

/// An operation whose request the phone has redeemed.
struct Redeemed {
    session_id: String,
    handed_out: Value,
}

/// Dispatches to the phone, encrypted, and redeems what it got; what it is asked to confirm is asked by its own user,
/// since a stranger may not everywhere.
async fn redeemed(front: &Gateway, phone: &Phone, text: Option<&str>) -> Redeemed {
    let mut body = by_link_to(USER, phone.target());
    if let Some(text) = text {
        let transaction = json!([{"contentType": "text/plain", "content": encode(text.as_bytes())}]);
        body["getUafRequest"]["context"] = json!(json!({"username": USER, "transaction": transaction}).to_string());
    }
    let operation = dispatched(&phone.client(), AUTH, &body).await;
    let opened = phone.encryption.open(payload(&operation.response)["nma_data"].as_str().unwrap());
    let handed_out = redeem(&front.public(), AUTH, opened["token"].as_str().unwrap()).await.uaf_code(1200);
    Redeemed { session_id: operation.session_id, handed_out }
}

/// What the relying party sees: status and codes.
async fn seen(front: &Gateway, operation: &Redeemed) -> Value {
    let told = status(&front.public(), &operation.session_id).await;
    json!([told["status"], told["uafStatusCode"], told["asmStatusCode"], told["clientErrorCode"]])
}

async fn tell(front: &Gateway, phone: &mut Phone, ending: Ending) {
    let text = matches!(ending, Ending::Confirmed).then_some(PAYMENT);
    let operation = redeemed(front, phone, text).await;
    match ending {
        Ending::Approved => drop(phone.authenticate(&operation.handed_out).await.uaf_code(1200)),
        Ending::Confirmed => confirm(phone, &operation.handed_out).await,
        Ending::Denied => {
            let codes = json!({"asmStatusCode": 3, "clientErrorCode": 5});
            phone.deny(&operation.handed_out, &codes).await.uaf_code(1498);
            assert_eq!(seen(front, &operation).await, json!(["failed", 1498, 3, 5]));
            phone.authenticate(&operation.handed_out).await.uaf_code(1491);
            return;
        }
        Ending::Deregistered => return deregister(front, phone, &operation).await,
    }
    assert_eq!(seen(front, &operation).await, json!(["succeeded", 1200, null, null]));
    assert_eq!(status(&front.public(), &operation.session_id).await["userId"], phone.ext_id());
}

/// The phone shows the text, and the hash of this very text is signed.
async fn confirm(phone: &Phone, handed_out: &Value) {
    let request = AuthenticationRequest::from_message(handed_out["uafRequest"].as_str().unwrap()).unwrap();
    assert_eq!(shown_text(&request), Some(PAYMENT));
    let answer = phone.assertion(handed_out);
    let response: Value = serde_json::from_str(&answer).unwrap();
    let assertion = decode(response[0]["assertions"][0]["assertion"].as_str().unwrap()).unwrap();
    let signed = AuthenticationAssertion::parse(&assertion).unwrap();
    assert_eq!(signed.mode, Mode::TransactionConfirmed);
    assert_eq!(signed.transaction_hash, openssl::sha::sha256(PAYMENT.as_bytes()));
    phone.post_authentication(&answer).await.uaf_code(1200);
}

/// The phone answered in time, with a key that its user had removed meanwhile.
async fn deregister(front: &Gateway, phone: &mut Phone, operation: &Redeemed) {
    let answer = phone.assertion(&operation.handed_out);
    phone.login_uaf().await;
    phone.deregister().await;
    phone.post_authentication(&answer).await.uaf_code(1481);
    assert_eq!(seen(front, operation).await, json!(["failed", 1481, null, null]));
}

async fn tell_all(deployment: Deployment) {
    let running = deployment.start().await;
    for (at, (algorithm, format)) in KEYS.into_iter().enumerate() {
        for (ending_at, ending) in ENDINGS.into_iter().enumerate() {
            if is_told(deployment, at + ending_at) {
                println!("{deployment:?}, {algorithm:?} as {format:?}: {ending:?}");
                let mut phone = Phone::enrolled_with(&running.front, USER, algorithm, format).await;
                tell(&running.front, &mut phone, ending).await;
            }
        }
    }
}

#[tokio::test]
async fn every_key_comes_to_every_end_alone() {
    tell_all(Deployment::Standalone).await;
}

#[tokio::test]
async fn every_key_comes_to_every_end_through_two_gateways() {
    tell_all(Deployment::Hybrid).await;
}

/// The phones register while there is time for it, on a slow machine too; then the time for an answer is cut short.
async fn tell_late(deployment: Deployment) {
    let mut running = deployment.start().await;
    let mut phones = Vec::new();
    for (row, (algorithm, format)) in KEYS.iter().enumerate() {
        if is_told(deployment, row) {
            phones.push(Phone::enrolled_with(&running.front, USER, *algorithm, *format).await);
        }
    }
    running.front.stop();
    running.front.reconfigure(AMPLE, "answer: 1s");
    running.front.restart().await;
    let front = &running.front;
    for phone in &mut phones {
        phone.forget_session();
        let operation = redeemed(front, phone, None).await;
        let late = json!(["failed", 1408, null, null]);
        let over = async || (seen(front, &operation).await == late).then_some(());
        wait::until("the answer's time is over", wait::BOUND, over).await;
        phone.authenticate(&operation.handed_out).await.uaf_code(1408);
        assert_eq!(seen(front, &operation).await, late);
    }
}

#[tokio::test]
async fn an_answer_that_comes_late_is_refused_alone() {
    tell_late(Deployment::Standalone).await;
}

#[tokio::test]
async fn an_answer_that_comes_late_is_refused_through_two_gateways() {
    tell_late(Deployment::Hybrid).await;
}
