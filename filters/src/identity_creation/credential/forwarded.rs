//! What an authentication service judges.

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::super::{AuthenticationService, Judgement, foreign_cookies, shows_session_token};
use super::{Credential, Shown};
use crate::body::BodySource;
use crate::delegation::RemovedHeaders;
use crate::exchange::Exchange;
use crate::filter::FilterError;
use crate::reason::Reason;
use crate::reply::Problem;

/// Whatever an authentication service knows its users by.
pub struct Forwarded {
    service: Arc<dyn AuthenticationService>,
    /// What it is shown.
    judged: RemovedHeaders,
}

impl Forwarded {
    /// Credentials that `service` judges.
    #[must_use]
    pub fn new(service: Arc<dyn AuthenticationService>) -> Self {
        let judged = service.headers().iter().collect();
        Self { service, judged }
    }

    /// A cookie or a session token of ours is nothing for it to judge.
    fn is_shown(&self, headers: &HeaderMap) -> bool {
        let is_there = |name: &HeaderName| match *name {
            header::COOKIE => foreign_cookies(headers).is_some(),
            header::AUTHORIZATION if shows_session_token(headers) => false,
            _ => headers.contains_key(name),
        };
        self.service.headers().iter().any(is_there)
    }
}

#[async_trait]
impl Credential for Forwarded {
    fn name(&self) -> String {
        self.service.name()
    }

    fn scheme(&self) -> &'static str {
        "Forward"
    }

    async fn find(&self, exchange: &mut Exchange, body: &mut dyn BodySource) -> Result<Shown, FilterError> {
        if !self.is_shown(&exchange.headers) {
            return Ok(Shown::Nothing);
        }
        let body = match self.service.body_limit() {
            None => None,
            Some(limit) => match exchange.read_body(body, limit).await {
                Ok(body) => Some(body),
                Err(problem) => return Ok(Shown::Refused(Box::new(problem))),
            },
        };
        Ok(match self.service.ask(exchange, body).await? {
            Judgement::User(session) => Shown::User(session, None),
            Judgement::Nobody => Shown::Nobody(Reason::Service),
            Judgement::Slowed(wait) => {
                let detail = "too many attempts failed or are under way; wait before the next one";
                Shown::Refused(Box::new(Problem::too_many(detail, wait)))
            }
        })
    }

    /// In each spelling that a server may fold into what was judged, since the service saw one of them alone; and where a
    /// filter before took it over for the upstream. Cookies stay: which of them are the service's, and which the
    /// application's, nobody can tell.
    fn strip(&self, exchange: &mut Exchange) {
        let Exchange { headers, upstream_headers, .. } = exchange;
        let is_judged = |name: &HeaderName| *name != header::COOKIE && self.judged.covers(name.as_str());
        let names: Vec<HeaderName> = headers.keys().filter(|name| is_judged(name)).cloned().collect();
        let said: Vec<HeaderValue> = names.iter().flat_map(|name| headers.get_all(name)).cloned().collect();
        upstream_headers.retain(|(name, value)| !(is_judged(name) && said.contains(value)));
        for name in names {
            headers.remove(name);
        }
    }
}
