//! Words and operations where a careless reader finds them, and words to somebody else's target.

use super::*;

fn row(operation: Operation) -> UafRequestFilter {
    UafRequestFilter::new(operation, strangers(Some(UsernameMapper::Name)))
}

/// What jeff says, under his own name, to the phone of whoever has the target.
fn to_a_target() -> [Value; 3] {
    let context = json!({"username": "jeff"}).to_string();
    let confirming = json!({"username": "jeff", "transaction": [{"content": "UGF5"}]}).to_string();
    [
        json!({"dispatchTargetId": "t", "dispatchInformation": {"data": {"a": "b"}}, "getUafRequest": {"context": context}}),
        json!({"dispatchTargetId": "t", "getUafRequest": {"context": confirming}}),
        json!({"getUafRequest": {"dispatchTargetId": "t", "context": context}, "dispatchInformation": {"data": {"a": "b"}}}),
    ]
}

#[rstest]
#[case::a_user(jeff(), 403)]
#[case::service_that_may(service(&[Role::ActFor]), 200)]
#[case::service_that_may_not(service(&[Role::Admin]), 403)]
#[tokio::test]
async fn words_go_to_no_target_that_may_be_anothers(#[case] caller: Caller, #[case] expected: u16) {
    for operation in [Operation::Reg, Operation::Auth, Operation::Dereg] {
        for body in to_a_target() {
            let (status, detail) = run(row(operation), exchange(caller.clone()), &body.to_string()).await;
            assert_eq!(status, expected, "{operation}: {body}: {detail}");
            assert_eq!(asked(operation, caller.clone(), &body.to_string()).await, 200, "an operator may let strangers");
        }
    }
}

#[tokio::test]
async fn nobody_knows_whose_a_target_is_where_the_server_compares_names_either() {
    for body in to_a_target() {
        let filter = UafRequestFilter::new(Operation::Auth, strangers(None));
        assert_eq!(run(filter, exchange(jeff()), &body.to_string()).await.0, 403, "{body}");
    }
}

#[rstest]
#[case(r#"{"dispatchTargetId":"t","getUafRequest":{"context":"{\"username\":\"jeff\"}"}}"#)]
#[case(r#"{"dispatchTargetId":null,"dispatchInformation":{"data":{"a":"b"}},"getUafRequest":{"context":"{\"username\":\"jeff\"}"}}"#)]
#[tokio::test]
async fn a_user_has_words_or_a_target(#[case] body: &str) {
    for operation in [Operation::Reg, Operation::Auth, Operation::Dereg] {
        assert_eq!(run(row(operation), exchange(jeff()), body).await.0, 200, "{body}");
    }
}

#[rstest]
#[case(r#"{"data":{"Pay":""}}"#, 401)]
#[case(r#"{"data":{"Pay":null}}"#, 401)]
#[case(r#"{"data":""}"#, 401)]
#[case(r#"{"data":[null]}"#, 401)]
#[case(r#"{"notification":{"title":""}}"#, 401)]
#[case(r#"{"Pay":null}"#, 401)]
#[case(r#"[{}]"#, 401)]
#[case(r#""""#, 401)]
#[case("false", 401)]
#[case("0", 401)]
#[case("{}", 200)]
#[case("[]", 200)]
#[case("null", 200)]
#[case(r#"{"data":{},"notification":null}"#, 200)]
#[tokio::test]
async fn names_and_empty_texts_are_words_too(#[case] information: &str, #[case] expected: u16) {
    let body = format!(r#"{{"dispatchInformation":{information},"getUafRequest":{{"context":"{{}}"}}}}"#);
    assert_eq!(run(row(Operation::Auth), exchange(Caller::Anonymous), &body).await.0, expected, "{body}");
}

#[rstest]
#[case(r#"[{}]"#, 401)]
#[case(r#"[{"Pay":""}]"#, 401)]
#[case(r#""""#, 401)]
#[case("[]", 200)]
#[case("null", 200)]
#[tokio::test]
async fn so_they_are_in_a_transaction(#[case] transaction: &str, #[case] expected: u16) {
    let context = format!(r#"{{"username":"jeff","transaction":{transaction}}}"#);
    let body = json!({"context": context}).to_string();
    assert_eq!(run(row(Operation::Auth), exchange(Caller::Anonymous), &body).await.0, expected, "{body}");
}

#[rstest]
#[case(r#"{"operation":"Reg"}"#)]
#[case(r#"{"Operation":"Reg"}"#)]
#[case(r#"{"transactions":[{}]}"#)]
#[case(r#"{"notification":{"title":"a"}}"#)]
#[case(r#"{"data":"a"}"#)]
#[case(r#"{"getUafRequest":{"operation":"Reg"}}"#)]
#[case(r#"{"getUafRequest":{"getUafRequest":{"op":"Reg"}}}"#)]
#[case(r#"{"getUafRequest":{"data":"a"}}"#)]
#[case(r#"{"context":"{\"op\":\"Auth\"}"}"#)]
#[case(r#"{"context":"{\"Op\":\"Reg\"}"}"#)]
#[case(r#"{"context":"{\"operation\":\"Reg\"}"}"#)]
#[case(r#"{"context":"{\"context\":{\"transaction\":[{}]}}"}"#)]
#[case(r#"{"context":"{\"getUafRequest\":{\"op\":\"Reg\"}}"}"#)]
#[case(r#"{"context":"{\"transactions\":[{}]}"}"#)]
#[case(r#"{"context":"{\"dispatchInformation\":{}}"}"#)]
#[case(r#"{"context":"{\"dispatchTargetId\":\"t\"}"}"#)]
#[case(r#"{"getUafRequest":{"context":"{\"op\":\"Reg\"}"}}"#)]
#[tokio::test]
async fn nothing_stands_where_nobody_looks(#[case] body: &str) {
    for filter in [row(Operation::Auth), UafRequestFilter::new(Operation::Auth, None)] {
        assert_eq!(run(filter, exchange(service(&[Role::ActFor])), body).await.0, 400, "{body}");
    }
}

#[rstest]
#[case(r#"{"previousRequest":"[{\"header\":{\"op\":\"Auth\"}}]","sessionData":{"data":1},"x":null}"#)]
#[case(r#"{"context":"{\"username\":\"jeff\",\"policy\":\"p\",\"deviceId\":\"d\",\"x\":{\"op\":1}}"}"#)]
#[case(r#"{"dispatcher":["link"],"numberMatching":true,"getUafRequest":{"op":"Auth","previousRequest":null}}"#)]
#[tokio::test]
async fn members_that_mean_nothing_here_go_on(#[case] body: &str) {
    assert_eq!(run(row(Operation::Auth), exchange(Caller::Anonymous), body).await.0, 200, "{body}");
}

#[rstest]
#[case("uafProtocolMessage", 400)]
#[case("uafprotocolmessage", 400)]
#[case("sendUafResponse", 400)]
#[case("getUafRequest", 400)]
#[case("op", 400)]
#[case("operation", 400)]
#[case("context", 200)]
#[case("deviceName", 200)]
#[tokio::test]
async fn no_second_answer_stands_beside_an_answer(#[case] name: &str, #[case] expected: u16) {
    let message = json!([{"header": {"op": "Auth"}}]).to_string();
    for value in [json!("[]"), json!({"uafResponse": "[]"})] {
        let body = json!({"uafResponse": message, name: value}).to_string();
        let answered = run(UafAnswerFilter::new(Operation::Auth), exchange(Caller::Anonymous), &body).await.0;
        assert_eq!(answered, expected, "{body}");
    }
}
