//! A phone: a UAF authenticator, a dispatch target with two keys, and the session of its user.

use std::cell::RefCell;

use serde_json::{Value, json};
use sidegate_uaf::authenticator::{Authenticator, DeviceKey};
use sidegate_uaf::encoding::{Text, decode};
use sidegate_uaf::tlv::tag;
use sidegate_uaf::wire::{
    AuthenticationRequest, ChannelBinding, DeregistrationRequest, FinalChallengeParams, PngCharacteristics,
    RegistrationRequest,
};
use sidegate_uaf::{Algorithm, KeyFormat};

use super::gateway::Gateway;
use super::http::{Answer, Client};
use super::jose::{EncryptionKey, SigningKey};

const AAID: &str = "5347#0001";

/// The UAF part of a phone: its keys and their counters.
#[derive(Clone)]
pub(crate) struct Device {
    authenticator: Authenticator,
    keys: RefCell<Vec<DeviceKey>>,
}

impl Device {
    fn new() -> Self {
        Self::with_keys(Algorithm::P256Raw, KeyFormat::EcRaw)
    }

    fn with_keys(algorithm: Algorithm, format: KeyFormat) -> Self {
        let authenticator = Authenticator::new(AAID.parse().unwrap()).with_algorithm(algorithm, format);
        Self { authenticator, keys: RefCell::default() }
    }

    /// The `uafResponse` to an authentication request, counted.
    pub(crate) fn answer(&self, handed_out: &Value) -> String {
        let nonce = uuid::Uuid::new_v4().into_bytes();
        let request = authentication(handed_out);
        self.authenticator.authenticate(&request, &mut self.keys.borrow_mut(), &nonce).unwrap().to_message()
    }

    /// The same with its first key, whether the policy names it or not.
    pub(crate) fn answer_under_any_policy(&self, handed_out: &Value) -> String {
        let keys = self.keys.borrow();
        let request = authentication(handed_out);
        let nonce = uuid::Uuid::new_v4().into_bytes();
        let draft = self.authenticator.draft_authentication(&request, &keys[0], &nonce).unwrap();
        draft.sign(keys[0].private_key()).unwrap().to_message()
    }

    /// The `uafResponse` that registers its first key again.
    fn register_again(&self, handed_out: &Value) -> String {
        let keys = self.keys.borrow();
        let draft = self.authenticator.draft_registration(&registration(handed_out), &keys[0]).unwrap();
        draft.sign(self.authenticator.attesting_key(&keys[0])).unwrap().to_message()
    }
}

/// One user's phone.
pub(crate) struct Phone {
    public: Client,
    user: String,
    password: String,
    session: Option<String>,
    ext_id: String,
    target: String,
    device: Device,
    pub(crate) signing: SigningKey,
    pub(crate) encryption: EncryptionKey,
}

impl Phone {
    /// A phone that knows nothing but its user's password.
    pub(crate) fn new(gateway: &Gateway, user: &str) -> Self {
        Self {
            public: gateway.public(),
            user: user.to_owned(),
            password: gateway.password(user).to_owned(),
            session: None,
            ext_id: String::new(),
            target: String::new(),
            device: Device::new(),
            signing: SigningKey::p256(gateway.secrets()),
            encryption: EncryptionKey::p256(gateway.secrets()),
        }
    }

    /// A phone with a registered key, a FIDO UAF session and a dispatch target.
    pub(crate) async fn enrolled(gateway: &Gateway, user: &str) -> Self {
        let mut phone = Self::new(gateway, user);
        phone.enrol("phone").await;
        phone
    }

    /// The same, with keys for this algorithm that are written in this format.
    pub(crate) async fn enrolled_with(gateway: &Gateway, user: &str, algorithm: Algorithm, format: KeyFormat) -> Self {
        let device = Device::with_keys(algorithm, format);
        let mut phone = Self { device, ..Self::new(gateway, user) };
        phone.enrol(&format!("phone {}", uuid::Uuid::new_v4())).await;
        phone
    }

    /// The same as [`Self::enrolled`], with a display for such pictures.
    pub(crate) async fn enrolled_seeing(gateway: &Gateway, user: &str, kinds: Vec<PngCharacteristics>) -> Self {
        let mut phone = Self::new(gateway, user);
        phone.device.authenticator = phone.device.authenticator.with_pictures(kinds);
        phone.enrol(&format!("phone {}", uuid::Uuid::new_v4())).await;
        phone
    }

    async fn enrol(&mut self, target: &str) {
        self.login_password().await;
        self.register().await;
        self.login_uaf().await;
        self.add_target(target).await;
    }

    /// The same phone before another gateway.
    pub(crate) fn move_to(&mut self, gateway: &Gateway) {
        (self.public, self.session) = (gateway.public(), None);
        gateway.password(&self.user).clone_into(&mut self.password);
    }

    /// The caller: with the session if there is one.
    pub(crate) fn client(&self) -> Client {
        self.session.as_ref().map_or(self.public.clone(), |session| self.public.cookie(session))
    }

    pub(crate) fn session(&self) -> &str {
        self.session.as_deref().unwrap()
    }

    pub(crate) fn forget_session(&mut self) {
        self.session = None;
    }

    /// The id of the target added last.
    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    /// The user's extId, as the password login told it.
    pub(crate) fn ext_id(&self) -> &str {
        &self.ext_id
    }

    pub(crate) fn aaid(&self) -> &'static str {
        AAID
    }

    /// The authenticator as it is now; the phone's own one counts on without it.
    pub(crate) fn clone_authenticator(&self) -> Device {
        self.device.clone()
    }

    pub(crate) async fn login_password(&mut self) {
        self.session = None;
        self.login_password_again().await;
    }

    /// The same, showing the session that it has.
    pub(crate) async fn login_password_again(&mut self) {
        let form = [("isiwebuserid", self.user.as_str()), ("isiwebpasswd", &self.password)];
        let answer = self.client().post("/auth/pwd").form(&form).send().await.expect(200);
        self.ext_id = answer.json()["extId"].as_str().unwrap().to_owned();
        self.session = Some(answer.session());
    }

    /// Registers a UAF key in-band.
    pub(crate) async fn register(&self) {
        let request = json!({"context": json!({"username": self.user}).to_string()});
        let handed_out = self.client().uaf("/nevisfido/uaf/1.1/request/registration", &request).await.uaf_code(1200);
        self.answer_registration(&handed_out).await.uaf_code(1200);
    }

    /// Answers a registration request.
    pub(crate) async fn answer_registration(&self, handed_out: &Value) -> Answer {
        let request = registration(handed_out);
        let (response, key) = self.device.authenticator.register(&request, &self.device.keys.borrow()).unwrap();
        self.public.secrets().add("UAF key", &**key.private_key().to_pkcs8().unwrap());
        self.device.keys.borrow_mut().push(key);
        self.post_registration(&response.to_message()).await
    }

    /// Answers a registration request with the key that it has.
    pub(crate) async fn answer_registration_again(&self, handed_out: &Value) -> Answer {
        self.post_registration(&self.device.register_again(handed_out)).await
    }

    async fn post_registration(&self, response: &str) -> Answer {
        self.public.uaf("/nevisfido/uaf/1.1/registration", &json!({"uafResponse": response})).await
    }

    /// Forgets its keys, as an app does whose registration failed.
    pub(crate) fn forget_keys(&self) {
        self.device.keys.borrow_mut().clear();
    }

    /// A new key's `uafResponse` to a registration request, from a phone that saw this TLS channel.
    pub(crate) fn registration_over(&self, handed_out: &Value, channel: ChannelBinding) -> String {
        self.registration_seeing(handed_out, |seen| seen.channel_binding = channel)
    }

    /// The same from an app or a page with this facet.
    pub(crate) fn registration_from(&self, handed_out: &Value, facet: &str) -> String {
        self.registration_seeing(handed_out, |seen| seen.facet_id = Text::new(facet).unwrap())
    }

    fn registration_seeing(&self, handed_out: &Value, change: impl FnOnce(&mut FinalChallengeParams)) -> String {
        let request = registration(handed_out);
        let (_, key) = self.device.authenticator.register(&request, &[]).unwrap();
        self.public.secrets().add("UAF key", &**key.private_key().to_pkcs8().unwrap());
        let mut draft = self.device.authenticator.draft_registration(&request, &key).unwrap();
        let mut seen: FinalChallengeParams = serde_json::from_slice(&decode(&draft.fc_params).unwrap()).unwrap();
        change(&mut seen);
        draft.set_fc_params(seen.to_text());
        draft.sign(key.private_key()).unwrap().to_message()
    }

    /// Logs in with the key, in-band; keeps the cookie if the session has a new one.
    pub(crate) async fn login_uaf(&mut self) {
        let answer = self.try_login_uaf().await;
        if let Some(cookie) = answer.set_cookie() {
            self.session = Some(cookie);
        }
        answer.uaf_code(1200);
    }

    /// The finish of an in-band login; the start's answer where that is refused.
    pub(crate) async fn try_login_uaf(&self) -> Answer {
        let begun = self.client().json("/auth/fidouaf", &json!({"username": self.user})).await;
        if begun.status != 200 || begun.json()["statusCode"] != 1200 {
            return begun;
        }
        let finish = json!({"uafResponse": self.device.answer(&begun.json())});
        self.client().uaf("/auth/fidouaf/authenticationresponse", &finish).await
    }

    /// The same with the phone's first key, whether the request names it or not.
    pub(crate) async fn try_login_uaf_under_any_policy(&self) -> Answer {
        let begun = self.client().json("/auth/fidouaf", &json!({"username": self.user})).await.uaf_code(1200);
        let finish = json!({"uafResponse": self.assertion_under_any_policy(&begun)});
        self.client().uaf("/auth/fidouaf/authenticationresponse", &finish).await
    }

    /// Adds a dispatch target with the phone's two keys.
    pub(crate) async fn add_target(&mut self, name: &str) {
        self.target = self.create_target(name, &self.signing.public()).await;
    }

    /// Adds a target with another signature key and gives its id.
    pub(crate) async fn create_target(&self, name: &str, signature_key: &Value) -> String {
        let body = json!({"name": name, "dispatcher": "link", "target": format!("push-address-{}", uuid::Uuid::new_v4()),
            "signatureKey": signature_key, "encryptionKey": self.encryption.public()});
        let answer = self.client().json("/nevisfido/token/dispatch/targets", &body).await.expect(201).json();
        assert_eq!(answer["id"], answer["extId"]);
        answer["id"].as_str().unwrap().to_owned()
    }

    /// The `uafResponse` to a redeemed authentication request.
    pub(crate) fn assertion(&self, handed_out: &Value) -> String {
        self.device.answer(handed_out)
    }

    /// The same with the phone's first key, whether the policy names it or not.
    pub(crate) fn assertion_under_any_policy(&self, handed_out: &Value) -> String {
        self.device.answer_under_any_policy(handed_out)
    }

    /// An answer that says it is by the key that is asked for, with this phone's first key.
    pub(crate) fn forgery(&self, handed_out: &Value) -> String {
        let keys = self.device.keys.borrow();
        let request = authentication(handed_out);
        let nonce = uuid::Uuid::new_v4().into_bytes();
        let mut draft = self.device.authenticator.draft_authentication(&request, &keys[0], &nonce).unwrap();
        draft.fields.set(tag::KEYID, request.policy.accepted[0][0].key_ids[0].as_bytes());
        draft.sign(keys[0].private_key()).unwrap().to_message()
    }

    /// An answer that says it is by the key with this id, of this kind (`TAG_ASSERTION_INFO`), with this phone's first key.
    pub(crate) fn forgery_by(&self, handed_out: &Value, key_id: &[u8], info: [u8; 5]) -> String {
        let keys = self.device.keys.borrow();
        let nonce = uuid::Uuid::new_v4().into_bytes();
        let request = authentication(handed_out);
        let mut draft = self.device.authenticator.draft_authentication(&request, &keys[0], &nonce).unwrap();
        draft.fields.set(tag::KEYID, key_id);
        draft.fields.set(tag::ASSERTION_INFO, info);
        draft.sign(keys[0].private_key()).unwrap().to_message()
    }

    /// Registers a new key under an id of its own choice.
    pub(crate) async fn register_as(&self, key_id: &[u8]) -> Answer {
        let request = json!({"context": json!({"username": self.user}).to_string()});
        let handed_out = self.client().uaf("/nevisfido/uaf/1.1/request/registration", &request).await.uaf_code(1200);
        let request = registration(&handed_out);
        let (_, key) = self.device.authenticator.register(&request, &[]).unwrap();
        self.public.secrets().add("UAF key", &**key.private_key().to_pkcs8().unwrap());
        let mut draft = self.device.authenticator.draft_registration(&request, &key).unwrap();
        draft.fields.set(tag::KEYID, key_id);
        self.post_registration(&draft.sign(self.device.authenticator.attesting_key(&key)).unwrap().to_message()).await
    }

    /// An answer by its first key as a phone of this version gives it, with this sign counter.
    pub(crate) fn assertion_of_version(&self, handed_out: &Value, version: u8, counter: u32) -> String {
        let keys = self.device.keys.borrow();
        let nonce = uuid::Uuid::new_v4().into_bytes();
        let mut draft =
            self.device.authenticator.draft_authentication(&authentication(handed_out), &keys[0], &nonce).unwrap();
        draft.fields.set(tag::ASSERTION_INFO, [version, 0, 1, 1, 0]);
        draft.fields.set(tag::COUNTERS, counter.to_le_bytes());
        draft.sign(keys[0].private_key()).unwrap().to_message()
    }

    /// Approves: answers a redeemed authentication request.
    pub(crate) async fn authenticate(&self, handed_out: &Value) -> Answer {
        self.post_authentication(&self.assertion(handed_out)).await
    }

    pub(crate) async fn post_authentication(&self, response: &str) -> Answer {
        self.public.uaf("/nevisfido/uaf/1.1/authentication", &json!({"uafResponse": response})).await
    }

    /// Says no, with these codes.
    pub(crate) async fn deny(&self, handed_out: &Value, codes: &Value) -> Answer {
        let denial = self.device.authenticator.deny(&authentication(handed_out)).unwrap().to_message();
        let body = json!({"uafResponse": denial, "context": codes.to_string()});
        self.public.uaf("/nevisfido/uaf/1.1/authentication", &body).await
    }

    /// Removes all the user's keys, here and there.
    pub(crate) async fn deregister(&self) {
        let request = json!({"context": json!({"username": self.user}).to_string()});
        let answer = self.client().uaf("/nevisfido/uaf/1.1/request/deregistration", &request).await.uaf_code(1200);
        let request = DeregistrationRequest::from_message(answer["uafRequest"].as_str().unwrap()).unwrap();
        self.device.authenticator.deregister(&request, &mut self.device.keys.borrow_mut());
        assert!(self.device.keys.borrow().is_empty(), "the request names the phone's key");
    }
}

fn registration(handed_out: &Value) -> RegistrationRequest {
    RegistrationRequest::from_message(handed_out["uafRequest"].as_str().unwrap()).unwrap()
}

fn authentication(handed_out: &Value) -> AuthenticationRequest {
    AuthenticationRequest::from_message(handed_out["uafRequest"].as_str().unwrap()).unwrap()
}
