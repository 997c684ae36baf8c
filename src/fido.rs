//! The UAF server as the services see it: it makes requests and takes answers. [`Embedded`] is the one inside, over
//! crate `uaf` and the stores; [`Upstream`] is one behind, over HTTP.

mod answer;
mod channel;
mod conclusion;
mod context;
mod credential;
mod embedded;
mod facets;
mod folder;
mod metadata;
mod policies;
mod renderings;
mod upstream;

use async_trait::async_trait;
use sidegate_filters::UsernameMapper;
use sidegate_uaf::wire::{Operation as UafOperation, ReturnUafRequest};
use sidegate_uaf::{Error, StatusCode};

use crate::store::operation::{ChallengeState, OperationKind, Purpose, Room};
use crate::store::{Ended, ExtId, Growth, OperationId, Origin, SourceNetwork, StoreError, User};

pub use answer::{AnswerAt, Answered, Arrival, Claimed, Counted, Received};
pub use channel::channel_of;
pub use context::{Ask, Context, ContextFault, Scope, check_device};
pub use credential::key_ref;
pub use embedded::{Embedded, EmbeddedSettings};
pub use facets::{AppIdFault, kept_app_id};
pub use folder::{FileFaults, Unreadable};
pub use metadata::{MetadataFault, statements};
pub use policies::{Policies, PolicyFault};
pub(crate) use upstream::secured;
pub use upstream::{Bounds, Endpoint, EndpointFault, Named, UafServer, Upstream, UpstreamSettings};

/// What the state of a request takes for a user with a key or two, beside what its policy says of no key.
const USUAL_STATE: usize = 2 * 1024;

/// A user whom an operation is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// What everything of the user is stored under.
    pub ext_id: ExtId,
    /// The login name; a phone shows it beside the key.
    pub name: String,
}

impl From<&User> for Subject {
    fn from(user: &User) -> Self {
        Self { ext_id: user.ext_id.clone(), name: user.name.clone() }
    }
}

impl Subject {
    /// What a request calls this user.
    #[must_use]
    pub fn called(&self, mapper: UsernameMapper) -> &str {
        match mapper {
            UsernameMapper::Name => &self.name,
            UsernameMapper::ExtId => self.ext_id.as_str(),
        }
    }
}

/// The operation that a request is made for.
#[derive(Debug, Clone)]
pub struct Commission<'a> {
    /// Its name, which the answer will bring back.
    pub id: OperationId,
    /// What its answer may be used for.
    pub purpose: Purpose,
    /// Whose it is; none for user-less authentication.
    pub user: Option<Subject>,
    /// What whoever asks calls the user by, if they are not to learn that the user does not exist or has no key: then a
    /// decoy is asked for.
    pub hidden_from: Option<&'a str>,
    /// What is asked.
    pub ask: &'a Ask,
    /// On whose account is kept what leads its answer back.
    pub origin: &'a Origin,
    /// Granted where a token had room for that.
    pub growth: Growth,
    /// The network that asks: a server behind is asked by one only so much at once. `None`: an internal caller.
    pub from: Option<SourceNetwork>,
}

/// A request to hand out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UafRequest {
    /// The message: a string holding a JSON array.
    pub message: String,
    /// What it is.
    pub operation: UafOperation,
    /// A hint for the client; none where no answer follows.
    pub lifetime_millis: Option<u64>,
}

impl UafRequest {
    /// The envelope for the client.
    #[must_use]
    pub fn into_reply(self) -> ReturnUafRequest {
        ReturnUafRequest {
            status_code: StatusCode::OK,
            uaf_request: Some(self.message),
            op: Some(self.operation),
            lifetime_millis: self.lifetime_millis,
        }
    }
}

/// Nothing can be handed out, or an answer is refused.
#[derive(Debug, thiserror::Error)]
pub enum FidoError {
    /// For the client: this UAF status code. The log has the reason.
    #[error("UAF status {0}")]
    Refused(StatusCode),
    /// A store failed: 503.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FidoError {
    /// Whether it says nothing of what the client sent: a server or a store failed.
    #[must_use]
    pub const fn is_fault_of_a_server(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Refused(StatusCode::INTERNAL))
    }
}

impl From<Ended> for FidoError {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Over => Self::Refused(Error::UserNotAuthenticated.status()),
            Ended::Store(error) => Self::Store(error),
        }
    }
}

/// A UAF server.
#[async_trait]
pub trait Fido: Send + Sync {
    /// Checks, before a token is made, that what is asked could be served.
    ///
    /// # Errors
    /// The member at fault: 400.
    fn check(&self, ask: &Ask) -> Result<(), ContextFault>;

    /// Whether another server is asked for requests. One that was made and not handed out is then left over there, so
    /// a redeem claims its token first; else making a request changes nothing.
    fn is_elsewhere(&self) -> bool;

    /// Whether the user has a key that has to be shown before another one is registered (`additional-registration:
    /// step-up`).
    ///
    /// # Errors
    /// When the store can't be asked.
    async fn guards(&self, user: &Subject) -> Result<bool, StoreError>;

    /// Makes the request of a registration or an authentication, and the state that its finish needs. Where that is not
    /// kept, [`withdraw`](Self::withdraw) has to be told.
    ///
    /// # Errors
    /// Why there is nothing to hand out.
    async fn request(&self, commission: &Commission<'_>) -> Result<(UafRequest, ChallengeState), FidoError>;

    /// The room of a token for this: enough for what the request of a user with a key or two issues.
    fn room(&self, ask: &Ask) -> Room;

    /// The request of this state was not handed out: what was kept beside it goes.
    async fn withdraw(&self, challenge: &ChallengeState);

    /// Removes credentials, and makes the request that tells the phone to do so too. Doing it again does no harm. `from` as
    /// in [`Commission::from`].
    ///
    /// # Errors
    /// Why nothing was removed.
    async fn deregister(
        &self,
        user: &Subject,
        scope: &Scope,
        from: Option<SourceNetwork>,
    ) -> Result<UafRequest, FidoError>;

    /// Reads an answer, be it none, and moves nothing.
    fn open(&self, arrival: &Arrival<'_>) -> Box<dyn Received + '_>;
}

fn internal(error: &dyn std::fmt::Display) -> FidoError {
    tracing::error!(%error, "the UAF server failed");
    FidoError::Refused(StatusCode::INTERNAL)
}

/// The UAF crate's name for an operation's kind.
#[must_use]
pub fn uaf_operation(kind: OperationKind) -> UafOperation {
    match kind {
        OperationKind::Reg => UafOperation::Reg,
        OperationKind::Auth => UafOperation::Auth,
        OperationKind::Dereg => UafOperation::Dereg,
    }
}

#[cfg(test)]
mod tests;
