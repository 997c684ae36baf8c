//! Bearer tokens of other issuers.

use std::sync::Arc;

use async_trait::async_trait;
use http::header;

use super::super::{Bearer, Challenge, SessionDomain, Tokens, shows_bearer};
use super::{Credential, Shown};
use crate::body::BodySource;
use crate::exchange::Exchange;
use crate::filter::FilterError;
use crate::identity::{AuthenticatedSession, CarriedBy};
use crate::reason::Reason;
use crate::reply::Problem;

/// A bearer token that somebody else issued (RFC 6750). Where a route accepts it, every bearer is one: a bad one is
/// refused and never taken for nobody.
pub struct BearerToken {
    domain: SessionDomain,
    tokens: Arc<dyn Tokens>,
}

impl BearerToken {
    /// Tokens that `tokens` verifies, for routes of this domain.
    #[must_use]
    pub fn new(domain: SessionDomain, tokens: Arc<dyn Tokens>) -> Self {
        Self { domain, tokens }
    }

    fn refused(&self, detail: &str) -> Shown {
        let problem = Problem::unauthorized(detail, Challenge::OtherToken(&self.domain).value());
        Shown::Refused(Box::new(problem.because(Reason::Token)))
    }
}

#[async_trait]
impl Credential for BearerToken {
    fn name(&self) -> String {
        self.tokens.name()
    }

    fn carried_by(&self) -> Option<CarriedBy> {
        Some(CarriedBy::Token)
    }

    async fn find(&self, exchange: &mut Exchange, _: &mut dyn BodySource) -> Result<Shown, FilterError> {
        let token = match Bearer::of(&exchange.headers) {
            Bearer::Absent => return Ok(Shown::Nothing),
            Bearer::Malformed => return Ok(self.refused("Authorization must be one field with one bearer token")),
            Bearer::Token(token) => token,
        };
        Ok(match self.tokens.verify(&token, &exchange.client).await? {
            Ok(session) => Shown::User(Box::new(session), None),
            Err(bad) => self.refused(&bad.to_string()),
        })
    }

    /// A token ends by its `exp`, or with its key.
    async fn holds(&self, session: &AuthenticatedSession, asked: &Exchange) -> Result<bool, FilterError> {
        if session.carrier().is_some() || session.realm() != self.tokens.realm() {
            return Ok(true);
        }
        let Bearer::Token(token) = Bearer::of(&asked.headers) else { return Ok(false) };
        Ok(self.tokens.verify(&token, &asked.client).await?.is_ok_and(|now| now.sid == session.sid))
    }

    fn acr_values(&self, level: u8) -> Option<Vec<String>> {
        self.tokens.acr_values(level)
    }

    fn strip(&self, exchange: &mut Exchange) {
        if shows_bearer(&exchange.headers) {
            exchange.headers.remove(header::AUTHORIZATION);
        }
    }
}
