//! One out-of-band or in-band operation, from its token to its outcome: a record and a pure state machine.
//!
//! Nothing here knows a store: [`Operation::apply`] decides what an event does at a given moment, and the store runs it
//! as one atomic step. Time-outs are derived from the clock whenever the record is looked at.

mod draft;
mod era;
pub mod event;
pub mod kind;
mod outcome;
mod phase;
pub mod status;
mod warrant;

#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use sidegate_filters::clock::Millis;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::jose::{CryptoError, MacKey};
use crate::store::ExtId;

pub use draft::{CONTEXT_LIMIT, Dispatch, Draft, Limits, Room};
pub use era::Era;
pub use event::{Applied, ClaimId, Event, Refused};
pub use kind::{OperationKind, Purpose};
pub use outcome::{Authenticator, Outcome};
pub use status::{Stage, Status, TokenInformation, TokenResult};
pub use warrant::Warrant;

/// Names an operation: the `sessionId` of `http-api.md` 2 and 5. It gives no way to the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationId(pub Uuid);

impl OperationId {
    /// One for an operation without a token.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// The one of this token. Only who has the key gets from token to operation, and nobody back: the token itself
    /// is stored nowhere.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn of_token(key: &MacKey, token: Uuid) -> Result<Self, CryptoError> {
        let tag = key.tag(token.as_bytes())?;
        let mut half = [0; 16];
        half.iter_mut().zip(tag).for_each(|(to, from)| *to = from);
        Ok(Self(uuid::Builder::from_random_bytes(half).into_uuid()))
    }
}

/// The key of [`OperationId::in_log`]: made of one in the data folder, so that a process that takes over has the same.
static LOG_KEY: OnceLock<MacKey> = OnceLock::new();

/// What the key that leads from tokens to operations makes a tag of for the log: no token is as long.
const LOG_LABEL: &[u8] = b"the names of operations in the log";

impl OperationId {
    /// The key by which the log calls operations, of the one that leads from tokens to them.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn log_key(key: &MacKey) -> Result<MacKey, CryptoError> {
        MacKey::new(&Zeroizing::new(key.tag(LOG_LABEL)?))
    }

    /// Has the log call operations by this key. The first one stays.
    pub fn name_in_log_by(key: &MacKey) {
        LOG_KEY.get_or_init(|| key.clone());
    }

    /// What the log calls the operation: whoever reads it learns nothing of the id or the token, and who knows those can't tell
    /// which operation it is. `None` where nothing is served.
    #[must_use]
    pub fn in_log(self) -> Option<String> {
        let tag = LOG_KEY.get()?.tag(self.0.as_bytes()).ok()?;
        tag.get(..8).map(crate::jose::hex)
    }
}

impl std::fmt::Display for OperationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The UAF challenge and what else the finish needs, serialised by whoever made it: opaque here, and as much memory as it is
/// charged for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChallengeState(pub Box<[u8]>);

impl std::fmt::Debug for ChallengeState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ChallengeState({} bytes)", self.0.len())
    }
}

/// Where an operation stands, as it was last written; what the clock adds is in [`Operation::status`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    /// The token is free until its deadline.
    Created,
    /// Somebody is fetching or doing what the redeem will hand out.
    Claimed { claim: ClaimId, until: Millis },
    /// The request was handed out; the challenge waits for its one use.
    Redeemed { at: Millis, challenge: ChallengeState },
    /// The challenge was used; the answer is being checked.
    /// `room` is what the challenge took, in bytes: kept for the outcome.
    Answered { redeemed: Millis, until: Millis, room: usize },
    /// The end; `redeemed` tells whether the token was used on the way.
    Done { at: Millis, outcome: Outcome, redeemed: bool },
}

/// An operation's record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Its name.
    pub id: OperationId,
    /// What it is for.
    pub purpose: Purpose,
    /// The UAF operation.
    pub kind: OperationKind,
    /// The user it was made for, or who proved to be its user.
    pub user: Option<ExtId>,
    /// What a stranger called the user, who is not to learn whether there is one; `None`: nothing is hidden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stranger: Option<String>,
    /// The session that began it, where one has to stand behind it until it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warrant: Option<Warrant>,
    /// What the UAF request is built from.
    pub context: String,
    /// How it was dispatched, if it was.
    pub dispatch: Option<Dispatch>,
    /// What its token has room for.
    pub room: Room,
    /// When it was made.
    pub created: Millis,
    /// The time limits that hold for it.
    pub limits: Limits,
    /// For the browser whose login it is, until it is told how that ended: the user's era when it asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<Era>,
    /// Until when the token can be redeemed; none when there never was a token.
    pub(crate) token_deadline: Option<Millis>,
    pub(crate) state: State,
}

impl Operation {
    /// One that begins with a token to be redeemed.
    #[must_use]
    pub fn with_token(draft: Draft, limits: Limits, now: Millis) -> Self {
        Self::begin(draft, limits, now, Some(now.after(limits.token)), State::Created)
    }

    /// One without a token: its request is handed out right away.
    #[must_use]
    pub fn handed_out(draft: Draft, challenge: ChallengeState, limits: Limits, now: Millis) -> Self {
        Self::begin(draft, limits, now, None, State::Redeemed { at: now, challenge })
    }

    fn begin(draft: Draft, limits: Limits, now: Millis, token_deadline: Option<Millis>, state: State) -> Self {
        let Draft { id, purpose, kind, user, stranger, warrant, context, dispatch, room } = draft;
        let (created, login) = (now, None);
        Self {
            id,
            purpose,
            kind,
            user,
            stranger,
            warrant,
            context,
            dispatch,
            room,
            created,
            limits,
            login,
            token_deadline,
            state,
        }
    }

    /// The same, for the login of a browser that asked in this era of its user.
    #[must_use]
    pub fn for_login(self, era: Era) -> Self {
        Self { login: Some(era), ..self }
    }

    /// With which credentials a good answer proved the user whom the operation was made for; `None`: it proved nobody.
    #[must_use]
    pub fn proven(&self) -> Option<&[Authenticator]> {
        match &self.state {
            State::Done { outcome: Outcome::Succeeded { user, authenticators }, .. }
                if *user == self.user && user.is_some() =>
            {
                Some(authenticators)
            }
            _ => None,
        }
    }

    /// Whether it registers a first key or none: one that is there at its end had to be shown at its beginning.
    #[must_use]
    pub fn is_for_first_key(&self) -> bool {
        self.warrant.as_ref().is_some_and(|warrant| warrant.first_key)
    }

    /// From this moment on the operation is unknown.
    #[must_use]
    pub fn forgotten_at(&self) -> Millis {
        let last = match &self.state {
            State::Created => self.token_deadline.unwrap_or(self.created),
            State::Claimed { until, .. } => self.token_deadline.unwrap_or(self.created).max(*until),
            State::Redeemed { at, .. } => at.after(self.limits.answer),
            State::Answered { until, .. } => *until,
            State::Done { at, .. } => *at,
        };
        last.after(self.limits.retention)
    }

    /// Bytes of memory that the record takes, beyond a fixed part.
    #[must_use]
    pub fn weight(&self) -> usize {
        let dispatch = self.dispatch.as_ref().map_or(0, |d| {
            d.dispatcher.len() + d.target.as_ref().map_or(0, String::len) + d.response.as_ref().map_or(0, String::len)
        });
        let state = match &self.state {
            State::Created => self.room.challenge + self.room.beside,
            State::Claimed { .. } => self.room.challenge,
            State::Redeemed { challenge, .. } => challenge.0.len(),
            State::Answered { room, .. } => *room,
            State::Done { outcome: Outcome::Succeeded { authenticators, .. }, .. } => {
                authenticators.iter().map(|a| 96 + a.aaid.len() + a.key_id.len() + a.ext_id.len()).sum()
            }
            State::Done { .. } => 0,
        };
        let names = self.user.as_ref().map_or(0, |u| u.as_str().len()) + self.stranger.as_ref().map_or(0, String::len);
        let vouching = self.warrant.as_ref().map_or(&[][..], |warrant| &warrant.keys);
        let vouching: usize = vouching.iter().map(|key| size_of::<String>() + key.len()).sum();
        self.context.len() + names + vouching + dispatch + state
    }
}
