//! Who asks, out of an exchange.

use sidegate_filters::Exchange;

use crate::oob::Asker;

/// The asker of a request; `anonymous_content` is the route's setting (`http-api.md` 0.3).
pub(super) fn asker(exchange: &Exchange, anonymous_content: bool) -> Asker<'_> {
    Asker { caller: &exchange.caller, address: exchange.client.address, anonymous_content }
}
