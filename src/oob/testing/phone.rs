//! Phones: their authenticator, and what they are as dispatch targets.

use serde_json::{Value, json};
use sidegate_filters::jws::{EcCurve, KeyKind};
use sidegate_uaf::authenticator::{Authenticator, DeviceKey};
use sidegate_uaf::tlv::tag;
use sidegate_uaf::wire::{AuthenticationRequest, DeregistrationRequest, RegistrationRequest, Response};

use super::MODEL;
use crate::fido::UafRequest;
use crate::jose::{DecryptionKey, MessageSigningKey};
use crate::oob::NewTarget;

/// An authenticator with its keys.
pub(crate) struct Phone {
    pub(crate) authenticator: Authenticator,
    pub(crate) keys: Vec<DeviceKey>,
}

impl Phone {
    pub(crate) fn new() -> Self {
        Self { authenticator: Authenticator::new(MODEL.parse().unwrap()), keys: Vec::new() }
    }

    pub(crate) fn register(&mut self, request: &UafRequest) -> Response {
        let request = RegistrationRequest::from_message(&request.message).unwrap();
        let (response, key) = self.authenticator.register(&request, &self.keys).unwrap();
        self.keys.push(key);
        response
    }

    pub(crate) fn authenticate(&mut self, request: &UafRequest) -> Response {
        let request = AuthenticationRequest::from_message(&request.message).unwrap();
        self.authenticator.authenticate(&request, &mut self.keys, &[9; 16]).unwrap()
    }

    /// An answer that says it is by the key that is asked for, with this phone's first key.
    pub(crate) fn forge(&self, request: &UafRequest) -> Response {
        self.forge_by(request, request)
    }

    /// The same to this request, by the key that another one asks for.
    pub(crate) fn forge_by(&self, request: &UafRequest, named: &UafRequest) -> Response {
        let read = |request: &UafRequest| AuthenticationRequest::from_message(&request.message).unwrap();
        let (request, named) = (read(request), read(named));
        let mut draft = self.authenticator.draft_authentication(&request, &self.keys[0], &[9; 16]).unwrap();
        draft.fields.set(tag::KEYID, named.policy.accepted[0][0].key_ids[0].as_bytes());
        draft.sign(self.keys[0].private_key()).unwrap()
    }

    pub(crate) fn deny(&self, request: &UafRequest) -> Response {
        self.authenticator.deny(&AuthenticationRequest::from_message(&request.message).unwrap()).unwrap()
    }

    pub(crate) fn deregister(&mut self, request: &UafRequest) {
        let request = DeregistrationRequest::from_message(&request.message).unwrap();
        self.authenticator.deregister(&request, &mut self.keys);
    }
}

/// A dispatch target as its phone knows it.
pub(crate) struct Device {
    pub(crate) id: String,
    pub(crate) signing: MessageSigningKey,
    pub(crate) decryption: DecryptionKey,
}

impl Device {
    pub(crate) fn new() -> Self {
        let (signing, decryption) = (
            MessageSigningKey::generate(KeyKind::Ec(EcCurve::P256)).unwrap(),
            DecryptionKey::generate(KeyKind::Ec(EcCurve::P256)).unwrap(),
        );
        Self { id: String::new(), signing, decryption }
    }

    pub(crate) fn registration(&self, name: &str, dispatcher: &str) -> NewTarget {
        NewTarget {
            username: None,
            name: name.to_owned(),
            device_id: Some("device-1".into()),
            app_id: None,
            dispatcher: dispatcher.to_owned(),
            push_token: None,
            signature_key: self.signing.public_jwk(),
            encryption_key: json!(self.decryption.public_jwk().to_string()),
        }
    }

    /// What a link says to this phone.
    pub(crate) fn read(&self, link: &str) -> Value {
        let payload = payload(link);
        assert_eq!(payload["nma_data_content_type"], "application/jose");
        let plain = self.decryption.decrypt(payload["nma_data"].as_str().unwrap()).unwrap();
        serde_json::from_slice(&plain).unwrap()
    }
}

/// The payload of a link.
pub(crate) fn payload(link: &str) -> Value {
    let (base, text) = link.split_once("dispatchTokenResponse=").unwrap();
    assert_eq!(base, "https://siven.ch?");
    serde_json::from_slice(&sidegate_filters::jws::base64url::decode(text).unwrap()).unwrap()
}
