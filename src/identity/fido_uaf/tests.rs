//! Logins and step-ups by UAF answers.

use sidegate_filters::Caller;

use super::*;
use crate::identity::testing::{pair, realm};
use crate::oob::testing::{House, Phone, Plan, asker};
use crate::store::operation::OperationKind;

fn uaf_realm(house: &House, renew: bool) -> FidoUafRealm {
    slowed(house, renew, 9)
}

/// A realm that takes so many failures of a network.
fn slowed(house: &House, renew: bool, free: u32) -> FidoUafRealm {
    house.fido_uaf(renew, house.domain.throttle(free))
}

fn from(address: [u8; 4], response: &str) -> UafAnswer<'_> {
    UafAnswer { response, context: None, address: address.into() }
}

fn sent(response: &str) -> UafAnswer<'_> {
    from([192, 0, 2, 1], response)
}

async fn answer(house: &House, phone: &mut Phone, username: Option<&str>) -> String {
    let request = house.requests.login(&asker(&Caller::Anonymous), username).await.unwrap();
    phone.authenticate(&request).to_message()
}

#[tokio::test]
async fn a_good_answer_is_a_session() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    for username in [Some("jeff"), None] {
        let answer = answer(&house, &mut phone, username).await;
        let done = uaf_realm(&house, true).log_in(sent(&answer), None, true).await.unwrap();
        assert_eq!((done.session.name.as_str(), done.session.level(), done.step_up), ("jeff", 2, false));
        let session = house.domain.session(&pair(&done.set_cookie.unwrap())).await.unwrap();
        assert_eq!(session.realm(), "fido-uaf");
        let replayed = uaf_realm(&house, true).log_in(sent(&answer), None, true).await;
        assert!(matches!(replayed, Err(FidoLoginError::Fido(_))));
    }
}

#[tokio::test]
async fn a_password_session_steps_up_under_the_same_cookie() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let cookie = house.domain.login("jeff", &realm("password", 1, true), None).await.unwrap();
    let session = house.domain.session(&cookie).await.unwrap();
    let answer = answer(&house, &mut phone, Some("jeff")).await;
    let done = uaf_realm(&house, false).log_in(sent(&answer), Some(&session), true).await.unwrap();
    assert!(done.step_up && done.set_cookie.is_none());
    assert_eq!(house.domain.session(&cookie).await.unwrap().level(), 2);
}

#[tokio::test]
async fn jeffs_answer_does_not_raise_eves_session() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let cookie = house.domain.login("eve", &realm("password", 1, true), None).await.unwrap();
    let session = house.domain.session(&cookie).await.unwrap();
    let answer = answer(&house, &mut phone, Some("jeff")).await;
    let done = uaf_realm(&house, false).log_in(sent(&answer), Some(&session), true).await.unwrap();
    assert_eq!(done.session.name, "jeff");
    assert_ne!(pair(&done.set_cookie.unwrap()), cookie);
    assert!(house.domain.session(&cookie).await.is_none(), "eve's is over");
}

#[tokio::test]
async fn an_answer_to_something_else_is_no_login() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let jeff = house.user("jeff").await;
    for context in [
        r#"{"username":"jeff"}"#,
        r#"{"username":"jeff","transaction":[{"contentType":"text/plain","content":"UGF5IDE"}]}"#,
    ] {
        let request = house.requests.request(&asker(&jeff), OperationKind::Auth, Some(context)).await.unwrap();
        let answer = phone.authenticate(&request).to_message();
        let refused = uaf_realm(&house, false).log_in(sent(&answer), None, true).await.unwrap_err();
        assert!(matches!(refused, FidoLoginError::Fido(FidoError::Refused(code)) if code.0 == 1491), "{refused}");
    }
}

#[tokio::test]
async fn an_end_of_all_sessions_between_key_and_session_voids_the_login() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let answer = answer(&house, &mut phone, Some("jeff")).await;
    let realm = uaf_realm(&house, true);
    let attempt = realm.presumed(&*realm.open(sent(&answer))).await.unwrap().attempt.unwrap();
    house.domain.sessions.end_all(attempt.user()).await.unwrap();
    let done = house.domain.sessions.login(attempt, realm.realm(), None, true).await.unwrap();
    assert!(house.domain.session(&pair(&done.set_cookie.unwrap())).await.is_none());
}

#[tokio::test]
async fn after_many_refused_answers_the_next_is_not_looked_at() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let realm = slowed(&house, true, 2);
    let elsewhere = answer(&house, &mut phone, Some("jeff")).await;
    let good = answer(&house, &mut phone, Some("jeff")).await;
    for _ in 0..2 {
        let refused = realm.log_in(sent("[]"), None, true).await;
        assert!(matches!(refused, Err(FidoLoginError::Fido(_))));
    }
    let wait = Duration::from_secs(1);
    let early = realm.log_in(sent(&good), None, true).await;
    assert!(matches!(early, Err(FidoLoginError::TooMany(told)) if told == wait));
    assert!(
        realm.log_in(from([192, 0, 2, 9], &elsewhere), None, true).await.is_ok(),
        "the user elsewhere is not slowed"
    );
    house.clock.advance(wait);
    assert!(realm.log_in(sent(&good), None, true).await.is_ok(), "its challenge was left alone");
}

#[tokio::test]
async fn whoever_is_not_there_is_slowed_as_jeff_is() {
    let mut told = Vec::new();
    for name in ["jeff", "ghost"] {
        let house = House::with(Plan { hide_users: true, ..Plan::default() });
        house.phone("jeff").await;
        let (forger, realm) = (house.phone("eve").await, slowed(&house, true, 1000));
        let mut answers = Vec::new();
        for _ in 0..20 {
            let request = house.requests.login(&asker(&Caller::Anonymous), Some(name)).await.unwrap();
            house.journal.take();
            let refused = realm.log_in(sent(&forger.forge(&request).to_message()), None, true).await.unwrap_err();
            answers.push(format!("{refused}: {:?}", house.journal.take()));
        }
        assert!(answers[0].starts_with("UAF status 1498") && answers[19].starts_with("too many"), "{answers:#?}");
        told.push(answers);
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn where_nobody_is_named_a_decoy_costs_what_jeffs_key_does() {
    let mut told = Vec::new();
    for name in ["jeff", "ghost"] {
        let house = House::with(Plan { hide_users: true, ..Plan::default() });
        let mut jeff = house.phone("jeff").await;
        let (forger, realm) = (house.phone("eve").await, slowed(&house, true, 1000));
        let named = house.requests.login(&asker(&Caller::Anonymous), Some(name)).await.unwrap();
        let mut answers = Vec::new();
        for _ in 0..20 {
            let request = house.requests.login(&asker(&Caller::Anonymous), None).await.unwrap();
            house.journal.take();
            let forged = forger.forge_by(&request, &named).to_message();
            let refused = realm.log_in(sent(&forged), None, true).await.unwrap_err();
            answers.push(format!("{refused}: {:?}", house.journal.take()));
        }
        assert!(answers.iter().all(|answer| answer.starts_with("UAF status 1498")), "{answers:#?}");
        told.push(answers);
        let good = answer(&house, &mut jeff, None).await;
        assert_eq!(realm.log_in(sent(&good), None, true).await.unwrap().session.name, "jeff");
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn a_store_that_is_down_is_no_failure_of_the_client() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let realm = slowed(&house, true, 1);
    let good = answer(&house, &mut phone, Some("jeff")).await;
    *house.users.up.lock().unwrap() = false;
    for _ in 0..3 {
        assert!(matches!(realm.log_in(sent(&good), None, true).await, Err(FidoLoginError::Fido(FidoError::Store(_)))));
    }
    *house.users.up.lock().unwrap() = true;
    assert!(realm.log_in(sent(&good), None, true).await.is_ok());
}

#[tokio::test]
async fn a_network_with_too_many_under_way_is_refused_before_anything_is_read() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let realm = slowed(&house, true, 9);
    let good = answer(&house, &mut phone, Some("jeff")).await;
    let network = SourceNetwork::of(sent(&good).address);
    let under_way: Vec<_> = (0..8).map(|_| realm.throttle.enter(network).unwrap_or_else(|_| panic!())).collect();
    *house.users.up.lock().unwrap() = false;
    assert!(matches!(realm.log_in(sent(&good), None, true).await, Err(FidoLoginError::TooMany(_))));
    *house.users.up.lock().unwrap() = true;
    drop(under_way);
    assert!(realm.log_in(sent(&good), None, true).await.is_ok());
}
