//! What one gateway writes for another to read.

use std::collections::BTreeSet;

use serde::Deserialize as _;
use serde_json::{Value, json};
use sidegate_uaf::authentication::AuthenticationState;
use sidegate_uaf::registration::RegistrationState;
use sidegate_uaf::relay::Issue;
use tokio::io::AsyncWriteExt as _;

use super::*;
use crate::fido::{AnswerAt, Arrival};
use crate::oob::testing::House;
use crate::store::operation::{Outcome, State};
use crate::store::{Operation, Origin};

/// What a gateway of this version writes, and answers to what it handed out.
fn file() -> Value {
    let written: Value = serde_json::from_str(include_str!("tests/memory.json")).unwrap();
    assert_eq!(written["version"], wire::VERSION, "write down the form of this version");
    written
}

/// The form that a gateway of this version writes.
fn written() -> Value {
    file()["memory"].take()
}

/// The state's name. One that is new has to be written down too.
fn name(state: &State) -> &'static str {
    match state {
        State::Created => "created",
        State::Claimed { .. } => "claimed",
        State::Redeemed { .. } => "redeemed",
        State::Answered { .. } => "answered",
        State::Done { outcome: Outcome::Succeeded { .. }, .. } => "succeeded",
        State::Done { outcome: Outcome::Failed { .. }, .. } => "failed",
    }
}

#[test]
fn who_does_not_read_what_is_handed_over_holds_nobody_up() {
    let (mut here, there) = UnixStream::pair().unwrap();
    let bytes = vec![0; 8 << 20];
    let stuck = write_within(Duration::from_millis(50), &mut here, &bytes).unwrap_err();
    assert_eq!(stuck.kind(), ErrorKind::TimedOut);
    let (mut here, mut other) = UnixStream::pair().unwrap();
    let reader = std::thread::spawn(move || other.read_to_end(&mut Vec::new()));
    write_within(Duration::from_secs(60), &mut here, &bytes).unwrap();
    drop((here, there));
    assert_eq!(reader.join().unwrap().unwrap(), bytes.len());
}

/// Waits as a successor does, with `before` as the one that it gave its word.
async fn taken_over<F: Future<Output = ()>>(
    before: impl FnOnce(tokio::net::UnixStream) -> F,
    stopped: impl Future<Output = ()>,
) -> Result<Memory, UpgradeError> {
    let (stream, there) = UnixStream::pair().unwrap();
    there.set_nonblocking(true).unwrap();
    let before = before(tokio::net::UnixStream::from_std(there).unwrap());
    let taken = Taken { stream, sockets: Vec::new(), has_keys: false };
    tokio::join!(taken.take_over(stopped), before).0
}

/// Time passes at once where nothing else is to be done.
#[tokio::test(start_paused = true)]
async fn the_one_before_may_take_as_long_as_it_wants_to() {
    let expected = written();
    let memory = serde_json::to_vec(&expected).unwrap();
    let before = async |mut stream: tokio::net::UnixStream| {
        assert_eq!(stream.read_u8().await.unwrap(), GO);
        tokio::time::sleep(Duration::from_secs(24 * 3600)).await;
        stream.write_u64(memory.len() as u64).await.unwrap();
        stream.write_all(&memory).await.unwrap();
        tokio::time::sleep(Duration::from_secs(24 * 3600)).await;
    };
    let memory = taken_over(before, std::future::pending()).await.unwrap();
    assert_eq!(serde_json::to_value(&memory).unwrap(), expected);
}

#[tokio::test]
async fn one_before_that_ends_without_a_word_leaves_nothing() {
    for begun in [&b""[..], &[0, 0, 0, 0, 0, 0, 0, 9, b'{']] {
        let before = async |mut stream: tokio::net::UnixStream| {
            assert_eq!(stream.read_u8().await.unwrap(), GO);
            stream.write_all(begun).await.unwrap();
        };
        let memory = taken_over(before, std::future::pending()).await.unwrap();
        assert_eq!(memory.sessions(), 0);
    }
}

#[tokio::test]
async fn a_stop_ends_the_wait() {
    let (told, stopped) = tokio::sync::oneshot::channel();
    let before = async |mut stream: tokio::net::UnixStream| {
        assert_eq!(stream.read_u8().await.unwrap(), GO);
        told.send(()).unwrap();
        // It hangs, and is left.
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    };
    let waited = taken_over(before, async { stopped.await.unwrap() }).await;
    assert!(matches!(waited, Err(UpgradeError::Stopped(_))));
}

#[tokio::test]
async fn a_stop_before_the_word_gives_none() {
    let mut said = Vec::new();
    let before = async |mut stream: tokio::net::UnixStream| {
        stream.read_to_end(&mut said).await.unwrap();
    };
    let waited = taken_over(before, std::future::ready(())).await;
    assert!(matches!(waited, Err(UpgradeError::Told)));
    assert_eq!(said, b"ntold to stop");
}

#[test]
fn another_form_of_what_is_handed_over_is_another_version() {
    let memory = Memory::deserialize(&written()).expect("another form takes another VERSION");
    assert_eq!(serde_json::to_value(&memory).unwrap(), written(), "another form takes another VERSION");
}

#[test]
fn every_state_of_an_operation_is_written_down() {
    let written = written();
    let of = |entry: &Value| Operation::deserialize(&entry[1]).unwrap();
    let operations: Vec<Operation> = written["operations"].as_array().unwrap().iter().map(of).collect();
    let states: BTreeSet<_> = operations.iter().map(|operation| name(&operation.state)).collect();
    assert_eq!(states.len(), 6, "{states:?}");
    let purposes: BTreeSet<_> = operations.iter().map(|operation| operation.purpose.word()).collect();
    assert_eq!(purposes.len(), 6, "{purposes:?}");
}

/// What the UAF servers kept of requests that were handed out.
fn states() -> Vec<Value> {
    let written = written();
    let handed_out = written["operations"].as_array().unwrap().iter().map(|entry| &entry[1]["state"]["Redeemed"]);
    let challenges = handed_out.filter_map(|state| state["challenge"].as_array());
    let text = |bytes: &Vec<Value>| bytes.iter().map(|byte| u8::deserialize(byte).unwrap()).collect::<Vec<_>>();
    challenges.map(|bytes| serde_json::from_slice(&text(bytes)).unwrap()).collect()
}

/// What whoever reads a state writes.
fn rewritten(state: &Value) -> Value {
    let rewrite = || -> serde_json::Result<Value> {
        Ok(match state.as_object().unwrap().iter().next().unwrap() {
            (form, state) if form == "Registration" => {
                json!({form: serde_json::to_value(RegistrationState::deserialize(state)?)?})
            }
            (form, state) if form == "Authentication" => {
                json!({form: serde_json::to_value(AuthenticationState::deserialize(state)?)?})
            }
            _ => serde_json::to_value(Issue::deserialize(state)?)?,
        })
    };
    rewrite().expect("another form takes another VERSION")
}

/// What it is a state of.
fn form(state: &Value) -> &'static str {
    let inside = &state["Authentication"];
    match (&state["operation"], inside.is_object()) {
        (Value::String(kind), _) if kind == "Reg" => "registration behind",
        (Value::String(_), _) => "authentication behind",
        (_, false) => "registration",
        (_, true) if inside["claimant"] == "Anyone" => "of anyone",
        (_, true) if inside["claimant"]["Named"]["exists"] == 0 => "of a decoy",
        (_, true) if inside["asked"] != json!([]) => "transaction",
        (_, true) => "authentication",
    }
}

#[test]
fn every_state_of_a_uaf_server_is_written_down_and_reads_as_it_was() {
    let states = states();
    for state in &states {
        assert_eq!(rewritten(state), *state, "another form takes another VERSION");
    }
    let forms: BTreeSet<_> = states.iter().map(form).collect();
    assert_eq!(forms.len(), 7, "{forms:?}");
}

/// The states that a UAF server keeps, and its serverData, are forms of their own inside of what is handed over.
#[tokio::test]
async fn what_was_handed_out_before_is_answered_after() {
    let (file, house) = (file(), House::new());
    for entry in file["memory"]["operations"].as_array().unwrap() {
        let operation = Operation::deserialize(&entry[1]).unwrap();
        if matches!(operation.state, State::Redeemed { .. }) {
            // The session that stands behind the registration is not of this house.
            house.operations.create(Operation { warrant: None, ..operation }, &Origin::Internal).await.unwrap();
        }
    }
    for (at, answer) in [(AnswerAt::Registration, "registration"), (AnswerAt::Login, "login")] {
        let uaf_response = file["answers"][answer].as_str().unwrap();
        let arrival = Arrival { at, uaf_response, context: None, from: None };
        let answered = house.fido.open(&arrival).take().await.expect("another form takes another VERSION");
        assert_eq!(answered.user.unwrap().ext_id.as_str(), "ext-jeff");
    }
}

#[test]
fn one_before_that_says_nothing_in_time_is_told_as_that() {
    let (here, _there) = UnixStream::pair().unwrap();
    here.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    let error = UpgradeError::from((&here).read(&mut [0]).unwrap_err());
    assert!(error.to_string().contains("another start with --upgrade is under way there, or hangs"), "{error}");
}
