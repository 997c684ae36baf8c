//! What one gateway writes for another to read.

use std::collections::BTreeSet;

use serde::Deserialize as _;
use serde_json::Value;

use super::*;
use crate::store::Operation;
use crate::store::operation::{Outcome, State};

/// The form that a gateway of this version writes.
fn written() -> Value {
    let written: Value = serde_json::from_str(include_str!("tests/memory.json")).unwrap();
    assert_eq!(written["version"], wire::VERSION, "write down the form of this version");
    written["memory"].clone()
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
