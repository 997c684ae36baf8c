//! Faults in fcParams, hashed with them.

use std::fmt;

use serde_json::{Map, Value, json};

use super::Misbehaviour;
use crate::encoding::{decode, encode};

/// A member of fcParams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Param {
    /// The application.
    AppId,
    /// The server's nonce.
    Challenge,
    /// The calling app.
    FacetId,
    /// The TLS channel.
    ChannelBinding,
}

impl Param {
    pub(super) const ALL: [Self; 4] = [Self::AppId, Self::Challenge, Self::FacetId, Self::ChannelBinding];

    const fn member(self) -> &'static str {
        match self {
            Self::AppId => "appID",
            Self::Challenge => "challenge",
            Self::FacetId => "facetID",
            Self::ChannelBinding => "channelBinding",
        }
    }

    fn other(self) -> Value {
        match self {
            Self::AppId | Self::FacetId => json!("https://other.example"),
            Self::Challenge => json!(encode(&[3; 32])),
            Self::ChannelBinding => json!({ "serverEndPoint": "other" }),
        }
    }
}

impl fmt::Display for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AppId => "app-id",
            Self::Challenge => "challenge",
            Self::FacetId => "facet-id",
            Self::ChannelBinding => "channel-binding",
        })
    }
}

/// The text of fcParams as it is hashed, if this is about it.
pub(super) fn spoiled(how: Misbehaviour, text: &str) -> Option<String> {
    let bytes = decode(text).unwrap_or_default();
    let with = |change: &dyn Fn(&mut Map<String, Value>)| {
        let mut params = serde_json::from_slice(&bytes).unwrap_or_default();
        change(&mut params);
        encode(Value::Object(params).to_string().as_bytes())
    };
    let set = |param: Param, value: Value| with(&|params| drop(params.insert(param.member().into(), value.clone())));
    Some(match how {
        Misbehaviour::WithoutParam(param) => with(&|params| drop(params.remove(param.member()))),
        Misbehaviour::EmptyParam(param) => set(param, json!("")),
        Misbehaviour::MistypedParam(param) => set(param, json!(7)),
        Misbehaviour::OtherParam(param) => set(param, param.other()),
        Misbehaviour::PaddedParams => padded(bytes),
        // Three question marks at a multiple of three bytes have a character that the alphabets differ in.
        Misbehaviour::StandardParams => {
            with(&|params| drop(params.insert("x".into(), json!("?????")))).replace('_', "/").replace('-', "+")
        }
        Misbehaviour::RepeatedParam => {
            let text = String::from_utf8_lossy(&bytes).replacen('{', "{\"x\":1,\"x\":1,", 1);
            encode(text.as_bytes())
        }
        Misbehaviour::BinaryParams => encode(&[&bytes[..], &[0xff]].concat()),
        _ => return None,
    })
}

/// With spaces behind it, so that base64 has two characters of padding.
fn padded(mut text: Vec<u8>) -> String {
    while text.len() % 3 != 1 {
        text.push(b' ');
    }
    encode(&text) + "=="
}
