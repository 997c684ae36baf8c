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
    places: Vec<Place>,
}

/// What is known of one server, by requests and by health checks.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    outage: Option<Outage>,
    /// Requests that each got no answer in time, since its last answer.
    timeouts: u32,
    /// Its checks failed: they alone take it in again.
    sick: bool,
    /// Checks that agree, up to the last one.
    row: Row,
}

/// Checks in a row that ended in the same way.
#[derive(Debug, Clone, Copy, Default)]
struct Row {
    good: bool,
    length: usize,
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
        Self { turn: 0, places: vec![Place::default(); servers] }
    }

    /// The same for other servers: each has the place here that it is given, or none.
    pub(super) fn moved(&self, places: &[Option<usize>]) -> Self {
        let of = |place: &Option<usize>| place.and_then(|place| self.places.get(place).copied()).unwrap_or_default();
        Self { turn: self.turn, places: places.iter().map(of).collect() }
    }

    /// The server to try next, none of `tried`: one whose time is over, which this one request tries out; else the next
    /// of those that are up; else, since none may be given up without trying, the one whose time ends first, and before
    /// those whose checks fail.
    pub(super) fn next(&mut self, tried: &[usize], now: Instant) -> Option<usize> {
        self.due(tried, now).or_else(|| self.up(tried)).or_else(|| self.down(tried))
    }

    /// The same for a request that has servers in an order of its own: the first that is up, or whose time is over.
    pub(super) fn first(&mut self, order: &[usize], tried: &[usize], now: Instant) -> Option<usize> {
        let untried = order.iter().copied().filter(|index| !tried.contains(index));
        for index in untried {
            if self.places.get_mut(index).is_some_and(|place| place.is_up() || place.take_turn(now)) {
                return Some(index);
            }
        }
        self.down(tried)
    }

    /// Until it is known how the request fares, others keep away.
    fn due(&mut self, tried: &[usize], now: Instant) -> Option<usize> {
        let mut all = self.places.iter_mut().enumerate();
        all.find_map(|(index, place)| (!tried.contains(&index) && place.take_turn(now)).then_some(index))
    }

    fn up(&mut self, tried: &[usize]) -> Option<usize> {
        let is_up = |index: &usize| !tried.contains(index) && self.places.get(*index).is_some_and(Place::is_up);
        let up = || (0..self.places.len()).filter(is_up);
        let place = self.turn.checked_rem(up().count())?;
        let index = up().nth(place);
        self.turn = self.turn.wrapping_add(1);
        index
    }

    fn down(&self, tried: &[usize]) -> Option<usize> {
        let down = self.places.iter().enumerate().filter(|(index, place)| !tried.contains(index) && !place.is_up());
        let first = down.map(|(index, place)| (place.sick, place.outage.map(|outage| outage.until), index)).min();
        first.map(|(_, _, index)| index)
    }

    /// Leaves a server out that failed at a request begun at `began`, and tells how long. `None`: that is old news, since
    /// others of its requests failed meanwhile.
    pub(super) fn failed(&mut self, index: usize, began: Instant, now: Instant) -> Option<Duration> {
        let place = self.places.get_mut(index)?;
        if place.outage.is_some_and(|outage| began < outage.since) {
            return None;
        }
        let failures = place.outage.map_or(0, |outage| outage.failures).saturating_add(1);
        let pause = pause(failures);
        place.outage = Some(Outage { failures, since: now, until: now + pause });
        place.row = Row::default();
        Some(pause)
    }

    /// The same for a server that did not answer in time, once that is no accident.
    pub(super) fn timed_out(&mut self, index: usize, began: Instant, now: Instant) -> Option<Duration> {
        let place = self.places.get_mut(index)?;
        place.timeouts = place.timeouts.saturating_add(1);
        if place.timeouts < TIMEOUTS && place.outage.is_none() { None } else { self.failed(index, began, now) }
    }

    /// Takes a server in again, unless its checks fail; whether requests had found it failing.
    pub(super) fn answered(&mut self, index: usize) -> bool {
        let Some(place) = self.places.get_mut(index) else { return false };
        place.timeouts = 0;
        place.outage.take().is_some()
    }

    /// A check of a server ended `good` or not. Once `enough` in a row did, the server is taken in or left out, which is
    /// told where it was otherwise before. The time of an outage is over by then: the next request tries the server.
    pub(super) fn checked(&mut self, index: usize, good: bool, enough: usize, now: Instant) -> bool {
        let Some(place) = self.places.get_mut(index) else { return false };
        let before = if place.row.good == good { place.row.length } else { 0 };
        place.row = Row { good, length: before.saturating_add(1) };
        if place.row.length < enough {
            return false;
        }
        if let (true, Some(outage)) = (good, &mut place.outage) {
            outage.until = outage.until.min(now);
        }
        std::mem::replace(&mut place.sick, !good) == good
    }

    /// Servers are checked no more: what checks said counts no longer.
    pub(super) fn forget_checks(&mut self) {
        for place in &mut self.places {
            (place.sick, place.row) = (false, Row::default());
        }
    }

    /// Whether the checks of a server fail.
    pub(super) fn is_sick(&self, index: usize) -> bool {
        self.places.get(index).is_some_and(|place| place.sick)
    }
}

impl Place {
    fn is_up(&self) -> bool {
        self.outage.is_none() && !self.sick
    }

    /// Whether the time that it is left out is over; then it begins anew.
    fn take_turn(&mut self, now: Instant) -> bool {
        let due = self.outage.as_mut().filter(|outage| outage.until <= now && !self.sick);
        due.map(|outage| outage.until = now + pause(outage.failures)).is_some()
    }
}

fn pause(failures: u32) -> Duration {
    SHORTEST.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(LONGEST)
}

#[cfg(test)]
mod tests;
