//! GET `/.well-known/jwks.json`: the keys that upstreams verify SecTokens with (`gateway.md` 3.3).

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderValue, StatusCode, header};
use sidegate_filters::{Exchange, Reply};

use super::answers::json;
use crate::identity::SecTokenIssuer;
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
        // Short: a rotated key must be known before its tokens arrive.
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
        Reply::Response(response)
    }
}
