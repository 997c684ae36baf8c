//! `dispatchInformation.data`: what a relying party adds to the payload.

use serde_json::{Map, Value};

/// The most bytes that the data may have, serialised (`http-api.md` 0.5).
const MAX_DATA: usize = 1024;

/// Data that can't be dispatched: HTTP 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DataFault {
    /// It would stand beside, or in place of, what we put there.
    #[error("the members token and redeem_url are not the caller's to set")]
    Reserved,
    /// Over 1 KiB.
    #[error("longer than 1 KiB")]
    Size,
}

/// Members that go into the payload at the level of `token` and `redeem_url`; they can't replace those.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DispatchData(Map<String, Value>);

impl DispatchData {
    /// Checks the members.
    ///
    /// # Errors
    /// Why they can't be dispatched.
    pub fn new(members: Map<String, Value>) -> Result<Self, DataFault> {
        if members.contains_key("token") || members.contains_key("redeem_url") {
            return Err(DataFault::Reserved);
        }
        // A map of JSON values always has a JSON form.
        let size = serde_json::to_string(&members).map_or(usize::MAX, |text| text.len());
        if size > MAX_DATA { Err(DataFault::Size) } else { Ok(Self(members)) }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The members.
    #[must_use]
    pub fn members(&self) -> &Map<String, Value> {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(value: Value) -> Result<DispatchData, DataFault> {
        let Value::Object(members) = value else { panic!("an object") };
        DispatchData::new(members)
    }

    #[test]
    fn our_own_members_cannot_be_given() {
        for name in ["token", "redeem_url"] {
            assert_eq!(data(serde_json::json!({"a": 1, name: null})), Err(DataFault::Reserved), "{name}");
        }
        assert!(data(serde_json::json!({"Token": 1, "nested": {"token": 2}})).is_ok());
    }

    #[test]
    fn a_kib_is_the_most() {
        let of = |length: usize| data(serde_json::json!({"a": "x".repeat(length - 8)}));
        assert!(of(MAX_DATA).is_ok());
        assert_eq!(of(MAX_DATA + 1), Err(DataFault::Size));
    }
}
