//! Networks, as lists of them are written.

use sidegate_filters::Network;
use sidegate_filters::network::NetworkError;

use super::field::Field;

/// One network of a list. What is none is told with what may have been meant.
pub(super) fn network(item: &Field<'_>) -> Option<Network> {
    let text: String = item.optional()?;
    let fault = |error: &NetworkError| {
        let meant = error.meant().map(|network| format!("write {network}"));
        item.fault(
            error.to_string(),
            meant.unwrap_or_else(|| "write ADDRESS/LENGTH, such as 192.0.2.0/24 or 2001:db8::/32".to_owned()),
        );
    };
    Network::parse(&text).inspect_err(fault).ok()
}
