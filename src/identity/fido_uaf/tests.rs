//! Logins and step-ups by UAF answers.

use std::sync::Arc;

use sidegate_filters::Caller;

use super::*;
use crate::identity::testing::{pair, realm};
use crate::oob::testing::{House, Phone, asker};
use crate::store::operation::OperationKind;

fn uaf_realm(house: &House, renew: bool) -> FidoUafRealm {
    let users = Arc::clone(&house.users) as Arc<dyn Users>;
    FidoUafRealm::new(realm("fido-uaf", 2, renew), Arc::clone(&house.domain.sessions), users, Arc::clone(&house.fido))
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
        let done = uaf_realm(&house, true).log_in(&answer, None, None, true).await.unwrap();
        assert_eq!((done.session.name.as_str(), done.session.level, done.step_up), ("jeff", 2, false));
        let session = house.domain.session(&pair(&done.set_cookie.unwrap())).await.unwrap();
        assert_eq!(session.realm, "fido-uaf");
        let replayed = uaf_realm(&house, true).log_in(&answer, None, None, true).await;
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
    let done = uaf_realm(&house, false).log_in(&answer, None, Some(&session), true).await.unwrap();
    assert!(done.step_up && done.set_cookie.is_none());
    assert_eq!(house.domain.session(&cookie).await.unwrap().level, 2);
}

#[tokio::test]
async fn jeffs_answer_does_not_raise_eves_session() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let cookie = house.domain.login("eve", &realm("password", 1, true), None).await.unwrap();
    let session = house.domain.session(&cookie).await.unwrap();
    let answer = answer(&house, &mut phone, Some("jeff")).await;
    let done = uaf_realm(&house, false).log_in(&answer, None, Some(&session), true).await.unwrap();
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
        let refused = uaf_realm(&house, false).log_in(&answer, None, None, true).await.unwrap_err();
        assert!(matches!(refused, FidoLoginError::Fido(FidoError::Refused(code)) if code.0 == 1491), "{refused}");
    }
}

#[tokio::test]
async fn an_end_of_all_sessions_between_key_and_session_voids_the_login() {
    let house = House::new();
    let mut phone = house.phone("jeff").await;
    let answer = answer(&house, &mut phone, Some("jeff")).await;
    let realm = uaf_realm(&house, true);
    let (user, attempt) = realm.attempt(&answer).await.unwrap().unwrap();
    house.domain.sessions.end_all(&user).await.unwrap();
    let done = house.domain.sessions.login(attempt, realm.realm(), None, true).await.unwrap();
    assert!(house.domain.session(&pair(&done.set_cookie.unwrap())).await.is_none());
}
