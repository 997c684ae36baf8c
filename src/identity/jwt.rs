//! The realm `jwt`: bearer tokens of issuers that are trusted (`gateway.md` 3.1, RFC 7519, RFC 9068, RFC 8725).
//!
//! Nothing is kept of a caller but that a token was verified: whoever shows it again is let in without another look at
//! its signature, until it ends or its key leaves the issuer's key set. That memory belongs to the realm, and a realm to
//! one configuration, so neither another realm nor a changed configuration finds anything in it.

mod claims;
mod issuer_keys;
mod key_set;
mod verifier;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sidegate_filters::clock::Clock;
use sidegate_filters::identity::{Login, Session};
use sidegate_filters::identity_creation::{BadToken, Tokens};
use sidegate_filters::{Client, FilterError};

use super::of_request::Basis;
use crate::telemetry::audit::Event;
pub use claims::Claim;
pub use issuer_keys::{IssuerKeys, Pace, Source, try_file};
use verifier::Verified;
pub use verifier::{Issuer, Verifier};
pub(super) use verifier::{Named, Refusal};

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
    verifier: Verifier,
}

impl JwtRealm {
    /// A realm that has seen no token yet.
    #[must_use]
    pub fn new(settings: Settings, issuers: Vec<Issuer>, clock: Arc<dyn Clock>) -> Self {
        Self { verifier: Verifier::new(issuers, settings.clock_skew, clock), settings }
    }

    /// What is out of reach, and for which realm.
    fn named(&self, error: FilterError) -> FilterError {
        match error {
            FilterError::Unavailable(what) => {
                FilterError::unavailable(format!("realm {}: {what}", self.settings.realm))
            }
            other => other,
        }
    }

    /// The session of whoever shows a token: made of what is signed in it, and kept nowhere else.
    fn session(&self, Verified { said, signed, .. }: &Verified) -> Session {
        let Settings { realm, domain, level, .. } = &self.settings;
        let level = said.level.unwrap_or(*level);
        Session {
            sid: Basis::Bearer(signed).sid(realm),
            domain: domain.clone(),
            ext_id: said.user.clone(),
            name: said.name.clone(),
            logins: Login { realm: realm.clone(), level, at: said.authenticated_at }.into(),
            roles: said.roles.clone(),
            generation: 0,
        }
    }
}

#[async_trait]
impl Tokens for JwtRealm {
    fn name(&self) -> String {
        let issuers: Vec<&str> = self.verifier.issuers.iter().map(|issuer| issuer.issuer.as_str()).collect();
        format!("jwt {} of {}", self.settings.realm, issuers.join(" and "))
    }

    fn realm(&self) -> &str {
        &self.settings.realm
    }

    fn acr_values(&self, level: u8) -> Option<Vec<String>> {
        if level <= self.settings.level {
            return Some(Vec::new());
        }
        let levels =
            self.verifier.issuers.iter().flat_map(|issuer| &issuer.levels).filter(|(_, reached)| *reached >= level);
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
        match self.verifier.judge(token, client, &mut named).await {
            Ok((verified, is_new)) => {
                let session = self.session(&verified);
                if is_new {
                    Event::Login { realm: &self.settings.realm, user: &session.ext_id }.record();
                }
                Ok(Ok(session))
            }
            Err(Refusal::Undecided(error)) => Err(self.named(error)),
            Err(Refusal::Bad(bad)) => {
                let (realm, address, reason) = (self.settings.realm.as_str(), client.address, bad.0);
                let issuer =
                    named.issuer.and_then(|index| self.verifier.issuers.get(index)).map(|known| known.issuer.as_str());
                Event::TokenRefused { realm, issuer, kid: named.kid.as_deref(), address, reason }.record();
                Ok(Err(bad))
            }
        }
    }
}

#[cfg(test)]
mod tests;
