//! Private keys as JWKs: how the software phone makes and keeps its own.

use josekit::jwk::Jwk;
use josekit::jwk::alg::{ec::EcCurve as Curve, ecx::EcxCurve, ed::EdCurve};
use serde_json::{Map, Value};
use sidegate_filters::jws::{EcCurve, JwkDocument, JwkError, KeyKind, Purpose};

use super::CryptoError;

/// A private JWK that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum PrivateJwkError {
    /// Its public half was refused, or does not fit the purpose.
    #[error(transparent)]
    Jwk(#[from] JwkError),
    /// Its private half was refused, or the library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl From<josekit::JoseError> for PrivateJwkError {
    fn from(error: josekit::JoseError) -> Self {
        Self::Crypto(error.into())
    }
}

/// A key pair for one purpose. Its `kid` is its thumbprint.
pub(super) struct PrivateJwk {
    jwk: Jwk,
    public: JwkDocument,
    purpose: Purpose,
}

impl PrivateJwk {
    pub(super) fn generate(kind: KeyKind, purpose: Purpose) -> Result<Self, PrivateJwkError> {
        let jwk = match kind {
            KeyKind::Rsa => Jwk::generate_rsa_key(2048)?,
            KeyKind::Ec(EcCurve::P256) => Jwk::generate_ec_key(Curve::P256)?,
            KeyKind::Ec(EcCurve::P384) => Jwk::generate_ec_key(Curve::P384)?,
            KeyKind::Ec(EcCurve::P521) => Jwk::generate_ec_key(Curve::P521)?,
            KeyKind::Ed25519 => Jwk::generate_ed_key(EdCurve::Ed25519)?,
            KeyKind::X25519 => Jwk::generate_ecx_key(EcxCurve::X25519)?,
        };
        Self::of(jwk, purpose)
    }

    pub(super) fn from_members(members: Map<String, Value>, purpose: Purpose) -> Result<Self, PrivateJwkError> {
        Self::of(Jwk::from_map(members)?, purpose)
    }

    fn of(mut jwk: Jwk, purpose: Purpose) -> Result<Self, PrivateJwkError> {
        let public: Map<String, Value> = jwk.to_public_key()?.into();
        let public = JwkDocument::parse(&Value::Object(public))?;
        public.require(purpose)?;
        public.public_key()?;
        jwk.set_key_id(public.thumbprint().to_string());
        Ok(Self { jwk, public, purpose })
    }

    pub(super) fn kind(&self) -> KeyKind {
        self.public.kind()
    }

    /// For josekit, which takes everything from the members.
    pub(super) fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    pub(super) fn kid(&self) -> String {
        self.public.thumbprint().to_string()
    }

    pub(super) fn public_jwk(&self) -> Value {
        let mut members = self.public.public_members();
        members.insert("kid".into(), self.kid().into());
        let purpose = if self.purpose == Purpose::Signature { "sig" } else { "enc" };
        members.insert("use".into(), purpose.into());
        Value::Object(members)
    }
}
