//! What fails for one user in all networks where that user is not familiar, together: one who guesses from many networks
//! is slowed, and the user himself where he has logged in before is not.

use std::time::Duration;

use sidegate_filters::clock::Millis;
use sidegate_filters::recent::Recent;

use super::bucket::{Bucket, Lane, Level};
use super::state::{Count, Name, change};

pub(super) struct Guesses {
    users: Recent<Name, Guessed>,
    /// `None`: nothing is counted.
    bucket: Option<Bucket>,
}

#[derive(Clone, Copy, Default)]
struct Guessed {
    level: Level,
    /// Until then it is not told again.
    told_until: Option<Millis>,
}

impl Count for Guessed {
    fn is_idle(&self, now: Millis) -> bool {
        self.level.is_idle(now) && !self.is_told(now)
    }
}

impl Guessed {
    fn is_told(&self, now: Millis) -> bool {
        self.told_until.is_some_and(|until| !until.since(now).is_zero())
    }
}

impl Guesses {
    /// Of at most so many users.
    pub(super) fn new(users: usize, bucket: Option<Bucket>) -> Self {
        Self { users: Recent::new(users), bucket }
    }

    /// How long the next attempt has to wait; zero: it may begin.
    pub(super) fn wait(&self, name: Name, now: Millis) -> Duration {
        let Some(bucket) = &self.bucket else { return Duration::ZERO };
        self.users.get(&name).unwrap_or_default().level.wait(bucket, now)
    }

    pub(super) fn begin(&mut self, name: Name, now: Millis) {
        self.change(name, now, |level, _| level.begin(Lane::Common));
    }

    pub(super) fn release(&mut self, name: Name, now: Millis) {
        self.change(name, now, |level, _| level.release(Lane::Common));
    }

    pub(super) fn fail(&mut self, name: Name, now: Millis) {
        self.change(name, now, |level, bucket| level.fail(Lane::Common, bucket, now));
    }

    /// Whether so many failed that others have to wait, and that was not told for so long.
    pub(super) fn tell(&mut self, name: Name, now: Millis, window: Duration) -> bool {
        let is_new = !self.wait(name, now).is_zero() && !self.users.get(&name).unwrap_or_default().is_told(now);
        if is_new {
            change(&mut self.users, name, now, |guessed| guessed.told_until = Some(now.after(window)));
        }
        is_new
    }

    fn change(&mut self, name: Name, now: Millis, of: impl FnOnce(&mut Level, &Bucket)) {
        if let Some(bucket) = &self.bucket {
            change(&mut self.users, name, now, |guessed| of(&mut guessed.level, bucket));
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.users.len()
    }
}
