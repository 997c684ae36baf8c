use http::HeaderValue;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::testing::{exchange, jeff, run, service};

async fn status(place: Place, caller: Caller, body: &str) -> u16 {
    run(UserBindingFilter::new(UsernameMapper::Name, place), exchange(caller), body).await.0
}

/// A body of the place whose context, or which itself, has these members.
fn body(place: Place, members: &Value) -> String {
    match place {
        Place::Username => members.to_string(),
        Place::Context => json!({"op": "Reg", "context": members.to_string()}).to_string(),
        Place::GetUafRequest => json!({"getUafRequest": {"context": members.to_string()}}).to_string(),
    }
}

const PLACES: [Place; 3] = [Place::Context, Place::GetUafRequest, Place::Username];

#[tokio::test]
async fn a_session_names_its_own_user_alone() {
    for place in PLACES {
        for (named, expected) in [("jeff", 200), ("eve", 403), ("JEFF", 403), ("jeff ", 403), ("", 403), ("ext-1", 403)]
        {
            let body = body(place, &json!({"username": named}));
            assert_eq!(status(place, jeff(), &body).await, expected, "{place}: {named:?}");
        }
    }
}

#[tokio::test]
async fn a_user_may_be_named_by_ext_id() {
    let filter = UserBindingFilter::new(UsernameMapper::ExtId, Place::Context);
    for (named, expected) in [("ext-1", 200), ("jeff", 403)] {
        let body = body(Place::Context, &json!({"username": named}));
        assert_eq!(run(filter, exchange(jeff()), &body).await.0, expected, "{named}");
    }
}

#[tokio::test]
async fn who_is_not_named_is_asked_for_but_the_owner_of_a_new_target() {
    for place in PLACES {
        let expected = if place == Place::Username { 200 } else { 400 };
        let (status, detail) =
            run(UserBindingFilter::new(UsernameMapper::Name, place), exchange(jeff()), &body(place, &json!({}))).await;
        assert_eq!(status, expected);
        assert!(status == 200 || detail.starts_with(&place.to_string()), "{detail}");
    }
    assert_eq!(status(Place::Context, jeff(), "{}").await, 400);
    assert_eq!(status(Place::GetUafRequest, jeff(), "{}").await, 400);
}

#[tokio::test]
async fn an_internal_caller_names_anybody_if_it_may_and_has_to() {
    for place in PLACES {
        let named = body(place, &json!({"username": "eve"}));
        assert_eq!(status(place, service(&[Role::ActFor]), &named).await, 200);
        assert_eq!(status(place, service(&[Role::ActFor]), &body(place, &json!({}))).await, 400);
        assert_eq!(status(place, service(&[Role::Admin]), &named).await, 403);
        assert_eq!(status(place, Caller::Anonymous, &named).await, 403);
    }
}

#[rstest]
#[case::member_twice(r#"{"context":"{\"username\":\"jeff\"}","context":"{\"username\":\"eve\"}"}"#)]
#[case::member_twice_in_disguise(r#"{"context":"{\"username\":\"jeff\"}","\u0063ontext":"{\"username\":\"eve\"}"}"#)]
#[case::name_twice(r#"{"context":"{\"username\":\"jeff\",\"username\":\"eve\"}"}"#)]
#[case::name_in_other_letters(r#"{"context":"{\"username\":\"jeff\",\"userName\":\"eve\"}"}"#)]
#[case::name_with_a_long_s(r#"{"context":"{\"username\":\"jeff\",\"uſername\":\"eve\"}"}"#)]
#[case::name_with_a_space(r#"{"context":"{\"username\":\"jeff\",\"username \":\"eve\"}"}"#)]
#[case::context_in_other_letters(r#"{"context":"{\"username\":\"jeff\"}","Context":"{\"username\":\"eve\"}"}"#)]
#[case::context_is_an_object(r#"{"context":{"username":"jeff"}}"#)]
#[case::name_is_a_list(r#"{"context":"{\"username\":[\"jeff\"]}"}"#)]
#[case::name_is_null(r#"{"context":"{\"username\":null}"}"#)]
#[case::context_is_no_object(r#"{"context":"[]"}"#)]
#[case::more_after_the_context(r#"{"context":"{\"username\":\"jeff\"} {\"username\":\"eve\"}"}"#)]
#[case::more_after_the_body(r#"{"context":"{\"username\":\"jeff\"}"} {"context":"{\"username\":\"eve\"}"}"#)]
#[case::context_in_disguise_and_other_letters(r#"{"\u0043ontext":"{\"username\":\"jeff\"}"}"#)]
#[case::name_with_a_line(r#"{"context":"{\"username\":\"jeff\",\"user_name\":\"eve\"}"}"#)]
#[case::name_with_a_nul(r#"{"context":"{\"username\":\"jeff\",\"username\\u0000\":\"eve\"}"}"#)]
#[case::name_beside_the_context(r#"{"context":"{\"username\":\"jeff\"}","username":"eve"}"#)]
#[case::name_beside_the_context_in_other_letters(r#"{"context":"{\"username\":\"jeff\"}","userName":"jeff"}"#)]
#[case::null_beside_the_context(r#"{"context":"{\"username\":\"jeff\"}","username":null}"#)]
#[case::name_below_another_request(
    r#"{"context":"{\"username\":\"jeff\"}","getUafRequest":{"context":"{\"username\":\"eve\"}"}}"#
)]
#[case::byte_order_mark("\u{feff}{\"context\":\"{\\\"username\\\":\\\"jeff\\\"}\"}")]
#[case::byte_order_mark_in_the_context("{\"context\":\"\u{feff}{\\\"username\\\":\\\"jeff\\\"}\"}")]
#[case::comment(r#"{"context":"{\"username\":\"jeff\"}"/*,*/}"#)]
#[case::no_json("username=jeff")]
#[case::empty("")]
#[tokio::test]
async fn what_can_be_read_in_two_ways_is_refused(#[case] body: &str) {
    assert_eq!(status(Place::Context, jeff(), body).await, 400, "{body}");
}

#[rstest]
#[case::escaped(r#"{"\u0063ontext":"{\"user\\u006eame\":\"je\\u0066f\"}"}"#)]
#[case::the_same_name_elsewhere(r#"{"context":"{\"username\":\"jeff\"}","username":"jeff"}"#)]
#[case::nothing_elsewhere(r#"{"context":"{\"username\":\"jeff\"}","getUafRequest":null}"#)]
#[tokio::test]
async fn what_every_reader_reads_alike_passes(#[case] body: &str) {
    assert_eq!(status(Place::Context, jeff(), body).await, 200, "{body}");
}

#[rstest]
#[case(None, 200)]
#[case(Some(""), 200)]
#[case(Some("username=eve"), 400)]
#[case(Some("a"), 400)]
#[tokio::test]
async fn nothing_is_said_in_a_query(#[case] query: Option<&str>, #[case] expected: u16) {
    let mut exchange = exchange(jeff());
    exchange.query = query.map(str::to_owned);
    let filter = UserBindingFilter::new(UsernameMapper::Name, Place::Username);
    assert_eq!(run(filter, exchange, r#"{"username":"jeff"}"#).await.0, expected);
}

#[rstest]
#[case::form(&[(CONTENT_TYPE, "application/x-www-form-urlencoded")], 415)]
#[case::none(&[], 415)]
#[case::two(&[(CONTENT_TYPE, "application/json"), (CONTENT_TYPE, "text/plain")], 415)]
#[case::other_charset(&[(CONTENT_TYPE, "application/json; charset=utf-7")], 415)]
#[case::two_charsets(&[(CONTENT_TYPE, "application/json; charset=utf-8; charset=utf-16")], 415)]
#[case::compressed(&[(CONTENT_TYPE, "application/json"), (CONTENT_ENCODING, "gzip")], 415)]
#[case::identity(&[(CONTENT_TYPE, "application/json"), (CONTENT_ENCODING, "identity")], 415)]
#[case::uaf(&[(CONTENT_TYPE, "application/fido+uaf;charset=UTF-8")], 200)]
#[case::json(&[(CONTENT_TYPE, "Application/JSON; charset=\"utf-8\"")], 200)]
#[tokio::test]
async fn the_body_is_what_it_says(#[case] fields: &[(http::HeaderName, &'static str)], #[case] expected: u16) {
    let mut exchange = exchange(jeff());
    exchange.headers.clear();
    for (name, value) in fields {
        exchange.headers.append(name, HeaderValue::from_static(value));
    }
    let filter = UserBindingFilter::new(UsernameMapper::Name, Place::Context);
    assert_eq!(run(filter, exchange, &body(Place::Context, &json!({"username": "jeff"}))).await.0, expected);
}

#[tokio::test]
async fn no_value_of_the_client_is_echoed() {
    let filter = UserBindingFilter::new(UsernameMapper::Name, Place::Context);
    for body in [
        body(Place::Context, &json!({"username": "a-secret"})),
        json!({"context": "a-secret"}).to_string(),
        json!({"context": {"a": "a-secret"}}).to_string(),
    ] {
        let (_, detail) = run(filter, exchange(jeff()), &body).await;
        assert!(!detail.contains("a-secret"), "{detail}");
    }
}
