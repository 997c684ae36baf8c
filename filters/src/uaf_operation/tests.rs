mod hidden;

use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::identity::{Caller, Role};
use crate::identity_creation::SessionDomain;
use crate::reply::Reply;
use crate::testing::{exchange, jeff, reply, run, service};
use crate::user_binding::UsernameMapper;

fn strangers(username: Option<UsernameMapper>) -> Option<Strangers> {
    Some(Strangers { domain: SessionDomain::parse("main").unwrap(), username })
}

async fn asked(operation: Operation, caller: Caller, body: &str) -> u16 {
    run(UafRequestFilter::new(operation, None), exchange(caller), body).await.0
}

#[rstest]
#[case(r#"{"op":"Auth"}"#, 200)]
#[case(r#"{"op":null}"#, 200)]
#[case(r#"{}"#, 200)]
#[case(r#"{"getUafRequest":{"op":"Auth","context":"{}"}}"#, 200)]
#[case(r#"{"op":"Reg"}"#, 400)]
#[case(r#"{"op":"Dereg"}"#, 400)]
#[case(r#"{"op":"auth"}"#, 400)]
#[case(r#"{"op":""}"#, 400)]
#[case(r#"{"op":1}"#, 400)]
#[case(r#"{"op":["Auth"]}"#, 400)]
#[case(r#"{"op":"Auth","Op":"Reg"}"#, 400)]
#[case(r#"{"OP":"Auth"}"#, 400)]
#[case(r#"{"op":"Auth","op":"Reg"}"#, 400)]
#[case(r#"{"op":"Auth","\u006fp":"Reg"}"#, 400)]
#[case(r#"{"getUafRequest":{"op":"Reg"}}"#, 400)]
#[case(r#"{"op":"Auth","getUafRequest":{"op":"Dereg"}}"#, 400)]
#[case(r#"{"op":"Auth","getUafrequest":{"op":"Dereg"}}"#, 400)]
#[case(r#"{"getUafRequest":"{}"}"#, 400)]
#[case(r#"{"op":"Auth"}{"op":"Reg"}"#, 400)]
#[case("", 400)]
#[tokio::test]
async fn an_open_row_carries_nothing_else(#[case] body: &str, #[case] expected: u16) {
    assert_eq!(asked(Operation::Auth, Caller::Anonymous, body).await, expected, "{body}");
}

#[tokio::test]
async fn each_row_takes_its_own_operation_alone() {
    for row in [Operation::Reg, Operation::Auth, Operation::Dereg] {
        for said in [Operation::Reg, Operation::Auth, Operation::Dereg] {
            let body = json!({"op": said.to_string(), "context": "{}"}).to_string();
            assert_eq!(asked(row, jeff(), &body).await, if row == said { 200 } else { 400 }, "{said} on {row}");
        }
    }
}

/// A body for jeff with words of the caller, in each of their places.
fn spoken(name: &str) -> [Value; 5] {
    let context = json!({"username": name}).to_string();
    let transaction = json!([{"contentType": "text/plain", "content": "UGF5"}]);
    let confirming = json!({"username": name, "transaction": transaction}).to_string();
    [
        json!({"context": confirming}),
        json!({"getUafRequest": {"context": confirming}}),
        json!({"context": context, "transaction": transaction}),
        json!({"getUafRequest": {"context": context}, "dispatchInformation": {"data": {"a": "b"}}}),
        json!({"getUafRequest": {"context": context}, "dispatchInformation": {"notification": {"title": "b"}}}),
    ]
}

#[rstest]
#[case::nobody(Caller::Anonymous, "jeff", 401)]
#[case::oneself(jeff(), "jeff", 200)]
#[case::another(jeff(), "eve", 401)]
#[case::service_that_may(service(&[Role::ActFor]), "eve", 200)]
#[case::service_that_may_not(service(&[Role::Admin]), "eve", 403)]
#[tokio::test]
async fn only_the_user_and_who_may_act_for_users_put_words_before_them(
    #[case] caller: Caller,
    #[case] named: &str,
    #[case] expected: u16,
) {
    for body in spoken(named) {
        let filter = UafRequestFilter::new(Operation::Auth, strangers(Some(UsernameMapper::Name)));
        let (status, detail) = run(filter, exchange(caller.clone()), &body.to_string()).await;
        assert_eq!(status, expected, "{body}: {detail}");
    }
}

#[tokio::test]
async fn without_a_name_nobody_can_tell_who_reads_the_words() {
    for body in spoken("jeff").map(|body| body.to_string().replace(r#"\"username\":\"jeff\""#, r#"\"a\":0"#)) {
        let filter = UafRequestFilter::new(Operation::Auth, strangers(Some(UsernameMapper::Name)));
        assert_eq!(run(filter, exchange(jeff()), &body).await.0, 401, "{body}");
    }
}

#[tokio::test]
async fn where_the_server_compares_names_any_session_may_speak_and_nobody_else() {
    for body in spoken("ext-of-somewhere-else") {
        for (caller, expected) in [(jeff(), 200), (Caller::Anonymous, 401)] {
            let filter = UafRequestFilter::new(Operation::Auth, strangers(None));
            assert_eq!(run(filter, exchange(caller), &body.to_string()).await.0, expected, "{body}");
        }
    }
}

#[rstest]
#[case(r#"{"context":"{\"username\":\"jeff\"}"}"#)]
#[case(r#"{"context":"{\"username\":\"jeff\",\"transaction\":null}"}"#)]
#[case(r#"{"getUafRequest":{"context":"{}"},"dispatchInformation":{"data":{},"notification":null}}"#)]
#[tokio::test]
async fn who_says_nothing_needs_no_session(#[case] body: &str) {
    let filter = UafRequestFilter::new(Operation::Auth, strangers(Some(UsernameMapper::Name)));
    assert_eq!(run(filter, exchange(Caller::Anonymous), body).await.0, 200, "{body}");
}

#[tokio::test]
async fn words_in_another_spelling_are_refused_whoever_sends_them() {
    for body in [
        r#"{"context":"{\"username\":\"jeff\",\"Transaction\":[{}]}"}"#,
        r#"{"context":"{\"username\":\"jeff\"}","dispatch_information":{"data":{"a":"b"}}}"#,
    ] {
        let filter = UafRequestFilter::new(Operation::Auth, strangers(Some(UsernameMapper::Name)));
        assert_eq!(run(filter, exchange(jeff()), body).await.0, 400, "{body}");
    }
}

#[tokio::test]
async fn an_operator_may_let_strangers_speak() {
    for body in spoken("jeff") {
        assert_eq!(asked(Operation::Auth, Caller::Anonymous, &body.to_string()).await, 200, "{body}");
    }
}

#[rstest]
#[case(r#"[{"header":{"op":"Auth"}}]"#, true)]
#[case(r#"[{"header":{"op":"Reg"}}]"#, false)]
#[case(r#"[{"header":{"op":"Dereg"}}]"#, false)]
#[case(r#"[{"header":{"op":"Auth"}},{"header":{"op":"Reg"}}]"#, false)]
#[case(r#"[{"header":{"op":"Auth","op":"Reg"}}]"#, false)]
#[case(r#"[{"header":{"op":"Auth","Op":"Reg"}}]"#, false)]
#[case(r#"[{"header":{"op":"Auth"},"Header":{"op":"Reg"}}]"#, false)]
#[case(r#"[{"header":{"op":null}}]"#, false)]
#[case(r#"[{"header":{}}]"#, false)]
#[case(r#"[{}]"#, false)]
#[case(r#"[1]"#, false)]
#[case("[]", false)]
#[case(r#"{"header":{"op":"Auth"}}"#, false)]
#[case(r#"[{"header":{"op":"Auth"}}] []"#, false)]
#[case("", false)]
#[tokio::test]
async fn an_answer_bears_the_operation_of_its_row(#[case] message: &str, #[case] passes: bool) {
    let body = json!({"uafResponse": message}).to_string();
    let answer = reply(UafAnswerFilter::new(Operation::Auth), exchange(Caller::Anonymous), body.as_bytes()).await;
    match answer {
        None => assert!(passes, "{message}"),
        Some(Reply::Response(response)) => {
            assert_eq!((passes, response.status().as_u16()), (false, 200), "{message}");
            assert_eq!(response.body().as_ref(), br#"{"statusCode":1400}"#);
        }
        Some(Reply::Problem(problem)) => panic!("{message}: {}", problem.detail),
    }
}

#[rstest]
#[case("{}")]
#[case(r#"{"uafResponse":[{"header":{"op":"Auth"}}]}"#)]
#[case(r#"{"uafResponse":"[]","uafresponse":"[]"}"#)]
#[case("[]")]
#[tokio::test]
async fn what_is_no_answer_is_a_bad_request(#[case] body: &str) {
    assert_eq!(run(UafAnswerFilter::new(Operation::Auth), exchange(Caller::Anonymous), body).await.0, 400, "{body}");
}
