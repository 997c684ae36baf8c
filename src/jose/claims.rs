//! Signed claims (RFC 7519), checked: who signed them, for whom, and until when they hold.

use std::collections::HashMap;
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sidegate_filters::clock::Millis;
use sidegate_filters::jws::{Algorithm as Strict, CompactJws, JwkError, JwsError, VerificationKey, json};

use super::CryptoError;
use super::provider::Handle;

/// The longest token that is looked at, in bytes.
const LIMIT: usize = 8 * 1024;

/// Why a token is refused.
#[derive(Debug, thiserror::Error)]
pub enum ClaimsError {
    /// It is malformed, or its header has what is never accepted.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// Its payload could be read in two ways, or is no object.
    #[error("the claims are no strict JSON object")]
    Payload,
    /// It names no key that is trusted.
    #[error("kid names no trusted key")]
    Key,
    /// The signature, `iss`, `aud` or `sub` is wrong or missing.
    #[error("the token is not what was expected: {0}")]
    Refused(String),
    /// A time is missing or no whole number.
    #[error("{0} must be a number of seconds")]
    Time(&'static str),
    /// It holds no more.
    #[error("the token has expired")]
    Expired,
    /// It does not hold yet.
    #[error("the token is not valid yet")]
    Early,
}

/// What claims must say.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// `iss`.
    pub issuer: String,
    /// `aud`, or one of them.
    pub audience: String,
    /// How far the clocks may be apart.
    pub leeway: Duration,
}

/// Keys whose signatures are believed, by `kid`. ES256 only.
#[derive(Default)]
pub struct TrustedKeys(HashMap<String, Trusted>);

struct Trusted {
    decoding: DecodingKey,
    /// The parsed key that `decoding` stands for.
    _handle: Handle,
}

impl TrustedKeys {
    /// These keys, each under its thumbprint.
    ///
    /// # Errors
    /// If the library fails.
    pub fn of(keys: impl IntoIterator<Item = Result<VerificationKey, JwkError>>) -> Result<Self, CryptoError> {
        let mut trusted = HashMap::new();
        for key in keys {
            let key = key.map_err(|error| CryptoError(error.to_string()))?;
            let kid = key.thumbprint().to_string();
            let handle = Handle::verification(key)?;
            trusted.insert(kid, Trusted { decoding: handle.decoding_key(), _handle: handle });
        }
        Ok(Self(trusted))
    }

    /// The claims of a token, once everything about it was found right: the header's rules (no `crit`, no key of its
    /// own, ES256), a trusted key's signature, issuer, audience, a subject, and the time.
    ///
    /// # Errors
    /// Which of these is not.
    pub fn verify<T: DeserializeOwned>(
        &self,
        token: &str,
        expected: &Expectation,
        now: Millis,
    ) -> Result<T, ClaimsError> {
        // jsonwebtoken ignores `crit` and takes duplicate members: the strict parser has the first word.
        let jws = CompactJws::parse(token.as_bytes(), LIMIT)?.admit(&[Strict::Es256])?;
        json::object(jws.unverified_payload()).map_err(|_| ClaimsError::Payload)?;
        let trusted = jws.header().kid().and_then(|kid| self.0.get(kid)).ok_or(ClaimsError::Key)?;
        let claims = decode(token, &trusted.decoding, expected)?;
        check_times(&claims, expected.leeway, now)?;
        serde_json::from_value(Value::Object(claims)).map_err(|_| ClaimsError::Payload)
    }
}

fn decode(token: &str, key: &DecodingKey, expected: &Expectation) -> Result<Map<String, Value>, ClaimsError> {
    let mut validation = Validation::new(Algorithm::ES256);
    // The crate knows only the machine's clock; the times are checked with ours.
    validation.validate_exp = false;
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.set_issuer(&[&expected.issuer]);
    validation.set_audience(&[&expected.audience]);
    let token = jsonwebtoken::decode::<Map<String, Value>>(token, key, &validation);
    Ok(token.map_err(|error| ClaimsError::Refused(error.to_string()))?.claims)
}

fn check_times(claims: &Map<String, Value>, leeway: Duration, now: Millis) -> Result<(), ClaimsError> {
    let seconds = |name: &'static str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_i64().map(Some).ok_or(ClaimsError::Time(name)),
    };
    let leeway = i64::try_from(leeway.as_secs()).unwrap_or(i64::MAX);
    if seconds("exp")?.ok_or(ClaimsError::Time("exp"))? <= now.seconds().saturating_sub(leeway) {
        return Err(ClaimsError::Expired);
    }
    for begin in [seconds("nbf")?, seconds("iat")?].into_iter().flatten() {
        if begin > now.seconds().saturating_add(leeway) {
            return Err(ClaimsError::Early);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;
    use sidegate_filters::jws::base64url;

    use super::*;
    use crate::jose::SigningKey;

    const NOW: Millis = Millis(1_700_000_000_000);

    fn expected() -> Expectation {
        Expectation { issuer: "gw".into(), audience: "app".into(), leeway: Duration::from_secs(5) }
    }

    fn claims() -> Value {
        let now = NOW.seconds();
        json!({ "iss": "gw", "aud": "app", "sub": "jeff", "exp": now + 60, "nbf": now, "iat": now })
    }

    fn verify(key: &SigningKey, token: &str) -> Result<Value, ClaimsError> {
        TrustedKeys::of([key.verification_key()]).unwrap().verify(token, &expected(), NOW)
    }

    /// What becomes of these claims when the trusted key signs them.
    fn signed(claims: &Value) -> Result<Value, ClaimsError> {
        let key = SigningKey::generate().unwrap();
        verify(&key, &key.sign(claims).unwrap())
    }

    #[test]
    fn good_claims_pass() {
        assert_eq!(signed(&claims()).unwrap(), claims());
        let mut several = claims();
        several["aud"] = json!(["other", "app"]);
        assert_eq!(signed(&several).unwrap(), several);
    }

    #[rstest]
    #[case("iss", json!("other"))]
    #[case("iss", Value::Null)]
    #[case("aud", json!("other"))]
    #[case("aud", json!(["other"]))]
    #[case("aud", json!([]))]
    #[case("aud", Value::Null)]
    #[case("sub", Value::Null)]
    #[case("sub", json!(1))]
    #[case("exp", Value::Null)]
    fn every_claim_is_needed(#[case] name: &str, #[case] value: Value) {
        let mut with = claims();
        with[name] = value.clone();
        assert!(matches!(signed(&with), Err(ClaimsError::Refused(_))), "{name} = {value}");
        let mut without = claims();
        without.as_object_mut().unwrap().remove(name);
        assert!(matches!(signed(&without), Err(ClaimsError::Refused(_))), "no {name}");
    }

    #[rstest]
    #[case("exp", -5, Some(ClaimsError::Expired))]
    #[case("exp", -4, None)]
    #[case("nbf", 5, None)]
    #[case("nbf", 6, Some(ClaimsError::Early))]
    #[case("iat", 6, Some(ClaimsError::Early))]
    fn times_have_a_leeway(#[case] name: &str, #[case] seconds: i64, #[case] error: Option<ClaimsError>) {
        let mut claims = claims();
        claims[name] = json!(NOW.seconds() + seconds);
        assert_eq!(signed(&claims).err().map(|e| e.to_string()), error.map(|e| e.to_string()), "{name} {seconds}");
    }

    #[rstest]
    #[case("exp", json!(1_700_000_060.5))]
    #[case("nbf", json!("1700000000"))]
    #[case("iat", Value::Null)]
    fn times_are_whole_numbers(#[case] name: &str, #[case] value: Value) {
        let mut claims = claims();
        claims[name] = value;
        assert!(matches!(signed(&claims), Err(ClaimsError::Time(found)) if found == name));
    }

    #[test]
    fn another_key_is_not_trusted() {
        let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let token = other.sign(&claims()).unwrap();
        assert!(matches!(verify(&key, &token), Err(ClaimsError::Key)));
        let both = TrustedKeys::of([key.verification_key(), other.verification_key()]).unwrap();
        assert!(both.verify::<Value>(&token, &expected(), NOW).is_ok());
    }

    /// The token with another header, and the signature that belongs to the old one.
    fn with_header(key: &SigningKey, header: &Value) -> String {
        let token = key.sign(&claims()).unwrap();
        let (_, rest) = token.split_once('.').unwrap();
        format!("{}.{rest}", base64url::encode(header.to_string()))
    }

    #[test]
    fn the_signature_covers_header_and_claims() {
        let key = SigningKey::generate().unwrap();
        let forged = with_header(&key, &json!({ "alg": "ES256", "kid": key.kid() }));
        assert!(matches!(verify(&key, &forged), Err(ClaimsError::Refused(_))));
    }

    #[rstest]
    #[case::crit(json!({ "alg": "ES256", "crit": ["x"] }))]
    #[case::own_key(json!({ "alg": "ES256", "jwk": {} }))]
    #[case::none(json!({ "alg": "none" }))]
    #[case::mac(json!({ "alg": "HS256" }))]
    #[case::other(json!({ "alg": "ES384" }))]
    fn headers_are_strict(#[case] mut header: Value) {
        let key = SigningKey::generate().unwrap();
        header["kid"] = key.kid().into();
        assert!(matches!(verify(&key, &with_header(&key, &header)), Err(ClaimsError::Jws(_))), "{header}");
    }

    #[test]
    fn a_token_without_kid_has_no_key() {
        let key = SigningKey::generate().unwrap();
        let token = with_header(&key, &json!({ "alg": "ES256" }));
        assert!(matches!(verify(&key, &token), Err(ClaimsError::Key)));
    }
}
