//! One test per row of the redeem table (`http-api.md` 3) and of the status table (5).

use std::time::Duration;

use proptest::prelude::*;
use rstest::rstest;
use zeroize::Zeroizing;

use super::*;
use crate::store::PasswordStamp;

const START: Millis = Millis(1_000_000);

fn at(seconds: u64) -> Millis {
    START.after(Duration::from_secs(seconds))
}

fn draft(kind: OperationKind) -> Draft {
    let dispatch = Dispatch { target: Some("t-1".into()), dispatcher: "link".into(), response: None };
    Draft {
        id: OperationId::random(),
        purpose: Purpose::OutOfBand,
        kind,
        user: Some("jeff".into()),
        stranger: None,
        warrant: None,
        context: "{}".into(),
        dispatch: Some(dispatch),
        room: Room { challenge: 2048, beside: 600 },
    }
}

fn created(kind: OperationKind) -> Operation {
    Operation::with_token(draft(kind), Limits::default(), START)
}

fn challenge() -> ChallengeState {
    ChallengeState(b"challenge"[..].into())
}

fn redeem(kind: OperationKind) -> Event {
    Event::Redeem { kind, challenge: challenge() }
}

fn good() -> Outcome {
    let authenticator = Authenticator { aaid: "FFFF#0001".into(), key_id: "a2V5".into(), ext_id: "c-1".into() };
    Outcome::Succeeded { user: Some("jeff".into()), authenticators: vec![authenticator] }
}

fn denial() -> Outcome {
    Outcome::Failed { code: 1498, asm_status_code: Some(3), client_error_code: Some(6) }
}

/// An operation to which these events happened at these seconds after the start.
fn after(kind: OperationKind, events: Vec<(u64, Event)>) -> Operation {
    let mut operation = created(kind);
    for (seconds, event) in events {
        operation.apply(event, at(seconds)).unwrap();
    }
    operation
}

/// What a refused event says; checks that it changed nothing.
fn refused(operation: &Operation, event: Event, seconds: u64) -> Refused {
    let mut copy = operation.clone();
    let why = copy.apply(event, at(seconds)).unwrap_err();
    assert_eq!(&copy, operation);
    why
}

fn stage(operation: &Operation, seconds: u64) -> Option<Stage> {
    operation.status(at(seconds)).map(|s| s.stage)
}

fn token_result(operation: &Operation, seconds: u64) -> Option<TokenResult> {
    operation.status(at(seconds)).unwrap().token.unwrap().result
}

// Redeem table.

#[rstest]
#[case(OperationKind::Reg, Stage::ClientRegistering)]
#[case(OperationKind::Auth, Stage::ClientAuthenticating)]
fn free_token_is_redeemed(#[case] kind: OperationKind, #[case] next: Stage) {
    let mut operation = created(kind);
    assert_eq!(operation.apply(redeem(kind), at(299)), Ok(Applied::Moved));
    assert_eq!(stage(&operation, 299), Some(next));
    assert_eq!(token_result(&operation, 299), Some(TokenResult::TokenRedeemed));
}

#[test]
fn wrong_path_leaves_the_token_free() {
    let operation = created(OperationKind::Auth);
    let why = refused(&operation, redeem(OperationKind::Reg), 1);
    assert_eq!((why, why.redeem_code()), (Refused::WrongKind, 1404));
    assert_eq!(stage(&operation, 1), Some(Stage::TokenCreated));
}

#[test]
fn failed_work_frees_the_token() {
    let claim = ClaimId::random();
    let kind = OperationKind::Dereg;
    let mut operation = after(kind, vec![(1, Event::Claim { kind, claim }), (2, Event::Release { claim })]);
    assert_eq!(stage(&operation, 2), Some(Stage::TokenCreated));
    assert!(operation.apply(Event::Claim { kind, claim: ClaimId::random() }, at(3)).is_ok());
}

#[test]
fn claimed_token_is_refused_until_the_lease_ends() {
    let kind = OperationKind::Auth;
    let claim = ClaimId::random();
    let mut operation = after(kind, vec![(1, Event::Claim { kind, claim })]);
    let why = refused(&operation, redeem(kind), 30);
    assert_eq!((why, why.redeem_code()), (Refused::Claimed, 1403));
    let second = ClaimId::random();
    assert!(operation.apply(Event::Claim { kind, claim: second }, at(31)).is_ok());
    let late = Event::Commit { claim, challenge: challenge() };
    assert_eq!(refused(&operation, late, 32), Refused::ClaimLost);
    assert_eq!(refused(&operation, Event::Release { claim }, 32), Refused::ClaimLost);
    assert!(operation.apply(Event::Commit { claim: second, challenge: challenge() }, at(32)).is_ok());
}

#[test]
fn an_expired_lease_loses_its_claim() {
    let kind = OperationKind::Auth;
    let claim = ClaimId::random();
    let operation = after(kind, vec![(1, Event::Claim { kind, claim })]);
    assert_eq!(refused(&operation, Event::Commit { claim, challenge: challenge() }, 31), Refused::ClaimLost);
}

#[test]
fn redeemed_token_is_spent() {
    let kind = OperationKind::Auth;
    let operation = after(kind, vec![(1, redeem(kind))]);
    for seconds in [2, 299, 400] {
        let why = refused(&operation, redeem(kind), seconds);
        assert_eq!((why, why.redeem_code()), (Refused::Spent, 1403));
    }
}

#[test]
fn dead_token_is_refused() {
    let operation = after(OperationKind::Auth, vec![(1, Event::Cancel)]);
    let why = refused(&operation, redeem(OperationKind::Auth), 2);
    assert_eq!((why, why.redeem_code()), (Refused::Ended, 1403));
}

#[test]
fn expired_token_is_refused() {
    let operation = created(OperationKind::Auth);
    let why = refused(&operation, redeem(OperationKind::Auth), 300);
    assert_eq!((why, why.redeem_code()), (Refused::TokenTimedOut, 1408));
    assert_eq!(stage(&operation, 300), Some(Stage::Failed));
    assert_eq!(token_result(&operation, 300), Some(TokenResult::TokenTimedOut));
}

#[test]
fn forgotten_token_is_unknown() {
    let operation = created(OperationKind::Auth);
    assert_eq!(refused(&operation, redeem(OperationKind::Auth), 899), Refused::TokenTimedOut);
    let why = refused(&operation, redeem(OperationKind::Auth), 900);
    assert_eq!((why, why.redeem_code()), (Refused::Unknown, 1404));
}

#[test]
fn deregistration_goes_out_only_after_its_work() {
    let kind = OperationKind::Dereg;
    let mut operation = created(kind);
    assert!(operation.apply(redeem(kind), at(1)).is_err());
    let claim = ClaimId::random();
    operation.apply(Event::Claim { kind, claim }, at(1)).unwrap();
    operation.apply(Event::Complete { claim }, at(2)).unwrap();
    assert_eq!(stage(&operation, 2), Some(Stage::Succeeded));
    assert_eq!(refused(&operation, redeem(kind), 3).redeem_code(), 1403);
}

// Status table.

#[test]
fn a_new_operation_is_created() {
    let status = created(OperationKind::Auth).status(START).unwrap();
    assert_eq!((status.stage, status.timestamp, status.uaf_status_code), (Stage::TokenCreated, START, None));
    let token = status.token.unwrap();
    assert_eq!(token.result, None);
    assert_eq!(token.dispatch.unwrap().dispatcher, "link");
}

#[test]
fn unredeemed_token_fails_at_its_deadline() {
    let status = created(OperationKind::Auth).status(at(500)).unwrap();
    assert_eq!((status.stage, status.timestamp, status.uaf_status_code), (Stage::Failed, at(300), None));
}

#[test]
fn good_answer_succeeds() {
    let kind = OperationKind::Auth;
    let operation = after(kind, vec![(1, redeem(kind)), (9, Event::Answer), (9, Event::Finish(good()))]);
    let status = operation.status(at(10)).unwrap();
    assert_eq!((status.stage, status.timestamp, status.uaf_status_code), (Stage::Succeeded, at(9), Some(1200)));
    assert_eq!(status.authenticators.len(), 1);
}

#[test]
fn user_less_operation_learns_its_user() {
    let mut operation =
        Operation::with_token(Draft { user: None, ..draft(OperationKind::Auth) }, Limits::default(), START);
    for event in [redeem(OperationKind::Auth), Event::Answer] {
        operation.apply(event, at(1)).unwrap();
        assert_eq!(operation.status(at(1)).unwrap().user, None);
    }
    operation.apply(Event::Finish(good()), at(1)).unwrap();
    assert_eq!(operation.status(at(1)).unwrap().user, Some("jeff".into()));
}

#[test]
fn refused_answer_fails_with_its_code() {
    let kind = OperationKind::Auth;
    let refusal = Outcome::Failed { code: 1481, asm_status_code: None, client_error_code: None };
    let operation = after(kind, vec![(1, redeem(kind)), (9, Event::Answer), (9, Event::Finish(refusal))]);
    let status = operation.status(at(10)).unwrap();
    assert_eq!((status.stage, status.uaf_status_code), (Stage::Failed, Some(1481)));
}

#[test]
fn denial_fails_with_the_phones_codes() {
    let kind = OperationKind::Auth;
    let operation = after(kind, vec![(1, redeem(kind)), (9, Event::Answer), (9, Event::Finish(denial()))]);
    let status = operation.status(at(10)).unwrap();
    assert_eq!((status.stage, status.asm_status_code, status.client_error_code), (Stage::Failed, Some(3), Some(6)));
}

#[test]
fn no_answer_in_time_fails() {
    let kind = OperationKind::Auth;
    let operation = after(kind, vec![(10, redeem(kind))]);
    assert_eq!(stage(&operation, 309), Some(Stage::ClientAuthenticating));
    let status = operation.status(at(310)).unwrap();
    assert_eq!((status.stage, status.timestamp, status.uaf_status_code), (Stage::Failed, at(310), Some(1408)));
    let why = refused(&operation, Event::Answer, 310);
    assert_eq!((why, why.answer_code()), (Refused::AnswerTimedOut, 1408));
}

#[test]
fn cancel_ends_what_has_not_ended() {
    let kind = OperationKind::Auth;
    for events in [vec![], vec![(1, redeem(kind))], vec![(1, redeem(kind)), (2, Event::Answer)]] {
        let redeemed = !events.is_empty();
        let mut operation = after(kind, events);
        operation.apply(Event::Cancel, at(3)).unwrap();
        let status = operation.status(at(3)).unwrap();
        assert_eq!((status.stage, status.uaf_status_code), (Stage::Failed, Some(1403)));
        assert_eq!(token_result(&operation, 3), redeemed.then_some(TokenResult::TokenRedeemed));
        assert_eq!(refused(&operation, redeem(kind), 4).redeem_code(), 1403);
        assert_eq!(refused(&operation, Event::Answer, 4).answer_code(), 1491);
        assert_eq!(refused(&operation, Event::Finish(good()), 4), Refused::Ended);
        assert_eq!(refused(&operation, Event::Cancel, 4), Refused::Ended);
    }
}

#[test]
fn a_final_state_is_forgotten_after_its_retention() {
    let operation = after(OperationKind::Auth, vec![(1, Event::Cancel)]);
    assert_eq!(stage(&operation, 600), Some(Stage::Failed));
    assert_eq!(stage(&operation, 601), None);
    assert_eq!(refused(&operation, redeem(OperationKind::Auth), 601), Refused::Unknown);
}

// The challenge.

#[test]
fn a_challenge_is_used_once() {
    let kind = OperationKind::Auth;
    let mut operation = after(kind, vec![(1, redeem(kind))]);
    assert_eq!(operation.awaited(at(2)), Ok(&challenge()));
    assert_eq!(operation.awaited(at(301)), Err(Refused::AnswerTimedOut));
    assert_eq!(operation.apply(Event::Answer, at(2)), Ok(Applied::Taken(challenge())));
    assert_eq!(operation.awaited(at(2)), Err(Refused::ChallengeUsed));
    let why = refused(&operation, Event::Answer, 3);
    assert_eq!((why, why.answer_code()), (Refused::ChallengeUsed, 1491));
}

#[test]
fn an_answer_before_the_redeem_is_refused() {
    let why = refused(&created(OperationKind::Auth), Event::Answer, 1);
    assert_eq!((why, why.answer_code()), (Refused::NotHandedOut, 1491));
}

#[test]
fn an_outcome_needs_a_taken_answer() {
    let kind = OperationKind::Auth;
    assert_eq!(refused(&after(kind, vec![(1, redeem(kind))]), Event::Finish(good()), 2), Refused::NotHandedOut);
}

#[test]
fn an_answer_taken_in_time_may_be_finished_within_its_lease() {
    let kind = OperationKind::Auth;
    let operation = after(kind, vec![(0, redeem(kind)), (299, Event::Answer)]);
    assert_eq!(stage(&operation, 328), Some(Stage::ClientAuthenticating));
    assert!(operation.clone().apply(Event::Finish(good()), at(328)).is_ok());
    assert_eq!(refused(&operation, Event::Finish(good()), 329), Refused::AnswerTimedOut);
    assert_eq!(stage(&operation, 329), Some(Stage::Failed));
}

#[test]
fn without_a_token_there_is_nothing_to_redeem() {
    let operation = Operation::handed_out(draft(OperationKind::Auth), challenge(), Limits::default(), START);
    assert_eq!(operation.status(START).unwrap().token, None);
    assert_eq!(refused(&operation, redeem(OperationKind::Auth), 1), Refused::Unknown);
    assert!(operation.clone().apply(Event::Answer, at(299)).is_ok());
}

#[test]
fn the_id_of_a_token_needs_our_key() {
    let key = |byte| MacKey::new(&Zeroizing::new([byte; 32])).unwrap();
    let token = Uuid::new_v4();
    let id = OperationId::of_token(&key(1), token).unwrap();
    assert_eq!(id, OperationId::of_token(&key(1), token).unwrap());
    assert_ne!(id, OperationId::of_token(&key(2), token).unwrap());
    assert_ne!(id, OperationId::of_token(&key(1), Uuid::new_v4()).unwrap());
    assert_eq!((id.0.get_version_num(), id.0.get_variant()), (4, uuid::Variant::RFC4122));
    assert_ne!(id.0, token);
}

const ERA: Era = Era { generation: 2, password: PasswordStamp([9; 32]) };

/// A login that a browser asked for.
fn browser_login() -> Operation {
    let draft = Draft { purpose: Purpose::BrowserLogin, ..draft(OperationKind::Auth) };
    Operation::with_token(draft, Limits::default(), START).for_login(ERA)
}

#[rstest]
#[case(vec![(1, redeem(OperationKind::Auth)), (2, Event::Answer), (3, Event::Finish(good()))], 3, true)]
#[case(vec![(1, redeem(OperationKind::Auth)), (2, Event::Answer), (3, Event::Finish(denial()))], 3, false)]
#[case(vec![(1, Event::Cancel)], 1, false)]
#[case(vec![], 300, false)]
#[case(vec![(1, redeem(OperationKind::Auth))], 301, false)]
fn how_a_login_ended_is_told_once(#[case] events: Vec<(u64, Event)>, #[case] end: u64, #[case] proven: bool) {
    let mut operation = browser_login();
    for (seconds, event) in events {
        assert_eq!(refused(&operation, Event::Collect, seconds), Refused::UnderWay);
        operation.apply(event, at(seconds)).unwrap();
    }
    if end > 3 {
        assert_eq!(refused(&operation, Event::Collect, end - 1), Refused::UnderWay);
    }
    let before = operation.status(at(end));
    assert_eq!(operation.apply(Event::Collect, at(end)), Ok(Applied::Collected(ERA)));
    assert_eq!(operation.proven().is_some(), proven);
    assert_eq!(operation.status(at(end)), before, "the status stays as it is");
    assert_eq!(refused(&operation, Event::Collect, end), Refused::Collected);
    assert_eq!(refused(&operation, Event::Collect, 901 + end), Refused::Unknown);
}

#[test]
fn an_approval_of_another_purpose_is_no_login() {
    let succeeded = vec![(1, redeem(OperationKind::Auth)), (2, Event::Answer), (3, Event::Finish(good()))];
    let operation = after(OperationKind::Auth, succeeded);
    assert_eq!(refused(&operation, Event::Collect, 4), Refused::WrongKind);
    assert_eq!(refused(&operation.for_login(ERA), Event::Collect, 4), Refused::WrongKind);
}

#[test]
fn an_answer_of_another_user_proves_nobody() {
    let mut operation = browser_login();
    let eve = Outcome::Succeeded { user: Some("eve".into()), authenticators: Vec::new() };
    for event in [redeem(OperationKind::Auth), Event::Answer, Event::Finish(eve)] {
        operation.apply(event, at(1)).unwrap();
    }
    assert_eq!(operation.apply(Event::Collect, at(2)), Ok(Applied::Collected(ERA)));
    assert_eq!(operation.proven(), None);
}

fn any_event() -> impl Strategy<Value = Event> {
    let kind = OperationKind::Auth;
    // Few enough claims that a random one is often the held one.
    let claim = || prop_oneof![Just(0_u128), Just(1)].prop_map(ClaimId::for_test);
    prop_oneof![
        Just(redeem(kind)),
        claim().prop_map(move |claim| Event::Claim { kind, claim }),
        claim().prop_map(|claim| Event::Commit { claim, challenge: challenge() }),
        claim().prop_map(|claim| Event::Release { claim }),
        claim().prop_map(|claim| Event::Complete { claim }),
        Just(Event::Answer),
        Just(Event::Finish(good())),
        Just(Event::Finish(denial())),
        Just(Event::Cancel),
        Just(Event::Collect),
    ]
}

proptest! {
    /// Whatever happens in whatever order: the status never goes back, at most one challenge goes out, it is taken at
    /// most once, and so is the end of the login.
    #[test]
    fn never_backwards(events in proptest::collection::vec((0_u64..120, any_event()), 1..20)) {
        let rank = |stage: Option<Stage>| match stage {
            Some(Stage::TokenCreated) => 0,
            Some(Stage::ClientAuthenticating | Stage::ClientRegistering) => 1,
            Some(Stage::Succeeded | Stage::Failed) => 2,
            None => 3,
        };
        let mut operation = browser_login();
        let (mut now, mut last, mut handed_out, mut taken, mut collected) = (0, 0, 0, 0, 0);
        let mut outcome = None;
        for (wait, event) in events {
            now += wait;
            let hands_out = matches!(event, Event::Redeem { .. } | Event::Commit { .. });
            match operation.apply(event, at(now)) {
                Ok(Applied::Taken(_)) => taken += 1,
                Ok(Applied::Moved) => handed_out += i32::from(hands_out),
                Ok(Applied::Collected(_)) => collected += 1,
                Err(_) => {}
            }
            let status = operation.status(at(now));
            let stage = status.as_ref().map(|s| s.stage);
            prop_assert!(rank(stage) >= last);
            last = rank(stage);
            if matches!(stage, Some(Stage::Succeeded | Stage::Failed)) {
                let first = outcome.get_or_insert_with(|| status.clone());
                prop_assert_eq!(&status, first, "a final state stays as it is");
            }
        }
        prop_assert!(handed_out <= 1 && taken <= handed_out && collected <= 1);
    }
}

#[test]
fn a_purpose_is_read_back_from_its_word() {
    use Purpose::{BrowserLogin, Deregistration, InBandLogin, OutOfBand, Registration, Transaction};
    for purpose in [InBandLogin, OutOfBand, BrowserLogin, Transaction, Registration, Deregistration] {
        assert_eq!(Purpose::parse(purpose.word()), Some(purpose));
    }
    assert_eq!([Purpose::parse("login"), Purpose::parse("")], [None, None]);
}
