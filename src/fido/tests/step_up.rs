//! Which keys of a named user have to answer (`uaf.md` A3).

use sidegate_filters::Caller;
use sidegate_uaf::KeyRef;
use sidegate_uaf::authenticator::Authenticator;
use sidegate_uaf::metadata::{Models, UnknownModels};
use sidegate_uaf::tlv::tag;
use sidegate_uaf::wire::{AuthenticationRequest, Response};

use super::{JEFF, login, redeemed, registration};
use crate::fido::{AnswerAt, FidoError, Policies, Subject, UafRequest};
use crate::oob::NotRequested;
use crate::oob::testing::{House, Phone, Plan, asker, surrogates};
use crate::store::operation::OperationKind;
use crate::store::{Standing, contract};

const FIRST: &str = "D0D0#0001";
const SECOND: &str = "D0D0#0002";
const TOGETHER: &str = r#"{"username":"jeff","policy":"together"}"#;

/// A house with a policy that wants two models together.
fn house() -> House {
    let folder = tempfile::tempdir().unwrap();
    let any = r#"{"accepted":[[{"authenticationAlgorithms":[1],"assertionSchemes":["UAFV1TLV"]}]]}"#;
    let together = format!(r#"{{"accepted":[[{{"aaid":["{FIRST}"]}},{{"aaid":["{SECOND}"]}}]]}}"#);
    std::fs::write(folder.path().join("default.json"), any).unwrap();
    std::fs::write(folder.path().join("together.json"), together).unwrap();
    House::with(Plan { policies: Policies::load(folder.path()).unwrap(), ..Plan::default() })
}

/// A key of this model for jeff.
async fn phone(house: &House, model: &str) -> Phone {
    let mut phone = Phone { authenticator: Authenticator::new(model.parse().unwrap()), keys: Vec::new() };
    let response = phone.register(&registration(house).await);
    house.answer(AnswerAt::Registration, &response).await.unwrap();
    phone
}

fn read(request: &UafRequest) -> AuthenticationRequest {
    AuthenticationRequest::from_message(&request.message).unwrap()
}

/// What the phone says with its key, whatever the policy is.
fn answer(phone: &Phone, request: &UafRequest) -> Response {
    let key = &phone.keys[0];
    let mut draft = phone.authenticator.draft_authentication(&read(request), key, &[9; 16]).unwrap();
    draft.fields.set(tag::COUNTERS, 1_000u32.to_le_bytes());
    draft.sign(key.private_key()).unwrap()
}

fn asked(request: &UafRequest) -> Vec<Vec<KeyRef>> {
    let alternatives = read(request).policy.accepted;
    let keys = |member: &sidegate_uaf::wire::MatchCriteria| {
        assert_eq!((member.aaid.len(), member.key_ids.len()), (1, 1));
        KeyRef { aaid: member.aaid[0], key_id: member.key_ids[0].clone() }
    };
    alternatives.iter().map(|members| members.iter().map(keys).collect()).collect()
}

#[tokio::test]
async fn keys_that_are_wanted_together_answer_together() {
    let house = house();
    let first = phone(&house, FIRST).await;
    let jeff = house.user("jeff").await;
    let (token, _) = house.token_of(&jeff, OperationKind::Auth, TOGETHER).await;
    assert_eq!(house.redeem(OperationKind::Auth, &token.expose()).await, (1404, None), "the second is not there");
    let second = phone(&house, SECOND).await;
    let (request, _) = redeemed(&house, TOGETHER).await;
    assert_eq!(asked(&request), [[first.keys[0].key_ref(), second.keys[0].key_ref()]]);
    for alone in [&first, &second] {
        let (request, _) = redeemed(&house, TOGETHER).await;
        assert_eq!(house.answer(AnswerAt::Authentication, &answer(alone, &request)).await, Err(1492));
    }
    let mut both = answer(&first, &request);
    both.assertions.extend(answer(&second, &request).assertions);
    assert!(house.answer(AnswerAt::Authentication, &both).await.is_ok());
}

#[tokio::test]
async fn any_of_the_keys_is_enough_where_one_is_wanted() {
    let house = house();
    let (first, second) = (phone(&house, FIRST).await, phone(&house, SECOND).await);
    let (request, _) = redeemed(&house, JEFF).await;
    let mut asked = asked(&request);
    asked.sort_by_key(|keys| keys[0].aaid);
    assert_eq!(asked, [[first.keys[0].key_ref()], [second.keys[0].key_ref()]]);
    assert!(house.answer(AnswerAt::Authentication, &answer(&second, &request)).await.is_ok());
}

#[tokio::test]
async fn a_key_of_a_revoked_model_is_not_asked_for() {
    let house = House::with(Plan { models: surrogates().with_revoked(SECOND.parse().unwrap()), ..Plan::default() });
    let revoked = contract::credentials::credential("ext-jeff", SECOND, 2);
    house.credentials.add_all(vec![revoked], None).await.unwrap();
    assert_eq!(refused_login(&house).await, 1404);
    assert!(!guards(&house).await, "nobody is to log in with it any more");
    let first = phone(&house, FIRST).await;
    assert_eq!(asked(&login(&house).await), [[first.keys[0].key_ref()]]);
    let (anybodys, _) = redeemed(&house, "{}").await;
    assert_eq!(read(&anybodys).policy.disallowed[0].aaid, [SECOND.parse().unwrap()]);
}

#[tokio::test]
async fn a_key_of_a_model_that_is_not_known_is_not_asked_for_and_still_guards() {
    let house = House::with(Plan { models: Models::new(UnknownModels::Refuse), ..Plan::default() });
    assert!(!guards(&house).await);
    house.credentials.add_all(vec![contract::credentials::credential("ext-jeff", FIRST, 1)], None).await.unwrap();
    assert_eq!(refused_login(&house).await, 1404, "no answer would be taken");
    assert!(guards(&house).await, "a statement that got lost lets nobody in by the password");
}

#[tokio::test]
async fn keys_of_a_server_that_is_no_longer_behind_are_none_here() {
    let house = House::new();
    let behind = contract::keys_behind::key("ext-jeff", 1, Standing::Confirmed);
    house.keys_behind.learn(vec![behind]).await.unwrap();
    assert!(!guards(&house).await);
    assert_eq!(refused_login(&house).await, 1404);
    let first = phone(&house, FIRST).await;
    assert!(guards(&house).await);
    assert_eq!(asked(&login(&house).await), [[first.keys[0].key_ref()]]);
    let jeff = house.user("jeff").await;
    house.requests.request(&asker(&jeff), OperationKind::Dereg, None).await.unwrap();
    assert!(!guards(&house).await);
    assert_eq!(house.keys_behind.of_owner(&"ext-jeff".into()).await.unwrap().len(), 1);
}

async fn guards(house: &House) -> bool {
    house.fido.guards(&Subject { ext_id: "ext-jeff".into(), name: "jeff".into() }).await.unwrap()
}

/// The code that jeff gets in place of a request to log in.
async fn refused_login(house: &House) -> u16 {
    let refused = house.requests.login(&asker(&Caller::Anonymous), Some("jeff")).await.unwrap_err();
    let NotRequested::Fido(FidoError::Refused(code)) = refused else { panic!("{refused}") };
    code.0
}
