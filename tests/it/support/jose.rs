//! A phone's keys for its dispatch target, and JWS made by hand so that each part can be wrong on purpose.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use josekit::jwe::{self, alg::ecdh_es::EcdhEsJweAlgorithm};
use josekit::jwk::Jwk;
use josekit::jwk::alg::ec::EcCurve;
use josekit::jwk::alg::ed::EdCurve;
use josekit::jws::{ES256, ES384, EdDSA, JwsSigner, RS256};
use openssl::bn::BigNum;
use openssl::ecdsa::EcdsaSig;
use openssl::sha::sha256;
use serde_json::{Map, Value, json};
use sidegate_filters::jws::JwkDocument;

use super::secrets::Secrets;

/// Unpadded base64url.
pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of unpadded base64url.
pub(crate) fn from_base64url(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// Whether a compact JWS was signed with ES256 by this public JWK.
pub(crate) fn es256_verifies(key: &Value, jws: &str) -> bool {
    let (input, signature) = jws.rsplit_once('.').unwrap();
    let signature = from_base64url(signature);
    let [r, s] = [&signature[..32], &signature[32..]].map(|number| BigNum::from_slice(number).unwrap());
    let key = JwkDocument::parse(key).unwrap().public_key().unwrap().ec_key().unwrap();
    EcdsaSig::from_private_components(r, s).unwrap().verify(&sha256(input.as_bytes()), &key).unwrap()
}

/// A private signature key.
pub(crate) struct SigningKey {
    alg: &'static str,
    public: Value,
    signer: Box<dyn JwsSigner>,
}

impl SigningKey {
    pub(crate) fn p256(secrets: &Secrets) -> Self {
        let jwk = Jwk::generate_ec_key(EcCurve::P256).unwrap();
        Self::new("ES256", &jwk, Box::new(ES256.signer_from_jwk(&jwk).unwrap()), secrets)
    }

    pub(crate) fn p384(secrets: &Secrets) -> Self {
        let jwk = Jwk::generate_ec_key(EcCurve::P384).unwrap();
        Self::new("ES384", &jwk, Box::new(ES384.signer_from_jwk(&jwk).unwrap()), secrets)
    }

    pub(crate) fn ed25519(secrets: &Secrets) -> Self {
        let jwk = Jwk::generate_ed_key(EdCurve::Ed25519).unwrap();
        Self::new("EdDSA", &jwk, Box::new(EdDSA.signer_from_jwk(&jwk).unwrap()), secrets)
    }

    pub(crate) fn rsa(bits: u32, secrets: &Secrets) -> Self {
        let jwk = Jwk::generate_rsa_key(bits).unwrap();
        Self::new("RS256", &jwk, Box::new(RS256.signer_from_jwk(&jwk).unwrap()), secrets)
    }

    fn new(alg: &'static str, jwk: &Jwk, signer: Box<dyn JwsSigner>, secrets: &Secrets) -> Self {
        Self { alg, public: register(jwk, secrets), signer }
    }

    /// The JWK to register.
    pub(crate) fn public(&self) -> Value {
        self.public.clone()
    }

    /// A compact JWS of these claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_parts(&json!({"alg": self.alg}).to_string(), &claims.to_string())
    }

    /// A compact JWS, correctly signed, of a header and a payload as they are.
    pub(crate) fn sign_parts(&self, header: &str, payload: &str) -> String {
        self.sign_input(&format!("{}.{}", base64url(header), base64url(payload)))
    }

    /// A signing input as it is, with its signature.
    pub(crate) fn sign_input(&self, input: &str) -> String {
        format!("{input}.{}", base64url(self.signer.sign(input.as_bytes()).unwrap()))
    }
}

/// A private encryption key on P-256.
pub(crate) struct EncryptionKey {
    jwk: Jwk,
    public: Value,
}

impl EncryptionKey {
    pub(crate) fn p256(secrets: &Secrets) -> Self {
        let jwk = Jwk::generate_ec_key(EcCurve::P256).unwrap();
        Self { public: register(&jwk, secrets), jwk }
    }

    /// The JWK to register.
    pub(crate) fn public(&self) -> Value {
        self.public.clone()
    }

    /// Decrypts a compact JWE of a JSON object.
    pub(crate) fn open(&self, jwe: &str) -> Value {
        let decrypter = EcdhEsJweAlgorithm::EcdhEsA256kw.decrypter_from_jwk(&self.jwk).unwrap();
        let (payload, header) = jwe::deserialize_compact(jwe, &decrypter).unwrap();
        assert_eq!(header.content_encryption(), Some("A256GCM"));
        serde_json::from_slice(&payload).unwrap()
    }
}

fn register(jwk: &Jwk, secrets: &Secrets) -> Value {
    let members: &Map<String, Value> = jwk.as_ref();
    secrets.add("private key", members["d"].as_str().unwrap());
    secrets.add("private key", from_base64url(members["d"].as_str().unwrap()));
    Value::Object(jwk.to_public_key().unwrap().as_ref().clone())
}
