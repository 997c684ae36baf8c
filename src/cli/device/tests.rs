//! The phone against a scripted gateway.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::thread::JoinHandle;

use serde_json::json;
use sidegate_filters::jws::base64url;
use sidegate_uaf::authenticator::Authenticator;
use sidegate_uaf::wire::RegistrationRequest;

use super::*;
use crate::fido::{AnswerAt, UafRequest};
use crate::oob::testing::{House, asker};
use crate::store::operation::OperationKind;
use state::State;

/// Gives one answer a connection, and then what it was asked: request line and body.
fn gateway(answers: Vec<(u16, String)>) -> (String, JoinHandle<Vec<(String, String)>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let serve = |(status, body): (u16, String)| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let lines = reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty());
            let head: Vec<String> = lines.collect();
            let length =
                head.iter().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let mut content = vec![0; length.unwrap_or(0)];
            reader.read_exact(&mut content).unwrap();
            let length = body.len();
            write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
                .unwrap();
            (head[0].clone(), String::from_utf8(content).unwrap())
        };
        answers.into_iter().map(serve).collect()
    });
    (url, asked)
}

/// Saves a phone with one key of jeff, and gives a request to authenticate with it.
async fn registered(house: &House, path: &Path) -> UafRequest {
    let jeff = house.user("jeff").await;
    let request = house.requests.request(&asker(&jeff), OperationKind::Reg, None).await.unwrap();
    let request = RegistrationRequest::from_message(&request.message).unwrap();
    let (response, key) = Authenticator::new(phone::MODEL.parse().unwrap()).register(&request, &[]).unwrap();
    house.answer(AnswerAt::Registration, &response).await.unwrap();
    State { keys: vec![key], ..State::fresh() }.save(path).unwrap();
    house.requests.request(&asker(&jeff), OperationKind::Auth, None).await.unwrap()
}

fn counter(path: &Path) -> u32 {
    State::load(path).unwrap().keys[0].sign_counter()
}

fn device(gateway: &str, state: &Path, redeem_url: &str) -> Device {
    let payload = json!({
        "nma_data": {"token": "the-token", "redeem_url": redeem_url},
        "nma_data_content_type": "application/json", "nma_data_version": "1",
    });
    Device {
        action: Action::Approve { message: base64url::encode(payload.to_string()) },
        gateway: gateway.to_owned(),
        ca: None,
        user: "jeff".into(),
        password_stdin: false,
        state: state.to_owned(),
        data: "var".into(),
    }
}

#[tokio::test]
async fn a_counter_that_was_used_is_kept_when_the_answer_fails() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.json");
    let request = registered(&House::new(), &path).await;
    let before = counter(&path);
    let redeemed = serde_json::to_string(&request.into_reply()).unwrap();
    for used in 1..=2 {
        let (url, asked) = gateway(vec![(200, redeemed.clone()), (503, r#"{"detail":"full"}"#.into())]);
        let refused = device(&url, &path, &format!("{url}/redeem")).act().await;
        assert!(matches!(refused, Err(PhoneError::Refused { status: 503, .. })), "{refused:?}");
        let asked = asked.join().unwrap();
        assert_eq!(asked[0], ("POST /redeem HTTP/1.1".into(), r#"{"token":"the-token"}"#.into()));
        assert!(asked[1].0.starts_with("POST /nevisfido/uaf/1.1/authentication "), "{}", asked[1].0);
        assert_eq!(counter(&path), before + used);
    }
}

#[tokio::test]
async fn a_token_is_not_sent_to_a_foreign_redeem_url() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.json");
    registered(&House::new(), &path).await;
    let foreign = TcpListener::bind("127.0.0.1:0").unwrap();
    foreign.set_nonblocking(true).unwrap();
    let redeem_url = format!("http://{}/redeem", foreign.local_addr().unwrap());
    let refused = device("http://127.0.0.1:9", &path, &redeem_url).act().await;
    assert!(matches!(&refused, Err(PhoneError::Message(why)) if why.contains("not the gateway")), "{refused:?}");
    assert_eq!(foreign.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}
