//! Reading what a dispatcher brought: a link, the text of a QR code, or a picture of one (`http-api.md` 10).

use serde::Deserialize;
use serde_json::Value;
use sidegate_filters::jws::base64url;

use super::{PhoneError, qr};
use crate::jose::DecryptionKey;

/// The parameter that carries the payload: always the last one of a link.
const PARAMETER: &str = "dispatchTokenResponse=";

/// The payload as dispatched.
#[derive(Debug, Deserialize)]
pub(super) struct Payload {
    nma_data: Value,
    nma_data_content_type: String,
    nma_data_version: String,
}

/// What the phone needs of it.
#[derive(Deserialize)]
pub(super) struct Errand {
    /// The dispatch token.
    pub(super) token: String,
    /// Where to redeem it.
    pub(super) redeem_url: String,
}

/// Reads a link, the bare base64url text, or a PNG file with a QR code of either.
pub(super) fn read(message: &str) -> Result<Payload, PhoneError> {
    let picture = std::path::Path::new(message);
    let is_picture = picture.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png"));
    let text = if is_picture { qr::read(picture)? } else { message.to_owned() };
    let encoded = text.split_once(PARAMETER).map_or(text.as_str(), |(_, payload)| payload);
    let bytes = base64url::decode(encoded.trim()).map_err(|_| unreadable())?;
    serde_json::from_slice(&bytes).map_err(|_| unreadable())
}

fn unreadable() -> PhoneError {
    PhoneError::Message("this is no dispatched message: expected a link, the text of a QR code, or a PNG file".into())
}

impl Payload {
    /// Whether only one phone can read it.
    pub(super) fn is_encrypted(&self) -> bool {
        self.nma_data_content_type == "application/jose"
    }

    /// Decrypts what is encrypted, with the key of the dispatch target.
    pub(super) fn open(&self, key: Option<&DecryptionKey>) -> Result<Errand, PhoneError> {
        if self.nma_data_version != "1" {
            return Err(PhoneError::Message(format!("payload version {:?} is not known", self.nma_data_version)));
        }
        let errand = if self.is_encrypted() {
            let jwe = self.nma_data.as_str().ok_or_else(unreadable)?;
            let key = key.ok_or_else(|| {
                PhoneError::Message("the message is encrypted, and this phone is no dispatch target".into())
            })?;
            serde_json::from_slice(&key.decrypt(jwe)?)
        } else {
            Errand::deserialize(&self.nma_data)
        };
        errand.map_err(|_| unreadable())
    }
}
