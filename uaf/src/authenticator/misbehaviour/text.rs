//! Faults in the JSON of the message: its form, and the header, which no signature covers.

use serde_json::{Value, json};

use super::Misbehaviour;
use crate::encoding::{decode, encode};
use crate::wire::{Operation, Response};

/// The message, wrong if this is about its JSON.
pub(super) fn spoil(how: Misbehaviour, response: &Response) -> String {
    let message = response.to_message();
    let bare = || message.trim_start_matches('[').trim_end_matches(']');
    match how {
        Misbehaviour::NoArray => bare().to_owned(),
        Misbehaviour::EmptyArray => "[]".to_owned(),
        Misbehaviour::TwoDictionaries => format!("[{},{}]", bare(), bare()),
        Misbehaviour::RepeatedMember => message.replacen('{', "{\"x\":1,\"x\":1,", 1),
        Misbehaviour::HalfCharacter => message.replacen('{', "{\"x\":\"\\ud800\",", 1),
        Misbehaviour::DeepJson => {
            let deep = format!("{{\"x\":{}{},", "[".repeat(100), "]".repeat(100));
            message.replacen('{', &deep, 1)
        }
        _ => in_place(how, response, message),
    }
}

fn in_place(how: Misbehaviour, response: &Response, message: String) -> String {
    let (parent, name, value) = match how {
        Misbehaviour::MistypedMember => ("/0", "fcParams", Some(json!(7))),
        Misbehaviour::NullMember => ("/0", "x", Some(Value::Null)),
        Misbehaviour::LongMember => ("/0/header", "appID", Some(json!("x".repeat(513)))),
        Misbehaviour::RewrittenParams => ("/0", "fcParams", Some(json!(rewritten(&response.fc_params)))),
        Misbehaviour::OtherVersion => ("/0/header", "upv", Some(json!({"major": 2, "minor": 0}))),
        Misbehaviour::OtherOperation => {
            let other = if response.header.op == Operation::Reg { "Auth" } else { "Reg" };
            ("/0/header", "op", Some(json!(other)))
        }
        Misbehaviour::OtherAppId => ("/0/header", "appID", Some(json!("https://other.example"))),
        Misbehaviour::ChangedServerData => ("/0/header", "serverData", Some(json!(changed(response)))),
        Misbehaviour::NoServerData => ("/0/header", "serverData", None),
        Misbehaviour::UnknownExtension => ("/0/header", "exts", Some(extensions())),
        Misbehaviour::UnknownAssertionExtension => ("/0/assertions/0", "exts", Some(extensions())),
        Misbehaviour::OtherScheme => ("/0/assertions/0", "assertionScheme", Some(json!("WAV1CBOR"))),
        Misbehaviour::NoAssertions => ("/0", "assertions", Some(json!([]))),
        _ => return message,
    };
    let mut changed: Value = serde_json::from_str(&message).unwrap_or_default();
    if let Some(members) = changed.pointer_mut(parent).and_then(Value::as_object_mut) {
        match value {
            Some(value) => drop(members.insert(name.to_owned(), value)),
            None => drop(members.remove(name)),
        }
    }
    changed.to_string()
}

/// One that nobody knows and everybody must.
fn extensions() -> Value {
    json!([{"id": "x", "data": "", "fail_if_unknown": true}])
}

/// The same JSON with a space in it.
fn rewritten(params: &str) -> String {
    let text = decode(params).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).replacen('{', "{ ", 1);
    encode(text.as_bytes())
}

/// serverData with another first character; its first byte tells nothing that could be refused before its seal.
fn changed(response: &Response) -> String {
    let text = response.header.server_data.as_ref().map_or("", |text| text.as_str());
    let mut letters: Vec<char> = text.chars().collect();
    if let Some(letter) = letters.get_mut(2) {
        *letter = if *letter == 'A' { 'B' } else { 'A' };
    }
    letters.into_iter().collect()
}
