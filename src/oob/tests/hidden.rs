//! Users whom a stranger can't tell from those who do not exist (`http-api.md` 0.4).

use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use sidegate_filters::{Caller, Role, UsernameMapper};
use sidegate_uaf::KeyId;
use sidegate_uaf::authenticator::black_png;
use sidegate_uaf::encoding::encode;
use sidegate_uaf::wire::{AuthenticationRequest, Transaction};

use crate::fido::{AnswerAt, Counted, FidoError, UafRequest};
use crate::oob::testing::{House, Phone, Plan, asker, by_link, internal};
use crate::oob::{Asker, DispatchAnswer, DispatchRequest, DispatchResult, NotPermitted, NotRequested, TokenFault};
use crate::store::PasswordHash;
use crate::store::operation::OperationKind;

/// Jeff has a key, nora has none.
async fn hiding() -> House {
    let house = House::with(Plan { hide_users: true, ..Plan::default() });
    house.phone("jeff").await;
    crate::store::Users::add(&*house.users, "nora", PasswordHash::of(b"x").unwrap()).await.unwrap();
    house
}

fn context(name: &str) -> String {
    json!({ "username": name }).to_string()
}

/// What a stranger does with a name, and all that comes of it: codes, states, and what the stores were asked.
async fn transcript(house: &House, forger: &Phone, name: &str) -> Vec<String> {
    let (nobody, mut steps) = (asker(&Caller::Anonymous), Vec::new());
    let mut step = |said: String| steps.push(format!("{said}: {:?}", house.journal.take()));
    step("before".into());

    let dispatched = house.dispatch(&nobody, by_link(&context(name))).await;
    let DispatchAnswer::Dispatched { token, session_id, .. } = dispatched else { panic!("{name}: {dispatched:?}") };
    step("dispatched".into());
    let (code, request) = house.redeem(OperationKind::Auth, &token.expose()).await;
    step(format!("redeemed {code}"));
    let refused = house.answer(AnswerAt::Authentication, &forger.forge(&request.unwrap())).await;
    step(format!("answered {refused:?}"));
    let status = house.status(&session_id.to_string()).await;
    step(format!("{} {} {}", status["status"], status["uafStatusCode"], status["userId"].is_string()));

    let elsewhere = DispatchRequest { target: Some("no-such-target".into()), ..by_link(&context(name)) };
    step(format!("not dispatched {:?}", house.dispatch(&nobody, elsewhere).await));

    let request = house.requests.request(&nobody, OperationKind::Auth, Some(&context(name))).await.unwrap();
    step("asked".into());
    let refused = house.answer(AnswerAt::Authentication, &forger.forge(&request)).await;
    step(format!("answered {refused:?}"));

    let request = house.requests.login(&nobody, Some(name)).await.unwrap();
    step("begun".into());
    let forged = forger.forge(&request);
    let claimed = house.claimant(AnswerAt::Login, &forged.to_message()).await.unwrap();
    step(format!("claimed by {}", claimed.counted == Counted::Called(name.to_owned())));
    let refused = house.answer(AnswerAt::Login, &forged).await;
    step(format!("answered {refused:?}"));
    steps
}

/// Neither by the request, nor by what becomes of an answer that says which rendering was seen.
#[tokio::test]
async fn a_stranger_does_not_learn_what_a_users_keys_show() {
    let (house, picture) = (hiding().await, black_png(2, 2).unwrap());
    let kinds = vec![Transaction::png(&picture).unwrap().png_characteristics.unwrap()];
    let [mut eves, mut forger] = [(); 2].map(|()| {
        let phone = Phone::new();
        Phone { authenticator: phone.authenticator.with_pictures(kinds.clone()), ..phone }
    });
    let eve = house.user("eve").await;
    let registration = async || house.requests.request(&asker(&eve), OperationKind::Reg, None).await.unwrap();
    house.answer(AnswerAt::Registration, &eves.register(&registration().await)).await.unwrap();
    forger.register(&registration().await);
    let nobody = Asker { anonymous_content: true, ..asker(&Caller::Anonymous) };
    let picture = json!({"contentType": "image/png", "content": encode(&picture)});
    let text = json!({"contentType": "text/plain", "content": encode(b"Pay 1")});
    for renderings in [vec![picture.clone()], vec![picture, text]] {
        for name in ["jeff", "eve", "nora", "ghost"] {
            let context = json!({"username": name, "transaction": renderings}).to_string();
            let request = house.requests.request(&nobody, OperationKind::Auth, Some(&context)).await.unwrap();
            let asked = AuthenticationRequest::from_message(&request.message).unwrap().transaction;
            assert_eq!(asked.len(), renderings.len(), "{name}");
            let refused = house.answer(AnswerAt::Authentication, &forger.forge(&request)).await;
            assert_eq!(refused.unwrap_err(), 1498, "{name}");
        }
    }
}

#[tokio::test]
async fn the_same_is_done_for_who_exists_has_no_key_or_is_not_there() {
    let house = hiding().await;
    let forger = house.phone("eve").await;
    house.journal.take();
    let real = transcript(&house, &forger, "jeff").await;
    assert!(real.iter().any(|step| step.starts_with("answered Err(1498)")), "{real:#?}");
    for name in ["nora", "ghost"] {
        assert_eq!(transcript(&house, &forger, name).await, real, "{name}");
    }
}

/// How much memory is used after each thing that a stranger asks for this name.
async fn kept(house: &House, name: &str) -> [usize; 3] {
    let before = house.budget.used();
    let (token, _) = house.token_of(&Caller::Anonymous, OperationKind::Auth, &context(name)).await;
    let made = house.budget.used();
    house.redeem(OperationKind::Auth, &token.expose()).await.1.unwrap();
    let redeemed = house.budget.used();
    house.requests.login(&asker(&Caller::Anonymous), Some(name)).await.unwrap();
    [made, redeemed, house.budget.used()].map(|used| used - before)
}

#[tokio::test]
async fn as_much_is_kept_of_who_is_not_there() {
    let house = hiding().await;
    // With an extId as users have them.
    crate::store::Users::add(&*house.users, "jack", PasswordHash::of(b"x").unwrap()).await.unwrap();
    house.phone("jack").await;
    let real = kept(&house, "jack").await;
    assert!(real.iter().all(|bytes| *bytes > 0), "{real:?}");
    for name in ["nora", "dora"] {
        assert_eq!(kept(&house, name).await, real, "{name}");
    }
}

fn key_of(request: &UafRequest) -> KeyId {
    let policy = AuthenticationRequest::from_message(&request.message).unwrap().policy;
    assert_eq!(policy.accepted.iter().map(Vec::len).collect::<Vec<_>>(), [1], "{policy:?}");
    policy.accepted[0][0].key_ids[0].clone()
}

#[tokio::test]
async fn a_user_who_is_not_there_is_always_asked_for_the_same_key() {
    let house = hiding().await;
    let nobody = asker(&Caller::Anonymous);
    let ask = async |name: &str| key_of(&house.requests.login(&nobody, Some(name)).await.unwrap());
    assert_eq!(ask("ghost").await, ask("ghost").await);
    assert_ne!(ask("ghost").await, ask("other").await);
    assert_ne!(ask("ghost").await, ask("nora").await);
    assert_ne!(ask("ghost").await, ask("jeff").await);
}

#[tokio::test]
async fn who_knows_a_target_does_not_learn_whether_there_is_a_key() {
    let house = hiding().await;
    let (nobody, eve) = (Caller::Anonymous, house.user("eve").await);
    let jeffs = house.target("jeff", "link").await.id;
    // Eve has a target and no key.
    let eves = house.target("eve", "link").await.id;
    let asked = async |caller: &Caller, target: &str| {
        let request = DispatchRequest { target: Some(target.into()), ..by_link("{}") };
        let answer = house.dispatch(&asker(caller), request).await;
        let DispatchAnswer::Dispatched { token, .. } = answer else { panic!("{answer:?}") };
        house.redeem(OperationKind::Auth, &token.expose()).await.0
    };
    assert_eq!((asked(&nobody, &jeffs).await, asked(&nobody, &eves).await), (1200, 1200));
    assert_eq!(asked(&eve, &eves).await, 1404, "of herself she may know");
}

#[tokio::test]
async fn jeff_answers_as_ever() {
    let house = House::with(Plan { hide_users: true, ..Plan::default() });
    let mut phone = house.phone("jeff").await;
    let request = house.requests.login(&asker(&Caller::Anonymous), Some("jeff")).await.unwrap();
    let answered = house.answer(AnswerAt::Login, &phone.authenticate(&request)).await.unwrap();
    assert_eq!(answered.user.unwrap().name, "jeff");
}

#[tokio::test]
async fn eve_learns_no_more_of_others_than_nobody_does() {
    let house = hiding().await;
    let eve = house.user("eve").await;
    let answer = house.dispatch(&asker(&eve), by_link(&context("ghost"))).await;
    assert!(matches!(answer, DispatchAnswer::Dispatched { .. }), "{answer:?}");
    // Of herself she may know.
    let refused = house.requests.request(&asker(&eve), OperationKind::Auth, Some(&context("eve"))).await.unwrap_err();
    assert!(matches!(refused, NotRequested::Fido(FidoError::Refused(code)) if code.0 == 1404), "{refused}");
}

#[tokio::test]
async fn internal_callers_are_told_the_truth() {
    let house = hiding().await;
    let bank = internal(&[Role::ActFor]);
    let answer = house.dispatch(&asker(&bank), by_link(&context("ghost"))).await;
    assert!(matches!(answer, DispatchAnswer::Not(DispatchResult::UserNotFound)), "{answer:?}");
    let ask = async |name: &str| {
        house.requests.request(&asker(&bank), OperationKind::Auth, Some(&context(name))).await.unwrap_err()
    };
    assert!(matches!(ask("nora").await, NotRequested::Fido(FidoError::Refused(code)) if code.0 == 1404));
    let unknown = ask("ghost").await;
    assert!(matches!(unknown, NotRequested::Token(TokenFault::NotPermitted(NotPermitted::UnknownUser))), "{unknown}");
    let (token, _) = house.token_of(&bank, OperationKind::Auth, &context("nora")).await;
    assert_eq!(house.redeem(OperationKind::Auth, &token.expose()).await.0, 1404, "whoever redeems it");
}

#[tokio::test]
async fn a_user_who_is_removed_meanwhile_looks_as_before() {
    let house = hiding().await;
    let (token, _) = house.token().await;
    crate::store::Users::remove(&*house.users, "jeff").await.unwrap();
    assert_eq!(house.redeem(OperationKind::Auth, &token.expose()).await.0, 1200);
}

#[rstest]
#[case(UsernameMapper::Name, "a:b")]
#[case(UsernameMapper::ExtId, "a b")]
#[tokio::test]
async fn what_nobody_can_be_called_is_told_so(#[case] mapper: UsernameMapper, #[case] name: &str) {
    let house = House::with(Plan { hide_users: true, mapper, ..Plan::default() });
    let answer = house.dispatch(&asker(&Caller::Anonymous), by_link(&context(name))).await;
    assert!(matches!(answer, DispatchAnswer::Not(DispatchResult::UserNotFound)), "{answer:?}");
    assert_eq!(house.budget.used(), 0);
}

#[tokio::test]
async fn nothing_is_left_of_who_is_not_there() {
    let house = hiding().await;
    let forger = house.phone("eve").await;
    let owners = house.credentials.owners().await.unwrap();
    transcript(&house, &forger, "ghost").await;
    house.clock.advance(Duration::from_secs(3600));
    house.operations.sweep().await.unwrap();
    assert_eq!(house.budget.used(), 0);
    assert_eq!(house.credentials.owners().await.unwrap(), owners);
}
