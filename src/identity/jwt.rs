//! The realm `jwt`: bearer tokens of issuers that are trusted (`gateway.md` 3.1, RFC 7519, RFC 9068, RFC 8725).
//!
//! Nothing is kept of a caller but that a token was verified: whoever shows it again is let in without another look at
//! its signature, until it ends or its key leaves the issuer's key set. That memory belongs to the realm, and a realm to
//! one configuration, so neither another realm nor a changed configuration finds anything in it.

mod claims;
mod issuer_keys;
mod key_set;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use sidegate_filters::clock::{Clock, Millis};
use sidegate_filters::identity::{Login, Session};
use sidegate_filters::identity_creation::{BadToken, Tokens};
use sidegate_filters::jws::{Algorithm, CompactJws, JwsError, Thumbprint, UnverifiedJws, base64url, json};
use sidegate_filters::recent::Recent;
use sidegate_filters::{Client, FilterError};

use crate::jose::sha256;
use crate::telemetry::audit::Event;
pub use claims::Claim;
use claims::Said;
pub use issuer_keys::{IssuerKeys, Pace, Source, try_file};
use key_set::NoKey;

/// The longest token, in bytes.
const LONGEST: usize = 8 * 1024;
/// The longest `kid` that is logged, in bytes.
const LONGEST_KID: usize = 64;
/// Verified tokens that are remembered, about 1 KiB each.
const REMEMBERED: usize = 20_000;

/// Whose tokens are taken, and how they are read.
pub struct Issuer {
    /// `iss`, byte for byte.
    pub issuer: String,
    /// What `aud` has to hold.
    pub audience: String,
    /// The algorithms that it may sign with.
    pub algorithms: Vec<Algorithm>,
    /// `typ` of its tokens; `None`: `JWT`, `at+jwt` or none at all.
    pub typ: Option<String>,
    /// The claim that names the user.
    pub user: Claim,
    /// The claim with the login name; `None`: the same.
    pub name: Option<Claim>,
    /// The claim with the user's roles.
    pub roles: Claim,
    /// Values of `acr` that are worth another level than the realm's.
    pub levels: Vec<(String, u8)>,
    /// Its keys.
    pub keys: IssuerKeys,
}

/// What the tokens of a realm are worth.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its name, as sessions and SecTokens show it.
    pub realm: String,
    /// The domain whose routes take its tokens.
    pub domain: String,
    /// The authentication level.
    pub level: u8,
    /// How far an issuer's clock may be ahead.
    pub clock_skew: Duration,
}

/// The realm.
pub struct JwtRealm {
    settings: Settings,
    issuers: Vec<Issuer>,
    verified: Mutex<Recent<[u8; 32], Arc<Verified>>>,
    clock: Arc<dyn Clock>,
}

/// What came of a token.
struct Verified {
    session: Session,
    /// Which of the issuers vouches for it.
    issuer: usize,
    key: Thumbprint,
    expires: Millis,
    /// The certificate that its sender has to have.
    bound_to: Option<[u8; 32]>,
}

/// What a token names, for the log.
#[derive(Default)]
struct Named {
    /// Which of the issuers.
    issuer: Option<usize>,
    kid: Option<String>,
}

/// Whether a name of a key may stand in the log: whoever sends it chooses it.
fn is_plain(kid: &str) -> bool {
    kid.len() <= LONGEST_KID && kid.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/+=".contains(&byte))
}

/// Why a token is not taken.
enum Refusal {
    Bad(BadToken),
    Undecided(FilterError),
}

impl From<BadToken> for Refusal {
    fn from(bad: BadToken) -> Self {
        Self::Bad(bad)
    }
}

impl From<FilterError> for Refusal {
    fn from(error: FilterError) -> Self {
        Self::Undecided(error)
    }
}

impl JwtRealm {
    /// A realm that has seen no token yet.
    #[must_use]
    pub fn new(settings: Settings, issuers: Vec<Issuer>, clock: Arc<dyn Clock>) -> Self {
        Self { settings, issuers, verified: Mutex::new(Recent::new(REMEMBERED)), clock }
    }

    async fn judge(&self, token: &str, client: &Client, named: &mut Named) -> Result<Session, Refusal> {
        let digest = sha256(token.as_bytes());
        let known = match self.remembered(&digest).await {
            Some(known) => known,
            None => self.look_at(token, &digest, named).await?,
        };
        named.issuer = Some(known.issuer);
        if known.bound_to.is_some() && known.bound_to != client.certificate.map(|certificate| certificate.0) {
            return Err(BadToken("it is bound to a certificate that was not shown").into());
        }
        Ok(known.session.clone())
    }

    /// A token that was found good before, is not over, and whose key its issuer still has, or had when it could last be
    /// asked.
    async fn remembered(&self, digest: &[u8; 32]) -> Option<Arc<Verified>> {
        let known = self.verified().get(digest)?;
        let issuer = self.issuers.get(known.issuer)?;
        if issuer.keys.has(&known.key).await && self.clock.now() < known.expires {
            return Some(known);
        }
        self.verified().remove(digest);
        None
    }

    async fn look_at(&self, token: &str, digest: &[u8; 32], shown: &mut Named) -> Result<Arc<Verified>, Refusal> {
        let jws = CompactJws::parse(token.as_bytes(), LONGEST).map_err(|error| bad(&error))?;
        let claims = json::object(jws.unverified_payload()).map_err(|_| BadToken("its claims are no strict JSON"))?;
        let claims = Value::Object(claims);
        let named = claims.get("iss").and_then(Value::as_str).ok_or(BadToken("iss is missing or no text"))?;
        let found = self.issuers.iter().enumerate().find(|(_, issuer)| issuer.issuer == named);
        let (index, issuer) = found.ok_or(BadToken("its issuer is not trusted here"))?;
        shown.issuer = Some(index);
        let jws = jws.admit(&issuer.algorithms).map_err(|error| bad(&error))?;
        shown.kid = jws.header().kid().filter(|kid| is_plain(kid)).map(str::to_owned);
        issuer.check_typ(&jws)?;
        // Before any key is looked for: a token that is no good anyhow has none fetched.
        let said = issuer.judge(&claims, self.clock.now(), self.settings.clock_skew)?;
        let key = issuer.keys.choose(jws.header().kid(), jws.algorithm()).await?;
        let key = key.map_err(|reason| match reason {
            NoKey::Unknown => BadToken("its issuer has no key that fits it"),
            NoKey::Several => BadToken("several keys of its issuer fit it, and kid names none of them"),
        })?;
        jws.verify(&key).map_err(|_| BadToken("its signature is wrong"))?;
        let session = self.session(&said, token);
        Event::Login { realm: &self.settings.realm, user: &session.ext_id }.record();
        let Said { expires, bound_to, .. } = said;
        let verified = Arc::new(Verified { session, issuer: index, key: *key.thumbprint(), expires, bound_to });
        self.verified().insert(*digest, verified.clone());
        Ok(verified)
    }

    /// The session of whoever shows the token: made of what is signed in it, and kept nowhere else. Of one text there may be
    /// several good signatures, and whoever has one can make another (ECDSA).
    fn session(&self, said: &Said, token: &str) -> Session {
        let (signed, _) = token.rsplit_once('.').unwrap_or((token, ""));
        let digest = sha256(signed.as_bytes());
        let Settings { realm, domain, level, .. } = &self.settings;
        let level = said.level.unwrap_or(*level);
        let sid = sha256(&[b"sid of a bearer\0", realm.as_bytes(), b"\0", &digest[..]].concat());
        Session {
            sid: base64url::encode(sid.get(..16).unwrap_or(&sid)),
            domain: domain.clone(),
            ext_id: said.user.clone(),
            name: said.name.clone(),
            logins: Login { realm: realm.clone(), level, at: said.authenticated_at }.into(),
            roles: said.roles.clone(),
            generation: 0,
        }
    }

    fn verified(&self) -> MutexGuard<'_, Recent<[u8; 32], Arc<Verified>>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Issuer {
    /// Another kind of token of the same issuer is no access token (RFC 8725 3.11).
    fn check_typ(&self, jws: &UnverifiedJws<'_>) -> Result<(), BadToken> {
        let typ = jws.header().typ().map(|typ| {
            let typ = typ.to_ascii_lowercase();
            typ.strip_prefix("application/").map(str::to_owned).unwrap_or(typ)
        });
        let fits = match (&self.typ, typ.as_deref()) {
            (None, typ) => matches!(typ, None | Some("jwt" | "at+jwt")),
            (Some(wanted), typ) => typ.is_some_and(|typ| typ.eq_ignore_ascii_case(wanted)),
        };
        if fits { Ok(()) } else { Err(BadToken("its typ is not the one that is wanted here")) }
    }
}

/// What is wrong with the form, in words that repeat nothing of it.
fn bad(error: &JwsError) -> BadToken {
    BadToken(match error {
        JwsError::TooLong(_) => "it is longer than 8 KiB",
        JwsError::Parts => "it has not three parts",
        JwsError::Encoding(_) => "a part of it is no canonical base64url",
        JwsError::HeaderJson(_) => "its header is no strict JSON",
        JwsError::HeaderMember(_) => "a member of its header has the wrong type",
        JwsError::Algorithm => "its alg is none that is taken from this issuer",
        JwsError::RefusedMember(_) => "its header has a member that is never taken, such as crit, jwk, jku or x5u",
        JwsError::Signature(_) => "its signature is wrong",
    })
}

#[async_trait]
impl Tokens for JwtRealm {
    fn name(&self) -> String {
        let issuers: Vec<&str> = self.issuers.iter().map(|issuer| issuer.issuer.as_str()).collect();
        format!("jwt {} of {}", self.settings.realm, issuers.join(" and "))
    }

    fn acr_values(&self, level: u8) -> Option<Vec<String>> {
        if level <= self.settings.level {
            return Some(Vec::new());
        }
        let levels = self.issuers.iter().flat_map(|issuer| &issuer.levels).filter(|(_, reached)| *reached >= level);
        let mut values: Vec<String> = Vec::new();
        for (acr, _) in levels {
            if !values.contains(acr) {
                values.push(acr.clone());
            }
        }
        (!values.is_empty()).then_some(values)
    }

    async fn verify(&self, token: &str, client: &Client) -> Result<Result<Session, BadToken>, FilterError> {
        let mut named = Named::default();
        match self.judge(token, client, &mut named).await {
            Ok(session) => Ok(Ok(session)),
            Err(Refusal::Undecided(error)) => Err(error),
            Err(Refusal::Bad(bad)) => {
                let (realm, address, reason) = (self.settings.realm.as_str(), client.address, bad.0);
                let issuer = named.issuer.and_then(|index| self.issuers.get(index)).map(|known| known.issuer.as_str());
                Event::TokenRefused { realm, issuer, kid: named.kid.as_deref(), address, reason }.record();
                Ok(Err(bad))
            }
        }
    }
}

#[cfg(test)]
mod tests;
