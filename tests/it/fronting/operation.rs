//! What a body asks of the server behind is what its row is for, and strangers choose no words that a user reads: all
//! that is refused arrives nowhere.

use serde_json::{Value, json};

use super::House;
use crate::support::http::{Client, JSON, UAF};
use crate::support::oob::context;

const OPERATIONS: [(&str, &str); 3] =
    [("registration", "Reg"), ("authentication", "Auth"), ("deregistration", "Dereg")];

/// The rows of one operation that take a GetUAFRequest.
const ROWS: [&str; 3] = ["uaf/1.1/request", "token/create", "token/dispatch"];

async fn send(client: &Client, path: &str, body: &str) -> u16 {
    let media = if path.starts_with("token/dispatch") { JSON } else { UAF };
    let request = client.post(&format!("/nevisfido/{path}")).header("content-type", media);
    request.body(body.to_owned()).send().await.status
}

fn asking(row: &str, mut request: Value, members: &Value) -> String {
    request["context"] = json!(context(members));
    let body = if row == "token/dispatch" { json!({"dispatcher": "link", "getUafRequest": request}) } else { request };
    body.to_string()
}

#[tokio::test]
async fn a_row_carries_no_other_operation() {
    let house = House::open().await;
    let jeff = house.jeff().await;
    for row in ROWS {
        for (operation, own) in OPERATIONS {
            let path = format!("{row}/{operation}");
            let of = |request: Value| asking(row, request, &json!({"username": "jeff"}));
            let other = of(json!({"op": if own == "Reg" { "Dereg" } else { "Reg" }}));
            let good = of(json!({"op": own}));
            let twice = good.replace(&format!(r#""op":"{own}""#), &format!(r#""op":"{own}","\u006fp":"Dereg""#));
            assert_ne!(good, twice);
            let member = if row == "token/dispatch" { r#""op":"X""# } else { r#""getUafRequest":{"op":"X"}"# };
            let elsewhere = good.replacen('{', &format!("{{{member},"), 1);
            let mut clients = vec![jeff.client(), house.gateway.internal()];
            if own == "Auth" {
                clients.extend([house.gateway.public(), house.gateway.public_http2()]);
            }
            for client in &clients {
                for bad in [
                    &other,
                    &twice,
                    &of(json!({"op": own.to_lowercase()})),
                    &of(json!({"op": own, "Op": "Dereg"})),
                    &elsewhere,
                    &of(json!({"op": [own]})),
                ] {
                    assert_eq!(send(client, &path, bad).await, 400, "{path}: {bad}");
                    assert!(house.arrived_since(0).is_none(), "{path}: {bad}");
                }
                for fine in [&good, &of(json!({})), &of(json!({"op": null}))] {
                    assert_eq!(send(client, &path, fine).await, 200, "{path}: {fine}");
                    assert_eq!(house.arrived_since(0).unwrap().body, fine.as_bytes());
                    house.upstream.forget();
                }
            }
        }
    }
}

#[tokio::test]
async fn open_rows_are_read_as_strictly_as_the_others() {
    let house = House::open().await;
    let good = json!({"context": context(&json!({"username": "jeff"}))}).to_string();
    for (path, media) in [("uaf/1.1/request/authentication", UAF), ("token/create/authentication", UAF)] {
        let path = format!("/nevisfido/{path}");
        for client in [house.gateway.public(), house.gateway.public_http2()] {
            let request = |path: &str, media: &str| client.post(path).header("content-type", media).body(good.clone());
            request(&path, &format!("{media};charset=utf-16")).send().await.problem(415);
            request(&path, "text/plain").send().await.problem(415);
            request(&path, media).header("content-encoding", "gzip").send().await.problem(415);
            request(&format!("{path}?op=Reg"), media).send().await.problem(400);
            let long = format!("{good}{}", " ".repeat(64 * 1024));
            client.post(&path).header("content-type", media).body(long).send().await.problem(413);
        }
    }
    assert!(house.upstream.received().is_empty(), "{:#?}", house.upstream.received());
}

/// Bodies for authentications of a user with words that the user would get to read.
fn spoken(row: &str, user: &str) -> Vec<String> {
    let transaction = json!([{"contentType": "text/plain", "content": "UGF5IDE"}]);
    let mut bodies = vec![asking(row, json!({}), &json!({"username": user, "transaction": transaction}))];
    if row == "token/dispatch" {
        for information in [json!({"data": {"text": "Pay"}}), json!({"notification": {"title": "Your bank"}})] {
            let mut body = json!({"dispatcher": "link", "dispatchInformation": information});
            body["getUafRequest"] = json!({"context": context(&json!({"username": user}))});
            bodies.push(body.to_string());
        }
    }
    bodies
}

#[tokio::test]
async fn a_stranger_says_nothing_to_a_user() {
    let house = House::open().await;
    let jeff = house.jeff().await;
    for row in ROWS {
        let path = format!("{row}/authentication");
        for (own, eves) in spoken(row, "jeff").into_iter().zip(spoken(row, "eve")) {
            for client in [house.gateway.public(), house.gateway.public_http2()] {
                assert_eq!(send(&client, &path, &own).await, 401, "{own}");
            }
            assert_eq!(send(&jeff.client(), &path, &eves).await, 401, "{eves}");
            assert!(house.arrived_since(0).is_none());
            for (client, body) in [(jeff.client(), &own), (house.gateway.internal(), &eves)] {
                assert_eq!(send(&client, &path, body).await, 200, "{body}");
                assert_eq!(house.arrived_since(0).unwrap().body, body.as_bytes());
                house.upstream.forget();
            }
        }
    }
    let request = house.gateway.public().post("/nevisfido/token/create/authentication").header("content-type", UAF);
    let refused = request.body(spoken("token/create", "jeff").remove(0)).send().await.expect(401);
    assert_eq!(refused.header("www-authenticate"), Some("Bearer realm=\"main\""));
}

/// Words under jeff's own name for the phone of whoever has the target.
fn to_a_target() -> Vec<String> {
    let aimed = |body: String| {
        let mut body: Value = serde_json::from_str(&body).unwrap();
        body["dispatchTargetId"] = json!("eves-target");
        body.to_string()
    };
    spoken("token/dispatch", "jeff").into_iter().map(aimed).collect()
}

#[tokio::test]
async fn a_user_says_nothing_to_anothers_phone() {
    let house = House::open().await;
    let jeff = house.jeff().await;
    for (operation, _) in OPERATIONS {
        let path = format!("token/dispatch/{operation}");
        for body in to_a_target() {
            assert_eq!(send(&jeff.client(), &path, &body).await, 403, "{body} on {operation}");
            assert!(house.arrived_since(0).is_none());
            assert_eq!(send(&house.gateway.internal(), &path, &body).await, 200, "{body} on {operation}");
            assert_eq!(house.arrived_since(0).unwrap().body, body.as_bytes());
            house.upstream.forget();
        }
    }
}

#[tokio::test]
async fn a_stranger_says_nothing_by_names_of_members_or_where_nobody_looks() {
    let house = House::open().await;
    let public = house.gateway.public();
    for (member, expected) in [
        (r#""dispatchInformation":{"data":{"Transfer 9000":""}}"#, 401),
        (r#""dispatchInformation":{"data":{"Transfer 9000":null}}"#, 401),
        (r#""dispatchInformation":{"notification":{"title":""}}"#, 401),
        (r#""notification":{"title":"Transfer 9000"}"#, 400),
        (r#""data":"Transfer 9000""#, 400),
        (r#""operation":"Reg""#, 400),
        (r#""dispatchInformation":{"data":{},"notification":null}"#, 200),
    ] {
        let body = format!(r#"{{"dispatcher":"link",{member},"getUafRequest":{{"context":"{{}}"}}}}"#);
        assert_eq!(send(&public, "token/dispatch/authentication", &body).await, expected, "{body}");
        assert_eq!(house.arrived_since(0).is_some(), expected == 200, "{body}");
    }
    house.upstream.forget();
    let message = json!([{"header": {"op": "Auth"}}]).to_string();
    let answer = json!({"uafResponse": message, "sendUafResponse": {"uafResponse": "[]"}});
    public.uaf("/nevisfido/uaf/1.1/authentication", &answer).await.problem(400);
    assert!(house.arrived_since(0).is_none());
}

#[tokio::test]
async fn an_operator_may_let_strangers_choose_the_words() {
    let house = House::with(|setup| setup.under("fronting", "  anonymous-content: true")).await;
    for body in spoken("token/dispatch", "jeff").into_iter().chain(to_a_target()) {
        assert_eq!(send(&house.gateway.public(), "token/dispatch/authentication", &body).await, 200, "{body}");
    }
}

#[tokio::test]
async fn an_answer_goes_to_the_row_of_its_operation_alone() {
    let house = House::open().await;
    let public = house.gateway.public();
    let answer = |op: &str| json!({"uafResponse": json!([{"header": {"op": op}}]).to_string()});
    for (path, own) in [("registration", "Reg"), ("authentication", "Auth")] {
        let path = format!("/nevisfido/uaf/1.1/{path}");
        for (_, said) in OPERATIONS.iter().filter(|(_, said)| *said != own) {
            public.uaf(&path, &answer(said)).await.uaf_code(1400);
        }
        let two = json!({"uafResponse": json!([{"header": {"op": own}}, {"header": {"op": "Dereg"}}]).to_string()});
        public.uaf(&path, &two).await.uaf_code(1400);
        public.uaf(&path, &json!({"uafResponse": "[]"})).await.uaf_code(1400);
        public.uaf(&path, &json!({})).await.problem(400);
        assert!(house.arrived_since(0).is_none(), "{path}");
        public.uaf(&path, &answer(own)).await.expect(200);
        assert_eq!(house.arrived_since(0).unwrap().body, answer(own).to_string().into_bytes());
        house.upstream.forget();
    }
}
