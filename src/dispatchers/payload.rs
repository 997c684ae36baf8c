//! What a phone receives: `nma_data`, plain or as a JWE (`http-api.md` 10).

use serde::Serialize;
use serde_json::{Map, Value};

use super::Order;
use crate::jose::CryptoError;

#[derive(Serialize)]
struct Payload<'a> {
    nma_data: NmaData,
    nma_data_content_type: &'a str,
    nma_data_version: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum NmaData {
    Plain(Map<String, Value>),
    Encrypted(String),
}

/// The payload as JSON text. With a recipient `nma_data` is a compact JWE, so that the token is for that phone only.
pub(super) fn text(order: &Order<'_>, redeem_url: &str) -> Result<String, CryptoError> {
    let members = members(order, redeem_url);
    let (nma_data, nma_data_content_type) = match &order.recipient {
        None => (NmaData::Plain(members), "application/json"),
        Some(recipient) => {
            let plain = zeroize::Zeroizing::new(Value::Object(members).to_string());
            (NmaData::Encrypted(recipient.key.encrypt(plain.as_bytes())?), "application/jose")
        }
    };
    let payload = Payload { nma_data, nma_data_content_type, nma_data_version: "1" };
    // Strings and JSON values always have a JSON form.
    Ok(serde_json::to_string(&payload).unwrap_or_default())
}

fn members(order: &Order<'_>, redeem_url: &str) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("token".to_owned(), order.token.into());
    members.insert("redeem_url".to_owned(), redeem_url.into());
    members.extend(order.data.members().clone());
    members
}

#[cfg(test)]
mod tests;
