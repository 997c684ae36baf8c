//! A transaction as a relying party writes it (`http-api.md` 6), and as it is kept and asked for elsewhere: renderings of
//! a content type and a content. What a picture needs of a display its own header says.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sidegate_uaf::encoding::{decode, encode};
use sidegate_uaf::transaction::TransactionError;
use sidegate_uaf::wire::Transaction;

use super::ContextFault;

const CONTENT: &str = "context.transaction.content";
const TEXT: &str = "text/plain";
const PICTURE: &str = "image/png";

/// One rendering.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rendering {
    content_type: String,
    content: String,
}

impl Rendering {
    /// What goes to the phone.
    ///
    /// # Errors
    /// What can't be shown to a user, and why.
    pub(super) fn read(&self) -> Result<Transaction, ContextFault> {
        let fault = |reason| ContextFault { member: CONTENT, reason };
        if ![TEXT, PICTURE].contains(&self.content_type.as_str()) {
            let (member, reason) = ("context.transaction.contentType", "neither text/plain nor image/png");
            return Err(ContextFault { member, reason });
        }
        let bytes = decode(&self.content).map_err(|_| fault("not base64url without padding"))?;
        if self.content_type == PICTURE {
            return Transaction::png(&bytes).map_err(|error| match error {
                TransactionError::Png(why) => fault(why.reason()),
                TransactionError::Empty => fault("empty"),
                _ => fault("longer than 64 KiB"),
            });
        }
        let text = std::str::from_utf8(&bytes).ok().and_then(|text| Transaction::text(text).ok());
        text.ok_or(fault("a text has 1 to 200 characters, all of them printable ASCII"))
    }

    fn of(transaction: &Transaction) -> Self {
        let content_type = if transaction.png_characteristics.is_some() { PICTURE } else { TEXT };
        Self { content_type: content_type.to_owned(), content: encode(transaction.content.as_bytes()) }
    }
}

pub(super) fn serialize<S: Serializer>(transaction: &[Transaction], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(transaction.iter().map(Rendering::of))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Transaction>, D::Error> {
    let renderings = Vec::<Rendering>::deserialize(deserializer)?;
    renderings.iter().map(Rendering::read).collect::<Result<_, _>>().map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use sidegate_uaf::authenticator::black_png;

    use super::*;

    fn read(content_type: &str, bytes: &[u8]) -> Result<Transaction, ContextFault> {
        Rendering { content_type: content_type.into(), content: encode(bytes) }.read()
    }

    #[test]
    fn a_picture_is_kept_as_it_was_written() {
        let picture = read(PICTURE, &black_png(320, 480).unwrap()).unwrap();
        let said = picture.png_characteristics.as_ref().unwrap();
        assert_eq!(
            (said.width, said.height, picture.content.as_bytes()),
            (320, 480, &black_png(320, 480).unwrap()[..])
        );
        let mut kept = Vec::new();
        serialize(std::slice::from_ref(&picture), &mut serde_json::Serializer::new(&mut kept)).unwrap();
        let written: serde_json::Value = serde_json::from_slice(&kept).unwrap();
        assert_eq!(
            written[0],
            serde_json::json!({"contentType": PICTURE, "content": encode(&black_png(320, 480).unwrap())})
        );
        assert_eq!(deserialize(&written).unwrap(), [picture]);
    }

    #[test]
    fn what_is_wrong_with_a_picture_is_named() {
        let refused = |bytes: &[u8]| {
            let fault = read(PICTURE, bytes).unwrap_err();
            assert_eq!(fault.member, CONTENT);
            fault.reason
        };
        let mut lying = black_png(320, 480).unwrap();
        lying[19] ^= 1;
        assert!(refused(&lying).contains("CRC"), "the width in IHDR was changed");
        assert!(refused(&black_png(4097, 1).unwrap()).contains("4096 pixels"));
        assert!(refused(b"Pay 1").contains("signature"));
        assert_eq!(refused(b""), "empty");
        assert_eq!(read("text/html", b"Pay 1").unwrap_err().member, "context.transaction.contentType");
        assert!(read(TEXT, &black_png(320, 480).unwrap()).is_err());
    }
}
