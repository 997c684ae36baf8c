//! Every `dispatchResult`, and what a dispatch leaves behind.

use rstest::rstest;
use serde_json::json;
use sidegate_filters::{Caller, Role};

use super::super::testing::{House, Plan, asker, by_link, data, internal, payload};
use super::super::{DispatchAnswer, DispatchRequest, DispatchResult, NotPermitted, TokenFault};
use crate::store::StoreError;
use crate::store::operation::OperationKind;

const JEFF: &str = r#"{"username":"jeff"}"#;

fn result(answer: &DispatchAnswer) -> &'static str {
    match answer {
        DispatchAnswer::Dispatched { .. } => "dispatched",
        DispatchAnswer::Not(result) => result.name(),
    }
}

/// `jeff`, `eve` or nothing: whose target is named.
#[rstest]
#[case(JEFF, Some("link"), "", "dispatched")]
#[case("{}", Some("link"), "", "dispatched")]
#[case(JEFF, Some("link"), "jeff", "dispatched")]
#[case(JEFF, None, "jeff", "dispatched")]
#[case("{}", None, "jeff", "dispatched")]
#[case(JEFF, Some("png"), "", "dispatcherNotFound")]
#[case(r#"{"username":"ghost"}"#, Some("link"), "", "userNotFound")]
#[case(JEFF, Some("link"), "eve", "dispatchTargetNotFound")]
#[case(JEFF, Some("link"), "ghost", "dispatchTargetNotFound")]
#[case("{}", Some("link"), "ghost", "dispatchTargetNotFound")]
#[case(JEFF, Some("failing"), "", "dispatchTargetNotFound")]
#[case(JEFF, Some("failing"), "jeff", "dispatchError")]
#[case(JEFF, Some("expiring"), "jeff", "dispatchTargetExpired")]
#[case(JEFF, Some("breaking"), "jeff", "internalError")]
#[tokio::test]
async fn a_result(
    #[case] context: &str,
    #[case] dispatcher: Option<&str>,
    #[case] target_of: &str,
    #[case] expected: &str,
) {
    let house = House::new();
    let target = match target_of {
        "" => None,
        "ghost" => Some("no such target".to_owned()),
        name => Some(house.target(name, "link").await.id),
    };
    let request = DispatchRequest { dispatcher: dispatcher.map(str::to_owned), target, ..by_link(context) };
    let answer = house.dispatch(&asker(&Caller::Anonymous), request).await;
    assert_eq!(result(&answer), expected);
    let left = house.budget.used() > 0;
    assert_eq!(left, expected == "dispatched", "a record is there exactly if a token went out");
}

#[tokio::test]
async fn an_explicit_dispatcher_wins_over_the_targets() {
    let house = House::new();
    let target = Some(house.target("jeff", "failing").await.id);
    let with = |dispatcher: Option<&str>| DispatchRequest {
        dispatcher: dispatcher.map(str::to_owned),
        target: target.clone(),
        ..by_link(JEFF)
    };
    let nobody = asker(&Caller::Anonymous);
    assert_eq!(result(&house.dispatch(&nobody, with(None)).await), "dispatchError");
    assert_eq!(result(&house.dispatch(&nobody, with(Some("link"))).await), "dispatched");
}

#[tokio::test]
async fn without_a_target_the_payload_is_plain() {
    let house = House::new();
    let jeff = house.user("jeff").await;
    let request = DispatchRequest {
        kind: OperationKind::Reg,
        data: data(json!({"attributeName": {"nested": [1, null]}})),
        ..by_link(JEFF)
    };
    let DispatchAnswer::Dispatched { token, response, .. } = house.dispatch(&asker(&jeff), request).await else {
        panic!("not dispatched")
    };
    assert_eq!(
        payload(&response.unwrap()),
        json!({
            "nma_data": {
                "token": *token.expose(),
                "redeem_url": "https://gate.example/nevisfido/token/redeem/registration",
                "attributeName": {"nested": [1, null]},
            },
            "nma_data_content_type": "application/json",
            "nma_data_version": "1",
        })
    );
}

#[tokio::test]
async fn neither_dispatcher_nor_target_is_no_request() {
    let house = House::new();
    let request = DispatchRequest { dispatcher: None, ..by_link(JEFF) };
    let fault = house.tokens.dispatch(&asker(&Caller::Anonymous), &request).await.unwrap_err();
    assert!(matches!(fault, TokenFault::Malformed { member: "dispatcher", .. }));
}

#[tokio::test]
async fn eve_neither_registers_nor_deregisters_for_jeff() {
    let house = House::new();
    let eve = house.user("eve").await;
    let target = house.target("jeff", "link").await.id;
    for kind in [OperationKind::Reg, OperationKind::Dereg] {
        let named = DispatchRequest { kind, ..by_link(JEFF) };
        let fault = house.tokens.dispatch(&asker(&eve), &named).await.unwrap_err();
        assert!(matches!(fault, TokenFault::NotPermitted(NotPermitted::OtherUser)));
        let fault = house.tokens.create(&asker(&eve), kind, Some(JEFF)).await.unwrap_err();
        assert!(matches!(fault, TokenFault::NotPermitted(NotPermitted::OtherUser)));
        // With jeff's target, named alone or beside her own name, she learns nothing of it.
        for context in ["{}", r#"{"username":"eve"}"#] {
            let request = DispatchRequest { kind, target: Some(target.clone()), ..by_link(context) };
            let answer = house.dispatch(&asker(&eve), request).await;
            assert_eq!(result(&answer), DispatchResult::DispatchTargetNotFound.name(), "{context}");
        }
    }
    assert_eq!(house.budget.used(), 0);
}

#[tokio::test]
async fn an_internal_caller_acts_for_the_owner_of_a_target() {
    let house = House::new();
    let target = Some(house.target("jeff", "link").await.id);
    let request = DispatchRequest { kind: OperationKind::Reg, target, ..by_link("{}") };
    let answer = house.dispatch(&asker(&internal(&[Role::ActFor])), request.clone()).await;
    assert_eq!(result(&answer), "dispatched");
    let fault = house.tokens.dispatch(&asker(&internal(&[])), &request).await.unwrap_err();
    assert!(matches!(fault, TokenFault::NotPermitted(NotPermitted::NoRole)));
}

#[tokio::test]
async fn an_internal_caller_who_names_only_an_unknown_target_is_told_so() {
    let house = House::new();
    for kind in [OperationKind::Reg, OperationKind::Auth, OperationKind::Dereg] {
        let request = DispatchRequest { kind, target: Some("no target".into()), ..by_link("{}") };
        let answer = house.dispatch(&asker(&internal(&[Role::ActFor])), request).await;
        assert_eq!(result(&answer), "dispatchTargetNotFound", "{kind:?}");
    }
    let nobody = DispatchRequest { kind: OperationKind::Reg, ..by_link("{}") };
    let fault = house.tokens.dispatch(&asker(&internal(&[Role::ActFor])), &nobody).await.unwrap_err();
    assert!(matches!(fault, TokenFault::NotPermitted(NotPermitted::Unnamed)), "neither user nor target");
}

#[rstest]
#[case(DispatchRequest { notification: true, ..by_link(JEFF) })]
#[case(DispatchRequest { data: data(json!({"a": 1})), ..by_link(JEFF) })]
#[case(by_link(r#"{"username":"jeff","transaction":[{"contentType":"text/plain","content":"UGF5"}]}"#))]
#[tokio::test]
async fn content_needs_somebody_who_answers_for_it(#[case] request: DispatchRequest) {
    let house = House::new();
    let nobody = asker(&Caller::Anonymous);
    let fault = house.tokens.dispatch(&nobody, &request).await.unwrap_err();
    assert!(matches!(fault, TokenFault::NotPermitted(NotPermitted::NoSession { .. })));
    let open = super::super::Asker { anonymous_content: true, ..nobody };
    assert_eq!(result(&house.dispatch(&open, request.clone()).await), "dispatched");
    let jeff = house.user("jeff").await;
    assert_eq!(result(&house.dispatch(&asker(&jeff), request).await), "dispatched");
}

#[tokio::test]
async fn the_status_shows_the_link_only_where_it_is_told_to() {
    for status_response in [false, true] {
        let house = House::with(Plan { status_response, ..Plan::default() });
        let DispatchAnswer::Dispatched { session_id, response, .. } =
            house.dispatch(&asker(&Caller::Anonymous), by_link(JEFF)).await
        else {
            panic!("not dispatched")
        };
        let status = house.status(&session_id.to_string()).await;
        let shown = &status["tokenInformation"]["dispatcherInformation"];
        assert_eq!(shown["name"], "link");
        assert_eq!(
            shown.get("response").and_then(|text| text.as_str()),
            response.as_deref().filter(|_| status_response)
        );
    }
}

#[tokio::test]
async fn a_full_store_is_no_result_but_a_refusal() {
    let house = House::with(Plan { budget: 2_000, ..Plan::default() });
    let fault = house.tokens.dispatch(&asker(&Caller::Anonymous), &by_link(JEFF)).await.unwrap_err();
    assert!(matches!(fault, TokenFault::Store(StoreError::Full)));
    let internal = internal(&[]);
    assert_eq!(result(&house.dispatch(&asker(&internal), by_link(JEFF)).await), "dispatched");
}

#[tokio::test]
async fn an_unknown_policy_is_no_request() {
    let house = House::new();
    let context = r#"{"username":"jeff","policy":"strict"}"#;
    let fault = house.tokens.dispatch(&asker(&Caller::Anonymous), &by_link(context)).await.unwrap_err();
    assert!(matches!(fault, TokenFault::Malformed { member: "context.policy", .. }));
    let fault = house.tokens.create(&asker(&Caller::Anonymous), OperationKind::Auth, Some(context)).await.unwrap_err();
    assert!(matches!(fault, TokenFault::Malformed { member: "context.policy", .. }));
}
