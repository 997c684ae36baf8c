//! The failures of one network, whoever the user, or of one user in many networks: a bucket that leaks.

use std::time::Duration;

use sidegate_filters::clock::Millis;

use super::leak::Leak;

/// How the failures of one network, or of one user in many, slow the next attempt.
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    /// So many failures fit in; while it is full, attempts wait.
    pub holds: u32,
    /// In so long one failure drains away.
    pub drains_one_in: Duration,
    /// So many attempts may be under way at a time, and as many more in reserved places.
    pub parallel: u32,
}

/// Which places an attempt takes one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Those for everybody.
    Common,
    /// Those that strangers get none of.
    Reserved,
}

/// How full a bucket is.
#[derive(Clone, Copy, Default)]
pub(super) struct Level {
    pending: u32,
    /// Those under way in reserved places; they are not among `pending`.
    reserved: u32,
    failed: Leak,
}

impl Level {
    /// How long the next attempt has to wait; zero: it may begin.
    pub(super) fn wait(&self, bucket: &Bucket, now: Millis) -> Duration {
        let crowd = self.crowd(bucket);
        if !crowd.is_zero() {
            return crowd;
        }
        // Those under way count like failures, and the next one has to fit in too.
        let coming = bucket.drains_one_in.saturating_mul(self.pending.saturating_add(self.reserved).saturating_add(1));
        (self.failed.drains_in(now) + coming).saturating_sub(bucket.drains_one_in.saturating_mul(bucket.holds))
    }

    /// How long to wait because of those under way alone.
    pub(super) fn crowd(&self, bucket: &Bucket) -> Duration {
        if self.pending >= bucket.parallel { Duration::from_secs(1) } else { Duration::ZERO }
    }

    /// Whether the network has taken its share of the reserved places.
    pub(super) fn has_no_reserve(&self, bucket: &Bucket) -> bool {
        self.reserved >= bucket.parallel
    }

    pub(super) fn begin(&mut self, lane: Lane) {
        let under_way = self.under_way(lane);
        *under_way = under_way.saturating_add(1);
    }

    pub(super) fn release(&mut self, lane: Lane) {
        let under_way = self.under_way(lane);
        *under_way = under_way.saturating_sub(1);
    }

    /// Lets one under way in a reserved place take one of everybody's, if the network's share has room for it.
    pub(super) fn leave_reserve(&mut self, bucket: &Bucket) -> bool {
        let moves = self.crowd(bucket).is_zero();
        if moves {
            self.release(Lane::Reserved);
            self.begin(Lane::Common);
        }
        moves
    }

    fn under_way(&mut self, lane: Lane) -> &mut u32 {
        match lane {
            Lane::Common => &mut self.pending,
            Lane::Reserved => &mut self.reserved,
        }
    }

    /// A full bucket runs over: nobody ever waits for more than it holds.
    pub(super) fn fail(&mut self, lane: Lane, bucket: &Bucket, now: Millis) {
        self.release(lane);
        let full = bucket.drains_one_in.saturating_mul(bucket.holds);
        self.failed.add(bucket.drains_one_in, full, now);
    }
}

impl super::state::Count for Level {
    fn is_idle(&self, now: Millis) -> bool {
        self.pending == 0 && self.reserved == 0 && self.failed.drains_in(now).is_zero()
    }
}
