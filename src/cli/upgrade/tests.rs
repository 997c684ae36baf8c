//! What one gateway writes for another to read.

use std::collections::BTreeSet;

use serde::Deserialize as _;
use serde_json::Value;

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
