//! What users show to be known. A route asks the credentials that it accepts in their order, each in the same way; the
//! first one that is there decides.

mod bearer;
mod certificate;
mod cookie;
mod forwarded;

use async_trait::async_trait;

use crate::body::BodySource;
use crate::exchange::Exchange;
use crate::filter::FilterError;
use crate::identity::{AuthenticatedSession, CarriedBy, Carrier, Session};
use crate::reason::Reason;
use crate::reply::Problem;

pub use bearer::BearerToken;
pub use certificate::ClientCertificate;
pub use cookie::{CookieSession, LoginUnderWay};
pub use forwarded::Forwarded;

/// The scheme of sessions and tokens.
pub(super) const BEARER: &str = "Bearer";

/// What a request shows of one kind of credential.
#[derive(Debug)]
pub enum Shown {
    /// Nothing of the kind: the next kind is asked.
    Nothing,
    /// Something that names no user here: the next kind is asked too, and if nothing names one, this is the reason.
    Nobody(Reason),
    /// A user. The carrier is there where a session is kept behind it; without one the session is of this request alone.
    User(Box<Session>, Option<Carrier>),
    /// Something that must not be taken for nothing: no other kind is asked.
    Refused(Box<Problem>),
}

/// One kind of credential.
#[async_trait]
pub trait Credential: Send + Sync {
    /// For `sidegate explain`: `cookie`, or the kind with its realm.
    fn name(&self) -> String;

    /// The scheme of a challenge that asks for it. There is no registered one for what does not stand in `Authorization`.
    fn scheme(&self) -> &'static str {
        BEARER
    }

    /// Which of the headers that were meant for us hold it; `None` where it is no session cookie and no bearer.
    fn carried_by(&self) -> Option<CarriedBy> {
        None
    }

    /// Looks for it in a request, once: a look may be told in the audit, and cost a request elsewhere. What it has to know
    /// of the body it reads, where the head shows anything of the kind.
    ///
    /// # Errors
    /// When it can't be judged: the request is refused.
    async fn find(&self, exchange: &mut Exchange, body: &mut dyn BodySource) -> Result<Shown, FilterError>;

    /// Whether a session that this credential, or another of its row, was shown for is still alive: no where this one keeps
    /// it and it has ended. One that is of its request alone is kept nowhere; what it was shown with is in `asked`, the
    /// request as it came, and counts again where that costs nobody anything.
    ///
    /// # Errors
    /// When that can't be told.
    async fn holds(&self, _session: &AuthenticatedSession, _asked: &Exchange) -> Result<bool, FilterError> {
        Ok(true)
    }

    /// What its users would have to show for this level, in the words of whoever authenticates them (`acr`, RFC 9470 3);
    /// `None`: it does not reach the level, or knows no words of its own.
    fn acr_values(&self, _level: u8) -> Option<Vec<String>> {
        None
    }

    /// Takes it out of what goes on to the destination (`gateway.md` 2.3), whoever the caller is.
    fn strip(&self, _exchange: &mut Exchange) {}
}
