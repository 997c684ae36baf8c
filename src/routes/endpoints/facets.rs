//! GET `/nevisfido/uaf/1.1/facets` (`http-api.md` 6): the list of trusted facets, the same for everybody.

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use sidegate_filters::{Exchange, Reply};
use sidegate_uaf::facets::TrustedFacets;

use super::answers::whole;
use crate::routes::{Endpoint, Media, Medium};

/// Publishes the facets; rendered once.
pub struct FacetsEndpoint(Bytes);

impl FacetsEndpoint {
    /// The endpoint for these facets.
    #[must_use]
    pub fn new(facets: &TrustedFacets) -> Self {
        // Lists of strings always have a JSON form.
        Self(Bytes::from(serde_json::to_vec(&facets.document()).unwrap_or_default()))
    }
}

#[async_trait]
impl Endpoint for FacetsEndpoint {
    fn media(&self) -> Media {
        Media { takes: &[], gives: &[Medium::TrustedApps] }
    }

    async fn answer(&self, _exchange: Exchange) -> Reply {
        let mut response = whole(StatusCode::OK, Medium::TrustedApps, self.0.clone());
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
        Reply::Response(response)
    }
}
