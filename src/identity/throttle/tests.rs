use std::net::IpAddr;

use sidegate_filters::clock::ManualClock;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

struct Bench {
    clock: Arc<ManualClock>,
    throttle: Arc<Throttle>,
}

fn bench(entries: usize) -> Bench {
    let clock = Arc::new(ManualClock::new(Millis(1_000_000)));
    let paces = Paces {
        user: Pace { free: 3, longest: Duration::from_secs(8), parallel: 3 },
        network: Pace { free: 6, longest: Duration::from_secs(2), parallel: 5 },
        memory: Duration::from_secs(900),
        entries,
    };
    let throttle = Arc::new(Throttle::new(paces, Arc::clone(&clock) as Arc<dyn Clock>));
    Bench { clock, throttle }
}

fn network(text: &str) -> SourceNetwork {
    SourceNetwork::of(text.parse::<IpAddr>().unwrap())
}

fn here() -> SourceNetwork {
    network("192.0.2.1")
}

impl Bench {
    fn fail(&self, name: &str, from: SourceNetwork) {
        drop(self.throttle.admit(name, from).unwrap_or_else(|wait| panic!("must wait {wait:?}")));
    }

    fn wait(&self, name: &str, from: SourceNetwork) -> Duration {
        match self.throttle.admit(name, from) {
            Ok(ticket) => {
                ticket.unused();
                Duration::ZERO
            }
            Err(wait) => wait,
        }
    }
}

#[test]
fn the_delay_doubles_after_the_free_attempts() {
    let bench = bench(100);
    for _ in 0..3 {
        bench.fail("jeff", here());
    }
    for seconds in [1, 2, 4] {
        let wait = seconds * SECOND;
        assert_eq!(bench.wait("jeff", here()), wait);
        bench.clock.advance(wait - Duration::from_millis(1));
        assert_eq!(bench.wait("jeff", here()), Duration::from_millis(1));
        bench.clock.advance(Duration::from_millis(1));
        bench.fail("jeff", here());
    }
    for _ in 0..2 {
        assert_eq!(bench.wait("jeff", here()), 8 * SECOND, "not longer than the longest");
        bench.clock.advance(8 * SECOND);
        bench.fail("jeff", here());
    }
}

#[test]
fn the_victim_elsewhere_is_not_slowed() {
    let bench = bench(100);
    for _ in 0..3 {
        bench.fail("jeff", here());
    }
    assert_eq!(bench.wait("jeff", network("192.0.2.2")), Duration::ZERO);
    assert_eq!(bench.wait("eve", here()), Duration::ZERO);
}

#[test]
fn a_network_is_slowed_whoever_it_tries() {
    let bench = bench(100);
    for name in ["a", "b", "c", "d", "e", "f"] {
        bench.fail(name, network("2001:db8::1"));
    }
    assert_eq!(bench.wait("g", network("2001:db8::ffff")), SECOND, "the same /64");
    assert_eq!(bench.wait("g", network("2001:db8:0:1::1")), Duration::ZERO);
}

#[test]
fn parallel_attempts_count_from_their_beginning() {
    let bench = bench(100);
    let tickets: Vec<_> = (0..3).map(|_| bench.throttle.admit("jeff", here()).unwrap_or_else(|_| panic!())).collect();
    assert_eq!(bench.wait("jeff", here()), SECOND);
    drop(tickets);
    assert_eq!(bench.wait("jeff", here()), SECOND);
    bench.clock.advance(SECOND);
    let one = bench.throttle.admit("jeff", here());
    assert!(one.is_ok());
    assert_eq!(bench.wait("jeff", here()), SECOND, "after the free ones, one at a time");
}

#[test]
fn success_clears_the_user_and_not_the_network() {
    let bench = bench(100);
    for name in ["jeff", "jeff", "a", "b", "c"] {
        bench.fail(name, here());
    }
    bench.throttle.admit("jeff", here()).unwrap_or_else(|_| panic!()).succeeded();
    bench.fail("jeff", here());
    assert_eq!(bench.wait("jeff", here()), SECOND, "six failures from this network");
    bench.clock.advance(SECOND);
    bench.fail("jeff", here());
    bench.clock.advance(2 * SECOND);
    assert_eq!(bench.wait("jeff", here()), Duration::ZERO, "two of this user");
}

#[test]
fn what_was_not_looked_at_does_not_count() {
    let bench = bench(100);
    for _ in 0..20 {
        bench.throttle.admit("jeff", here()).unwrap_or_else(|_| panic!()).unused();
    }
    assert_eq!(bench.wait("jeff", here()), Duration::ZERO);
    assert_eq!(bench.throttle.state().users.len(), 0);
}

#[test]
fn all_is_forgotten_after_a_while() {
    let bench = bench(100);
    for _ in 0..3 {
        bench.fail("jeff", here());
    }
    bench.clock.advance(900 * SECOND + SECOND);
    for _ in 0..3 {
        bench.fail("jeff", here());
    }
    assert_eq!(bench.wait("jeff", here()), SECOND);
}

#[test]
fn memory_is_bounded() {
    let bench = bench(10);
    for index in 0..1000 {
        bench.fail("jeff", network(&format!("10.0.{}.{}", index / 250, index % 250)));
    }
    let state = bench.throttle.state();
    assert!(state.users.len() <= 10 && state.networks.len() <= 10);
}

#[test]
fn who_names_nobody_counts_for_the_network_alone() {
    let bench = bench(100);
    for _ in 0..6 {
        drop(bench.throttle.admit_unnamed(here()).unwrap_or_else(|wait| panic!("must wait {wait:?}")));
    }
    assert_eq!(bench.throttle.admit_unnamed(here()).err(), Some(SECOND));
    assert_eq!(bench.wait("jeff", here()), SECOND);
    assert!(bench.throttle.state().users.is_empty());
    bench.clock.advance(SECOND);
    bench.throttle.admit_unnamed(here()).map(Ticket::succeeded).unwrap_or_else(|wait| panic!("must wait {wait:?}"));
    assert_eq!(bench.wait("jeff", here()), Duration::ZERO, "the delay has passed, and the attempt is over");
}
