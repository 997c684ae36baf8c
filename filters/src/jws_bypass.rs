//! The JWS bypass: a phone changes its own dispatch target with nothing but a signature (`http-api.md` 1.1).
//!
//! The filter reads the body, checks the rows of that table in their order and leaves the body as it is. With the keys of
//! targets at hand, [`JwsBypassFilter`] checks them all and puts a [`VerifiedModify`] into the exchange: whoever applies the
//! change takes it from there, never from the body. In front of a server that owns the keys, [`KeylessBypassFilter`]
//! checks what can be checked without them.

mod claims;
mod keyless;
mod limit;
mod refusal;
mod replay_guard;
mod target_keys;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, header};

use self::claims::ModifyClaims;
use self::limit::TargetLimit;
use self::refusal::{Refusal, Stop};
use crate::audit::Event;
use crate::clock::{Clock, Millis, SteadyClock};
use crate::exchange::Exchange;
use crate::filter::{Filter, FilterError, Verdict};
use crate::identity::Caller;
use crate::jws::{Algorithm, CompactJws, Thumbprint, UnverifiedJws};

pub use self::claims::TargetChange;
pub use self::keyless::KeylessBypassFilter;
pub use self::limit::ModifyLimit;
pub use self::replay_guard::{ReplayGuard, ReplayId, Seen};
pub use self::target_keys::{RegisteredKey, TargetKeys};

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

/// What a deployment decides.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How far the signed time may be from ours, either way (row 7).
    pub skew: Duration,
    /// How often one target may be changed.
    pub limit: ModifyLimit,
}

impl Default for Settings {
    fn default() -> Self {
        Self { skew: Duration::from_secs(5 * 60), limit: ModifyLimit::default() }
    }
}

/// The filter. Mount it on `PATCH` of a path with an `{id}` segment and nowhere else.
pub struct JwsBypassFilter {
    keys: Arc<dyn TargetKeys>,
    replays: Arc<dyn ReplayGuard>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    limit: TargetLimit,
    /// For the limit, which only has to know how much time has passed.
    steady: SteadyClock,
}

impl JwsBypassFilter {
    /// A filter that asks `keys` for the key of a target and has `replays` remember what was used.
    #[must_use]
    pub fn new(
        keys: Arc<dyn TargetKeys>,
        replays: Arc<dyn ReplayGuard>,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Self {
        let steady = SteadyClock::new(Arc::clone(&clock));
        Self { keys, replays, clock, settings, limit: TargetLimit::new(settings.limit), steady }
    }

    /// Rows 1 to 11 of the table, as far as they need no other target.
    async fn check(&self, target_id: &str, body: &[u8]) -> Result<VerifiedModify, Stop> {
        let (_, jws) = aimed(body, target_id, self.clock.now(), self.settings.skew)?;
        let registered = self.keys.key(target_id).await?.ok_or(Refusal::UnknownTarget)?;
        self.check_signed(target_id, jws, &registered).await.map_err(Stop::of_known)
    }

    /// Rows 9 to 11.
    async fn check_signed(
        &self,
        target_id: &str,
        jws: UnverifiedJws<'_>,
        registered: &RegisteredKey,
    ) -> Result<VerifiedModify, Stop> {
        let verified = jws.verify(&registered.key).map_err(Refusal::Signature)?;
        let claims = ModifyClaims::parse(verified.payload()).map_err(Refusal::Claims)?;
        if registered.serves_several && claims.target_id.is_none() {
            return Err(Refusal::NoTargetNamed.into());
        }
        self.limit.check(target_id, self.steady.now()).map_err(Refusal::TooMany)?;
        let thumbprint = *registered.key.thumbprint();
        self.use_up(&thumbprint, &claims).await?;
        self.limit.count(target_id, self.steady.now());
        if claims.change.is_empty() {
            return Err(Refusal::NothingToChange.into());
        }
        Ok(VerifiedModify { target_id: target_id.to_owned(), thumbprint, change: claims.change })
    }

    /// Row 10. Remembered until the first moment at which row 7 refuses it anyway.
    async fn use_up(&self, thumbprint: &Thumbprint, claims: &ModifyClaims) -> Result<(), Stop> {
        let until = outdated(claims, self.settings.skew);
        match self.replays.remember(&ReplayId::signed(thumbprint, &claims.request_id), until).await? {
            Seen::First => Ok(()),
            Seen::Before => Err(Refusal::Replayed.into()),
        }
    }
}

/// Rows 1 to 7: what the request says of itself, in good form, for this target, and of now. Nothing of it is signed yet.
fn aimed<'b>(
    body: &'b [u8],
    target_id: &str,
    now: Millis,
    skew: Duration,
) -> Result<(ModifyClaims, UnverifiedJws<'b>), Refusal> {
    let jws = CompactJws::parse(body, BODY_LIMIT)?;
    let claims = ModifyClaims::parse(jws.unverified_payload()).map_err(Refusal::Claims)?;
    let jws = jws.admit(&Algorithm::ALL)?;
    if claims.target_id.as_deref().is_some_and(|named| named != target_id) {
        return Err(Refusal::OtherTarget);
    }
    let apart = Duration::from_millis(now.0.abs_diff(claims.created.0));
    if apart > skew { Err(Refusal::Time) } else { Ok((claims, jws)) }
}

/// The first moment at which row 7 refuses the request anyway.
fn outdated(claims: &ModifyClaims, skew: Duration) -> Millis {
    claims.created.after(skew).after(Duration::from_millis(1))
}

/// The target and the body; both are there unless the filter is mounted where it does not belong.
fn subject(exchange: &Exchange) -> Result<(String, Bytes), FilterError> {
    if exchange.method != Method::PATCH {
        return Err(FilterError::Internal("jws-bypass is mounted on another method than PATCH".to_owned()));
    }
    let id = exchange.params.get("id");
    let id = id.ok_or_else(|| FilterError::Internal("jws-bypass needs a path with an {id} segment".to_owned()))?;
    let body = exchange.body.clone();
    let body = body.ok_or_else(|| FilterError::Internal("jws-bypass was given no body".to_owned()))?;
    Ok((id.to_owned(), body))
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

fn media_type(exchange: &Exchange) -> Verdict {
    if claims::is_jose(&exchange.headers) { Verdict::Pass } else { Verdict::Answer(Refusal::MediaType.answer()) }
}

#[async_trait]
impl Filter for JwsBypassFilter {
    fn name(&self) -> &'static str {
        "jws-bypass"
    }

    fn settings(&self) -> String {
        format!("skew {} s, {}", self.settings.skew.as_secs(), self.settings.limit)
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
            Ok(modify) => {
                Event::BypassPassed { target: &modify.target_id, key: Some(&modify.thumbprint) }.record();
                strip(exchange);
                exchange.proofs.insert(modify);
                Ok(Verdict::Pass)
            }
            Err(stop) => stopped(stop, &target_id),
        }
    }
}
