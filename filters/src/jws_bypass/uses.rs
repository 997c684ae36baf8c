//! What was used, what was sent, and how often: one memory for all rows that lead to the same targets.
//!
//! A request that passed the checks has used up nothing yet. It is used up when it goes to its destination: for good where
//! its signature was verified here. Where the server behind verifies it, its answer says whether it was used, so that
//! an honest phone may try again after a failure, and nobody uses up what he can't sign; without an answer it stays used.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;

use super::refusal::{Refusal, Stop};
use super::{ReplayGuard, ReplayId, Seen};
use crate::audit::Event;
use crate::clock::{Clock, Millis};
use crate::filter::FilterError;
use crate::memory::{Full, MemoryReplayGuard};
use crate::rate::{Limit, Rate};

/// Names of requests on their way to a server that verifies them, or whose outcome stayed unknown: two for each of 100,000;
/// about 50 MiB in the worst case.
const SENT: usize = 200_000;

/// The largest skew of a filter, and how long a used request is remembered at least: longer than any filter lets it pass,
/// also one that is made later (`gateway.md` 5).
pub const LONGEST_SKEW: Duration = Duration::from_secs(10 * 60);

/// The requests of one set of targets.
pub struct Uses {
    used: Arc<dyn ReplayGuard>,
    /// Whoever leaves this memory because it was used is in the other by then.
    sent: MemoryReplayGuard,
    rate: Rate,
    clock: Arc<dyn Clock>,
}

impl Uses {
    /// Has `used` remember what is used up for good.
    #[must_use]
    pub fn new(used: Arc<dyn ReplayGuard>, clock: Arc<dyn Clock>, limit: Limit) -> Self {
        Self {
            used,
            sent: MemoryReplayGuard::new(SENT, Arc::clone(&clock)),
            rate: Rate::new(limit, Arc::clone(&clock)),
            clock,
        }
    }

    /// A moment from which on row 7 refuses what was signed then, whichever filter it comes to. The clock may be set back by as
    /// long as what was signed earlier than now is remembered beyond that.
    fn until(&self, created: Millis) -> Millis {
        created.max(self.clock.now()).after(LONGEST_SKEW).after(Duration::from_millis(1))
    }

    pub(super) fn now(&self) -> Millis {
        self.clock.now()
    }

    pub(super) fn limit(&self) -> Limit {
        self.rate.limit()
    }

    /// Whether the request may still be used; `counted` is what its rate goes by.
    pub(super) async fn check(&self, ids: &[ReplayId], counted: &str) -> Result<(), Stop> {
        self.rate.check(&counted).map_err(Refusal::TooMany)?;
        if ids.iter().any(|id| self.sent.holds(id)) {
            return Err(Refusal::Sent.into());
        }
        self.check_unused(ids).await
    }

    #[cfg(test)]
    pub(super) fn is_sending_nothing(&self) -> bool {
        self.sent.is_empty()
    }

    async fn check_unused(&self, ids: &[ReplayId]) -> Result<(), Stop> {
        for id in ids {
            if self.used.is_remembered(id).await? {
                return Err(Refusal::Replayed.into());
            }
        }
        Ok(())
    }

    /// Uses a request of this time up for good.
    pub(super) async fn use_up(&self, id: &ReplayId, created: Millis, counted: &str) -> Result<(), Stop> {
        match self.used.remember(std::slice::from_ref(id), self.until(created)).await? {
            Seen::First => {
                self.rate.count(&counted);
                Ok(())
            }
            Seen::Before => Err(Refusal::Replayed.into()),
        }
    }

    /// Reserves both names of a request that is to be sent, at once.
    pub(super) async fn reserve(self: &Arc<Self>, ids: [ReplayId; 2], created: Millis) -> Result<Sending, Stop> {
        let until = self.until(created);
        let full = |Full| FilterError::unavailable("the memory of changes that were sent");
        if self.sent.enter(&ids, until).map_err(full)? == Seen::Before {
            return Err(Refusal::Sent.into());
        }
        let sending = Sending { uses: Arc::clone(self), ids, until, fate: Mutex::new(Fate::Here) };
        self.check_unused(&sending.ids).await?;
        Ok(sending)
    }
}

/// A request that only the server behind can judge.
pub(super) struct Sending {
    uses: Arc<Uses>,
    ids: [ReplayId; 2],
    until: Millis,
    fate: Mutex<Fate>,
}

enum Fate {
    /// It was not sent: nobody used it.
    Here,
    /// It was sent, by a request with this span.
    Unknown(tracing::Span),
    Known,
}

impl Sending {
    /// Takes note that it is on its way. Its rate goes by what it signs: a target's would let strangers use up what belongs
    /// to a phone.
    pub(super) fn sent(&self) {
        self.turn(Fate::Unknown(tracing::Span::current()));
        let [message, _] = &self.ids;
        self.uses.rate.count(&message.as_str());
    }

    /// Takes note of the answer. What can't be remembered for good stays in memory.
    pub(super) async fn answered(&self, target_id: &str, status: StatusCode) -> Result<(), FilterError> {
        if is_lost(status) {
            return Ok(());
        }
        self.turn(Fate::Known);
        if status.is_success() {
            Event::BypassPassed { target: target_id, key: None }.record();
            self.use_up().await?;
        } else {
            let reason = format_args!("the upstream answered {}", status.as_u16());
            Event::BypassRefused { target: None, reason: &reason }.record();
        }
        self.uses.sent.forget(&self.ids, self.until);
        Ok(())
    }

    /// Whatever one of its names was used for meanwhile, the other one is used up as well.
    async fn use_up(&self) -> Result<(), FilterError> {
        let used = &self.uses.used;
        if used.remember(&self.ids, self.until).await? == Seen::Before {
            for id in &self.ids {
                let (Seen::First | Seen::Before) = used.remember(std::slice::from_ref(id), self.until).await?;
            }
        }
        Ok(())
    }

    fn turn(&self, fate: Fate) {
        *self.fate.lock().unwrap_or_else(PoisonError::into_inner) = fate;
    }
}

/// Whether the answer tells nothing of what the server did: it failed on the way, or something between here and it says so.
/// With 501 and 503 it did nothing.
fn is_lost(status: StatusCode) -> bool {
    match status {
        StatusCode::NOT_IMPLEMENTED | StatusCode::SERVICE_UNAVAILABLE => false,
        StatusCode::REQUEST_TIMEOUT => true,
        _ => status.as_u16() >= 500,
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        match self.fate.get_mut().unwrap_or_else(PoisonError::into_inner) {
            Fate::Here => self.uses.sent.forget(&self.ids, self.until),
            Fate::Unknown(span) => span.in_scope(|| Event::BypassUnknown.record()),
            Fate::Known => {}
        }
    }
}
