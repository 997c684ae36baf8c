//! What a client calls a matter of its connection is not forwarded, so nothing may be decided by it: no body is checked as of
//! one media type and arrives without any.

use serde_json::json;

use super::House;
use super::patch::{claims, path};
use super::smuggling::raw;
use crate::support::http::{JOSE, UAF};
use crate::support::jose::SigningKey;

const PATH: &str = "/nevisfido/uaf/1.1/request/registration";
/// A form to who reads it as one: it names another.
const BODY: &str = r#"{"context":"{\"username\":\"jeff\"}","x":"&username=eve&y="}"#;

#[tokio::test]
async fn a_body_keeps_the_media_type_that_it_was_checked_as() {
    let house = House::open().await;
    let jeff = house.jeff().await;
    let address = house.gateway.address("public");
    let jws = SigningKey::p256(house.gateway.secrets()).sign(&claims(&json!({"name": "new name"})));
    let (patch, cookie) = (path(&uuid::Uuid::new_v4().to_string()), jeff.session());
    let requests = [("POST", PATH, UAF, BODY), ("PATCH", &patch, JOSE, &jws)].map(|(method, path, media, body)| {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: a.example\r\nCookie: {cookie}\r\nX-Hop: a\r\n");
        let rest = format!("Content-Type: {media}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        (media, move |lines: &str| format!("{head}{lines}\r\n{rest}").into_bytes())
    });
    for (media, request) in requests {
        for lines in [
            "Connection: content-type",
            "Connection: close, Content-Type",
            "Connection: close,\tcontent-type",
            "Connection: close\r\nConnection: content-type",
            "Connection: keep-alive, content-length",
            "Connection: transfer-encoding",
            "Connection: cookie",
            "Connection: host",
            "Connection: \"content-type\"",
        ] {
            assert_eq!(raw(address, request(lines)).await, 400, "{lines}");
        }
        assert!(house.upstream.received().is_empty(), "{:#?}", house.upstream.received());
        for (lines, hops) in [("Connection: close", 1), ("Connection: TE, close, x-hop", 0)] {
            assert_eq!(
                raw(address, request(lines)).await,
                if hops == 1 || media == UAF { 200 } else { 401 },
                "{lines}"
            );
            let Some(arrived) = house.arrived_since(0) else { continue };
            assert_eq!((arrived.values("content-type"), arrived.values("x-hop").len()), (vec![media], hops), "{lines}");
            house.upstream.forget();
        }
    }
}
