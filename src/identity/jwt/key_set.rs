//! The keys of an issuer, as its JWK set lists them (RFC 7517 5).

use std::sync::Arc;

use serde_json::Value;
use sidegate_filters::jws::{Algorithm, JwkDocument, JwkError, Thumbprint, VerificationKey, json};

/// The most keys of a set.
const MOST: usize = 100;

/// A set that can't be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeySetError {
    #[error("it is {0}")]
    Json(#[from] json::JsonError),
    #[error("it has no list `keys` of at most {MOST} keys")]
    Form,
}

/// Why no key is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoKey {
    /// None fits.
    Unknown,
    /// More than one does.
    Several,
}

/// The keys that verify signatures; others of the set are passed over, as the standard wants it.
#[derive(Debug, Default)]
pub(super) struct KeySet {
    keys: Vec<Arc<VerificationKey>>,
    /// How many were passed over.
    pub(super) unused: usize,
}

impl KeySet {
    pub(super) fn parse(text: &[u8]) -> Result<Self, KeySetError> {
        let members = json::object(text)?;
        let listed = members.get("keys").and_then(Value::as_array).filter(|keys| keys.len() <= MOST);
        let listed = listed.ok_or(KeySetError::Form)?;
        let mut keys: Vec<Arc<VerificationKey>> = Vec::new();
        for key in listed.iter().filter(|key| key.is_object()).filter_map(|key| import(key).ok()) {
            let same =
                |other: &Arc<VerificationKey>| other.thumbprint() == key.thumbprint() && other.kid() == key.kid();
            if !keys.iter().any(same) {
                keys.push(Arc::new(key));
            }
        }
        Ok(Self { unused: listed.len().saturating_sub(keys.len()), keys })
    }

    /// The one key that fits: `kid` chooses among those whose kind and `alg` do.
    pub(super) fn choose(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<Arc<VerificationKey>, NoKey> {
        let is_named = |key: &&Arc<VerificationKey>| kid.is_none_or(|kid| key.kid() == Some(kid));
        let mut fitting = self.keys.iter().filter(|key| key.takes(algorithm)).filter(is_named);
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Ok(only.clone()),
            (None, _) => Err(NoKey::Unknown),
            (Some(_), Some(_)) => Err(NoKey::Several),
        }
    }

    pub(super) fn has(&self, key: &Thumbprint) -> bool {
        self.keys.iter().any(|known| known.thumbprint() == key)
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }
}

fn import(key: &Value) -> Result<VerificationKey, JwkError> {
    VerificationKey::try_from(JwkDocument::parse(key)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED: &str = r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;
    const EC: &str = r#""kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM""#;

    fn set(keys: &[&str]) -> KeySet {
        KeySet::parse(format!("{{\"keys\":[{}]}}", keys.join(",")).as_bytes()).unwrap()
    }

    fn key(material: &str, rest: &str) -> String {
        format!("{{{material}{rest}}}")
    }

    #[test]
    fn the_only_key_that_fits_is_chosen() {
        let (one, two) = (key(ED, r#","kid":"a""#), key(EC, r#","kid":"a""#));
        let both = set(&[&one, &two]);
        assert_eq!(both.len(), 2);
        assert!(both.choose(Some("a"), Algorithm::EdDsa).is_ok(), "kid and kind choose together");
        assert!(both.choose(None, Algorithm::Es256).is_ok());
        for (kid, algorithm) in [(Some("b"), Algorithm::EdDsa), (Some("A"), Algorithm::EdDsa), (None, Algorithm::Rs256)]
        {
            assert_eq!(both.choose(kid, algorithm).unwrap_err(), NoKey::Unknown);
        }
        let twins = set(&[&one, &key(ED, r#","kid":"b""#)]);
        assert_eq!(twins.choose(None, Algorithm::EdDsa).unwrap_err(), NoKey::Several);
        assert!(twins.choose(Some("b"), Algorithm::EdDsa).is_ok());
        assert!(set(&[&one, &one]).choose(None, Algorithm::EdDsa).is_ok(), "the same key twice is one");
        let named = set(&[&key(ED, r#","alg":"Ed25519""#)]);
        assert_eq!(named.choose(None, Algorithm::EdDsa).unwrap_err(), NoKey::Unknown, "alg of a key binds it");
    }

    #[test]
    fn keys_for_something_else_are_passed_over() {
        let unfit = [
            r#"{"kty":"oct","k":"c2VjcmV0"}"#.to_owned(),
            key(EC, r#","use":"enc""#),
            key(EC, r#","alg":"ES384""#),
            key(EC, r#","d":"AAAA""#),
            "7".to_owned(),
            "null".to_owned(),
        ];
        let found = set(&unfit.each_ref().map(String::as_str));
        assert_eq!((found.len(), found.unused), (0, unfit.len()));
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for text in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#, r#"{"keys":[]} x"#] {
            assert!(KeySet::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(KeySet::parse(format!("{{\"keys\":[{}1]}}", "1,".repeat(MOST)).as_bytes()).is_err());
        assert_eq!(KeySet::parse(br#"{"keys":[]}"#).unwrap().len(), 0, "an issuer may have given up all its keys");
    }
}
