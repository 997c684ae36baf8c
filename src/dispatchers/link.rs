//! The dispatcher `link`: a link that opens the app on the phone it is tapped on (seed `link-dispatcher.txt`).

use sidegate_filters::jws::base64url;

use super::{BaseUrl, DispatchFailure, Dispatcher, Order, RedeemUrls, Rendered};

/// Answers with the configured base URL, and the payload as its last query parameter.
#[derive(Debug, Clone)]
pub struct LinkDispatcher {
    base_url: BaseUrl,
    redeem_urls: RedeemUrls,
}

impl LinkDispatcher {
    /// A dispatcher with these settings.
    #[must_use]
    pub fn new(base_url: BaseUrl, redeem_urls: RedeemUrls) -> Self {
        Self { base_url, redeem_urls }
    }
}

impl Dispatcher for LinkDispatcher {
    fn name(&self) -> &'static str {
        "link"
    }

    fn needs_target(&self) -> bool {
        false
    }

    fn render(&self, order: &Order<'_>) -> Result<Rendered, DispatchFailure> {
        let payload = order.payload(&self.redeem_urls).map_err(|error| {
            tracing::error!(%error, "a link's payload could not be encrypted");
            DispatchFailure::Internal
        })?;
        Ok(Rendered { response: Some(self.base_url.link(&base64url::encode(payload.as_bytes()))) })
    }
}
