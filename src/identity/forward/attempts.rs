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

    /// Lets a question be asked. Whose it is, only the service knows: the user that it named for what the client shows of
    /// itself, so that one user has one count, with however many values that the service ignores; and what he shows has one
    /// of its own, since many may show the same. Who was good from there lately is not held up by what others show, nor by
    /// how much: one that is no attempt takes a reserved place where that is his, and is counted as nothing. Internal
    /// callers vouch for their clients, which have no network of their own.
    pub(super) fn admit(&self, question: &Question, client: &Client) -> Result<Option<Ticket>, Duration> {
        if client.internal {
            return Ok(None);
        }
        let (shown, throttle) = (self.shown(question), &self.memory.throttle);
        let user = self.memory.users.user(&shown).map(|named| named.user);
        let network = SourceNetwork::of(client.address);
        if !question.counts {
            return Ok(user.and_then(|user| throttle.reserve(&user, network)));
        }
        let shown = format!("shows {}", base64url::encode(shown.0));
        let admitted = throttle.admit_by(user.as_deref(), Some(&shown), network);
        admitted.map(Some).inspect_err(|_| self.audit(client, "too-many-attempts"))
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
        let ticket = ticket.filter(|_| question.counts);
        if let Ok(Said::User(session)) = said {
            return self.named(question, ticket, &session.ext_id, client);
        }
        let Some(ticket) = ticket else { return };
        match said {
            // So services say that somebody whom they know may not do this. In a body there may be a guess all the same.
            Ok(Said::Forbidden) if !question.has_body() && self.knows(question, &ticket) => ticket.unused(),
            Ok(Said::Refused | Said::Forbidden) => {
                drop(ticket);
                self.audit(client, "authentication-service");
            }
            _ => ticket.unused(),
        }
    }

    /// Whether what is shown was good by itself, for who was good from there lately.
    fn knows(&self, question: &Question, ticket: &Ticket) -> bool {
        ticket.is_familiar() && self.memory.users.user(&self.shown(question)).is_some_and(|named| named.alone)
    }

    /// No realm's name has a blank.
    fn named(&self, question: &Question, ticket: Option<Ticket>, ext_id: &str, client: &Client) {
        let user = format!("{} is {ext_id}", self.realm);
        self.memory.users.name(self.shown(question), &user, !question.has_body());
        match ticket {
            Some(ticket) => ticket.succeeded_as(&user),
            None => self.memory.throttle.logged_in(&user, SourceNetwork::of(client.address)),
        }
    }

    /// To this realm's service; another's may know somebody else by the same.
    fn shown(&self, question: &Question) -> Shown {
        Shown(sha256(&[self.realm.as_bytes(), b" ", &question.credentials].concat()))
    }

    fn audit(&self, client: &Client, reason: &'static str) {
        let (realm, address) = (self.realm.as_str(), client.address);
        Event::LoginFailed { realm, user: None, address, reason }.record();
    }
}
