//! Whom a request names is who sends it, before anything is forwarded.

use serde_json::{Value, json};

use super::House;
use super::smuggling::raw;
use crate::support::http::{JSON, UAF};
use crate::support::oob::context;
use crate::support::wait;

/// The rows that name the user whose own affair they are, and where.
const ROWS: [(&str, &str, &str); 7] = [
    ("uaf/1.1/request/registration", UAF, "context"),
    ("uaf/1.1/request/deregistration", UAF, "context"),
    ("token/create/registration", UAF, "context"),
    ("token/create/deregistration", UAF, "context"),
    ("token/dispatch/registration", JSON, "getUafRequest"),
    ("token/dispatch/deregistration", JSON, "getUafRequest"),
    ("token/dispatch/targets", JSON, "username"),
];

/// A body with this context, or for a target these members.
fn body(place: &str, members: &Value) -> Value {
    match place {
        "context" => json!({"context": context(members)}),
        "getUafRequest" => json!({"dispatcher": "link", "getUafRequest": {"context": context(members)}}),
        _ => members.clone(),
    }
}

#[tokio::test]
async fn a_user_acts_for_nobody_else_on_any_path() {
    let house = House::open().await;
    let jeff = house.jeff().await;
    for (path, media, place) in ROWS {
        let send = async |members: &Value| {
            let request = jeff.client().post(&format!("/nevisfido/{path}")).header("content-type", media);
            request.body(body(place, members).to_string()).send().await
        };
        for other in ["eve", "JEFF", "jeff ", ""] {
            send(&json!({"username": other})).await.problem(403);
        }
        send(&json!({"username": ["jeff"]})).await.problem(400);
        send(&json!({"username": "jeff", "userName": "eve"})).await.problem(400);
        assert!(house.upstream.received().is_empty(), "{path}");
        send(&json!({"username": "jeff", "deviceId": "d"})).await.expect(200);
        let arrived = house.arrived_since(0).unwrap();
        assert_eq!(arrived.body, body(place, &json!({"username": "jeff", "deviceId": "d"})).to_string().into_bytes());
        let unnamed = send(&json!({})).await;
        assert_eq!(unnamed.status, if place == "username" { 200 } else { 400 }, "{path}");
        house.upstream.forget();
    }
    let told = async || house.gateway.log().contains(r#""event":"user-binding""#).then_some(());
    wait::until("the refusal is in the log", wait::BOUND, told).await;
}

const PATH: &str = "/nevisfido/uaf/1.1/request/registration";
/// jeff's, as every reader reads it.
const GOOD: &str = r#"{"context":"{\"username\":\"jeff\"}"}"#;

#[tokio::test]
async fn a_body_that_another_reader_could_read_otherwise_is_refused() {
    let house = House::open().await;
    let jeff = house.jeff().await;
    let eve = r#""{\"username\":\"eve\"}""#;
    let beside = |member: &str| GOOD.replacen('{', &format!("{{{member},"), 1);
    let inside = |member: &str| GOOD.replacen("{\\", &format!("{{{member},\\"), 1);
    let long = format!("{GOOD}{}", " ".repeat(64 * 1024));
    for client in [jeff.client(), house.gateway.public_http2().cookie(jeff.session())] {
        for (body, status) in [
            (beside(&format!(r#""context":{eve}"#)), 400),
            (beside(&format!(r#""Context":{eve}"#)), 400),
            (beside(&format!(r#""con\u0074ext":{eve}"#)), 400),
            (beside(&format!(r#""getUafRequest":{{"context":{eve}}}"#)), 400),
            (beside(r#""username":"eve""#), 400),
            (beside(r#""userName":"jeff""#), 400),
            (inside(r#"\"user_name\":\"eve\""#), 400),
            (inside(r#"\"user\\u006eame\":\"eve\""#), 400),
            (format!("{GOOD} {{}}"), 400),
            (format!("\u{feff}{GOOD}"), 400),
            (GOOD.replacen("\"{", "\"\u{feff}{", 1), 400),
            (long.clone(), 413),
        ] {
            let request = client.post(PATH).header("content-type", UAF).body(body.clone());
            assert_eq!(request.send().await.status, status, "{body}");
        }
        for media in [
            "application/fido+uaf;charset=utf-7",
            "application/fido+uaf;charset=utf-16le",
            "application/fido+uaf; charset=iso-8859-1",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=a",
            "text/plain",
        ] {
            client.post(PATH).header("content-type", media).body(GOOD).send().await.problem(415);
        }
        for coding in ["gzip", "deflate", "br", "identity", "x-gzip, identity"] {
            let request = client.post(PATH).header("content-type", UAF).header("content-encoding", coding);
            request.body(GOOD).send().await.problem(415);
        }
        for query in ["username=eve", "context=%7B%22username%22%3A%22eve%22%7D", "a"] {
            let request = client.post(&format!("{PATH}?{query}")).header("content-type", UAF);
            request.body(GOOD).send().await.problem(400);
        }
        assert!(house.upstream.received().is_empty(), "{:#?}", house.upstream.received());
        for fine in [GOOD, r#"{"con\u0074ext":"{\"user\\u006eame\":\"jeff\"}","username":"jeff"}"#] {
            client.post(PATH).header("content-type", UAF).body(fine).send().await.expect(200);
            assert_eq!(house.arrived_since(0).unwrap().body, fine.as_bytes());
            house.upstream.forget();
        }
    }
}

#[tokio::test]
async fn what_stands_behind_the_last_chunk_is_no_part_of_the_body() {
    let house = House::open().await;
    let jeff = house.jeff().await;
    let head =
        format!("POST {PATH} HTTP/1.1\r\nHost: a.example\r\nCookie: {}\r\nContent-Type: {UAF}\r\n", jeff.session());
    for trailer in ["Content-Encoding: gzip", "Content-Type: text/plain", "username: eve"] {
        let chunks = format!("{:x}\r\n{GOOD}\r\n0\r\n{trailer}\r\n\r\n", GOOD.len());
        let request = format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunks}");
        assert_eq!(raw(house.gateway.address("public"), request.into_bytes()).await, 200, "{trailer}");
        let arrived = house.arrived_since(0).unwrap();
        assert_eq!((arrived.body.as_slice(), arrived.trailers.as_str()), (GOOD.as_bytes(), ""));
        assert!(!arrived.head.contains("eve") && !arrived.head.contains("gzip"), "{}", arrived.head);
        house.upstream.forget();
    }
}

#[tokio::test]
async fn an_operator_may_leave_the_comparison_to_the_server() {
    let house = House::with(|setup| setup.under("fronting", "  user-binding: false")).await;
    let jeff = house.jeff().await;
    let body = body("context", &json!({"username": "eve"}));
    jeff.client().uaf("/nevisfido/uaf/1.1/request/registration", &body).await.expect(200);
    assert_eq!(house.arrived_since(0).unwrap().values("x-user"), [jeff.ext_id()]);
}
