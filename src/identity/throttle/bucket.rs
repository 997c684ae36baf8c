//! The failures of one network, whoever the user: a bucket that leaks.

use std::time::Duration;

use sidegate_filters::clock::Millis;

/// How one network's failures slow the next attempt.
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    /// So many failures fit in; while it is full, attempts wait.
    pub holds: u32,
    /// In so long one failure drains away.
    pub drains_one_in: Duration,
    /// So many attempts may be under way at a time.
    pub parallel: u32,
}

/// How full the bucket of a network is.
#[derive(Clone, Copy, Default)]
pub(super) struct Level {
    pending: u32,
    /// When all that failed will have drained away.
    empty_at: Option<Millis>,
}

impl Level {
    /// How long the next attempt has to wait; zero: it may begin.
    pub(super) fn wait(&self, bucket: &Bucket, now: Millis) -> Duration {
        let crowd = self.crowd(bucket);
        if !crowd.is_zero() {
            return crowd;
        }
        // Those under way count like failures, and the next one has to fit in too.
        let coming = bucket.drains_one_in.saturating_mul(self.pending.saturating_add(1));
        (self.drains_in(now) + coming).saturating_sub(bucket.drains_one_in.saturating_mul(bucket.holds))
    }

    /// How long to wait because of those under way alone.
    pub(super) fn crowd(&self, bucket: &Bucket) -> Duration {
        if self.pending >= bucket.parallel { Duration::from_secs(1) } else { Duration::ZERO }
    }

    pub(super) fn begin(&mut self) {
        self.pending = self.pending.saturating_add(1);
    }

    pub(super) fn release(&mut self) {
        self.pending = self.pending.saturating_sub(1);
    }

    /// A full bucket runs over: nobody ever waits for more than it holds.
    pub(super) fn fail(&mut self, bucket: &Bucket, now: Millis) {
        self.release();
        let full = bucket.drains_one_in.saturating_mul(bucket.holds);
        self.empty_at = Some(now.after((self.drains_in(now) + bucket.drains_one_in).min(full)));
    }

    fn drains_in(&self, now: Millis) -> Duration {
        self.empty_at.map_or(Duration::ZERO, |empty_at| empty_at.since(now))
    }
}

impl super::Count for Level {
    fn is_idle(&self, now: Millis) -> bool {
        self.pending == 0 && self.drains_in(now).is_zero()
    }
}
