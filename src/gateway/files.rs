//! Open files: each connection is one, and a process that has none left accepts nobody, on no listener.
//!
//! A listener has its connections, as many requests on their way to upstreams ([`crate::seats`]), each with a connection
//! of its own there, and what is kept of those for later. Beside them, services of ours ask servers behind.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files beside connections: stores, logs, keys that are read again, the runtime's own.
const RESERVE: u64 = 256;
/// The most idle connections to upstreams that a listener keeps; with fewer connections it keeps as many as those.
const MOST_KEPT: u64 = 512;

const TOO_FEW: &str = "the limit of open files is too low for limits.connections on every listener, so each takes fewer: \
                       raise it (LimitNOFILE, ulimit -n), or lower limits.connections, which is wanted here; \
                       needed = listeners * (2 * wanted + kept) + beside";

/// Those who share the open files.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listeners {
    /// How many they are.
    pub(super) number: usize,
    /// Connections to servers behind that are none of theirs.
    pub(super) beside: usize,
}

impl Listeners {
    /// How many connections each listener may have, at most `wanted`, so that all of them together leave files for each
    /// other. The process is given all the files that it may ask for; the operator is told if they are too few, which is
    /// no warning where it is all for trying out.
    pub(super) fn connections(self, wanted: usize, try_out: bool) -> usize {
        let open_files = raised();
        let connections = self.fitting(open_files);
        if connections < wanted {
            let (needed, listeners, kept, beside) = (self.needed(wanted), self.number, kept(wanted), self.reserve());
            // The level of a line is fixed where it is written.
            if try_out {
                tracing::info!(open_files, connections, needed, listeners, wanted, kept, beside, "{TOO_FEW}");
            } else {
                tracing::warn!(open_files, connections, needed, listeners, wanted, kept, beside, "{TOO_FEW}");
            }
        }
        wanted.min(connections)
    }

    fn reserve(self) -> u64 {
        RESERVE.saturating_add(self.beside as u64)
    }

    fn fitting(self, limit: u64) -> usize {
        let each = limit.saturating_sub(self.reserve()) / (self.number as u64).max(1);
        let connections = if each < 3 * MOST_KEPT { each / 3 } else { (each - MOST_KEPT) / 2 };
        usize::try_from(connections).unwrap_or(usize::MAX).max(1)
    }

    fn needed(self, wanted: usize) -> u64 {
        let wanted = wanted as u64;
        let each = wanted.saturating_mul(2).saturating_add(kept_by(wanted));
        each.saturating_mul(self.number as u64).saturating_add(self.reserve())
    }
}

/// Raises the soft limit to the hard one; what the limit is then.
fn raised() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let hard = limit.maximum.unwrap_or(u64::MAX);
    let soft = limit.current.unwrap_or(u64::MAX);
    match setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }) {
        Ok(()) => hard,
        Err(error) => {
            tracing::warn!(%error, open_files = soft, "the limit of open files cannot be raised");
            soft
        }
    }
}

/// How many idle connections to upstreams a listener with so many connections keeps.
pub(super) fn kept(connections: usize) -> usize {
    usize::try_from(kept_by(connections as u64)).unwrap_or(usize::MAX)
}

fn kept_by(connections: u64) -> u64 {
    connections.min(MOST_KEPT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_fits_and_one_less_does_not() {
        for (number, beside, wanted) in [(1, 0, 1), (3, 0, 10_000), (7, 256, 123), (2, 0, 512), (1, 256, 513)] {
            let listeners = Listeners { number, beside };
            let enough = listeners.needed(wanted);
            assert_eq!(listeners.fitting(enough), wanted);
            assert!(wanted == 1 || listeners.fitting(enough - 1) < wanted);
        }
        let none = Listeners { number: 0, beside: 0 };
        assert_eq!(none.fitting(u64::MAX), usize::try_from((u64::MAX - RESERVE - MOST_KEPT) / 2).unwrap());
    }

    #[test]
    fn what_services_ask_servers_behind_is_taken_from_all_listeners() {
        let alone = Listeners { number: 3, beside: 0 };
        let asking = Listeners { beside: 256, ..alone };
        assert_eq!(asking.needed(100), alone.needed(100) + 256);
        assert_eq!(asking.fitting(1_000 + 256), alone.fitting(1_000));
    }

    #[test]
    fn the_soft_limit_is_raised_to_the_hard_one() {
        let all = raised();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!((limit.current, all), (limit.maximum, limit.maximum.unwrap_or(u64::MAX)));
    }
}
