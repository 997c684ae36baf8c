//! JSON that means the same to every reader: one object, no member twice at any depth, nothing after it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// No message that is read here has a fourth of these in one object; the rest is room for unknown ones.
const MAX_MEMBERS: usize = 64;

/// Why a text is no strict JSON object.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// Not JSON (RFC 8259), a member twice, over 64 of them in one object, nested over 128 levels, or data after the end.
    #[error("not strict JSON: {0}")]
    Malformed(#[from] serde_json::Error),
    /// JSON, but no object.
    #[error("not a JSON object")]
    NotAnObject,
}

/// Parses one JSON object.
///
/// # Errors
/// When it is none, or could be read in two ways.
pub fn object(text: &[u8]) -> Result<Map<String, Value>, JsonError> {
    match value(text)? {
        Value::Object(members) => Ok(members),
        _ => Err(JsonError::NotAnObject),
    }
}

/// Parses JSON of any kind as strictly.
///
/// # Errors
/// When it is none, or could be read in two ways.
pub fn value(text: &[u8]) -> Result<Value, JsonError> {
    Ok(serde_json::from_slice::<Strict>(text)?.0)
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let Strict(value) = members.next_value()?;
            if object.contains_key(&name) {
                let shown: String = name.chars().take(64).collect();
                return Err(A::Error::custom(format_args!("member {shown:?} appears twice")));
            }
            if object.len() == MAX_MEMBERS {
                return Err(A::Error::custom(format_args!("an object has over {MAX_MEMBERS} members")));
            }
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::member_twice(r#"{"a":1,"a":1}"#)]
    #[case::member_twice_spelt_apart(r#"{"a":1,"\u0061":1}"#)]
    #[case::member_twice_deep(r#"{"a":[{"b":{"c":1,"c":2}}]}"#)]
    #[case::trailing_data("{} {}")]
    #[case::trailing_comma(r#"{"a":1,}"#)]
    #[case::byte_order_mark("\u{feff}{}")]
    #[case::lone_surrogate(r#"{"a":"\ud800"}"#)]
    #[case::comment("{}//")]
    #[case::empty("")]
    fn refuses(#[case] text: &str) {
        assert!(matches!(object(text.as_bytes()), Err(JsonError::Malformed(_))), "{text}");
    }

    #[test]
    fn refuses_what_is_not_utf8() {
        assert!(matches!(object(b"{\"a\":\"\xff\"}"), Err(JsonError::Malformed(_))));
    }

    #[rstest]
    #[case(MAX_MEMBERS, true)]
    #[case(MAX_MEMBERS + 1, false)]
    fn an_object_has_so_many_members_at_any_depth(#[case] count: usize, #[case] good: bool) {
        let members: Vec<_> = (0..count).map(|number| format!(r#""{number}":0"#)).collect();
        let wide = format!("{{{}}}", members.join(","));
        for text in [wide.clone(), format!(r#"{{"a":[{wide}]}}"#)] {
            assert_eq!(object(text.as_bytes()).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn refuses_endless_nesting() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(matches!(object(deep.as_bytes()), Err(JsonError::Malformed(_))));
    }

    #[rstest]
    #[case("[]")]
    #[case("\"{}\"")]
    #[case("null")]
    fn refuses_what_is_no_object(#[case] text: &str) {
        assert!(matches!(object(text.as_bytes()), Err(JsonError::NotAnObject)));
    }

    #[test]
    fn reads_every_kind_of_value() {
        let text = r#"{"a":[true,null,-1,1.5,18446744073709551615,"é",{}]}"#;
        assert_eq!(Value::Object(object(text.as_bytes()).unwrap()), serde_json::from_str::<Value>(text).unwrap());
    }

    proptest! {
        #[test]
        fn never_panics(text in r#"[{}\[\]":,a1u\\ ]{0,24}"#) {
            let _ = object(text.as_bytes());
        }
    }
}
