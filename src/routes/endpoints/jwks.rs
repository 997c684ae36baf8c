//! GET `/.well-known/jwks.json`: the keys that upstreams verify SecTokens with (`gateway.md` 3.3).

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderValue, StatusCode, header};
use sidegate_filters::{Exchange, Reply};

use super::answers::json;
use super::problems::internal;
use crate::identity::SecTokenIssuer;
use crate::identity::sec_token::JWKS_KEPT;
use crate::routes::{Endpoint, Media, Medium};

/// The endpoint.
pub struct JwksEndpoint(Arc<SecTokenIssuer>);

impl JwksEndpoint {
    /// Publishes the public keys of `issuer`.
    #[must_use]
    pub fn new(issuer: Arc<SecTokenIssuer>) -> Self {
        Self(issuer)
    }
}

#[async_trait]
impl Endpoint for JwksEndpoint {
    fn media(&self) -> Media {
        Media { takes: &[], gives: &[Medium::Json] }
    }

    async fn answer(&self, _exchange: Exchange) -> Reply {
        let mut response = json(StatusCode::OK, &self.0.jwks());
        // For as long as a new key waits before it signs.
        match HeaderValue::try_from(format!("public, max-age={}", JWKS_KEPT.as_secs())) {
            Ok(kept) => {
                response.headers_mut().insert(header::CACHE_CONTROL, kept);
                Reply::Response(response)
            }
            Err(error) => internal(&error).into(),
        }
    }
}
