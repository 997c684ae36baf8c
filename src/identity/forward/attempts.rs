//! What an authentication service refuses slows the next attempts.

use std::sync::Arc;
use std::time::Duration;

use sidegate_filters::jws::base64url;
use sidegate_filters::{Client, FilterError};

use super::super::throttle::{Throttle, Ticket};
use super::Verdict;
use super::question::Question;
use crate::store::SourceNetwork;
use crate::telemetry::audit::Event;

/// The attempts at one realm, as the throttle of all such realms counts them.
pub(super) struct Attempts {
    pub(super) realm: String,
    pub(super) throttle: Arc<Throttle>,
}

impl Attempts {
    /// Lets a question be asked. What the client shows of itself stands for its user, whose name only the service knows: what
    /// was good from there lately is not held up by what others there show. Internal callers vouch for their clients, which
    /// have no network of their own.
    pub(super) fn admit(&self, question: &Question, client: &Client) -> Result<Option<Ticket>, Duration> {
        if client.internal || !question.counts {
            return Ok(None);
        }
        let name = format!("{} {}", self.realm, base64url::encode(question.credentials));
        let admitted = self.throttle.admit(Some(&name), SourceNetwork::of(client.address));
        admitted.map(Some).inspect_err(|_| self.audit(client, "too-many-attempts"))
    }

    /// What comes of an attempt once the service has been asked. That counts, whether or not the client is still there.
    pub(super) fn settle(&self, ticket: Ticket, verdict: &Result<Verdict, FilterError>, client: &Client) {
        match verdict {
            Ok(Verdict::User(_)) => ticket.passed(),
            Ok(Verdict::Refused) => {
                drop(ticket);
                self.audit(client, "authentication-service");
            }
            Ok(Verdict::Nobody) | Err(_) => ticket.unused(),
        }
    }

    fn audit(&self, client: &Client, reason: &'static str) {
        let (realm, address) = (self.realm.as_str(), client.address);
        Event::LoginFailed { realm, user: None, address, reason }.record();
    }
}
