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

impl Errand {
    /// Whether an authentication is asked for, as far as the redeem URL tells: one that is configured otherwise need not
    /// name its operation.
    pub(super) fn is_authentication(&self) -> bool {
        let path = self.redeem_url.split(['?', '#']).next().unwrap_or_default();
        path.ends_with("/authentication")
    }
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

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;
    use sidegate_filters::jws::{EcCurve, JwkDocument, KeyKind};

    use super::*;
    use crate::jose::EncryptionKey;

    fn payload(data: &Value, content_type: &str) -> String {
        let payload = json!({"nma_data": data, "nma_data_content_type": content_type, "nma_data_version": "1"});
        base64url::encode(payload.to_string())
    }

    fn errand() -> Value {
        json!({"token": "the-token", "redeem_url": "https://gate.example/redeem", "more": "ignored"})
    }

    fn key() -> DecryptionKey {
        DecryptionKey::generate(KeyKind::Ec(EcCurve::P256)).unwrap()
    }

    fn assert_read(errand: Result<Errand, PhoneError>) {
        let errand = errand.unwrap();
        assert_eq!((errand.token.as_str(), errand.redeem_url.as_str()), ("the-token", "https://gate.example/redeem"));
    }

    #[test]
    fn a_message_comes_as_link_bare_text_or_picture() {
        let bare = payload(&errand(), "application/json");
        let link = format!("myapp://x?a=b&dispatchTokenResponse={bare}");
        let folder = tempfile::tempdir().unwrap();
        let picture = |text: &str, name: &str| {
            let path = folder.path().join(name);
            let code = qr::tests::picture(folder.path(), text, png::ColorType::Grayscale);
            std::fs::rename(code, &path).unwrap();
            path.display().to_string()
        };
        for message in
            [bare.clone(), format!("{bare}\n"), link.clone(), picture(&bare, "bare.png"), picture(&link, "link.PNG")]
        {
            let payload = read(&message).unwrap();
            assert!(!payload.is_encrypted());
            assert_read(payload.open(None));
        }
    }

    #[test]
    fn an_encrypted_message_is_for_one_key() {
        let mine = key();
        let target = EncryptionKey::try_from(JwkDocument::parse(&mine.public_jwk()).unwrap()).unwrap();
        let jwe = target.encrypt(errand().to_string().as_bytes()).unwrap();
        let message = read(&payload(&json!(jwe), "application/jose")).unwrap();
        assert!(message.is_encrypted());
        assert_read(message.open(Some(&mine)));
        assert!(matches!(message.open(Some(&key())), Err(PhoneError::Decrypt(_))));
        assert!(message.open(None).err().unwrap().to_string().contains("no dispatch target"));
    }

    #[rstest]
    #[case("")]
    #[case("myapp://x?dispatchTokenResponse=")]
    #[case("no base64url!")]
    #[case("e30")]
    #[case("bm8gSlNPTg")]
    fn what_is_no_message_is_refused(#[case] message: &str) {
        assert!(matches!(read(message), Err(PhoneError::Message(_))));
    }

    #[test]
    fn a_payload_needs_its_version_and_members() {
        let mut other = read(&payload(&errand(), "application/json")).unwrap();
        other.nma_data_version = "2".into();
        assert!(other.open(None).err().unwrap().to_string().contains("version"));
        for (data, content_type) in [
            (json!({"token": "t"}), "application/json"),
            (json!({"redeem_url": "https://a"}), "application/json"),
            (errand(), "application/jose"),
        ] {
            assert!(read(&payload(&data, content_type)).unwrap().open(Some(&key())).is_err(), "{data}");
        }
    }
}
