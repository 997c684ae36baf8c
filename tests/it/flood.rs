//! A flood of anonymous dispatches (`gateway.md` 5): the byte limit holds, and nothing that was acknowledged is lost.

mod networks;

use std::time::Duration;

use crate::support::gateway::{Gateway, Setup};
use crate::support::oob::{Dispatched, by_link, dispatch, dispatched, redeem, status, try_dispatched};
use crate::support::phone::Phone;
use crate::support::wait;

/// More dispatches than the limit has room for.
const FLOOD: usize = 2_000;
pub(crate) const LIMIT: &str = "limits: {operations: 256KiB, anonymous-share: 50%}\n";

/// A gateway with little room, and jeff's phone.
async fn small(times: &str) -> (Gateway, Phone) {
    let times = format!("  time-limits: {{{times}}}");
    let gateway = Setup::default().user("jeff").append(LIMIT).under("fido-uaf", times).start().await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    (gateway, phone)
}

/// Dispatches until the answer is 503; gives back what was acknowledged.
pub(crate) async fn flood(gateway: &Gateway) -> Vec<Dispatched> {
    let client = gateway.public();
    let mut acknowledged = Vec::new();
    for _ in 0..FLOOD {
        match try_dispatched(&client, "authentication", &by_link("jeff")).await {
            Ok(dispatched) => acknowledged.push(dispatched),
            Err(answer) => {
                answer.problem(503);
                return acknowledged;
            }
        }
    }
    panic!("{FLOOD} dispatches were taken");
}

#[tokio::test]
async fn a_flood_meets_the_limit_and_loses_nothing_that_was_acknowledged() {
    // Nothing expires meanwhile, however slow the machine is.
    let (gateway, _phone) = small("token: 10m").await;
    let acknowledged = flood(&gateway).await;
    assert!(acknowledged.len() > 10, "{}", acknowledged.len());
    dispatched(&gateway.internal(), "authentication", &by_link("jeff")).await;
    for operation in &acknowledged {
        assert_eq!(status(&gateway.public(), &operation.session_id).await["status"], "tokenCreated");
    }
    for operation in acknowledged.iter().step_by(7) {
        redeem(&gateway.public(), "authentication", &operation.token).await.uaf_code(1200);
    }
}

#[tokio::test]
async fn a_token_has_room_for_all_that_the_configuration_adds_to_its_request() {
    let revoked: Vec<_> = (0..400).map(|number| format!("'D1D1#{number:04X}'")).collect();
    let gateway = Setup::default()
        .user("jeff")
        .append(LIMIT)
        .replace(
            "    unknown-models: surrogate ",
            format!("    revoked: [{}]\n    unknown-models: surrogate ", revoked.join(",")),
        )
        .under("fido-uaf", "  time-limits: {token: 10m}")
        .start()
        .await;
    let _phone = Phone::enrolled(&gateway, "jeff").await;
    let acknowledged = flood(&gateway).await;
    assert!(acknowledged.len() > 5, "{}", acknowledged.len());
    for operation in &acknowledged {
        redeem(&gateway.public(), "authentication", &operation.token).await.uaf_code(1200);
    }
}

#[tokio::test]
async fn what_redeems_add_is_within_the_share_too() {
    let gateway = Setup::default().user("jeff").user("eve").append(LIMIT).start().await;
    let mut eve = Phone::new(&gateway, "eve");
    eve.login_password().await;
    // Each request for her names all of them, to strangers too.
    for number in 0..8 {
        eve.register_as(&[number; 2048]).await.uaf_code(1200);
    }
    eve.register_as(&[8; 2048]).await.uaf_code(1403);
    let stranger = gateway.public();
    let mut tokens = Vec::new();
    for _ in 0..24 {
        tokens.push(dispatched(&stranger, "authentication", &by_link("eve")).await);
    }
    let (mut redeemed, mut waiting) = (0, Vec::new());
    for operation in &tokens {
        let answer = redeem(&stranger, "authentication", &operation.token).await;
        if answer.status == 503 {
            waiting.push(operation);
        } else {
            answer.uaf_code(1200);
            redeemed += 1;
        }
    }
    assert!((1..10).contains(&redeemed), "{redeemed}");
    for operation in waiting {
        assert_eq!(status(&stranger, &operation.session_id).await["status"], "tokenCreated", "it may come again");
    }
    let mut jeff = Phone::new(&gateway, "jeff");
    jeff.login_password().await;
    jeff.register().await;
}

#[tokio::test]
async fn expired_tokens_make_room() {
    let limits = "limits: {operations: 128KiB, anonymous-share: 50%}\n";
    let times = "  time-limits: {token: 8s, status: 1s}";
    let gateway = Setup::default().user("jeff").append(limits).under("fido-uaf", times).start().await;
    flood(&gateway).await;
    let client = gateway.public();
    wait::until("room after the tokens have expired", Duration::from_secs(60), async || {
        (dispatch(&client, "authentication", &by_link("jeff")).await.status == 200).then_some(())
    })
    .await;
}
