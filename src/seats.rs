//! Who may have a connection, an open request over HTTP/2, a request on its way to an upstream or a question to a UAF
//! server behind, which take a connection there: there are so many seats for each, and one network has a share of them
//! where strangers come.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::store::SourceNetwork;

/// The seats of one kind.
pub struct Seats {
    free: Arc<Semaphore>,
    /// How many seats one network may have; `None` where callers are known.
    share: Option<usize>,
    taken: Mutex<HashMap<SourceNetwork, usize>>,
}

/// A seat that is taken; it is free again when this is dropped.
pub struct Seat {
    _seat: OwnedSemaphorePermit,
    network: Option<(Arc<Seats>, SourceNetwork)>,
}

/// Why there is no seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoSeat {
    /// All are taken.
    Full,
    /// The client's network has its share.
    Share,
}

impl NoSeat {
    /// The name of each.
    pub const NAMES: [&str; 2] = ["full", "share"];

    /// As the metrics name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        let [full, share] = Self::NAMES;
        match self {
            Self::Full => full,
            Self::Share => share,
        }
    }
}

/// How many of so many places one network has, whatever they are for: never none.
#[must_use]
pub fn share(places: usize, percent: u8) -> usize {
    (places.saturating_mul(usize::from(percent)) / 100).max(1)
}

impl Seats {
    /// So many seats, so many percent of them for one network; `None` where callers are known.
    #[must_use]
    pub fn new(seats: usize, percent: Option<u8>) -> Arc<Self> {
        let share = percent.map(|percent| share(seats, percent));
        let free = Arc::new(Semaphore::new(seats.min(Semaphore::MAX_PERMITS)));
        Arc::new(Self { free, share, taken: Mutex::default() })
    }

    /// A seat for a client in this network; for `None`, who is known, without regard to a share.
    ///
    /// # Errors
    /// Why there is none; nobody waits for one.
    pub fn take(self: &Arc<Self>, client: Option<SourceNetwork>) -> Result<Seat, NoSeat> {
        let seat = self.free.clone().try_acquire_owned().map_err(|_| NoSeat::Full)?;
        let Some((share, network)) = self.share.zip(client) else { return Ok(Seat { _seat: seat, network: None }) };
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(network).or_default();
        if *count >= share {
            return Err(NoSeat::Share);
        }
        *count += 1;
        Ok(Seat { _seat: seat, network: Some((self.clone(), network)) })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some((seats, network)) = &self.network else { return };
        let mut taken = seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(network) {
            *count -= 1;
            if *count == 0 {
                taken.remove(network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seats() -> Arc<Seats> {
        Seats::new(8, Some(25))
    }

    fn at(address: &str) -> Option<SourceNetwork> {
        Some(SourceNetwork::of(address.parse().unwrap()))
    }

    #[test]
    fn a_network_has_its_share_and_others_have_theirs() {
        let seats = seats();
        let first = seats.take(at("2001:db8::1")).ok().unwrap();
        let _second = seats.take(at("2001:db8:0:ff::2")).ok().unwrap();
        assert_eq!(seats.take(at("2001:db8::3")).err(), Some(NoSeat::Share));
        let _other = seats.take(at("2001:db8:0:100::3")).ok().unwrap();
        drop(first);
        let _third = seats.take(at("2001:db8::3")).ok().unwrap();
        assert_eq!(seats.take(at("2001:db8::4")).err(), Some(NoSeat::Share));
    }

    #[test]
    fn what_was_given_back_leaves_nothing_behind() {
        let seats = seats();
        for round in 0..100 {
            drop(seats.take(at(&format!("192.0.2.{round}"))).ok().unwrap());
        }
        assert!(seats.taken.lock().unwrap().is_empty());
        let all: Vec<_> = (0..8).map(|host| seats.take(at(&format!("192.0.2.{host}"))).ok().unwrap()).collect();
        assert_eq!(seats.take(at("192.0.2.9")).err(), Some(NoSeat::Full));
        drop(all);
    }

    #[test]
    fn known_callers_have_no_share() {
        for (seats, caller) in [(Seats::new(8, None), at("127.0.0.1")), (seats(), None)] {
            let all: Vec<_> = (0..8).map(|_| seats.take(caller).ok().unwrap()).collect();
            assert_eq!(seats.take(caller).err(), Some(NoSeat::Full));
            drop(all);
        }
    }
}
