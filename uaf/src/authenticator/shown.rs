//! What a phone shows of a transaction.

use super::AuthenticatorError;
use crate::wire::{AuthenticationRequest, ContentType, PngCharacteristics, Transaction};

/// Whether a display for texts and these kinds of pictures can show it.
fn is_shown(rendering: &Transaction, pictures: &[PngCharacteristics]) -> bool {
    match (rendering.content_type, &rendering.png_characteristics) {
        (ContentType::Text, _) => true,
        (ContentType::Png, Some(picture)) => pictures.iter().any(|kind| kind.show(picture)),
        (ContentType::Png, None) => false,
    }
}

/// The rendering that a phone shows: the first that it can. `None`: there is nothing to show.
pub(super) fn rendering<'t>(
    transaction: &'t [Transaction],
    pictures: &[PngCharacteristics],
) -> Result<Option<&'t Transaction>, AuthenticatorError> {
    let shown = transaction.iter().find(|rendering| is_shown(rendering, pictures));
    if shown.is_none() && !transaction.is_empty() { Err(AuthenticatorError::CannotShow) } else { Ok(shown) }
}

/// The content of the first rendering that it can't show.
pub(super) fn unshown(transaction: &[Transaction], pictures: &[PngCharacteristics]) -> Option<Vec<u8>> {
    let unshown = transaction.iter().find(|rendering| !is_shown(rendering, pictures))?;
    Some(unshown.content.as_bytes().to_vec())
}

/// The text that the user is asked to confirm, where one of the renderings is a text.
#[must_use]
pub fn shown_text(request: &AuthenticationRequest) -> Option<&str> {
    let shown = request.transaction.iter().find(|rendering| rendering.content_type == ContentType::Text)?;
    std::str::from_utf8(shown.content.as_bytes()).ok()
}
