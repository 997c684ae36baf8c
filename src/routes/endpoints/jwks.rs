//! GET `/.well-known/jwks.json` and `/.well-known/jwks/{upstream}`: the keys that upstreams verify SecTokens with
//! (`gateway.md` 3.3).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;
use sidegate_filters::{Exchange, Problem, Reply};

use super::answers::{Outcome, json, reply};
use super::problems::internal;
use crate::identity::SecTokenIssuer;
use crate::routes::{Endpoint, Media, Medium};

const MEDIA: Media = Media { takes: &[], gives: &[Medium::Json] };

/// Publishes the public keys that are no upstream's own.
pub struct JwksEndpoint(pub Arc<SecTokenIssuer>);

/// Publishes those for one upstream: its own, or the common ones, so that its server can ask here whichever sign for it.
pub struct UpstreamJwksEndpoint(pub Arc<SecTokenIssuer>);

impl UpstreamJwksEndpoint {
    fn keys(&self, exchange: &Exchange) -> Outcome {
        let name = exchange.params.get("upstream").ok_or_else(|| internal(&"the route of JWKS has no {upstream}"))?;
        let keys = self.0.jwks_of(name);
        let nobody = || Problem::new(StatusCode::NOT_FOUND, "there is no upstream of this name");
        published(&keys.ok_or_else(nobody)?, self.0.jwks_kept())
    }
}

#[async_trait]
impl Endpoint for JwksEndpoint {
    fn media(&self) -> Media {
        MEDIA
    }

    async fn answer(&self, _exchange: Exchange) -> Reply {
        reply(published(&self.0.jwks(), self.0.jwks_kept()))
    }
}

#[async_trait]
impl Endpoint for UpstreamJwksEndpoint {
    fn media(&self) -> Media {
        MEDIA
    }

    async fn answer(&self, exchange: Exchange) -> Reply {
        reply(self.keys(&exchange))
    }
}

/// A set that may be kept for so long: a new key waits longer before it signs.
fn published(keys: &Value, kept: Duration) -> Outcome {
    let mut response = json(StatusCode::OK, keys);
    let kept = format!("public, max-age={}", kept.as_secs());
    let kept = HeaderValue::try_from(kept).map_err(|error| internal(&error))?;
    response.headers_mut().insert(header::CACHE_CONTROL, kept);
    Ok(response)
}
