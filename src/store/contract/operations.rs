//! The contract of [`Operations`].

use std::sync::Arc;
use std::time::Duration;

use sidegate_filters::clock::{Clock, ManualClock, Millis};

use super::{Fixture, race};
use crate::store::operation::{
    Applied, ChallengeState, ClaimId, Draft, Era, Event, Limits, OperationKind, Outcome, Purpose, Refused, Room, Stage,
};
use crate::store::{
    Operation, OperationId, Operations, Origin, PasswordStamp, StoreError, Transition, TransitionError,
};

type Setup = Fixture<dyn Operations>;

macro_rules! operations_contract {
    ($fixture:path) => {
        $crate::store::contract::rules!(
            operations,
            $fixture,
            [
                what_was_created_is_there,
                an_id_is_created_once,
                one_of_two_hundred_redeems_wins,
                one_of_two_hundred_claims_wins,
                one_of_commit_and_release_wins,
                an_ended_lease_goes_to_one_of_two_hundred,
                however_claims_end_one_commit_stays,
                one_of_two_hundred_answers_wins,
                one_of_cancel_and_redeem_wins,
                one_of_two_hundred_browsers_is_told_of_the_login,
                time_passes_by_the_clock_alone,
                a_refused_event_changes_nothing,
                an_unknown_operation_refuses_everything,
                a_discarded_operation_is_unknown,
                a_forgotten_operation_is_unknown,
                a_sweep_takes_only_the_forgotten,
            ]
        );
    };
}
pub(crate) use operations_contract;

/// An authentication whose token is free.
pub(crate) fn created(now: Millis) -> Operation {
    let draft = Draft {
        id: OperationId::random(),
        purpose: Purpose::OutOfBand,
        kind: OperationKind::Auth,
        user: Some("jeff".into()),
        stranger: None,
        warrant: None,
        context: "x".repeat(200),
        dispatch: None,
        room: Room { challenge: 2048, beside: 0 },
    };
    Operation::with_token(draft, Limits::default(), now)
}

/// Its redeem.
pub(crate) fn redeem() -> Event {
    Event::Redeem { kind: OperationKind::Auth, challenge: ChallengeState(vec![7; 300].into()) }
}

async fn put(setup: &Setup) -> OperationId {
    let operation = created(setup.clock.now());
    let id = operation.id;
    setup.store.create(operation, &Origin::Internal).await.unwrap();
    id
}

/// Sends events at once; how many happened. All others must be refused with one of `losers`.
async fn contest(setup: &Setup, id: OperationId, losers: &[Refused], event: impl Fn(usize) -> Event) -> usize {
    let results = race(200, |number| {
        let (store, event) = (setup.store.clone(), event(number));
        async move { store.transition(id, event).await }
    })
    .await;
    let refusals: Vec<Refused> = results.iter().filter_map(refusal).collect();
    assert!(refusals.iter().all(|why| losers.contains(why)), "{refusals:?}");
    results.len() - refusals.len()
}

fn refusal(result: &Result<Transition, TransitionError>) -> Option<Refused> {
    match result {
        Ok(_) => None,
        Err(TransitionError::Refused(why)) => Some(*why),
        Err(TransitionError::Store(error)) => panic!("{error}"),
    }
}

async fn stage(setup: &Setup, id: OperationId) -> Option<Stage> {
    let operation = setup.store.get(id).await.unwrap()?;
    operation.status(setup.clock.now()).map(|status| status.stage)
}

pub(crate) async fn what_was_created_is_there(setup: &Setup) {
    let operation = created(setup.clock.now());
    setup.store.create(operation.clone(), &Origin::Internal).await.unwrap();
    assert_eq!(*setup.store.get(operation.id).await.unwrap().unwrap(), operation);
    assert!(setup.store.get(OperationId::random()).await.unwrap().is_none());
}

pub(crate) async fn an_id_is_created_once(setup: &Setup) {
    let operation = created(setup.clock.now());
    setup.store.create(operation.clone(), &Origin::Internal).await.unwrap();
    let second = Operation { context: "other".into(), ..operation.clone() };
    assert!(matches!(setup.store.create(second, &Origin::Internal).await, Err(StoreError::Exists)));
    assert_eq!(*setup.store.get(operation.id).await.unwrap().unwrap(), operation);
}

pub(crate) async fn one_of_two_hundred_redeems_wins(setup: &Setup) {
    for _ in 0..20 {
        let id = put(setup).await;
        assert_eq!(contest(setup, id, &[Refused::Spent], |_| redeem()).await, 1);
    }
}

pub(crate) async fn one_of_two_hundred_claims_wins(setup: &Setup) {
    let id = put(setup).await;
    let claim = |_| Event::Claim { kind: OperationKind::Auth, claim: ClaimId::random() };
    assert_eq!(contest(setup, id, &[Refused::Claimed], claim).await, 1);
}

fn commit(claim: ClaimId) -> Event {
    Event::Commit { claim, challenge: ChallengeState(vec![8; 300].into()) }
}

fn claim(claim: ClaimId) -> Event {
    Event::Claim { kind: OperationKind::Auth, claim }
}

pub(crate) async fn one_of_commit_and_release_wins(setup: &Setup) {
    for _ in 0..20 {
        let (id, held) = (put(setup).await, ClaimId::random());
        setup.store.transition(id, claim(held)).await.unwrap();
        let event =
            |number: usize| if number.is_multiple_of(2) { commit(held) } else { Event::Release { claim: held } };
        assert_eq!(contest(setup, id, &[Refused::ClaimLost], event).await, 1);
        let free = stage(setup, id).await == Some(Stage::TokenCreated);
        assert_eq!(setup.store.transition(id, redeem()).await.is_ok(), free, "only a released token is free");
    }
}

pub(crate) async fn an_ended_lease_goes_to_one_of_two_hundred(setup: &Setup) {
    for _ in 0..10 {
        let (id, late) = (put(setup).await, ClaimId::random());
        setup.store.transition(id, claim(late)).await.unwrap();
        setup.clock.advance(Limits::default().lease);
        let event = |number: usize| match number % 3 {
            0 => commit(late),
            1 => Event::Release { claim: late },
            _ => claim(ClaimId::random()),
        };
        assert_eq!(contest(setup, id, &[Refused::ClaimLost, Refused::Claimed], event).await, 1);
        assert_eq!(refusal(&setup.store.transition(id, redeem()).await), Some(Refused::Claimed));
    }
}

/// What a competitor does once it has the claim.
#[derive(Clone, Copy)]
enum Manner {
    Releases,
    ComesLate,
    Commits,
}

struct Competitor {
    store: Arc<dyn Operations>,
    clock: Arc<ManualClock>,
    id: OperationId,
    challenge: ChallengeState,
    manner: Manner,
}

impl Competitor {
    fn new(setup: &Setup, id: OperationId, number: usize) -> Self {
        let manner = [Manner::Releases, Manner::ComesLate, Manner::Commits][number % 3];
        let challenge = ChallengeState(number.to_be_bytes()[..].into());
        Self { store: setup.store.clone(), clock: setup.clock.clone(), id, challenge, manner }
    }

    /// Claims until somebody has committed; the challenge if that was this one.
    async fn compete(self) -> Option<ChallengeState> {
        let own = ClaimId::random();
        loop {
            match refusal(&self.store.transition(self.id, claim(own)).await) {
                Some(Refused::Claimed) => tokio::task::yield_now().await,
                Some(why) => {
                    assert_eq!(why, Refused::Spent);
                    return None;
                }
                None => match (self.manner, self.end(own).await) {
                    (Manner::Releases, _) | (Manner::ComesLate, Some(_)) => return None,
                    (_, None) => return Some(self.challenge),
                    (Manner::Commits, Some(_)) => {}
                },
            }
        }
    }

    /// Ends the claim; it may have been lost to one who came when its lease was over, and to nothing else.
    async fn end(&self, own: ClaimId) -> Option<Refused> {
        let event = match self.manner {
            Manner::Releases => Event::Release { claim: own },
            Manner::ComesLate | Manner::Commits => Event::Commit { claim: own, challenge: self.challenge.clone() },
        };
        if matches!(self.manner, Manner::ComesLate) {
            self.clock.advance(Limits::default().lease);
        }
        let refused = refusal(&self.store.transition(self.id, event).await);
        assert!(matches!(refused, None | Some(Refused::ClaimLost)), "{refused:?}");
        refused
    }
}

/// Of 200 competitors some release, some let their lease end and come late, some commit, all at once.
pub(crate) async fn however_claims_end_one_commit_stays(setup: &Setup) {
    let day = Duration::from_secs(24 * 60 * 60);
    let limits = Limits { token: day, answer: day, ..Limits::default() };
    let operation =
        Operation { limits, token_deadline: Some(setup.clock.now().after(day)), ..created(setup.clock.now()) };
    let id = operation.id;
    setup.store.create(operation, &Origin::Internal).await.unwrap();
    let results = race(200, |number| Competitor::new(setup, id, number).compete()).await;
    let committed: Vec<ChallengeState> = results.into_iter().flatten().collect();
    assert_eq!(committed.len(), 1);
    let taken = setup.store.transition(id, Event::Answer).await.unwrap();
    assert_eq!(taken.applied, Applied::Taken(committed[0].clone()));
}

pub(crate) async fn one_of_two_hundred_answers_wins(setup: &Setup) {
    let id = put(setup).await;
    setup.store.transition(id, redeem()).await.unwrap();
    assert_eq!(contest(setup, id, &[Refused::ChallengeUsed], |_| Event::Answer).await, 1);
}

pub(crate) async fn one_of_cancel_and_redeem_wins(setup: &Setup) {
    for _ in 0..20 {
        let id = put(setup).await;
        let event = |number: usize| if number.is_multiple_of(2) { Event::Cancel } else { redeem() };
        // A cancel may also follow the redeem; a redeem never follows the cancel.
        let moved = contest(setup, id, &[Refused::Spent, Refused::Ended], event).await;
        assert!((1..=2).contains(&moved));
        assert_eq!(stage(setup, id).await, Some(Stage::Failed));
    }
}

pub(crate) async fn time_passes_by_the_clock_alone(setup: &Setup) {
    let (first, second) = (put(setup).await, put(setup).await);
    setup.clock.advance(Duration::from_secs(299));
    assert!(setup.store.transition(first, redeem()).await.is_ok());
    setup.clock.advance(Duration::from_secs(1));
    assert_eq!(refusal(&setup.store.transition(second, redeem()).await), Some(Refused::TokenTimedOut));
    assert_eq!(stage(setup, first).await, Some(Stage::ClientAuthenticating));
    setup.clock.advance(Duration::from_secs(299));
    assert_eq!(refusal(&setup.store.transition(first, Event::Answer).await), Some(Refused::AnswerTimedOut));
    assert_eq!(stage(setup, first).await, Some(Stage::Failed));
}

pub(crate) async fn one_of_two_hundred_browsers_is_told_of_the_login(setup: &Setup) {
    let era = Era { generation: 1, password: PasswordStamp([1; 32]) };
    let login = Operation { purpose: Purpose::BrowserLogin, ..created(setup.clock.now()) }.for_login(era);
    let id = login.id;
    setup.store.create(login, &Origin::Internal).await.unwrap();
    let good = Outcome::Succeeded { user: Some("jeff".into()), authenticators: Vec::new() };
    for event in [redeem(), Event::Answer, Event::Finish(good)] {
        assert_eq!(refusal(&setup.store.transition(id, Event::Collect).await), Some(Refused::UnderWay));
        setup.store.transition(id, event).await.unwrap();
    }
    assert_eq!(contest(setup, id, &[Refused::Collected], |_| Event::Collect).await, 1);
    assert_eq!(stage(setup, id).await, Some(Stage::Succeeded));
}

pub(crate) async fn a_refused_event_changes_nothing(setup: &Setup) {
    let id = put(setup).await;
    let before = setup.store.get(id).await.unwrap();
    let wrong = Event::Redeem { kind: OperationKind::Reg, challenge: ChallengeState(Box::default()) };
    assert_eq!(refusal(&setup.store.transition(id, wrong).await), Some(Refused::WrongKind));
    assert_eq!(setup.store.get(id).await.unwrap(), before);
    let redeemed = setup.store.transition(id, redeem()).await.unwrap();
    assert_eq!(setup.store.get(id).await.unwrap(), Some(redeemed.operation));
    let taken = setup.store.transition(id, Event::Answer).await.unwrap();
    assert_eq!(taken.applied, Applied::Taken(ChallengeState(vec![7; 300].into())));
}

pub(crate) async fn an_unknown_operation_refuses_everything(setup: &Setup) {
    let failed = Outcome::Failed { code: 1498, asm_status_code: None, client_error_code: None };
    for event in [redeem(), Event::Answer, Event::Finish(failed), Event::Cancel] {
        let result = setup.store.transition(OperationId::random(), event).await;
        assert_eq!(refusal(&result), Some(Refused::Unknown));
    }
}

pub(crate) async fn a_discarded_operation_is_unknown(setup: &Setup) {
    let id = put(setup).await;
    setup.store.discard(id).await.unwrap();
    setup.store.discard(id).await.unwrap();
    assert!(setup.store.get(id).await.unwrap().is_none());
    assert_eq!(refusal(&setup.store.transition(id, redeem()).await), Some(Refused::Unknown));
}

pub(crate) async fn a_forgotten_operation_is_unknown(setup: &Setup) {
    let id = put(setup).await;
    setup.clock.advance(Duration::from_secs(899));
    assert_eq!(stage(setup, id).await, Some(Stage::Failed));
    setup.clock.advance(Duration::from_secs(1));
    assert!(setup.store.get(id).await.unwrap().is_none());
    assert_eq!(refusal(&setup.store.transition(id, redeem()).await), Some(Refused::Unknown));
}

pub(crate) async fn a_sweep_takes_only_the_forgotten(setup: &Setup) {
    let old = put(setup).await;
    setup.clock.advance(Duration::from_secs(600));
    let young = put(setup).await;
    setup.clock.advance(Duration::from_secs(301));
    setup.store.sweep().await.unwrap();
    assert!(setup.store.get(old).await.unwrap().is_none());
    assert!(setup.store.get(young).await.unwrap().is_some());
}
