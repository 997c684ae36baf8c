//! What a user is asked to confirm: one content in several renderings (UAF protocol 1.1, section 3.5.2).

use serde::{Deserialize, Serialize};

use crate::crypto::sha256;
use crate::encoding::Octets;
use crate::wire::{ContentType, PngCharacteristics, Transaction};

/// Longest text, in ASCII characters (uaf.md A1).
const MAX_TEXT: usize = 200;
const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A transaction that cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// Nothing in it.
    #[error("content is empty")]
    Empty,
    /// More than 200 characters of text, or 64 KiB of picture.
    #[error("content is too long")]
    TooLong,
    /// Other than printable ASCII and line breaks.
    #[error("text is not ASCII")]
    NotAscii,
    /// The bytes are no PNG.
    #[error("content is not a PNG")]
    NotPng,
    /// A picture without the characteristics that say which display it is for.
    #[error("picture without characteristics")]
    NoCharacteristics,
}

impl Transaction {
    /// A text.
    ///
    /// # Errors
    /// [`TransactionError`].
    pub fn text(text: &str) -> Result<Self, TransactionError> {
        let content = Octets::new(text).map_err(|_| TransactionError::of_length(text.len()))?;
        let rendering = Self { content_type: ContentType::Text, content, png_characteristics: None };
        rendering.check()?;
        Ok(rendering)
    }

    /// A picture for displays of these characteristics.
    ///
    /// # Errors
    /// [`TransactionError`].
    pub fn png(bytes: &[u8], characteristics: PngCharacteristics) -> Result<Self, TransactionError> {
        let content = Octets::new(bytes).map_err(|_| TransactionError::of_length(bytes.len()))?;
        let rendering = Self { content_type: ContentType::Png, content, png_characteristics: Some(characteristics) };
        rendering.check()?;
        Ok(rendering)
    }

    fn check(&self) -> Result<(), TransactionError> {
        let bytes = self.content.as_bytes();
        match self.content_type {
            ContentType::Text if bytes.len() > MAX_TEXT => Err(TransactionError::TooLong),
            ContentType::Text if !bytes.iter().all(is_shown) => Err(TransactionError::NotAscii),
            ContentType::Text => Ok(()),
            ContentType::Png if !bytes.starts_with(PNG_SIGNATURE) => Err(TransactionError::NotPng),
            ContentType::Png if self.png_characteristics.is_none() => Err(TransactionError::NoCharacteristics),
            ContentType::Png => Ok(()),
        }
    }
}

impl TransactionError {
    const fn of_length(length: usize) -> Self {
        if length == 0 { Self::Empty } else { Self::TooLong }
    }
}

const fn is_shown(byte: &u8) -> bool {
    byte.is_ascii_graphic() || matches!(byte, b' ' | b'\n' | b'\r')
}

/// Checks what the caller put together, which may come out of a request.
pub(crate) fn check_renderings(renderings: &[Transaction]) -> Result<(), TransactionError> {
    renderings.iter().try_for_each(Transaction::check)
}

/// The hashes of the renderings that were sent; any of them may come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asked(Vec<Octets<32, 32>>);

impl Asked {
    pub(crate) fn of(renderings: &[Transaction]) -> Self {
        let hash = |rendering: &Transaction| Octets::new(sha256(rendering.content.as_bytes())).ok();
        Self(renderings.iter().filter_map(hash).collect())
    }

    pub(crate) fn is_something(&self) -> bool {
        !self.0.is_empty()
    }

    pub(crate) fn includes(&self, hash: &[u8]) -> bool {
        self.0.iter().any(|sent| sent.as_bytes() == hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("", TransactionError::Empty)]
    #[case(&"x".repeat(201), TransactionError::TooLong)]
    #[case(&"x".repeat(70_000), TransactionError::TooLong)]
    #[case("Grüezi", TransactionError::NotAscii)]
    #[case("tab\there", TransactionError::NotAscii)]
    #[case("\u{1b}[2J", TransactionError::NotAscii)]
    fn a_text_that_no_authenticator_has_to_show_is_refused(#[case] text: &str, #[case] error: TransactionError) {
        assert_eq!(Transaction::text(text), Err(error));
    }

    #[test]
    fn two_hundred_characters_are_allowed() {
        assert!(Transaction::text(&"x".repeat(200)).is_ok());
    }

    #[test]
    fn a_picture_is_one_and_says_for_which_display() {
        let characteristics = PngCharacteristics {
            width: 320,
            height: 480,
            bit_depth: 1,
            color_type: 3,
            compression: 0,
            filter: 0,
            interlace: 0,
            plte: Vec::new(),
        };
        assert_eq!(Transaction::png(b"GIF89a", characteristics.clone()), Err(TransactionError::NotPng));
        let mut picture = Transaction::png(b"\x89PNG\r\n\x1a\nrest", characteristics).unwrap();
        picture.png_characteristics = None;
        assert_eq!(check_renderings(&[picture]), Err(TransactionError::NoCharacteristics));
    }
}
