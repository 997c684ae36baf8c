//! JSON as UAF allows it: no member twice, no `null`, little nesting, nothing behind the end.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Deepest nesting of any UAF message is below ten (array, request, policy, accepted, alternative, criterion, exts).
const MAX_DEPTH: usize = 16;
/// No UAF dictionary has more than thirteen members; the rest is room for unknown ones.
const MAX_MEMBERS: usize = 64;

/// What a list is that has to have an element.
pub(crate) const EMPTY_LIST: &str = "empty list";

/// Why a text is not the JSON that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonError {
    #[error("not JSON")]
    Syntax,
    #[error("a member occurs twice")]
    Duplicate,
    /// The path of the member.
    #[error("{0} is null; leave the member out")]
    Null(String),
    #[error("nested too deeply or too many members")]
    Size,
    /// The path of the member that is missing, of the wrong type or out of its limits; never its value.
    #[error("member {0}")]
    Member(String),
}

/// Reads a `T` from `text` after the whole text was found to be clean, members unknown to `T` included.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, JsonError> {
    read(text, Nulls::Refused)
}

/// The same of a file that an administrator wrote: the fault says the line, and what would be right.
pub(crate) fn parse_file<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    parse(text).map_err(|fault| match &fault {
        JsonError::Syntax => {
            let of_syntax = serde_json::from_str::<serde::de::IgnoredAny>(text).err();
            of_syntax.map_or_else(|| fault.to_string(), |error| format!("{fault}: {error}"))
        }
        // One that is missing is the fault itself.
        JsonError::Member(path) if path.ends_with(" missing") || path.ends_with(EMPTY_LIST) => fault.to_string(),
        JsonError::Member(_) => {
            let of_member = serde_json::from_str::<T>(text).err();
            of_member.map_or_else(|| fault.to_string(), |error| format!("{fault}: {error}"))
        }
        JsonError::Duplicate | JsonError::Null(_) | JsonError::Size => fault.to_string(),
    })
}

/// The same for an object whose own members may be `null`, as writers in Java leave out what they don't have: for a
/// `T` whose members are all optional.
pub(crate) fn parse_with_null_members<T: DeserializeOwned>(text: &str) -> Result<T, JsonError> {
    read(text, Nulls::AsMembers)
}

fn read<T: DeserializeOwned>(text: &str, nulls: Nulls) -> Result<T, JsonError> {
    let mut fault = None;
    let mut reader = serde_json::Deserializer::from_str(text);
    let clean = Clean { depth: MAX_DEPTH, nulls, fault: &mut fault };
    let clean = clean.deserialize(&mut reader).and_then(|()| reader.end());
    if clean.is_err() {
        return Err(fault.unwrap_or(JsonError::Syntax));
    }
    serde_json::from_str(text).map_err(|_| JsonError::Member(path_of_fault::<T>(text)))
}

/// Reads a second time, keeping track of the path: only for messages that are refused anyway.
fn path_of_fault<T: DeserializeOwned>(text: &str) -> String {
    let mut reader = serde_json::Deserializer::from_str(text);
    match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        Ok(_) => String::new(),
        Err(error) => {
            let path = error.path().to_string();
            let message = error.into_inner().to_string();
            match message.strip_prefix("missing field `").and_then(|rest| rest.split_once('`')) {
                Some((name, _)) if path == "." => format!("{name} missing"),
                Some((name, _)) => format!("{path}: {name} missing"),
                None if message.starts_with(EMPTY_LIST) => format!("{path}: an {EMPTY_LIST}"),
                None => path,
            }
        }
    }
}

/// Where in the value at hand `null` may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nulls {
    /// It is `null` itself.
    Here,
    /// It is an object, and a member is `null`.
    AsMembers,
    /// Nowhere.
    Refused,
}

struct Clean<'f> {
    depth: usize,
    nulls: Nulls,
    fault: &'f mut Option<JsonError>,
}

impl Clean<'_> {
    fn refuse<E: serde::de::Error>(&mut self, fault: JsonError) -> E {
        let error = E::custom("unclean");
        *self.fault = Some(fault);
        error
    }

    /// Tells on the way out where a `null` was; what it costs is paid by a text that is refused.
    fn locate(&mut self, step: &str) {
        if let Some(JsonError::Null(path)) = self.fault {
            let dot = if path.is_empty() || path.starts_with('[') { "" } else { "." };
            *path = format!("{step}{dot}{path}");
        }
    }

    fn deeper<E: serde::de::Error>(&mut self, nulls: Nulls) -> Result<Clean<'_>, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Clean { depth, nulls, fault: self.fault }),
            None => Err(self.refuse(JsonError::Size)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Clean<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Visitor<'de> for Clean<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: serde::de::Error>(mut self) -> Result<(), E> {
        if self.nulls == Nulls::Here { Ok(()) } else { Err(self.refuse(JsonError::Null(String::new()))) }
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        for at in 0_usize.. {
            match seq.next_element_seed(self.deeper(Nulls::Refused)?) {
                Ok(Some(())) => {}
                Ok(None) => break,
                Err(error) => {
                    self.locate(&format!("[{at}]"));
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut seen: Vec<Cow<'de, str>> = Vec::new();
        let nulls = if self.nulls == Nulls::AsMembers { Nulls::Here } else { Nulls::Refused };
        while let Some(Name(name)) = map.next_key()? {
            if seen.contains(&name) {
                return Err(self.refuse(JsonError::Duplicate));
            }
            if seen.len() == MAX_MEMBERS {
                return Err(self.refuse(JsonError::Size));
            }
            if let Err(error) = map.next_value_seed(self.deeper(nulls)?) {
                self.locate(shown(&name));
                return Err(error);
            }
            seen.push(name);
        }
        Ok(())
    }
}

/// A member's name for a message; one that no dictionary would have may be anything, and is not repeated.
fn shown(name: &str) -> &str {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if plain && (1..=64).contains(&name.len()) { name } else { "…" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[derive(Debug, Deserialize)]
    struct Inner {
        #[serde(rename = "a")]
        _a: u16,
    }

    #[derive(Debug, Deserialize)]
    struct Outer {
        #[serde(rename = "list")]
        _list: Vec<Inner>,
    }

    #[rstest]
    #[case(r#"{"list":[{"a":1}]} x"#, JsonError::Syntax)]
    #[case(r#"{"list":[{"a":1}]"#, JsonError::Syntax)]
    #[case(r#"{"list":[{"a":1}],"list":[]}"#, JsonError::Duplicate)]
    #[case(r#"{"list":[],"other":{"b":[{"c":1,"\u0063":2}]}}"#, JsonError::Duplicate)]
    #[case(r#"{"list":[],"other":{"b":null}}"#, JsonError::Null("other.b".into()))]
    #[case(r#"{"list":[],"other":[{},[0,null]]}"#, JsonError::Null("other[1][1]".into()))]
    #[case(r#"[0,{"a":null}]"#, JsonError::Null("[1].a".into()))]
    #[case(r#"{"list":[],"x y\n":[{"b":null}]}"#, JsonError::Null("…[0].b".into()))]
    #[case(r#"{"list":[{"a":1},{"a":"1"}]}"#, JsonError::Member("list[1].a".into()))]
    #[case(r#"{"list":[{"a":70000}]}"#, JsonError::Member("list[0].a".into()))]
    #[case(r#"{"list":[{}]}"#, JsonError::Member("list[0]: a missing".into()))]
    fn a_fault_is_named(#[case] text: &str, #[case] fault: JsonError) {
        assert_eq!(parse::<Outer>(text).unwrap_err(), fault);
    }

    #[rstest]
    #[case("{\n\"list\": [,]}", "not JSON: expected value at line 2 column 10")]
    #[case(r#"{"list":[{"a":1}]} x"#, "not JSON: trailing characters at line 1 column 20")]
    #[case(
        "{\"list\":[\n{\"a\":\"1\"}]}",
        "member list[0].a: invalid type: string \"1\", expected u16 at line 2 column 8"
    )]
    #[case("{}", "member list missing")]
    fn a_fault_of_a_file_says_where_it_is_and_what_would_be_right(#[case] text: &str, #[case] fault: &str) {
        assert_eq!(parse_file::<Outer>(text).unwrap_err(), fault);
    }

    #[derive(Debug, Deserialize)]
    struct Optional {
        a: Option<u16>,
    }

    #[rstest]
    #[case(r#"{"a":null,"x":null}"#, Ok(None))]
    #[case(r#"{"a":1,"x":{"b":1}}"#, Ok(Some(1)))]
    #[case(r#"{"a":null,"a":null}"#, Err(JsonError::Duplicate))]
    #[case(r#"{"x":{"b":null}}"#, Err(JsonError::Null("x.b".into())))]
    #[case(r#"{"x":[null]}"#, Err(JsonError::Null("x[0]".into())))]
    #[case("null", Err(JsonError::Null(String::new())))]
    fn null_members_are_absent_where_they_may_be(#[case] text: &str, #[case] read: Result<Option<u16>, JsonError>) {
        assert_eq!(parse_with_null_members::<Optional>(text).map(|read| read.a), read);
        assert!(!text.contains("null") || parse::<Optional>(text).is_err());
    }

    #[test]
    fn nesting_and_width_are_limited_even_in_unknown_members() {
        let nested = |depth: usize| format!(r#"{{"list":[],"x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        assert!(parse::<Outer>(&nested(MAX_DEPTH - 1)).is_ok());
        assert_eq!(parse::<Outer>(&nested(MAX_DEPTH)).unwrap_err(), JsonError::Size);
        let wide = |members: usize| {
            let list: Vec<_> = (1..members).map(|n| format!(r#","m{n}":0"#)).collect();
            format!(r#"{{"list":[]{}}}"#, list.concat())
        };
        assert!(parse::<Outer>(&wide(MAX_MEMBERS)).is_ok());
        assert_eq!(parse::<Outer>(&wide(MAX_MEMBERS + 1)).unwrap_err(), JsonError::Size);
    }
}
