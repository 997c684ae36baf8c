//! Whose turn it is among servers of which some may be down. It knows no clock and no network.

use std::time::Duration;

use tokio::time::Instant;

/// So many requests in a row without an answer in time are a failure: fewer may have asked for what takes long.
const TIMEOUTS: u32 = 3;
/// How long a server is left out after its first failure; each further one doubles it.
pub(super) const SHORTEST: Duration = Duration::from_secs(1);
/// How long at most.
const LONGEST: Duration = Duration::from_secs(30);

/// The servers of an upstream, by their index.
#[derive(Debug)]
pub(super) struct Ring {
    turn: usize,
    outages: Vec<Option<Outage>>,
    /// Requests that each got no answer in time, since its last answer.
    timeouts: Vec<u32>,
}

/// A server failed, and did not answer since.
#[derive(Debug, Clone, Copy)]
struct Outage {
    failures: u32,
    since: Instant,
    until: Instant,
}

impl Ring {
    pub(super) fn new(servers: usize) -> Self {
        Self { turn: 0, outages: vec![None; servers], timeouts: vec![0; servers] }
    }

    /// The same for other servers: each has the place here that it is given, or none.
    pub(super) fn moved(&self, places: &[Option<usize>]) -> Self {
        let of = |place: &Option<usize>| place.and_then(|place| self.outages.get(place).copied()).flatten();
        let late =
            |place: &Option<usize>| place.and_then(|place| self.timeouts.get(place).copied()).unwrap_or_default();
        Self { turn: self.turn, outages: places.iter().map(of).collect(), timeouts: places.iter().map(late).collect() }
    }

    /// The server to try next, none of `tried`: one whose time is over, which this one request tries out; else the next
    /// of those that are up; else, since none may be given up without trying, the one whose time ends first.
    pub(super) fn next(&mut self, tried: &[usize], now: Instant) -> Option<usize> {
        self.due(tried, now).or_else(|| self.up(tried)).or_else(|| {
            let down = self.outages.iter().enumerate().filter(|(index, _)| !tried.contains(index));
            let first = down.filter_map(|(index, outage)| Some((outage.as_ref()?.until, index))).min();
            first.map(|(_, index)| index)
        })
    }

    /// Until it is known how the request fares, others keep away.
    fn due(&mut self, tried: &[usize], now: Instant) -> Option<usize> {
        let all = self.outages.iter_mut().enumerate();
        let down = all.filter_map(|(index, outage)| Some((index, outage.as_mut()?)));
        let (index, outage) = down.into_iter().find(|(index, outage)| !tried.contains(index) && outage.until <= now)?;
        outage.until = now + pause(outage.failures);
        Some(index)
    }

    fn up(&mut self, tried: &[usize]) -> Option<usize> {
        let is_up = |index: &usize| !tried.contains(index) && self.outages.get(*index).is_some_and(Option::is_none);
        let up = || (0..self.outages.len()).filter(is_up);
        let place = self.turn.checked_rem(up().count())?;
        let index = up().nth(place);
        self.turn = self.turn.wrapping_add(1);
        index
    }

    /// Leaves a server out that failed at a request begun at `began`, and tells how long. `None`: that is old news, since
    /// others of its requests failed meanwhile.
    pub(super) fn failed(&mut self, index: usize, began: Instant, now: Instant) -> Option<Duration> {
        let outage = self.outages.get_mut(index)?;
        if outage.is_some_and(|outage| began < outage.since) {
            return None;
        }
        let failures = outage.map_or(0, |outage| outage.failures).saturating_add(1);
        let pause = pause(failures);
        *outage = Some(Outage { failures, since: now, until: now + pause });
        Some(pause)
    }

    /// The same for a server that did not answer in time, once that is no accident.
    pub(super) fn timed_out(&mut self, index: usize, began: Instant, now: Instant) -> Option<Duration> {
        let timeouts = self.timeouts.get_mut(index)?;
        *timeouts = timeouts.saturating_add(1);
        let is_out = self.outages.get(index)?.is_some();
        if *timeouts < TIMEOUTS && !is_out { None } else { self.failed(index, began, now) }
    }

    /// Takes a server in again; whether it was left out.
    pub(super) fn answered(&mut self, index: usize) -> bool {
        if let Some(timeouts) = self.timeouts.get_mut(index) {
            *timeouts = 0;
        }
        self.outages.get_mut(index).is_some_and(|outage| outage.take().is_some())
    }
}

fn pause(failures: u32) -> Duration {
    SHORTEST.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn turns(ring: &mut Ring, number: usize, now: Instant) -> Vec<usize> {
        (0..number).filter_map(|_| ring.next(&[], now)).collect()
    }

    #[test]
    fn servers_take_turns_and_those_that_are_up_share_what_a_failed_one_leaves() {
        let (mut ring, now) = (Ring::new(3), Instant::now());
        assert_eq!(turns(&mut ring, 6, now), [0, 1, 2, 0, 1, 2]);
        ring.failed(1, now, now);
        assert_eq!(turns(&mut ring, 4, now), [0, 2, 0, 2]);
        assert!(ring.answered(1) && !ring.answered(1));
        assert_eq!(turns(&mut ring, 3, now).len(), 3);
    }

    #[test]
    fn none_is_tried_twice_by_one_request() {
        let (mut ring, now) = (Ring::new(3), Instant::now());
        ring.failed(2, now, now);
        assert_eq!(ring.next(&[0], now), Some(1));
        assert_eq!(ring.next(&[0, 1], now), Some(2), "down, but the last that is left");
        assert_eq!(ring.next(&[0, 1, 2], now), None);
    }

    #[test]
    fn when_its_time_is_over_one_request_tries_it_out() {
        let (mut ring, now) = (Ring::new(2), Instant::now());
        ring.failed(0, now, now);
        assert_eq!(turns(&mut ring, 2, now + seconds(1) - Duration::from_millis(1)), [1, 1]);
        assert_eq!(turns(&mut ring, 3, now + seconds(1)), [0, 1, 1]);
        assert_eq!(turns(&mut ring, 2, now + seconds(2)), [0, 1], "nothing was heard of the first");
        ring.answered(0);
        let mut next = turns(&mut ring, 2, now + seconds(2));
        next.sort_unstable();
        assert_eq!(next, [0, 1]);
    }

    #[test]
    fn its_time_doubles_up_to_a_limit() {
        let (mut ring, now) = (Ring::new(2), Instant::now());
        let pauses: Vec<_> = (0..7).filter_map(|_| ring.failed(0, now, now)).map(|pause| pause.as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
        ring.answered(0);
        assert_eq!(ring.failed(0, now, now), Some(SHORTEST));
    }

    #[test]
    fn requests_that_fail_together_are_one_failure() {
        let (mut ring, began) = (Ring::new(2), Instant::now());
        let now = began + seconds(5);
        assert_eq!(ring.failed(0, began, now), Some(SHORTEST));
        assert_eq!(ring.failed(0, began, now), None);
        assert_eq!(ring.failed(0, now, now), Some(seconds(2)));
    }

    #[test]
    fn requests_in_a_row_that_time_out_are_a_failure_and_each_that_tries_it_out_later() {
        let (mut ring, now) = (Ring::new(2), Instant::now());
        assert_eq!([ring.timed_out(0, now, now), ring.timed_out(0, now, now)], [None, None]);
        assert!(!ring.answered(0), "it was up all the time");
        assert_eq!([ring.timed_out(0, now, now), ring.timed_out(0, now, now)], [None, None]);
        assert_eq!(ring.timed_out(1, now, now), None, "each server has its own");
        assert_eq!(ring.timed_out(0, now, now), Some(SHORTEST));
        assert_eq!(ring.timed_out(0, now + seconds(1), now + seconds(1)), Some(seconds(2)));
        assert!(ring.answered(0));
        ring.failed(0, now, now);
        assert_eq!(ring.timed_out(0, now, now), Some(seconds(2)), "refused before, and now it hangs");
    }

    #[test]
    fn with_all_down_the_one_whose_time_ends_first_is_tried() {
        let (mut ring, now) = (Ring::new(3), Instant::now());
        for (index, failures) in [(0, 3), (1, 1), (2, 2)] {
            assert!((0..failures).all(|_| ring.failed(index, now, now).is_some()));
        }
        assert_eq!(ring.next(&[], now), Some(1));
        assert_eq!(ring.next(&[1], now), Some(2));
        assert_eq!(ring.next(&[1, 2], now), Some(0));
    }
}
