//! The phone against a scripted gateway.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use serde_json::json;
use sidegate_filters::Caller;
use sidegate_filters::jws::base64url;
use sidegate_uaf::authenticator::Authenticator;
use sidegate_uaf::wire::RegistrationRequest;

use super::*;
use crate::cli::data::DEMO_PASSWORD;
use crate::fido::{AnswerAt, UafRequest};
use crate::oob::testing::{House, asker};
use crate::store::operation::OperationKind;
use crate::store::{DataFolder, private_file};
use flags::{At, PasswordLogin};
use state::State;

/// Gives one answer a connection (none where the status is 0), and then what it was asked: request line and body.
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
            if status == 0 {
                return (head[0].clone(), String::from_utf8(content).unwrap());
            }
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
    let (response, key) = Authenticator::new(sidegate_uaf::authenticator::SOFTWARE_MODEL.parse().unwrap())
        .register(&request, &[])
        .unwrap();
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
    let (message, maker, fault) = (base64url::encode(payload.to_string()), KeyMaker::default(), Fault::default());
    let action = Action::Approve { message, picture: None, maker, fault, kept: kept(state, gateway) };
    Device { action }
}

fn kept(state: &Path, gateway: &str) -> Kept {
    Kept { state: state.to_owned(), at: At { url: gateway.to_owned(), ca: None } }
}

/// A phone that registers for the user demo, whose password is in a data folder.
fn register(gateway: &str, folder: &Path) -> Device {
    let data = folder.join("var");
    private_file::replace(DataFolder::open(&data).unwrap().file(DEMO_PASSWORD).as_path(), b"secret\n").unwrap();
    register_with(gateway, folder, data)
}

fn register_with(gateway: &str, folder: &Path, data: PathBuf) -> Device {
    let login = PasswordLogin { user: "demo".into(), password_stdin: false, config: None, data: Some(data) };
    let kept = kept(&folder.join("phone.json"), gateway);
    let action = Action::Register { login, maker: KeyMaker::default(), fault: Fault::default(), kept };
    Device { action }
}

fn delete(gateway: &str, folder: &Path) -> Device {
    let kept = kept(&folder.join("phone.json"), gateway);
    Device { action: Action::Delete { kept } }
}

async fn asked(house: &House, user: &Caller, operation: OperationKind) -> (u16, String) {
    let request = house.requests.request(&asker(user), operation, None).await.unwrap();
    (200, serde_json::to_string(&request.into_reply()).unwrap())
}

/// What a gateway says to an answer.
fn says(code: u16) -> (u16, String) {
    (200, json!({ "statusCode": code }).to_string())
}

/// No answer at all.
const LOST: (u16, String) = (0, String::new());

fn targeted(path: &Path) -> bool {
    State::load(path).unwrap().target.is_some()
}

#[tokio::test]
async fn a_target_is_forgotten_once_it_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.json");
    let house = House::new();
    registered(&house, &path).await;
    let jeff = house.user("jeff").await;
    let p256 = || sidegate_filters::jws::KeyKind::Ec(sidegate_filters::jws::EcCurve::P256);
    let signing = crate::jose::MessageSigningKey::generate(p256()).unwrap();
    let encryption = crate::jose::DecryptionKey::generate(p256()).unwrap();
    let target = state::Target { id: "t".into(), signing, encryption };
    State { target: Some(target), ..State::load(&path).unwrap() }.save(&path).unwrap();
    for (deletion, kept) in [((503, String::new()), true), (LOST, true), ((404, String::new()), false)] {
        let mut answers = vec![asked(&house, &jeff, OperationKind::Auth).await, says(1200), deletion];
        // What comes after a deletion that went well.
        answers.extend((!kept).then(|| (503, String::new())));
        let (url, heard) = gateway(answers);
        delete(&url, folder.path()).act().await.unwrap_err();
        assert_eq!(heard.join().unwrap()[2].0, "DELETE /nevisfido/token/dispatch/targets/t HTTP/1.1");
        assert_eq!(targeted(&path), kept);
    }
}

#[tokio::test]
async fn a_key_is_kept_until_the_gateway_refused_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.json");
    let house = House::new();
    let jeff = house.user("jeff").await;
    let registered_with = async |last: (u16, String)| {
        let answers = vec![(200, "{}".to_owned()), asked(&house, &jeff, OperationKind::Reg).await, last];
        let (url, heard) = gateway(answers);
        let done = register(&url, folder.path()).act().await;
        heard.join().unwrap();
        done
    };
    for refusal in [says(1492), (401, String::new())] {
        registered_with(refusal).await.unwrap_err();
        assert!(!path.exists(), "a phone without keys has no file");
    }
    registered_with(LOST).await.unwrap_err();
    let kept = State::load(&path).unwrap();
    assert!(kept.unconfirmed && kept.keys.len() == 1);
}

#[tokio::test]
async fn a_key_in_doubt_is_settled_by_the_next_registration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.json");
    let house = House::new();
    registered(&house, &path).await;
    let jeff = house.user("jeff").await;
    let doubt = || State { unconfirmed: true, ..State::load(&path).unwrap() }.save(&path).unwrap();
    doubt();
    let (url, heard) = gateway(vec![asked(&house, &jeff, OperationKind::Auth).await, says(1200)]);
    register(&url, folder.path()).act().await.unwrap();
    heard.join().unwrap();
    assert!(!State::load(&path).unwrap().unconfirmed);

    doubt();
    let (url, heard) = gateway(vec![asked(&house, &jeff, OperationKind::Auth).await, says(1481)]);
    delete(&url, folder.path()).act().await.unwrap();
    heard.join().unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn a_key_in_doubt_takes_the_doubt_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.json");
    let house = House::new();
    let jeff = house.user("jeff").await;
    for (is_doubted, left) in [(true, false), (false, true)] {
        registered(&house, &path).await;
        let first = State::load(&path).unwrap().keys.remove(0);
        registered(&house, &path).await;
        let last = State::load(&path).unwrap().keys.remove(0);
        let gone = if is_doubted { last.key_ref() } else { first.key_ref() };
        State { keys: vec![first, last], unconfirmed: true, ..State::fresh() }.save(&path).unwrap();
        let context = json!({"mode": "key", "aaid": gone.aaid.as_str(), "keyId": gone.key_id.to_base64url()});
        let request = house.requests.request(&asker(&jeff), OperationKind::Dereg, Some(&context.to_string())).await;
        let redeemed = serde_json::to_string(&request.unwrap().into_reply()).unwrap();
        let (url, heard) = gateway(vec![(200, redeemed)]);
        device(&url, &path, &format!("{url}/redeem")).act().await.unwrap();
        heard.join().unwrap();
        let kept = State::load(&path).unwrap();
        assert_eq!((kept.keys.len(), kept.unconfirmed), (1, left));
    }
}

#[tokio::test]
async fn a_phone_that_did_nothing_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = "http://127.0.0.1:9";
    let absent = register_with(nowhere, folder.path(), folder.path().join("absent"));
    for device in [absent, delete(nowhere, folder.path())] {
        device.act().await.unwrap_err();
        assert!(!folder.path().join("phone.json").exists());
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
async fn a_phone_without_a_key_leaves_the_token_to_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.json");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let approval = device(&url, &path, &format!("{url}/nevisfido/token/redeem/authentication?x"));
    let Action::Approve { message, .. } = &approval.action else { panic!("an approval") };
    let denial = Action::Deny { message: message.clone(), kept: kept(&path, &url) };
    for device in [Device { action: denial }, approval] {
        let refused = device.act().await.unwrap_err().to_string();
        assert_eq!(refused, "this phone has no key yet: run `sidegate device register` first");
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "the token is not redeemed");
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

#[tokio::test]
async fn what_is_no_gateway_is_told_by_how_it_refuses() {
    let folder = tempfile::tempdir().unwrap();
    for (answer, is_strange) in [
        ((302, String::new()), true),
        ((403, "<html>".to_owned()), true),
        ((501, "<html>".to_owned()), true),
        ((502, String::new()), false),
        ((429, json!({ "detail": "too many" }).to_string()), false),
    ] {
        let told = format!("{answer:?}");
        let (url, heard) = gateway(vec![answer]);
        let device = register(&url, folder.path());
        let why = device.advised(device.act().await.unwrap_err());
        heard.join().unwrap();
        assert_eq!(matches!(why, PhoneError::Elsewhere { .. }), is_strange, "{told}: {why}");
    }
}
