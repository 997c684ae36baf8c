//! Open files: each connection is one, and a process that has none left accepts nobody, on no listener.
//!
//! A listener has its connections, as many requests on their way to upstreams ([`super::seats`]), each with a connection
//! of its own there, and what is kept of those for later.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files beside connections: stores, logs, keys that are read again, the runtime's own.
const RESERVE: u64 = 256;
/// The most idle connections to upstreams that a listener keeps; with fewer connections it keeps as many as those.
const MOST_KEPT: u64 = 512;

const TOO_FEW: &str = "the limit of open files is too low for limits.connections on every listener, so each takes fewer: \
                       raise it (LimitNOFILE, ulimit -n), or lower limits.connections";

/// How many connections each of so many listeners may have, at most `wanted`, so that all of them together leave files for
/// each other. The process is given all the files that it may ask for; the operator is told if they are too few, which is
/// no warning where it is all for trying out.
pub(super) fn connections(listeners: usize, wanted: usize, try_out: bool) -> usize {
    let limit = raised();
    let most = fitting(limit, listeners);
    if most < wanted {
        let needed = needed(listeners, wanted);
        if try_out {
            tracing::info!(open_files = limit, needed, connections = most, "{TOO_FEW}");
        } else {
            tracing::warn!(open_files = limit, needed, connections = most, "{TOO_FEW}");
        }
    }
    wanted.min(most)
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

fn fitting(limit: u64, listeners: usize) -> usize {
    let each = limit.saturating_sub(RESERVE) / (listeners as u64).max(1);
    let connections = if each < 3 * MOST_KEPT { each / 3 } else { (each - MOST_KEPT) / 2 };
    usize::try_from(connections).unwrap_or(usize::MAX).max(1)
}

fn needed(listeners: usize, wanted: usize) -> u64 {
    let wanted = wanted as u64;
    let each = wanted.saturating_mul(2).saturating_add(kept_by(wanted));
    each.saturating_mul(listeners as u64).saturating_add(RESERVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_fits_and_one_less_does_not() {
        for (listeners, wanted) in [(1, 1), (3, 10_000), (7, 123), (2, 512), (1, 513)] {
            let enough = needed(listeners, wanted);
            assert_eq!(fitting(enough, listeners), wanted);
            assert!(wanted == 1 || fitting(enough - 1, listeners) < wanted);
        }
        assert_eq!(fitting(u64::MAX, 0), usize::try_from((u64::MAX - RESERVE - MOST_KEPT) / 2).unwrap());
    }

    #[test]
    fn the_soft_limit_is_raised_to_the_hard_one() {
        let all = raised();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!((limit.current, all), (limit.maximum, limit.maximum.unwrap_or(u64::MAX)));
    }
}
