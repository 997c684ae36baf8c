//! What an authentication service refuses slows the next attempts.

use std::sync::Arc;
use std::time::Duration;

use sidegate_filters::jws::base64url;
use sidegate_filters::{Client, FilterError};

use super::super::throttle::{Throttle, Ticket};
use super::Said;
use super::question::Question;
use super::shown_users::{Shown, ShownUsers};
use crate::jose::sha256;
use crate::store::SourceNetwork;
use crate::telemetry::audit::Event;

/// The attempts at one realm, as the throttle of all such realms counts them.
pub(super) struct Attempts {
    realm: String,
    memory: Memory,
}

/// What the attempts at all such realms have left behind, from the start of a gateway to its end.
#[derive(Clone)]
pub struct Memory {
    /// Of what failed.
    pub throttle: Arc<Throttle>,
    /// Of what was good.
    pub users: Arc<ShownUsers>,
}

impl Attempts {
    pub(super) fn new(realm: String, memory: Memory) -> Self {
        Self { realm, memory }
    }

    /// Lets a question be asked. Who was good from there lately is not held up by what others there show, nor by how much;
    /// one that is no attempt takes a reserved place where that is his, and is counted as nothing. Internal callers vouch
    /// for their clients, which have no network of their own.
    pub(super) fn admit(&self, question: &Question, client: &Client) -> Result<Option<Ticket>, Duration> {
        if client.internal {
            return Ok(None);
        }
        let (throttle, name) = (&self.memory.throttle, self.name(question));
        let network = SourceNetwork::of(client.address);
        if !question.counts {
            return Ok(throttle.reserve(&name, network));
        }
        throttle.admit(Some(&name), network).map(Some).inspect_err(|_| self.audit(client, "too-many-attempts"))
    }

    /// What comes of a question once the service has been asked. That counts, whether or not the client is still there.
    pub(super) fn settle(
        &self,
        question: &Question,
        ticket: Option<Ticket>,
        said: &Result<Said, FilterError>,
        client: &Client,
    ) {
        if client.internal {
            return;
        }
        if let Ok(Said::User(session)) = said {
            let way = Way::of(question);
            self.memory
                .users
                .name(self.shown(question, way), &format!("{} {} {}", self.realm, way.verb(), session.ext_id));
        }
        match (ticket.filter(|_| question.counts), said) {
            (Some(ticket), Ok(Said::User(_))) => ticket.succeeded_as(&self.name(question)),
            (None, Ok(Said::User(_))) => {
                self.memory.throttle.logged_in(&self.name(question), SourceNetwork::of(client.address));
            }
            // So services say that somebody whom they know may not do this. In a body there may be a guess all the same.
            (Some(ticket), Ok(Said::Forbidden)) if ticket.is_familiar() && !question.has_body() => ticket.unused(),
            (Some(ticket), Ok(Said::Refused | Said::Forbidden)) => {
                ticket.failed_as(&self.name(question));
                self.audit(client, "authentication-service");
            }
            (Some(ticket), Ok(Said::Nobody) | Err(_)) => ticket.unused(),
            (None, _) => {}
        }
    }

    /// By which a question counts. Whose it is, only the service knows: the user that it named for what the client shows of
    /// itself, so that one user has one count, with however many values that the service ignores; for what it named nobody
    /// yet, that itself. What was good only with a query or body beside it may be what many show, whose guesses in these
    /// are to hold up nobody who is known by what he alone shows: it has a count of its own. No realm's name has a blank.
    fn name(&self, question: &Question) -> String {
        let user = |way| self.memory.users.user(&self.shown(question, way));
        let way = Way::of(question);
        let known = user(Way::Alone).or_else(|| (way == Way::WithMore).then(|| user(way)).flatten());
        known.unwrap_or_else(|| format!("shows {}", base64url::encode(self.shown(question, way).0)))
    }

    /// To this realm's service; another's may know somebody else by the same.
    fn shown(&self, question: &Question, way: Way) -> Shown {
        let realm = format!("{} {} ", self.realm, way.verb());
        Shown(sha256(&[realm.as_bytes(), &question.credentials].concat()))
    }

    fn audit(&self, client: &Client, reason: &'static str) {
        let (realm, address) = (self.realm.as_str(), client.address);
        Event::LoginFailed { realm, user: None, address, reason }.record();
    }
}

/// In which way a service is shown what a client has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Headers alone: what is good then is the user's own.
    Alone,
    /// Beside a query or body.
    WithMore,
}

impl Way {
    fn of(question: &Question) -> Self {
        if question.says_more { Self::WithMore } else { Self::Alone }
    }

    /// What a user does in that way, as the counts call him.
    fn verb(self) -> &'static str {
        match self {
            Self::Alone => "is",
            Self::WithMore => "sends",
        }
    }
}
