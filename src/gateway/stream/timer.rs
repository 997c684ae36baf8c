//! A timer that a `poll` function can start, stop and look at.

use std::future::Future as _;
use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Off until it is looked at; its clock starts then.
#[derive(Default)]
pub(super) struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
    running: bool,
}

impl Timer {
    pub(super) fn stop(&mut self) {
        self.running = false;
    }

    /// Whether `limit` has passed since the timer was first looked at; if not, the task is woken when it has.
    pub(super) fn elapsed(&mut self, limit: Duration, context: &mut Context<'_>) -> bool {
        let running = std::mem::replace(&mut self.running, true);
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + limit)));
        if !running {
            sleep.as_mut().reset(Instant::now() + limit);
        }
        sleep.as_mut().poll(context).is_ready()
    }
}
