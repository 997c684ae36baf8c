//! What an authentication service refuses slows the next attempts.

use std::sync::Arc;
use std::time::Duration;

use sidegate_filters::jws::base64url;
use sidegate_filters::{Client, FilterError};

use super::super::throttle::{Throttle, Ticket};
use super::Said;
use super::named::Named;
use super::question::Question;
use crate::store::SourceNetwork;
use crate::telemetry::audit::Event;

/// The attempts at one realm, as the throttle of all such realms counts them.
pub(super) struct Attempts {
    pub(super) realm: String,
    throttle: Arc<Throttle>,
    named: Named,
}

/// Users whose names are remembered.
const USERS: usize = 50_000;

impl Attempts {
    pub(super) fn new(realm: String, throttle: Arc<Throttle>) -> Self {
        Self { realm, throttle, named: Named::new(USERS) }
    }

    /// Lets a question be asked. Whose it is, only the service knows: the user that it named for what the client shows of
    /// itself, so that one user has one count, with however many values that the service ignores; for what it named nobody
    /// yet, that itself. Who was good from there lately is not held up by what others there show. Internal callers vouch for
    /// their clients, which have no network of their own.
    pub(super) fn admit(&self, question: &Question, client: &Client) -> Result<Option<Ticket>, Duration> {
        if client.internal || !question.counts {
            return Ok(None);
        }
        let name = match self.named.user(&question.credentials) {
            Some(ext_id) => self.user(&ext_id),
            None => format!("{} shows {}", self.realm, base64url::encode(question.credentials)),
        };
        let admitted = self.throttle.admit(Some(&name), SourceNetwork::of(client.address));
        admitted.map(Some).inspect_err(|_| self.audit(client, "too-many-attempts"))
    }

    /// What comes of an attempt once the service has been asked. That counts, whether or not the client is still there.
    pub(super) fn settle(
        &self,
        question: &Question,
        ticket: Ticket,
        said: &Result<Said, FilterError>,
        client: &Client,
    ) {
        match said {
            Ok(Said::User(session)) => {
                self.named.name(question.credentials, &session.ext_id);
                ticket.succeeded_as(&self.user(&session.ext_id));
            }
            // So services say that somebody whom they know may not do this. In a body there may be a guess all the same.
            Ok(Said::Forbidden) if ticket.is_familiar() && !question.has_body() => ticket.unused(),
            Ok(Said::Refused | Said::Forbidden) => {
                drop(ticket);
                self.audit(client, "authentication-service");
            }
            Ok(Said::Nobody) | Err(_) => ticket.unused(),
        }
    }

    /// No realm's name has a blank.
    fn user(&self, ext_id: &str) -> String {
        format!("{} is {ext_id}", self.realm)
    }

    fn audit(&self, client: &Client, reason: &'static str) {
        let (realm, address) = (self.realm.as_str(), client.address);
        Event::LoginFailed { realm, user: None, address, reason }.record();
    }
}
