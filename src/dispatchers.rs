//! Ways to bring a dispatch token to a phone (`http-api.md` 10): one trait, one file a way.
//!
//! A dispatcher gets an [`Order`]: whose token, for which operation, with which data, and the recipient when a dispatch
//! target was named. It answers with the text for the relying party, or says what went wrong.

mod app_links;
mod base_url;
mod data;
mod link;
mod payload;
mod recipients;
mod redeem_urls;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::jose::EncryptionKey;
use crate::store::operation::OperationKind;

pub use app_links::{AndroidApp, AppLinks, AppleAppId, Fingerprint, Package};
pub use base_url::{BaseUrl, BaseUrlError, WebBase};
pub use data::{DataFault, DispatchData};
pub use link::LinkDispatcher;
pub use recipients::Recipients;
pub use redeem_urls::RedeemUrls;

/// What is to be dispatched.
pub struct Order<'a> {
    /// The operation that the token starts: decides which redeem URL the phone is told.
    pub kind: OperationKind,
    /// The token's text.
    pub token: &'a str,
    /// What the caller adds to the payload.
    pub data: &'a DispatchData,
    /// The target, when one was named: then the payload is encrypted for it.
    pub recipient: Option<Recipient>,
}

/// A dispatch target as a dispatcher sees it.
pub struct Recipient {
    /// The target's encryption key.
    pub key: Arc<EncryptionKey>,
}

/// What a dispatcher made of an order, before anything left the house.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Text for the caller (a link, a picture), where there is one.
    pub response: Option<String>,
}

/// Why a token did not get on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DispatchFailure {
    /// The way to the phone failed.
    #[error("the way to the phone failed")]
    Failed,
    /// The push service says that the target's address is gone.
    #[error("the push address is gone")]
    TargetExpired,
    /// Our own fault.
    #[error("an internal fault")]
    Internal,
}

/// One way to bring a token to a phone. What can be made beforehand is rendered, then the operation is stored, then it
/// is sent: so a token that the phone has is always known, and what failed to render was never stored.
#[async_trait]
pub trait Dispatcher: Send + Sync {
    /// The type: what clients name as `dispatcher`.
    fn name(&self) -> &'static str;

    /// Whether it can't work without a dispatch target.
    fn needs_target(&self) -> bool;

    /// Makes what will be sent or answered.
    ///
    /// # Errors
    /// Why it can't; nothing happened yet.
    fn render(&self, order: &Order<'_>) -> Result<Rendered, DispatchFailure>;

    /// Sends what was rendered; there is nothing to send where the answer itself carries it.
    ///
    /// # Errors
    /// Why it did not arrive: then the operation is forgotten again.
    async fn send(&self, _rendered: &Rendered) -> Result<(), DispatchFailure> {
        Ok(())
    }
}

/// The configured dispatchers, by the type that clients name.
#[derive(Clone, Default)]
pub struct Dispatchers(BTreeMap<&'static str, Arc<dyn Dispatcher>>);

impl Dispatchers {
    /// These dispatchers; of two of one type the later one counts.
    #[must_use]
    pub fn new(list: impl IntoIterator<Item = Arc<dyn Dispatcher>>) -> Self {
        Self(list.into_iter().map(|dispatcher| (dispatcher.name(), dispatcher)).collect())
    }

    /// The dispatcher of that type.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Dispatcher>> {
        self.0.get(name)
    }
}

impl Order<'_> {
    /// Encrypted for the recipient if there is one.
    fn payload(&self, urls: &RedeemUrls) -> Result<String, crate::jose::CryptoError> {
        payload::text(self, urls.of(self.kind))
    }
}
