//! Internal callers in memory.

use std::collections::HashMap;

use async_trait::async_trait;

use crate::exchange::Client;
use crate::filter::FilterError;
use crate::identity::KnownCaller;
use crate::identity_creation::{BadToken, InternalCallers};
use crate::jws::sha256;

/// A map from the bearer of an internal caller, of which only the SHA-256 is kept, to the caller. It does not change.
///
/// ```
/// # futures::executor::block_on(async {
/// use sidegate_filters::identity_creation::InternalCallers as _;
/// use sidegate_filters::memory::MemoryCallers;
/// use sidegate_filters::Client;
///
/// let callers = MemoryCallers::from([("shop-secret", "shop")]);
/// let client = Client::new([10, 0, 0, 7].into(), "http://10.0.0.1:8080");
/// assert_eq!(callers.find("shop-secret", &client).await.unwrap().unwrap().name, "shop");
/// assert!(callers.find("shop", &client).await.unwrap().is_err());
/// # });
/// ```
#[derive(Debug)]
pub struct MemoryCallers(HashMap<[u8; 32], KnownCaller>);

/// Callers by their bearers.
impl<const N: usize> From<[(&str, KnownCaller); N]> for MemoryCallers {
    fn from(callers: [(&str, KnownCaller); N]) -> Self {
        Self(callers.map(|(bearer, caller)| (sha256(bearer.as_bytes()), caller)).into())
    }
}

/// Names of callers without roles by their bearers.
impl<const N: usize> From<[(&str, &str); N]> for MemoryCallers {
    fn from(callers: [(&str, &str); N]) -> Self {
        let known = |name: &str| KnownCaller { name: name.to_owned(), roles: Vec::new() };
        Self::from(callers.map(|(bearer, name)| (bearer, known(name))))
    }
}

#[async_trait]
impl InternalCallers for MemoryCallers {
    async fn find(&self, bearer: &str, _: &Client) -> Result<Result<KnownCaller, BadToken>, FilterError> {
        Ok(self.0.get(&sha256(bearer.as_bytes())).cloned().ok_or(BadToken("it is no known caller's")))
    }
}
