//! What a phone shows of a transaction.

use crate::wire::{AuthenticationRequest, ContentType, Transaction};

/// The rendering that a phone shows: text if there is one.
pub(super) fn rendering(transactions: &[Transaction]) -> Option<&Transaction> {
    transactions.iter().find(|transaction| transaction.content_type == ContentType::Text).or(transactions.first())
}

/// The text that the user is asked to confirm.
#[must_use]
pub fn shown_text(request: &AuthenticationRequest) -> Option<&str> {
    let shown = rendering(&request.transaction).filter(|shown| shown.content_type == ContentType::Text)?;
    std::str::from_utf8(shown.content.as_bytes()).ok()
}
