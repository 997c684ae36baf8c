//! Who may have a connection, an open request over HTTP/2, or a request on its way to an upstream, which takes a
//! connection there: a listener has so many seats for each, and one network a share of them where strangers come.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::routes::ListenerClass;
use crate::store::SourceNetwork;

/// The seats of one kind on one listener.
pub(super) struct Seats {
    free: Arc<Semaphore>,
    /// How many seats one network may have; `None` where callers are known.
    share: Option<usize>,
    taken: Mutex<HashMap<SourceNetwork, usize>>,
}

/// A seat that is taken; it is free again when this is dropped.
pub(super) struct Seat {
    _seat: OwnedSemaphorePermit,
    network: Option<(Arc<Seats>, SourceNetwork)>,
}

/// Why there is no seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoSeat {
    /// All are taken.
    Full,
    /// The client's network has its share.
    Share,
}

impl NoSeat {
    /// As the metrics name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Share => "share",
        }
    }
}

impl Seats {
    /// So many seats on a listener of this class, so many percent of them for one network.
    pub(super) fn new(seats: usize, percent: u8, class: ListenerClass) -> Arc<Self> {
        let share = seats.saturating_mul(usize::from(percent)) / 100;
        Arc::new(Self {
            free: Arc::new(Semaphore::new(seats.min(Semaphore::MAX_PERMITS))),
            share: (class == ListenerClass::Public).then_some(share.max(1)),
            taken: Mutex::default(),
        })
    }

    /// A seat for a client at this address.
    pub(super) fn take(self: &Arc<Self>, client: Option<IpAddr>) -> Result<Seat, NoSeat> {
        let seat = self.free.clone().try_acquire_owned().map_err(|_| NoSeat::Full)?;
        let Some((share, network)) = self.share.zip(client.map(SourceNetwork::of)) else {
            return Ok(Seat { _seat: seat, network: None });
        };
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

    fn seats(class: ListenerClass) -> Arc<Seats> {
        Seats::new(8, 25, class)
    }

    fn at(address: &str) -> Option<IpAddr> {
        Some(address.parse().unwrap())
    }

    #[test]
    fn a_network_has_its_share_and_others_have_theirs() {
        let seats = seats(ListenerClass::Public);
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
        let seats = seats(ListenerClass::Public);
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
        for class in [ListenerClass::Internal, ListenerClass::Management] {
            let seats = seats(class);
            let all: Vec<_> = (0..8).map(|_| seats.take(at("127.0.0.1")).ok().unwrap()).collect();
            assert_eq!(seats.take(at("127.0.0.1")).err(), Some(NoSeat::Full));
            drop(all);
        }
    }
}
