//! The bypass in front of a server that owns the keys of targets: rows 1 to 7 of `http-api.md` 1.1 are checked here, the
//! signature there. What that server accepted is good once (row 10): it is remembered when its answer says so, so that an
//! honest phone may try again after a failure, and nobody uses up the id of a request that he can't sign.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use http::StatusCode;

use super::limit::TargetLimit;
use super::refusal::{Refusal, Stop};
use super::{BODY_LIMIT, ReplayGuard, ReplayId, Settings, aimed, media_type, outdated, stopped, strip, subject};
use crate::audit::Event;
use crate::clock::{Clock, Millis, SteadyClock};
use crate::exchange::Exchange;
use crate::filter::{Filter, FilterError, Verdict};

/// The longest id of a target, in bytes: longer than any server makes, short enough to be remembered.
const LONGEST_ID: usize = 256;

/// The filter. Mount it on `PATCH` of a path with an `{id}` segment and nowhere else.
pub struct KeylessBypassFilter {
    replays: Arc<dyn ReplayGuard>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    limit: TargetLimit,
    /// For the limit, which only has to know how much time has passed.
    steady: SteadyClock,
    under_way: UnderWay,
}

impl KeylessBypassFilter {
    /// A filter that has `replays` remember what the server behind accepted.
    #[must_use]
    pub fn new(replays: Arc<dyn ReplayGuard>, clock: Arc<dyn Clock>, settings: Settings) -> Self {
        let limit = TargetLimit::new(settings.limit);
        let steady = SteadyClock::new(Arc::clone(&clock));
        Self { replays, clock, settings, limit, steady, under_way: UnderWay::default() }
    }

    async fn check(&self, target_id: &str, body: &[u8]) -> Result<Claim, Stop> {
        let now = self.clock.now();
        let (claims, _) = aimed(body, target_id, now, self.settings.skew)?;
        if target_id.len() > LONGEST_ID {
            return Err(Refusal::UnknownTarget.into());
        }
        self.limit.check(target_id, self.steady.now()).map_err(Refusal::TooMany)?;
        let id = ReplayId::accepted(target_id, &claims.request_id);
        // Before the memory is asked: whoever leaves has been remembered by then.
        let seat = self.under_way.enter(&id).ok_or(Refusal::UnderWay)?;
        if self.replays.is_remembered(&id).await? {
            return Err(Refusal::Replayed.into());
        }
        let until = outdated(&claims, self.settings.skew);
        Ok(Claim { target_id: target_id.to_owned(), until, seat: Arc::new(seat) })
    }
}

/// A request on its way to the server behind. It goes with the exchange.
#[derive(Clone)]
struct Claim {
    target_id: String,
    until: Millis,
    seat: Arc<Seat>,
}

/// Requests whose answers are not there yet: of two copies at the same time one is passed on.
#[derive(Clone, Default)]
struct UnderWay(Arc<Mutex<HashSet<ReplayId>>>);

struct Seat {
    id: ReplayId,
    among: UnderWay,
    is_left: AtomicBool,
}

impl UnderWay {
    fn enter(&self, id: &ReplayId) -> Option<Seat> {
        let is_first = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
        is_first.then(|| Seat { id: id.clone(), among: self.clone(), is_left: AtomicBool::new(false) })
    }
}

impl Seat {
    /// Whoever comes next may have the seat; only its holder makes it free.
    fn leave(&self) {
        if !self.is_left.swap(true, Ordering::Relaxed) {
            self.among.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.leave();
    }
}

#[async_trait]
impl Filter for KeylessBypassFilter {
    fn name(&self) -> &'static str {
        "jws-bypass"
    }

    fn settings(&self) -> String {
        let Settings { skew, limit } = &self.settings;
        format!("the upstream verifies signatures; skew {} s, {limit}", skew.as_secs())
    }

    fn body_limit(&self) -> Option<usize> {
        Some(BODY_LIMIT)
    }

    fn before_body(&self, exchange: &Exchange) -> Verdict {
        media_type(exchange)
    }

    async fn request(&self, exchange: &mut Exchange) -> Result<Verdict, FilterError> {
        let (target_id, body) = subject(exchange)?;
        match self.check(&target_id, &body).await {
            Ok(claim) => {
                strip(exchange);
                exchange.proofs.insert(claim);
                Ok(Verdict::Pass)
            }
            Err(stop) => stopped(stop, &target_id),
        }
    }

    async fn response(&self, exchange: &Exchange, status: StatusCode) -> Result<(), FilterError> {
        let Some(claim) = exchange.proofs.get::<Claim>() else { return Ok(()) };
        if !status.is_success() {
            let reason = format_args!("the upstream answered {}", status.as_u16());
            Event::BypassRefused { target: None, reason: &reason }.record();
            claim.seat.leave();
            return Ok(());
        }
        Event::BypassPassed { target: &claim.target_id, key: None }.record();
        self.limit.count(&claim.target_id, self.steady.now());
        let remembered = self.replays.remember(&claim.seat.id, claim.until).await;
        claim.seat.leave();
        remembered.map(drop)
    }
}
