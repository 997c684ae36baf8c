//! SecTokens: what an upstream learns of a session, signed (`gateway.md` 3.3).

mod keys;

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use sidegate_filters::clock::{Clock, Millis};
use sidegate_filters::delegation::{SecToken, SecTokens};
use sidegate_filters::identity::Session;
use sidegate_filters::recent::Recent;
use sidegate_filters::{AuthenticatedSession, FilterError};

use crate::jose::CryptoError;
pub use keys::{KeyRing, Overlap, RotationError, SecTokenKeys, key_files};

/// How SecTokens are made.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `iss`.
    pub issuer: String,
    /// From `iat` to `exp`, and how long upstreams may keep the keys.
    pub overlap: Overlap,
    /// Tokens kept to be used again; about 1 KiB each.
    pub entries: usize,
}

/// Makes SecTokens, and makes each one once: it is used again for three quarters of its life.
pub struct SecTokenIssuer {
    settings: Settings,
    keys: KeyRing,
    issued: Mutex<Recent<u64, Arc<Issued>>>,
    /// Keyed at random, so that nobody can aim at another session's place.
    places: RandomState,
    clock: Arc<dyn Clock>,
}

/// What a token says of the session: a change of any of it asks for another token.
/// Borrowed, since nearly every request only compares it.
#[derive(PartialEq, Eq, Hash)]
struct Subject<'a> {
    sid: &'a str,
    ext_id: &'a str,
    generation: u64,
    level: u8,
    roles: &'a [String],
    realm: &'a str,
    audience: &'a str,
}

impl<'a> Subject<'a> {
    fn of(session: &'a Session, audience: &'a str) -> Self {
        let Session { sid, ext_id, generation, roles, .. } = session;
        let (level, realm) = (session.level(), session.realm());
        Self { sid, ext_id, generation: *generation, level, roles, realm, audience }
    }
}

struct Issued {
    session: Session,
    audience: String,
    token: SecToken,
    from: Millis,
    /// From here on a new one is made.
    until: Millis,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    sid: &'a str,
    auth_level: u8,
    roles: &'a [String],
    realm: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
}

impl SecTokenIssuer {
    /// An issuer that signs for each audience with the keys that `keys` has for it.
    #[must_use]
    pub fn new(settings: Settings, keys: KeyRing, clock: Arc<dyn Clock>) -> Self {
        let issued = Mutex::new(Recent::new(settings.entries));
        Self { settings, keys, issued, places: RandomState::new(), clock }
    }

    /// How long upstreams may keep a JWK set.
    #[must_use]
    pub fn jwks_kept(&self) -> Duration {
        self.settings.overlap.kept
    }

    /// The keys that are no audience's own: the JWK set that upstreams verify with which have none.
    #[must_use]
    pub fn jwks(&self) -> serde_json::Value {
        self.keys.common().jwks()
    }

    /// The JWK set that one audience verifies with: its own keys, or the common ones. `None`: there is no such audience.
    #[must_use]
    pub fn jwks_of(&self, audience: &str) -> Option<serde_json::Value> {
        self.keys.knows(audience).then(|| self.keys.of(audience).jwks())
    }

    /// The token for this audience. Of several callers at the same time all get the same.
    ///
    /// # Errors
    /// When it can't be signed.
    pub fn issue(&self, session: &Session, audience: &str) -> Result<SecToken, CryptoError> {
        let now = self.clock.now();
        let subject = Subject::of(session, audience);
        let place = self.places.hash_one(&subject);
        // Two subjects may share a place: then each makes its own in place of the other's.
        let fits = |issued: &Arc<Issued>| {
            issued.from <= now && now < issued.until && Subject::of(&issued.session, &issued.audience) == subject
        };
        if let Some(issued) = self.issued().get(&place).filter(fits) {
            return Ok(issued.token.clone());
        }
        let token = SecToken::new(self.sign(session, audience, now)?);
        let mut all = self.issued();
        if let Some(first) = all.get(&place).filter(fits) {
            return Ok(first.token.clone());
        }
        let until = now.after(self.settings.overlap.lifetime / 4 * 3);
        let (session, audience) = (session.clone(), audience.to_owned());
        all.insert(place, Arc::new(Issued { session, audience, token: token.clone(), from: now, until }));
        Ok(token)
    }

    fn sign(&self, session: &Session, audience: &str, now: Millis) -> Result<String, CryptoError> {
        self.keys.of(audience).signing(now, self.settings.overlap).sign(&Claims {
            iss: &self.settings.issuer,
            sub: &session.ext_id,
            aud: audience,
            sid: &session.sid,
            auth_level: session.level(),
            roles: &session.roles,
            realm: session.realm(),
            iat: now.seconds(),
            exp: now.after(self.settings.overlap.lifetime).seconds(),
            jti: uuid::Uuid::new_v4().to_string(),
        })
    }

    fn issued(&self) -> MutexGuard<'_, Recent<u64, Arc<Issued>>> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl SecTokens for SecTokenIssuer {
    async fn token(&self, session: &AuthenticatedSession, audience: &str) -> Result<SecToken, FilterError> {
        self.issue(session, audience).map_err(|error| FilterError::Internal(format!("no SecToken: {error}")))
    }
}

#[cfg(test)]
mod tests;
