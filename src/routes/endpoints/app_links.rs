//! GET `/.well-known/assetlinks.json`, `/.well-known/apple-app-site-association` and `/apple-app-site-association`: which
//! applications open the links of the link dispatcher (`http-api.md` 8 and 10), the same for everybody.

use async_trait::async_trait;
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;
use sidegate_filters::{Exchange, Reply};

use super::answers::json;
use crate::routes::{Endpoint, Media, Medium};

/// Publishes one of the files.
pub struct AppLinksEndpoint(pub Value);

#[async_trait]
impl Endpoint for AppLinksEndpoint {
    fn media(&self) -> Media {
        Media { takes: &[], gives: &[Medium::Json] }
    }

    async fn answer(&self, _exchange: Exchange) -> Reply {
        let mut response = json(StatusCode::OK, &self.0);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
        Reply::Response(response)
    }
}
