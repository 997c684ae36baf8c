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

/// Checks that end so, one after the other; which of them were news.
fn check(ring: &mut Ring, index: usize, good: bool, times: usize, enough: usize, now: Instant) -> Vec<bool> {
    (0..times).map(|_| ring.checked(index, good, enough, now)).collect()
}

#[test]
fn checks_leave_a_server_out_and_take_it_in_once_enough_agree() {
    let (mut ring, now) = (Ring::new(2), Instant::now());
    assert_eq!(check(&mut ring, 0, false, 2, 3, now), [false, false]);
    assert_eq!(check(&mut ring, 0, true, 1, 2, now), [false], "in a row");
    assert_eq!(check(&mut ring, 0, false, 4, 3, now), [false, false, true, false]);
    assert!(ring.is_sick(0));
    assert_eq!(turns(&mut ring, 3, now + seconds(3600)), [1, 1, 1], "no request tries it out");
    assert_eq!(check(&mut ring, 0, true, 3, 2, now), [false, true, false]);
    assert!(turns(&mut ring, 2, now).contains(&0));
}

#[test]
fn an_answer_takes_no_server_in_whose_checks_fail() {
    let (mut ring, now) = (Ring::new(2), Instant::now());
    check(&mut ring, 0, false, 1, 1, now);
    assert!(!ring.answered(0));
    assert_eq!(turns(&mut ring, 2, now), [1, 1]);
    ring.forget_checks();
    assert!(turns(&mut ring, 2, now).contains(&0));
}

#[test]
fn with_all_down_those_whose_checks_fail_come_last() {
    let (mut ring, now) = (Ring::new(3), Instant::now());
    check(&mut ring, 0, false, 1, 1, now);
    (0..5).for_each(|_| _ = ring.failed(1, now, now));
    check(&mut ring, 2, false, 1, 1, now);
    assert_eq!([ring.next(&[], now), ring.next(&[1], now), ring.next(&[1, 0], now)], [Some(1), Some(0), Some(2)]);
}

#[test]
fn good_checks_end_the_time_of_an_outage_and_one_request_tries_the_server_out() {
    let (mut ring, now) = (Ring::new(2), Instant::now());
    (0..5).for_each(|_| _ = ring.failed(0, now, now));
    assert_eq!(check(&mut ring, 0, true, 1, 2, now), [false]);
    assert_eq!(turns(&mut ring, 2, now), [1, 1]);
    check(&mut ring, 0, true, 1, 2, now);
    assert_eq!(turns(&mut ring, 3, now), [0, 1, 1]);
    ring.failed(0, now, now);
    check(&mut ring, 0, true, 1, 2, now);
    assert_eq!(turns(&mut ring, 2, now), [1, 1], "they are counted anew after a failure");
}

#[test]
fn an_order_of_its_own_passes_over_what_is_down_and_returns() {
    let (mut ring, now, order) = (Ring::new(3), Instant::now(), [2, 0, 1]);
    assert_eq!([ring.first(&order, &[], now), ring.first(&order, &[], now)], [Some(2), Some(2)]);
    assert_eq!(ring.first(&order, &[2], now), Some(0));
    ring.failed(2, now, now);
    assert_eq!(ring.first(&order, &[], now), Some(0));
    assert_eq!(ring.first(&order, &[], now + seconds(1)), Some(2), "one request tries it out");
    assert_eq!(ring.first(&order, &[], now + seconds(1)), Some(0));
    ring.answered(2);
    check(&mut ring, 0, false, 1, 1, now);
    assert_eq!([ring.first(&order, &[], now), ring.first(&order, &[2], now)], [Some(2), Some(1)]);
    assert_eq!([ring.first(&order, &[2, 1], now), ring.first(&order, &[2, 1, 0], now)], [Some(0), None]);
}
