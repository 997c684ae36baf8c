//! What a token has to say, and what is read out of it. Nothing here believes it: that takes the signature.

use std::time::Duration;

use serde_json::Value;
use sidegate_filters::clock::Millis;
use sidegate_filters::identity_creation::BadToken;
use sidegate_filters::jws::base64url;

use super::verifier::Issuer;
use crate::store::users::{are_roles, is_plain};

/// The last second of the year 9999: what lies behind it is no date.
const LAST: f64 = 253_402_300_799.0;

/// Where something stands among the claims: a name, or a JSON pointer (RFC 6901) where it begins with a slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim(pub String);

impl Claim {
    fn of<'a>(&self, claims: &'a Value) -> Option<&'a Value> {
        if self.0.starts_with('/') { claims.pointer(&self.0) } else { claims.get(&self.0) }
    }
}

/// What a token says that is not over and for us.
pub(in crate::identity) struct Said {
    pub(super) user: String,
    pub(super) name: String,
    pub(super) roles: Vec<String>,
    /// Of its `acr`, where that is worth one of its own.
    pub(super) level: Option<u8>,
    /// Long ago, where it says nothing of it: no limit of age is met then.
    pub(super) authenticated_at: Millis,
    pub(super) expires: Millis,
    pub(super) bound_to: Option<[u8; 32]>,
}

impl Issuer {
    /// Whether the claims are those of a token that this entry is for.
    pub(super) fn is_bound(&self, claims: &Value) -> bool {
        self.bound.iter().all(|(claim, text)| claim.of(claims).and_then(Value::as_str) == Some(text))
    }

    /// What the claims say, if they are for us and now is their time. `iss` is compared already.
    pub(super) fn judge(&self, claims: &Value, now: Millis, skew: Duration) -> Result<Said, BadToken> {
        if !is_for(claims.get("aud"), &self.audience) {
            return Err(BadToken("aud is missing, or names somebody else"));
        }
        let expires = instant(claims, "exp")?.ok_or(BadToken("exp is missing"))?;
        if now >= expires {
            return Err(BadToken("it is over"));
        }
        let latest = now.after(skew);
        let ahead = |name| Ok::<_, BadToken>(instant(claims, name)?.is_some_and(|from| from > latest));
        if ahead("nbf")? || ahead("iat")? || ahead("auth_time")? {
            return Err(BadToken("its time has not come"));
        }
        // Whoever is named by another claim is somebody's subject all the same (RFC 9068 2.2).
        text(claims.get("sub"))?;
        let user = text(self.user.of(claims))?;
        let name = self.name.as_ref().map_or_else(|| Ok(user.clone()), |name| text(name.of(claims)))?;
        let authenticated_at = instant(claims, "auth_time")?.map_or(Millis(0), |at| at.min(now));
        let wanted = self.roles.as_ref().and_then(|wanted| wanted.of(claims));
        let (roles, bound_to) = (roles(wanted)?, bound_to(claims.get("cnf"))?);
        let acr = claims.get("acr").and_then(Value::as_str);
        let level = self.levels.iter().find(|(value, _)| Some(value.as_str()) == acr).map(|(_, level)| *level);
        Ok(Said { user, name, roles, level, authenticated_at, expires, bound_to })
    }
}

/// A text or a list of texts (RFC 7519 4.1.3).
fn is_for(aud: Option<&Value>, audience: &str) -> bool {
    match aud {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(list)) => list.iter().all(Value::is_string) && list.iter().any(|one| one == audience),
        _ => false,
    }
}

/// A NumericDate (RFC 7519 2); it may have a fraction, which is cut off.
fn instant(claims: &Value, name: &str) -> Result<Option<Millis>, BadToken> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_f64().filter(|seconds| (0.0..=LAST).contains(seconds));
    let seconds = seconds.ok_or(BadToken("exp, nbf, iat or auth_time is no time"))?;
    Ok(Some(Millis(0).after(Duration::from_secs(seconds as u64))))
}

/// A user's name.
fn text(value: Option<&Value>) -> Result<String, BadToken> {
    let text = value.and_then(Value::as_str).ok_or(BadToken("a claim that names the user is missing or no text"))?;
    if is_plain(text) {
        Ok(text.to_owned())
    } else {
        Err(BadToken("a claim that names the user is empty, too long or no plain text"))
    }
}

/// A list of texts, or one text with blanks between them, as `scope` has it (RFC 8693 4.2).
fn roles(value: Option<&Value>) -> Result<Vec<String>, BadToken> {
    const BAD: BadToken = BadToken("its roles are no plain texts, or too many");
    let listed: Vec<Value> = match value {
        None => return Ok(Vec::new()),
        Some(Value::String(all)) => all.split(' ').filter(|role| !role.is_empty()).map(Value::from).collect(),
        Some(Value::Array(list)) => list.clone(),
        Some(_) => return Err(BAD),
    };
    let roles: Option<Vec<String>> = listed.iter().map(|role| role.as_str().map(str::to_owned)).collect();
    roles.filter(|roles| are_roles(roles)).ok_or(BAD)
}

/// A token that only one sender may show (RFC 8705 3.1). Whoever is bound in a way that can't be checked here is nobody.
fn bound_to(cnf: Option<&Value>) -> Result<Option<[u8; 32]>, BadToken> {
    let Some(cnf) = cnf else { return Ok(None) };
    let only = cnf.as_object().filter(|members| members.len() == 1).and_then(|members| members.get("x5t#S256"));
    let digest = only.and_then(Value::as_str).and_then(|text| base64url::decode(text).ok());
    let digest = digest.and_then(|digest| <[u8; 32]>::try_from(digest).ok());
    digest.map(Some).ok_or(BadToken("it is bound to its sender in a way that is not known here"))
}
