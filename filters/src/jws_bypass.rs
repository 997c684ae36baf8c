//! The JWS bypass: a phone changes its own dispatch target with nothing but a signature (`http-api.md` 1.1).
//!
//! The filter reads the body, checks the rows of that table in their order and leaves the body as it is. With the keys of
//! targets at hand it checks them all, and when the change is made puts a [`VerifiedModify`] into the exchange: whoever
//! applies the change takes it from there, never from the body. In front of a server that owns the keys it checks what can
//! be checked without them.

mod admission;
mod claims;
mod refusal;
mod replay_guard;
mod target_keys;
#[cfg(test)]
mod tests;
mod uses;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::{Method, StatusCode, header};

use self::admission::{Admitted, Aimed, Subject};
use self::refusal::{Refusal, Stop};
use self::uses::Sending;
use crate::audit::Event;
use crate::body::BodySource;
use crate::clock::{Clock, SystemClock};
use crate::exchange::Exchange;
use crate::filter::{Filter, FilterError, Verdict};
use crate::identity::Caller;
use crate::jws::Thumbprint;
use crate::memory::MemoryReplayGuard;
use crate::plain_body;
use crate::rate::Limit;

pub use self::claims::TargetChange;
pub use self::replay_guard::{ReplayGuard, ReplayId, Seen};
pub use self::target_keys::{RegisteredKey, TargetKeys};
pub use self::uses::{LONGEST_SKEW, Uses};

/// How often one target may be changed. Only requests that are signed and new count, so that nobody can use up what
/// belongs to a phone: not with messages of his own, nor with captured ones. Where nothing is known to be signed, how
/// often one request may be sent.
pub const MODIFY_LIMIT: Limit = Limit { burst: NonZeroU32::MIN.saturating_add(9), every: Duration::from_secs(6) };

/// So many used changes are remembered in memory.
const USED: usize = 10_000;

/// The longest modify request, in bytes (row 1).
pub const BODY_LIMIT: usize = 8 * 1024;

/// A modify request whose rows 1 to 10 of `http-api.md` 1.1 were checked. Only the filter makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedModify {
    target_id: String,
    thumbprint: Thumbprint,
    change: TargetChange,
}

impl VerifiedModify {
    /// The target that the path named and whose key signed.
    #[must_use]
    pub fn target_id(&self) -> &str {
        &self.target_id
    }

    /// The key that signed: a target that has another one by now must not be changed.
    #[must_use]
    pub fn thumbprint(&self) -> &Thumbprint {
        &self.thumbprint
    }

    /// The signed change; at least one member is there.
    #[must_use]
    pub fn change(&self) -> &TargetChange {
        &self.change
    }
}

/// How far the signed time may be from ours, either way, unless a deployment decides otherwise (row 7).
pub const SKEW: Duration = Duration::from_secs(5 * 60);

/// What shows that the phone signed.
pub enum Proof {
    /// These keys.
    Keys(Arc<dyn TargetKeys>),
    /// The server behind owns the keys: it verifies what passes here, and its answer says so.
    ServerBehind,
}

/// The filter. Mount it on `PATCH` of a path with an `{id}` segment and nowhere else.
pub struct JwsBypassFilter {
    proof: Proof,
    uses: Arc<Uses>,
    skew: Duration,
}

impl JwsBypassFilter {
    /// A filter that goes by this proof. Filters that lead to the same targets share their `uses`. A `skew` of more than
    /// [`LONGEST_SKEW`] is that one.
    #[must_use]
    pub fn new(proof: Proof, uses: Arc<Uses>, skew: Duration) -> Self {
        Self { proof, uses, skew: skew.min(LONGEST_SKEW) }
    }

    /// A filter that goes by these keys and has targets of its own, with the usual skew and limit. What was used is
    /// remembered in memory, for 10,000 changes at a time: after a restart one may be made once more.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use sidegate_filters::memory::MemoryTargetKeys;
    /// use sidegate_filters::{Filter, JwsBypassFilter};
    ///
    /// let bypass = JwsBypassFilter::in_memory(Arc::new(MemoryTargetKeys::new(1_000)));
    /// assert!(bypass.settings().starts_with("skew 300 s"));
    /// ```
    #[must_use]
    pub fn in_memory(keys: Arc<dyn TargetKeys>) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let used = Arc::new(MemoryReplayGuard::new(USED, Arc::clone(&clock)));
        Self::new(Proof::Keys(keys), Arc::new(Uses::new(used, clock, MODIFY_LIMIT)), SKEW)
    }

    /// Rows 1 to 11 of the table, as far as they need no other target.
    async fn check(&self, target_id: &str, body: &[u8]) -> Result<Admitted, Stop> {
        let aimed = Aimed::parse(body, target_id, self.uses.now(), self.skew)?;
        let admitted = match &self.proof {
            Proof::ServerBehind => aimed.believed(target_id),
            Proof::Keys(keys) => {
                let registered = keys.key(target_id).await?.ok_or(Refusal::UnknownTarget)?;
                aimed.verified(target_id, &registered).map_err(|refusal| Stop::from(refusal).of_known())?
            }
        };
        match self.uses.check(admitted.ids(), admitted.counted()).await.and_then(|()| admitted.changes_something()) {
            Err(stop) if admitted.is_verified() => Err(stop.of_known()),
            checked => checked.map(|()| admitted),
        }
    }

    /// Row 10, now that nothing else stands in the way.
    async fn use_up(&self, admitted: Admitted, exchange: &mut Exchange) -> Result<(), Stop> {
        match admitted.subject {
            Subject::Verified { modify, id } => {
                let used = self.uses.use_up(&id, admitted.created, &modify.target_id).await;
                used.map_err(Stop::of_known)?;
                exchange.proofs.insert(modify);
            }
            Subject::Believed { target_id, ids } => {
                let sending = self.uses.reserve(ids, admitted.created).await?;
                exchange.proofs.insert(Sent { target_id, sending: Arc::new(sending) });
            }
        }
        Ok(())
    }
}

/// A request that the server behind is judging. It goes with the exchange, and ends with it.
#[derive(Clone)]
struct Sent {
    target_id: String,
    sending: Arc<Sending>,
}

/// The target; it is there unless the filter is mounted where it does not belong.
fn target(exchange: &Exchange) -> Result<String, FilterError> {
    if exchange.method != Method::PATCH {
        return Err(FilterError::Internal("jws-bypass is mounted on another method than PATCH".to_owned()));
    }
    let id = exchange.params.get("id");
    let id = id.ok_or_else(|| FilterError::Internal("jws-bypass needs a path with an {id} segment".to_owned()))?;
    Ok(id.to_owned())
}

/// Nothing but the signature speaks for the request.
fn strip(exchange: &mut Exchange) {
    exchange.headers.remove(header::COOKIE);
    exchange.headers.remove(header::AUTHORIZATION);
    exchange.caller = Caller::Anonymous;
}

fn stopped(stop: Stop, target_id: &str) -> Result<Verdict, FilterError> {
    match stop {
        Stop::Failed(error) => Err(error),
        Stop::Refused { refusal, known } => {
            Event::BypassRefused { target: known.then_some(target_id), reason: &refusal }.record();
            Ok(Verdict::Answer(refusal.answer()))
        }
    }
}

#[async_trait]
impl Filter for JwsBypassFilter {
    fn name(&self) -> &'static str {
        "jws-bypass"
    }

    fn settings(&self) -> String {
        let (limit, skew) = (self.uses.limit(), self.skew.as_secs());
        match self.proof {
            Proof::Keys(_) => format!("skew {skew} s; changes of a target: {limit}"),
            Proof::ServerBehind => {
                format!("the upstream verifies signatures; skew {skew} s; the same request after a refusal: {limit}")
            }
        }
    }

    async fn request(&self, exchange: &mut Exchange, body: &mut dyn BodySource) -> Result<Verdict, FilterError> {
        let target_id = target(exchange)?;
        let body = match plain_body::read(exchange, body, &["application/jose"], BODY_LIMIT).await {
            Ok(body) => body,
            Err(problem) => return Ok(Verdict::Answer(problem.into())),
        };
        match self.check(&target_id, &body).await {
            Ok(admitted) => {
                strip(exchange);
                exchange.proofs.insert(admitted);
                Ok(Verdict::Pass)
            }
            Err(stop) => stopped(stop, &target_id),
        }
    }

    async fn commit(&self, exchange: &mut Exchange) -> Result<Verdict, FilterError> {
        let admitted: Option<Admitted> = exchange.proofs.remove();
        let unknown = || FilterError::Internal("jws-bypass let no request pass that was not sent yet".to_owned());
        let admitted = admitted.ok_or_else(unknown)?;
        let target_id = admitted.target_id().to_owned();
        match self.use_up(admitted, exchange).await {
            Ok(()) => Ok(Verdict::Pass),
            Err(stop) => stopped(stop, &target_id),
        }
    }

    fn sent(&self, exchange: &Exchange) {
        if let Some(modify) = exchange.proofs.get::<VerifiedModify>() {
            Event::BypassPassed { target: &modify.target_id, key: Some(&modify.thumbprint) }.record();
        }
        if let Some(sent) = exchange.proofs.get::<Sent>() {
            sent.sending.sent();
        }
    }

    async fn response(&self, exchange: &Exchange, status: StatusCode) -> Result<(), FilterError> {
        match exchange.proofs.get::<Sent>() {
            Some(sent) => sent.sending.answered(&sent.target_id, status).await,
            None => Ok(()),
        }
    }
}
