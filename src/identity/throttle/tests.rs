use std::net::IpAddr;

use sidegate_filters::clock::{ManualClock, Millis};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

struct Bench {
    clock: Arc<ManualClock>,
    throttle: Arc<Throttle>,
}

fn bench(entries: usize) -> Bench {
    let paces = Paces {
        user: Pace { free: 3, longest: 8 * SECOND, parallel: 3, memory: 900 * SECOND, forgets_one_in: None },
        network: Bucket { holds: 6, drains_one_in: 2 * SECOND, parallel: 5 },
        guesses: None,
        familiar: 3600 * SECOND,
        entries,
    };
    bench_with(paces)
}

/// Where a user's failures in unfamiliar networks count together.
fn bench_of_guesses(entries: usize) -> Bench {
    let guesses = Some(Bucket { holds: 4, drains_one_in: 2 * SECOND, parallel: 4 });
    let user = Pace { free: 3, longest: 8 * SECOND, parallel: 3, memory: 900 * SECOND, forgets_one_in: None };
    bench_with(Paces { user, guesses, entries, ..Paces::default() })
}

fn bench_with(paces: Paces) -> Bench {
    let clock = Arc::new(ManualClock::new(Millis(1_000_000)));
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
        drop(self.throttle.admit(Some(name), from).unwrap_or_else(|wait| panic!("must wait {wait:?}")));
    }

    fn log_in(&self, name: &str, from: SourceNetwork) {
        self.throttle.admit(Some(name), from).unwrap_or_else(|wait| panic!("must wait {wait:?}")).succeeded();
    }

    fn wait(&self, name: &str, from: SourceNetwork) -> Duration {
        match self.throttle.admit(Some(name), from) {
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
    assert_eq!(bench.wait("g", network("2001:db8:0:ff::ffff")), 2 * SECOND, "the same /56");
    assert_eq!(bench.wait("g", network("2001:db8:0:100::1")), Duration::ZERO);
}

#[test]
fn a_networks_failures_drain_one_by_one() {
    let bench = bench(100);
    for name in ["a", "b", "c", "d", "e", "f"] {
        bench.fail(name, here());
    }
    for name in ["g", "h", "i"] {
        assert_eq!(bench.wait(name, here()), 2 * SECOND);
        bench.clock.advance(2 * SECOND);
        bench.fail(name, here());
    }
    bench.clock.advance(6 * 2 * SECOND);
    assert!(bench.throttle.admit(Some("x"), here()).is_ok());
    assert_eq!(bench.throttle.state().networks.len(), 1);
    bench.clock.advance(2 * SECOND);
    bench.throttle.admit(Some("y"), here()).map(Ticket::unused).unwrap();
    assert!(bench.throttle.state().networks.is_empty(), "an empty bucket is not kept");
}

#[test]
fn who_logged_in_lately_is_not_held_up_by_others_of_the_network() {
    let bench = bench(100);
    bench.log_in("jeff", here());
    for name in ["a", "b", "c", "d", "e", "f"] {
        bench.fail(name, here());
    }
    assert_eq!(bench.wait("eve", here()), 2 * SECOND);
    assert_eq!(bench.wait("jeff", here()), Duration::ZERO);
    let _underway: Vec<_> = (0..3).map(|_| bench.throttle.admit(Some("jeff"), here())).collect();
    assert_eq!(bench.wait("jeff", here()), SECOND, "the own count holds all the same");
}

#[test]
fn a_familiar_users_one_attempt_gets_into_a_crowded_network() {
    let bench = bench(100);
    bench.log_in("jeff", here());
    let _crowd: Vec<_> = ["a", "b", "c", "d", "e"]
        .map(|name| bench.throttle.admit(Some(name), here()).unwrap_or_else(|_| panic!()))
        .into();
    assert_eq!(bench.wait("eve", here()), SECOND, "five are under way");
    assert_eq!(bench.wait("eve", network("192.0.2.2")), Duration::ZERO);
    let first = bench.throttle.admit(Some("jeff"), here()).unwrap_or_else(|wait| panic!("must wait {wait:?}"));
    assert_eq!(bench.wait("jeff", here()), SECOND, "a second one at the same time is of the crowd");
    first.unused();
    assert_eq!(bench.wait("jeff", here()), Duration::ZERO);
}

#[test]
fn many_familiar_users_of_one_network_have_its_share_of_the_reserved_places() {
    let bench = bench(100);
    let names = ["a", "b", "c", "d", "e", "f"];
    for name in names {
        bench.log_in(name, here());
        bench.log_in(name, network("192.0.2.2"));
    }
    let admit = |name, from| bench.throttle.admit(Some(name), from).map(|ticket| (ticket.lane(), ticket));
    let mut crowd: Vec<_> = names.iter().filter_map(|name| admit(name, here()).ok()).collect();
    let lanes: Vec<_> = crowd.iter().map(|(lane, _)| *lane).collect();
    assert_eq!(lanes[..5], [Lane::Reserved; 5]);
    assert_eq!(lanes[5..], [Lane::Common], "beyond its share one is like any other");
    assert!(admit("f", network("192.0.2.2")).is_ok_and(|(lane, _)| lane == Lane::Reserved), "another network");
    crowd.remove(0).1.unused();
    assert!(admit("a", here()).is_ok_and(|(lane, _)| lane == Lane::Reserved));
}

#[test]
fn an_attempt_that_leaves_the_reserve_is_one_of_the_common_ones() {
    let bench = bench(100);
    bench.log_in("jeff", here());
    let admit = |name| bench.throttle.admit(Some(name), here()).unwrap_or_else(|wait| panic!("must wait {wait:?}"));
    let mut crowd: Vec<_> = ["a", "b", "c", "d"].map(admit).into();
    let mut first = admit("jeff");
    assert!(first.leaves_reserve() && first.lane() == Lane::Common);
    assert!(!first.leaves_reserve(), "it has left");
    assert_eq!(bench.wait("e", here()), SECOND, "five are under way");
    first.unused();
    assert_eq!(bench.wait("e", here()), Duration::ZERO);
    crowd.push(admit("e"));
    let mut second = admit("jeff");
    assert!(!second.leaves_reserve() && second.lane() == Lane::Reserved, "the share is taken");
}

#[test]
fn a_network_has_its_share_of_the_places_for_passwords() {
    for (places, percent, share) in [(66, 25, 16), (33, 25, 8), (66, 100, 66), (33, 1, 1)] {
        assert_eq!(Paces::of_passwords(places, percent).network.parallel, share);
    }
}

#[test]
fn a_familiar_users_failures_fill_the_bucket_to_its_brim() {
    let bench = bench(100);
    bench.log_in("jeff", here());
    for name in ["b", "c", "d", "e", "f", "g"] {
        bench.fail(name, here());
    }
    for _ in 0..3 {
        bench.log_in("jeff", here());
        bench.fail("jeff", here());
    }
    assert_eq!(bench.wait("eve", here()), 2 * SECOND, "it runs over");
}

#[test]
fn familiarity_ends_and_belongs_to_one_network() {
    let bench = bench(100);
    bench.log_in("jeff", here());
    for from in [here(), network("192.0.2.2")] {
        for name in ["a", "b", "c", "d", "e", "f"] {
            bench.fail(name, from);
        }
    }
    assert_eq!(bench.wait("jeff", network("192.0.2.2")), 2 * SECOND);
    assert_eq!(bench.wait("jeff", here()), Duration::ZERO);
    bench.clock.advance(3601 * SECOND);
    for name in ["a", "b", "c", "d", "e", "f"] {
        bench.fail(name, here());
    }
    assert_eq!(bench.wait("jeff", here()), 2 * SECOND);
}

#[test]
fn one_user_with_many_networks_pushes_nobody_out() {
    let bench = bench(10);
    bench.log_in("jeff", here());
    for index in 0..1000 {
        bench.log_in("eve", network(&format!("10.0.{}.{}", index / 250, index % 250)));
    }
    for name in ["a", "b", "c", "d", "e", "f"] {
        bench.fail(name, here());
    }
    assert_eq!(bench.wait("jeff", here()), Duration::ZERO);
    assert_eq!(bench.wait("eve", network("10.0.3.249")), Duration::ZERO);
}

#[test]
fn parallel_attempts_count_from_their_beginning() {
    let bench = bench(100);
    let tickets: Vec<_> =
        (0..3).map(|_| bench.throttle.admit(Some("jeff"), here()).unwrap_or_else(|_| panic!())).collect();
    assert_eq!(bench.wait("jeff", here()), SECOND);
    drop(tickets);
    assert_eq!(bench.wait("jeff", here()), SECOND);
    bench.clock.advance(SECOND);
    let one = bench.throttle.admit(Some("jeff"), here());
    assert!(one.is_ok());
    assert_eq!(bench.wait("jeff", here()), SECOND, "after the free ones, one at a time");
}

#[test]
fn success_clears_the_user_and_not_the_network() {
    let bench = bench(100);
    for name in ["jeff", "jeff", "a", "b", "c"] {
        bench.fail(name, here());
    }
    bench.log_in("jeff", here());
    bench.fail("d", here());
    assert_eq!(bench.wait("eve", here()), 2 * SECOND, "six failures from this network");
    bench.fail("jeff", here());
    bench.fail("jeff", here());
    assert_eq!(bench.wait("jeff", here()), Duration::ZERO, "two of this user");
}

#[test]
fn where_failures_are_forgotten_one_by_one_a_good_attempt_takes_none_back() {
    let paces = bench(100).throttle.paces;
    let bench = bench_with(Paces { user: Pace { forgets_one_in: Some(5 * SECOND), ..paces.user }, ..paces });
    for _ in 0..3 {
        bench.fail("jeff", here());
    }
    assert_eq!(bench.wait("jeff", here()), SECOND);
    bench.clock.advance(SECOND);
    bench.log_in("jeff", here());
    bench.fail("jeff", here());
    assert_eq!(bench.wait("jeff", here()), 2 * SECOND, "it is the fourth");
    bench.clock.advance(9 * SECOND);
    bench.fail("jeff", here());
    assert_eq!(bench.wait("jeff", here()), SECOND, "two were forgotten");
    bench.clock.advance(901 * SECOND);
    bench.log_in("jeff", here());
    assert!(bench.throttle.state().users.is_empty(), "all were");
}

/// Questions about what is shown, of which so many may fail at once.
fn bench_of_questions(free: u32) -> Bench {
    let paces = bench(100).throttle.paces;
    let user = Pace { free, forgets_one_in: Some(5 * SECOND), parallel: 50, ..paces.user };
    let network = Bucket { holds: 50, parallel: 50, ..paces.network };
    bench_with(Paces { user, network, ..paces })
}

#[test]
fn what_fails_by_one_thing_holds_up_nothing_that_did_not() {
    let bench = bench_of_questions(40);
    bench.throttle.logged_in("jeff", here());
    let admit = |shown| bench.throttle.admit_by(Some("jeff"), Some(shown), here());
    let fail = |shown| drop(admit(shown).unwrap_or_else(|_| panic!("{shown}")));
    for _ in 0..40 {
        fail("the app's header");
    }
    assert_eq!(admit("the app's header").err(), Some(SECOND));
    let own: Vec<_> = (0..24).map(|_| admit("his own").unwrap_or_else(|_| panic!())).collect();
    assert_eq!(admit("his own").err(), Some(SECOND), "so many at once");
    own.into_iter().for_each(Ticket::unused);
    // Some slips of his own change nothing. After them it waits as the others do, until one of them is forgotten.
    for _ in 0..24 {
        fail("his own");
    }
    assert_eq!(admit("his own").err(), Some(8 * SECOND));
    bench.clock.advance(900 * SECOND / 24);
    fail("the app's header");
    assert_eq!(admit("the app's header").err(), Some(8 * SECOND));
    admit("his own").unwrap_or_else(|_| panic!()).unused();
}

#[test]
fn many_things_that_one_user_shows_give_a_few_guesses_more_in_all() {
    let bench = bench_of_questions(20);
    bench.throttle.logged_in("jeff", here());
    let mut failed = 0;
    for shown in 0..100 {
        for _ in 0..25 {
            failed += u32::from(bench.throttle.admit_by(Some("jeff"), Some(&shown.to_string()), here()).is_ok());
        }
    }
    assert_eq!(failed, 20 + 32, "what is free, and what two others are let");
    bench.clock.advance(900 * SECOND / 32);
    let good = bench.throttle.admit_by(Some("jeff"), Some("another"), here());
    good.unwrap_or_else(|_| panic!("one of these is forgotten")).unused();
}

#[test]
fn guesses_that_are_under_way_are_some_of_them() {
    let bench = bench_of_questions(20);
    bench.throttle.logged_in("jeff", here());
    let admit = |shown: &str| bench.throttle.admit_by(Some("jeff"), Some(shown), here());
    (0..20).for_each(|_| drop(admit("the app's header")));
    let open: Vec<_> = (0..100).filter_map(|number| admit(&(number % 10).to_string()).ok()).collect();
    assert_eq!(open.len(), 32);
    open.into_iter().for_each(Ticket::unused);
    assert!(admit("0").is_ok(), "what was good takes nobody's place");
}

#[test]
fn what_failed_by_one_thing_stays_whoever_it_turns_out_to_be() {
    let bench = bench_of_questions(20);
    let admit = |user| bench.throttle.admit_by(user, Some("a header"), here());
    for user in [None, Some("jeff"), Some("eve"), Some("ann")].repeat(5) {
        drop(admit(user).unwrap_or_else(|_| panic!()));
    }
    assert_eq!(admit(Some("ann")).err(), Some(SECOND));
}

#[test]
fn what_is_no_attempt_has_a_reserved_place_where_the_user_is_familiar() {
    let bench = bench(100);
    assert!(bench.throttle.reserve("jeff", here()).is_none(), "a stranger's");
    bench.throttle.logged_in("jeff", here());
    let place = bench.throttle.reserve("jeff", here()).unwrap();
    assert_eq!(place.lane(), Lane::Reserved);
    assert!(bench.throttle.reserve("jeff", here()).is_none(), "one at a time");
    drop(place);
    for _ in 0..20 {
        drop(bench.throttle.reserve("jeff", here()).unwrap());
    }
    assert_eq!(bench.wait("jeff", here()), Duration::ZERO);
    assert!(bench.throttle.state().users.is_empty() && bench.throttle.state().networks.is_empty());
}

#[test]
fn a_user_whose_name_only_the_answer_tells_is_familiar_by_that() {
    let bench = bench(100);
    bench.throttle.admit(Some("a cookie"), here()).unwrap_or_else(|_| panic!()).succeeded_as("jeff");
    let is_familiar = |name| bench.throttle.admit(Some(name), here()).is_ok_and(|ticket| ticket.is_familiar());
    assert!(is_familiar("jeff") && !is_familiar("a cookie"));
}

#[test]
fn what_was_not_looked_at_does_not_count() {
    let bench = bench(100);
    for _ in 0..20 {
        bench.throttle.admit(Some("jeff"), here()).unwrap_or_else(|_| panic!()).unused();
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
        drop(bench.throttle.admit(None, here()).unwrap_or_else(|wait| panic!("must wait {wait:?}")));
    }
    assert_eq!(bench.throttle.admit(None, here()).err(), Some(2 * SECOND));
    assert_eq!(bench.wait("jeff", here()), 2 * SECOND);
    assert!(bench.throttle.state().users.is_empty());
    bench.clock.advance(2 * SECOND);
    bench.throttle.admit(None, here()).map(Ticket::succeeded).unwrap_or_else(|wait| panic!("must wait {wait:?}"));
    assert_eq!(bench.wait("jeff", here()), Duration::ZERO, "one has drained, and the attempt is over");
}

#[test]
fn a_clock_that_is_set_back_holds_nobody_up_for_the_step() {
    let bench = bench(100);
    for name in ["jeff", "jeff", "jeff", "a", "b", "c"] {
        bench.fail(name, here());
    }
    assert_eq!((bench.wait("jeff", here()), bench.wait("eve", here())), (2 * SECOND, 2 * SECOND));
    bench.clock.set_back(3600 * SECOND);
    assert_eq!((bench.wait("jeff", here()), bench.wait("eve", here())), (2 * SECOND, 2 * SECOND));
    bench.clock.advance(2 * SECOND);
    assert_eq!((bench.wait("jeff", here()), bench.wait("eve", here())), (Duration::ZERO, Duration::ZERO));
}

/// One network of many.
fn nth(number: u8) -> SourceNetwork {
    network(&format!("198.51.100.{number}"))
}

#[test]
fn guesses_at_one_user_from_many_networks_are_slowed_together() {
    let bench = bench_of_guesses(100);
    for number in 0..4 {
        bench.fail("jeff", nth(number));
    }
    assert_eq!(bench.wait("jeff", nth(10)), 2 * SECOND);
    assert_eq!(bench.wait("eve", nth(10)), Duration::ZERO, "another user");
    for number in 20..30 {
        bench.clock.advance(2 * SECOND);
        bench.fail("jeff", nth(number));
        assert_eq!(bench.wait("jeff", nth(10)), 2 * SECOND, "never longer");
    }
    bench.clock.advance(2 * SECOND);
    let under_way = bench.throttle.admit(Some("jeff"), nth(10)).unwrap_or_else(|_| panic!());
    assert_eq!(bench.wait("jeff", nth(11)), 2 * SECOND, "it counts from its beginning");
    under_way.unused();
    assert_eq!(bench.wait("jeff", nth(11)), Duration::ZERO);
}

#[test]
fn guesses_elsewhere_hold_nobody_up_where_he_is_familiar() {
    let bench = bench_of_guesses(100);
    bench.log_in("jeff", here());
    for number in 0..4 {
        bench.fail("jeff", nth(number));
    }
    assert_eq!(bench.wait("jeff", nth(10)), 2 * SECOND);
    for _ in 0..2 {
        bench.fail("jeff", here());
    }
    bench.log_in("jeff", here());
    bench.clock.advance(2 * SECOND);
    assert_eq!(bench.wait("jeff", nth(10)), Duration::ZERO, "what failed at home does not count here");
    bench.log_in("jeff", nth(10));
    for number in 0..4 {
        drop(bench.throttle.admit(Some("jeff"), nth(number)));
    }
    assert_eq!(bench.wait("jeff", nth(10)), Duration::ZERO, "he is familiar there now");
}

#[test]
fn that_a_user_is_guessed_at_is_told_once_in_a_while() {
    let bench = bench_of_guesses(100);
    let guess = || (0..5).for_each(|number| drop(bench.throttle.admit(Some("jeff"), nth(number))));
    assert!(!bench.throttle.tells_guesses("jeff"));
    guess();
    assert!(bench.throttle.tells_guesses("jeff") && !bench.throttle.tells_guesses("eve"));
    for _ in 0..8 {
        bench.clock.advance(100 * SECOND);
        guess();
        assert!(!bench.throttle.tells_guesses("jeff"), "also where all had drained in between");
    }
    bench.clock.advance(100 * SECOND);
    assert!(!bench.throttle.tells_guesses("jeff"), "nobody is slowed");
    guess();
    assert!(bench.throttle.tells_guesses("jeff"));
}

#[test]
fn the_memory_of_guesses_is_bounded() {
    let bench = bench_of_guesses(10);
    for number in 0..100 {
        bench.fail(&format!("user {number}"), nth(number));
    }
    assert!(bench.throttle.state().guesses.len() <= 10);
    bench.clock.advance(900 * SECOND);
    for number in 0..100 {
        bench.throttle.admit(Some(&format!("user {number}")), nth(number)).map(Ticket::unused).unwrap();
    }
    assert_eq!(bench.throttle.state().guesses.len(), 0, "what says nothing is not kept");
}

#[test]
fn before_its_name_is_known_an_attempt_counts_as_under_way_in_its_network() {
    let bench = bench(100);
    let inside: Vec<_> = (0..5).map(|_| bench.throttle.enter(here()).unwrap_or_else(|_| panic!())).collect();
    assert_eq!(bench.throttle.enter(here()).err(), Some(SECOND));
    assert!(bench.throttle.enter(network("192.0.2.2")).is_ok());
    drop(inside);
    for name in ["a", "b", "c", "d", "e", "f"] {
        bench.fail(name, here());
    }
    assert!(bench.throttle.enter(here()).is_ok(), "a familiar user may be among those of a full network");
}

#[test]
fn the_operations_tell_these_numbers() {
    let operations = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md");
    let told = std::fs::read_to_string(operations).unwrap();
    let (passwords, answers) = (Paces::of_passwords(2 * 33, 25), Paces::of_signatures());
    let row = |about: &str, unit: &str, of: &dyn Fn(&Paces) -> u64| {
        let row = format!("{about} | {}{unit} | {}{unit} |", of(&passwords), of(&answers));
        assert!(told.contains(&row), "{row}");
    };
    row("failures without a delay", "", &|paces| paces.user.free.into());
    row("at most", " s", &|paces| paces.user.longest.as_secs());
    row("after the last failure in", " min", &|paces| paces.user.memory.as_secs() / 60);
    row("attempts of the user from there at a time", "", &|paces| paces.user.parallel.into());
    row("failures that it may have", "", &|paces| paces.network.holds.into());
    row("one of these is forgotten every", " s", &|paces| paces.network.drains_one_in.as_secs());
    let guesses = passwords.guesses.unwrap();
    assert!(told.contains(&format!("failures that he may have | {} | not counted |", guesses.holds)));
    assert!(told.contains(&format!("forgotten every | {} s | |", guesses.drains_one_in.as_secs())));
    assert!(answers.guesses.is_none());
    let parallel = (passwords.network.parallel, answers.network.parallel);
    assert!(told.contains(&format!("(25%: {} on two cores) | {} |", parallel.0, parallel.1)));
    assert_eq!(
        (passwords.familiar, passwords.entries),
        (Duration::from_secs(7 * 24 * 3600), 50_000),
        "the same in words"
    );
}
