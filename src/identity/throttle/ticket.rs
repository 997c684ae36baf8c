//! An attempt under way.

use std::sync::Arc;

use super::state::{Name, Source};
use super::{Lane, Throttle};

#[derive(Clone, Copy)]
pub(super) enum End {
    Failed,
    /// Of this user, who is familiar from then on.
    Succeeded(Option<Name>),
    Unused,
}

/// An attempt under way. Whoever drops it has failed: also where the request is let go of before its answer.
pub struct Ticket {
    pub(super) throttle: Arc<Throttle>,
    pub(super) source: Source,
    pub(super) lane: Lane,
    pub(super) end: End,
}

impl Ticket {
    /// Which places it takes one of: strangers, however many they are, are not to hold up one of a user who has logged in
    /// from there lately and had no other under way.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// Where it was to take a reserved place and all are taken: whether it may take a common one, as which it counts
    /// from then on.
    #[must_use]
    pub fn leaves_reserve(&mut self) -> bool {
        let leaves = self.lane == Lane::Reserved && self.throttle.leave_reserve(self.source.network);
        if leaves {
            self.lane = Lane::Common;
        }
        leaves
    }

    /// It proved who it is.
    pub fn succeeded(mut self) {
        self.end = End::Succeeded(self.source.name);
    }

    /// It proved who it is, and only by that the user's name is known.
    pub fn succeeded_as(mut self, name: &str) {
        self.end = End::Succeeded(Some(self.throttle.name(name)));
    }

    /// Whether it is one of a user who has logged in from there lately.
    #[must_use]
    pub fn is_familiar(&self) -> bool {
        self.source.is_familiar
    }

    /// Whether it would have, was not looked at.
    pub fn unused(mut self) {
        self.end = End::Unused;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.throttle.settle(self.source, self.lane, self.end);
    }
}
