//! The one strict verifier of the house: base64url, JSON, JWK and compact JWS (RFC 7515, 7517, 7518, 7638, 8037, 9864).
//!
//! A message goes through three types, and each step is the only way to the next:
//! [`CompactJws`] (well-formed) → [`UnverifiedJws`] (its header obeys the rules) → [`VerifiedJws`] (signed by the key).
//!
//! ```
//! use sidegate_filters::jws::{Algorithm, CompactJws, JwkDocument, JwsError, VerificationKey};
//!
//! fn payload(compact: &[u8], key: &VerificationKey) -> Result<Vec<u8>, JwsError> {
//!     let jws = CompactJws::parse(compact, 8192)?.admit(&Algorithm::ALL)?;
//!     Ok(jws.verify(key)?.into_payload())
//! }
//! # let jwk = serde_json::json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
//! # let key = VerificationKey::try_from(JwkDocument::parse(&jwk).unwrap()).unwrap();
//! # assert_eq!(payload(b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg", &key).unwrap(), b"Example of Ed25519 signing");
//! ```

mod algorithm;
pub mod base64url;
mod compact;
mod header;
pub mod json;
mod jwk;
#[cfg(test)]
pub(crate) mod signing;
#[cfg(test)]
mod tests;
mod verification_key;

pub use algorithm::Algorithm;
pub use compact::{CompactJws, JwsError, UnverifiedJws, VerifiedJws};
pub use header::Header;
pub use jwk::{EcCurve, JwkDocument, JwkError, KeyKind, Purpose, Thumbprint};
pub use verification_key::{SignatureError, VerificationKey};

pub(crate) use openssl::sha::sha256;
