//! A UAF server behind, over HTTP: the embedded one of another house. What comes after its time is discarded, by a clock
//! that the tests move.

mod behind;
mod confirming;
mod lost;

use std::sync::Arc;
use std::time::Duration;

use sidegate_filters::Caller;
use sidegate_uaf::wire::Reply;

use super::JEFF;
use crate::fido::{
    AnswerAt, Arrival, Bounds, Endpoint, Named, Scope, Subject, UafServer, Upstream, UpstreamSettings, UsernameMapper,
    credential,
};
use crate::oob::testing::journal::Journaled;
use crate::oob::testing::{House, Phone, asker};
use crate::oob::{DispatchToken, Redeem, Requests, Statuses};
use crate::store::contract::keys_behind::key;
use crate::store::credentials::CREDENTIALS_PER_OWNER;
use crate::store::memory::MemoryChallenges;
use crate::store::operation::{Event, Limits, OperationKind};
use crate::store::{Challenges, ExtId, KeyBehind, KeysBehind, OperationId, SourceNetwork, Standing};
use crate::telemetry::Metrics;
use behind::Behind;

fn endpoint(behind: &Behind) -> Endpoint {
    let long = Duration::from_secs(60);
    let bounds = Bounds { connect: long, total: long, idle: long, parallel: 2, share: 50 };
    let origin = format!("http://{}", behind.address);
    let server = UafServer { name: "uaf", origin: &origin, path: "/uaf" };
    Endpoint::new(&server, bounds, None, Arc::new(Metrics::new().unwrap())).unwrap()
}

/// A house whose UAF server is that of another one.
async fn both() -> (House, Behind) {
    both_with(|front| front.keys_behind.clone()).await
}

async fn both_with(keys: impl FnOnce(&House) -> Arc<dyn KeysBehind>) -> (House, Behind) {
    let (mut front, behind) = (House::new(), Behind::start().await);
    let limits = Limits::default();
    let store: Arc<dyn Challenges> = Arc::new(MemoryChallenges::new(front.budget.clone(), front.clock.clone()));
    let fido = Arc::new(Upstream {
        endpoint: endpoint(&behind),
        operations: front.operations.clone(),
        challenges: Arc::new(Journaled { journal: front.journal.clone(), store }),
        keys: keys(&front),
        named: Named::default(),
        standing: Arc::default(),
        users: front.users.clone(),
        eras: front.eras.clone(),
        clock: front.clock.clone(),
        settings: UpstreamSettings {
            username: UsernameMapper::Name,
            answer: limits.answer,
            remembered: limits.lease + limits.answer + limits.retention,
        },
    });
    front.redeem = Arc::new(Redeem {
        operations: front.operations.clone(),
        users: front.users.clone(),
        eras: front.eras.clone(),
        fido: fido.clone(),
        key: front.redeem.key.clone(),
        clock: front.clock.clone(),
    });
    front.requests = Arc::new(Requests {
        operations: front.operations.clone(),
        acting: front.tokens.acting.clone(),
        fido: fido.clone(),
        clock: front.clock.clone(),
        limits,
    });
    front.statuses =
        Arc::new(Statuses { operations: front.operations.clone(), clock: front.clock.clone(), proven_only: true });
    front.fido = fido;
    (front, behind)
}

/// How many keys jeff has here and behind.
async fn keys(front: &House, behind: &Behind) -> (usize, usize) {
    let jeff: ExtId = "ext-jeff".into();
    let (here, there) = (front.keys_behind.of_owner(&jeff).await, behind.house.credentials.list(&jeff).await);
    (here.unwrap().len(), there.unwrap().len())
}

async fn standings(front: &House) -> Vec<Standing> {
    front.keys_behind.of_owner(&"ext-jeff".into()).await.unwrap().iter().map(|key| key.standing).collect()
}

/// Lets `meanwhile` happen between a question's arrival behind and its answer.
async fn during<T>(behind: &Behind, question: impl Future<Output = T>, meanwhile: impl AsyncFnOnce()) -> T {
    let before = behind.close();
    let meanwhile = async {
        behind.asked_again(before).await;
        meanwhile().await;
        behind.open();
    };
    tokio::join!(question, meanwhile).0
}

#[tokio::test]
async fn a_key_is_registered_behind_and_known_here() {
    let (front, behind) = both().await;
    let mut phone = front.phone("jeff").await;
    assert_eq!(keys(&front, &behind).await, (1, 1));
    let (token, session_id) = front.token().await;
    let (_, request) = front.redeem(OperationKind::Auth, &token.expose()).await;
    let answered = front.answer(AnswerAt::Authentication, &phone.authenticate(&request.unwrap())).await.unwrap();
    assert_eq!(answered.user.unwrap().name, "jeff");
    assert_eq!(front.status(&session_id).await["userId"], "ext-jeff");
}

#[tokio::test]
async fn what_an_answer_belongs_to_is_found_out_once() {
    let (front, _behind) = both().await;
    let mut phone = front.phone("jeff").await;
    let (token, _) = front.token().await;
    let (_, request) = front.redeem(OperationKind::Auth, &token.expose()).await;
    let uaf_response = &phone.authenticate(&request.unwrap()).to_message();
    let arrival = Arrival { at: AnswerAt::Authentication, uaf_response, context: None, from: None };
    front.journal.take();
    let received = front.fido.open(&arrival);
    assert!(received.claimant().await.unwrap().is_some());
    received.take().await.unwrap();
    let found = front.journal.take().into_iter().filter(|question| *question == "challenges.find");
    assert_eq!(found.count(), 1);
}

#[tokio::test]
async fn a_request_that_comes_after_the_lease_is_discarded() {
    let (front, behind) = both().await;
    let mut phone = front.phone("jeff").await;
    let (token, session_id) = front.token().await;
    let token = token.expose();
    let mut second = None;
    let late = during(&behind, front.redeem(OperationKind::Auth, &token), async || {
        front.clock.advance(Duration::from_secs(29));
        assert_eq!(front.redeem(OperationKind::Auth, &token).await.0, 1403);
        front.clock.advance(Duration::from_secs(1));
        behind.open();
        second = front.redeem(OperationKind::Auth, &token).await.1;
    })
    .await;
    assert_eq!((late.0, late.1.is_none()), (1403, true));
    let forgotten = front.journal.take().into_iter().filter(|question| *question == "challenges.forget");
    assert_eq!(forgotten.count(), 1, "what was issued in vain takes no room");
    front.answer(AnswerAt::Authentication, &phone.authenticate(&second.unwrap())).await.unwrap();
    assert_eq!(front.status(&session_id).await["status"], "succeeded");
}

#[tokio::test]
async fn no_more_questions_are_open_than_there_are_places() {
    let (front, behind) = both().await;
    front.phone("jeff").await;
    let (first, second, third) = (front.token().await.0, front.token().await.0, front.token().await.0);
    let redeem = async |token: &DispatchToken| front.redeem(OperationKind::Auth, &token.expose()).await.0;
    let before = behind.close();
    let others = async {
        behind.asked_again(before + 1).await;
        assert_eq!(redeem(&third).await, 1500, "both places are taken");
        behind.open();
    };
    assert_eq!(tokio::join!(redeem(&first), redeem(&second), others), (1200, 1200, ()));
    assert_eq!(redeem(&third).await, 1200, "its token stayed free");
}

#[tokio::test]
async fn one_network_has_its_share_of_the_places() {
    let (front, behind) = both().await;
    let mut phone = front.phone("jeff").await;
    let (first, second, third) = (front.token().await.0, front.token().await.0, front.token().await.0);
    let login = front.redeem(OperationKind::Auth, &front.token().await.0.expose()).await.1.unwrap();
    let login = phone.authenticate(&login).to_message();
    let [one, other] = [1, 2].map(|host| Some(SourceNetwork::of([192, 0, 2, host].into())));
    let redeem = async |token: &DispatchToken, from| {
        let handed_out = front.redeem.redeem(OperationKind::Auth, &token.expose(), from).await;
        handed_out.map(drop).map_err(|fault| fault.to_string())
    };
    let answer = async |from| {
        front
            .fido
            .open(&Arrival { at: AnswerAt::Authentication, uaf_response: &login, context: None, from })
            .take()
            .await
    };
    let jeff = Subject { ext_id: "ext-jeff".into(), name: "jeff".into() };
    let before = behind.close();
    let others = async {
        behind.asked_again(before).await;
        let busy = "UAF status 1500";
        assert_eq!(redeem(&second, one).await, Err(busy.to_owned()));
        assert_eq!(answer(one).await.unwrap_err().to_string(), busy);
        assert_eq!(front.fido.deregister(&jeff, &Scope::User, one).await.unwrap_err().to_string(), busy);
        let door = async {
            behind.asked_again(before + 1).await;
            behind.open();
        };
        tokio::join!(redeem(&third, other), door).0
    };
    assert_eq!(tokio::join!(redeem(&first, one), others), (Ok(()), Ok(())));
    assert_eq!(redeem(&second, one).await, Ok(()), "its token stayed free");
    assert!(answer(one).await.is_ok());
}

#[tokio::test]
async fn an_answer_for_which_there_is_no_place_may_come_again() {
    let (front, behind) = both().await;
    let mut phone = front.phone("jeff").await;
    let jeff = front.user("jeff").await;
    let (first, second) = (front.token().await.0, front.token().await.0);
    let (token, session_id) = front.token_of(&Caller::Anonymous, OperationKind::Auth, JEFF).await;
    let login = front.redeem(OperationKind::Auth, &token.expose()).await.1.unwrap();
    let registration = front.requests.request(&asker(&jeff), OperationKind::Reg, None).await.unwrap();
    let (login, registration) = (phone.authenticate(&login), Phone::new().register(&registration));
    let redeem = async |token: &DispatchToken| front.redeem(OperationKind::Auth, &token.expose()).await.0;
    let before = behind.close();
    let others = async {
        behind.asked_again(before + 1).await;
        assert_eq!(front.answer(AnswerAt::Authentication, &login).await, Err(1500));
        assert_eq!(front.answer(AnswerAt::Registration, &registration).await, Err(1500));
        assert_eq!(front.status(&session_id).await["status"], "clientAuthenticating");
        assert_eq!(keys(&front, &behind).await, (1, 1));
        behind.open();
    };
    assert_eq!(tokio::join!(redeem(&first), redeem(&second), others), (1200, 1200, ()));
    front.answer(AnswerAt::Authentication, &login).await.unwrap();
    front.answer(AnswerAt::Registration, &registration).await.unwrap();
    assert_eq!(keys(&front, &behind).await, (2, 2));
}

#[tokio::test]
async fn a_denial_counts_without_a_place() {
    let (front, behind) = both().await;
    let phone = front.phone("jeff").await;
    let (first, second) = (front.token().await.0, front.token().await.0);
    let (token, session_id) = front.token().await;
    let request = front.redeem(OperationKind::Auth, &token.expose()).await.1.unwrap();
    let redeem = async |token: &DispatchToken| front.redeem(OperationKind::Auth, &token.expose()).await.0;
    let before = behind.close();
    let others = async {
        behind.asked_again(before + 1).await;
        let no = Reply { asm_status_code: Some(3), ..Reply::default() };
        let denied = front.answer_with(AnswerAt::Authentication, &phone.deny(&request), Some(&no)).await;
        assert_eq!(denied, Err(1498));
        assert_eq!(front.status(&session_id).await["status"], "failed");
        behind.open();
    };
    tokio::join!(redeem(&first), redeem(&second), others);
}

#[tokio::test]
async fn a_verdict_that_comes_too_late_counts_for_nothing() {
    let (front, behind) = both().await;
    let mut phone = front.phone("jeff").await;
    let (token, session_id) = front.token().await;
    let (_, request) = front.redeem(OperationKind::Auth, &token.expose()).await;
    let response = phone.authenticate(&request.unwrap());
    let judged = during(&behind, front.answer(AnswerAt::Authentication, &response), async || {
        front.clock.advance(Limits::default().answer);
    });
    assert_eq!(judged.await, Err(1408));
    let status = front.status(&session_id).await;
    assert_eq!((status["status"].as_str(), status["uafStatusCode"].as_u64()), (Some("failed"), Some(1408)));
    assert!(status.get("userId").is_none());
}

/// This happens while jeff's registration is judged: it is refused with the one code, and its operation tells the other.
async fn leaves_no_key_behind(refused: u16, told: u16, happens: impl AsyncFnOnce(&House, OperationId)) {
    let (front, behind) = both().await;
    let jeff = front.user("jeff").await;
    let (token, session_id) = front.token_of(&jeff, OperationKind::Reg, JEFF).await;
    let (_, request) = front.redeem(OperationKind::Reg, &token.expose()).await;
    let response = Phone::new().register(&request.unwrap());
    let (before, id) = (behind.questions(), OperationId(session_id.parse().unwrap()));
    let judged = during(&behind, front.answer(AnswerAt::Registration, &response), async || happens(&front, id).await);
    assert_eq!(judged.await, Err(refused));
    behind.asked_again(before + 1).await;
    assert_eq!(keys(&front, &behind).await, (1, 0), "it is refused here, and gone there");
    assert_eq!(standings(&front).await, [Standing::Doubted]);
    assert_eq!(front.status(&session_id).await["uafStatusCode"], told);
}

#[tokio::test]
async fn a_registration_that_ended_meanwhile_leaves_no_key_behind() {
    let cancel = async |front: &House, id| drop(front.operations.transition(id, Event::Cancel).await.unwrap());
    leaves_no_key_behind(1491, 1403, cancel).await;
}

#[tokio::test]
async fn an_end_of_all_sessions_while_a_registration_is_judged_leaves_no_key_behind() {
    let end = async |front: &House, _| front.domain.sessions.end_all(&"ext-jeff".into()).await.unwrap();
    leaves_no_key_behind(1401, 1401, end).await;
}

#[tokio::test]
async fn a_registration_whose_verdict_comes_too_late_leaves_no_key_behind() {
    leaves_no_key_behind(1408, 1408, async |front: &House, _| front.clock.advance(Limits::default().answer)).await;
}

#[tokio::test]
async fn a_registration_request_that_comes_after_the_lease_is_discarded() {
    let (front, behind) = both().await;
    let jeff = front.user("jeff").await;
    let (token, session_id) = front.token_of(&jeff, OperationKind::Reg, JEFF).await;
    let token = token.expose();
    let mut second = None;
    let late = during(&behind, front.redeem(OperationKind::Reg, &token), async || {
        front.clock.advance(Limits::default().lease);
        behind.open();
        second = front.redeem(OperationKind::Reg, &token).await.1;
    })
    .await;
    assert_eq!((late.0, late.1.is_none()), (1403, true));
    front.answer(AnswerAt::Registration, &Phone::new().register(&second.unwrap())).await.unwrap();
    assert_eq!(front.status(&session_id).await["status"], "succeeded");
}

#[tokio::test]
async fn a_good_answer_needs_no_record_of_its_key() {
    let (front, behind) = both().await;
    let mut phone = front.phone("jeff").await;
    let jeff: ExtId = "ext-jeff".into();
    front.keys_behind.forget(&jeff, &crate::store::Removal::All).await.unwrap();
    let others =
        (0..CREDENTIALS_PER_OWNER).map(|number| key(jeff.as_str(), u8::try_from(number).unwrap(), Standing::Confirmed));
    front.keys_behind.learn(others.collect()).await.unwrap();
    let (token, session_id) = front.token().await;
    let (_, request) = front.redeem(OperationKind::Auth, &token.expose()).await;
    let answered = front.answer(AnswerAt::Authentication, &phone.authenticate(&request.unwrap())).await.unwrap();
    assert_eq!(answered.authenticators, []);
    assert_eq!(front.status(&session_id).await["userId"], "ext-jeff");
    assert_eq!(keys(&front, &behind).await, (CREDENTIALS_PER_OWNER, 1));
}

#[tokio::test]
async fn a_key_does_not_change_hands_here() {
    let (front, behind) = both().await;
    let jeff = front.user("jeff").await;
    let request = front.requests.request(&asker(&jeff), OperationKind::Reg, None).await.unwrap();
    let mut phone = Phone::new();
    let response = phone.register(&request);
    let eves =
        KeyBehind { key: credential::record_key(&phone.keys[0].key_ref()), ..key("ext-eve", 1, Standing::Confirmed) };
    front.keys_behind.learn(vec![eves]).await.unwrap();
    assert_eq!(front.answer(AnswerAt::Registration, &response).await, Err(1401));
    assert_eq!(keys(&front, &behind).await, (0, 0));
    assert_eq!(front.keys_behind.of_owner(&"ext-eve".into()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_removed_key_is_gone_on_both_sides() {
    let (front, behind) = both().await;
    let mut phone = front.phone("jeff").await;
    let jeff = front.user("jeff").await;
    let request = front.requests.request(&asker(&jeff), OperationKind::Dereg, None).await.unwrap();
    phone.deregister(&request);
    assert!(phone.keys.is_empty());
    assert_eq!(keys(&front, &behind).await, (0, 0));
}

#[tokio::test]
async fn what_is_gone_behind_is_forgotten_here() {
    let (front, behind) = both().await;
    front.phone("jeff").await;
    behind.house.credentials.remove(&"ext-jeff".into(), &crate::store::Removal::All).await.unwrap();
    let jeff = front.user("jeff").await;
    assert!(front.requests.request(&asker(&jeff), OperationKind::Dereg, None).await.is_ok());
    assert_eq!(keys(&front, &behind).await, (0, 0));
    assert!(front.requests.request(&asker(&jeff), OperationKind::Dereg, None).await.is_err(), "nobody has any");
}
