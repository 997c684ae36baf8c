//! What a user is asked to confirm: one content in several renderings (UAF protocol 1.1, section 3.5.2).

use serde::{Deserialize, Serialize};

use crate::crypto::sha256;
use crate::encoding::Octets;
use crate::png::PngFault;
use crate::wire::{ContentType, PngCharacteristics, Transaction};

/// Longest text, in ASCII characters (UAF protocol 1.1, section 3.5.2).
const MAX_TEXT: usize = 200;

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
    /// The bytes are no PNG that can be sent.
    #[error("{0}")]
    Png(#[from] PngFault),
    /// A picture that does not say which display it is for as its own header does.
    #[error("the characteristics are not those of the picture")]
    Characteristics,
    /// Two texts, or two pictures of one size: one content has one rendering for each, and many displays would show both.
    #[error("two renderings are texts, or pictures of the same size")]
    Repeated,
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

    /// A picture, for displays with the characteristics that its header says.
    ///
    /// # Errors
    /// [`TransactionError`].
    pub fn png(bytes: &[u8]) -> Result<Self, TransactionError> {
        let content = Octets::new(bytes).map_err(|_| TransactionError::of_length(bytes.len()))?;
        let png_characteristics = Some(PngCharacteristics::of(bytes)?);
        Ok(Self { content_type: ContentType::Png, content, png_characteristics })
    }

    /// Whether it is this other one, for displays that can show it.
    pub(crate) fn renders(&self, other: &Self) -> bool {
        let is_for_it = match (&self.png_characteristics, &other.png_characteristics) {
            (None, None) => true,
            // The palette is in the picture, and another server may not have said it.
            (Some(said), Some(read)) => said.show(read),
            _ => false,
        };
        self.content_type == other.content_type && self.content == other.content && is_for_it
    }

    /// Whether both are texts, or pictures of one size: what differs beside that, many displays show all the same.
    fn rivals(&self, other: &Self) -> bool {
        let size = |of: &Self| of.png_characteristics.as_ref().map(|picture| (picture.width, picture.height));
        size(self) == size(other)
    }

    fn check(&self) -> Result<(), TransactionError> {
        let bytes = self.content.as_bytes();
        match self.content_type {
            ContentType::Text if bytes.len() > MAX_TEXT => Err(TransactionError::TooLong),
            ContentType::Text if !bytes.iter().all(is_shown) => Err(TransactionError::NotAscii),
            ContentType::Text => Ok(()),
            ContentType::Png if self.png_characteristics == Some(PngCharacteristics::of(bytes)?) => Ok(()),
            ContentType::Png => Err(TransactionError::Characteristics),
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

/// Checks what is to be sent together: each rendering, and that there is one text at most, and one picture of a size,
/// since all have to be of one content (UAF protocol 1.1, section 3.5.2). Whether they are nobody sees here: what a user
/// confirmed of them is [`VerifiedKey::confirmed`](crate::authentication::VerifiedKey::confirmed).
///
/// ```
/// use sidegate_uaf::transaction::{TransactionError, check_renderings};
/// use sidegate_uaf::wire::Transaction;
///
/// # fn main() -> Result<(), TransactionError> {
/// let [one, thousand] = [Transaction::text("Pay 1 CHF")?, Transaction::text("Pay 1000 CHF")?];
/// assert_eq!(check_renderings(&[one.clone()]), Ok(()));
/// assert_eq!(check_renderings(&[one, thousand]), Err(TransactionError::Repeated));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`TransactionError`].
pub fn check_renderings(renderings: &[Transaction]) -> Result<(), TransactionError> {
    renderings.iter().try_for_each(Transaction::check)?;
    let is_repeated = |(at, one): (usize, &Transaction)| renderings.iter().skip(at + 1).any(|other| one.rivals(other));
    if renderings.iter().enumerate().any(is_repeated) { Err(TransactionError::Repeated) } else { Ok(()) }
}

/// The renderings that were sent; any of them may be confirmed by whom it could be shown to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asked(Vec<Sent>);

/// What is kept of a rendering.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sent {
    hash: Octets<32, 32>,
    /// What it needs of a display, where it is a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) picture: Option<PngCharacteristics>,
}

impl Asked {
    pub(crate) fn of(renderings: &[Transaction]) -> Self {
        let sent = |rendering: &Transaction| {
            let hash = Octets::new(sha256(rendering.content.as_bytes())).ok()?;
            Some(Sent { hash, picture: rendering.png_characteristics.clone() })
        };
        Self(renderings.iter().filter_map(sent).collect())
    }

    pub(crate) fn is_something(&self) -> bool {
        !self.0.is_empty()
    }

    /// The renderings with this hash.
    pub(crate) fn of_hash(&self, hash: &[u8]) -> impl Iterator<Item = &Sent> {
        self.0.iter().filter(move |sent| sent.hash.as_bytes() == hash)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::authenticator::black_png;

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
    fn a_picture_says_for_which_display_it_is_and_nothing_else() {
        assert_eq!(Transaction::png(b"GIF89a"), Err(TransactionError::Png(PngFault::Signature)));
        assert_eq!(Transaction::png(b""), Err(TransactionError::Empty));
        assert_eq!(Transaction::png(&[0; 70_000]), Err(TransactionError::TooLong));
        let picture = Transaction::png(&black_png(320, 480).unwrap()).unwrap();
        assert_eq!(check_renderings(std::slice::from_ref(&picture)), Ok(()));
        let other = Transaction::png(&black_png(480, 320).unwrap()).unwrap().png_characteristics;
        for png_characteristics in [None, other] {
            let lying = Transaction { png_characteristics, ..picture.clone() };
            assert_eq!(check_renderings(&[lying]), Err(TransactionError::Characteristics));
        }
    }

    #[test]
    fn there_is_one_text_and_one_picture_of_a_size() {
        let text = |text| Transaction::text(text).unwrap();
        let picture = |width, height| Transaction::png(&black_png(width, height).unwrap()).unwrap();
        assert_eq!(check_renderings(&[text("Pay 1"), picture(2, 2), picture(2, 3)]), Ok(()));
        let mut in_colour = Vec::new();
        let mut encoder = ::png::Encoder::new(&mut in_colour, 2, 2);
        encoder.set_color(::png::ColorType::Rgb);
        encoder.write_header().unwrap().write_image_data(&[0; 12]).unwrap();
        let of_one_size = [picture(2, 2), Transaction::png(&in_colour).unwrap()];
        let texts = [[text("Pay 1"), text("Pay 1000")], [text("Pay 1"), text("Pay 1")]];
        for two in texts.into_iter().chain([[picture(2, 2), picture(2, 2)], of_one_size]) {
            assert_eq!(check_renderings(&two), Err(TransactionError::Repeated));
        }
    }
}
