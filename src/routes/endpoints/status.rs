//! POST `/nevisfido/status` (`http-api.md` 5).

use std::sync::Arc;

use async_trait::async_trait;
use http::StatusCode;
use serde::Deserialize;
use sidegate_filters::{Exchange, Reply};

use super::answers::{Outcome, json, reply};
use super::body::read;
use super::problems;
use crate::oob::Statuses;
use crate::routes::{Endpoint, Media, Medium};

/// Tells where an operation stands.
pub struct StatusEndpoint {
    statuses: Arc<Statuses>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    session_id: String,
}

impl StatusEndpoint {
    /// The endpoint.
    #[must_use]
    pub fn new(statuses: Arc<Statuses>) -> Self {
        Self { statuses }
    }

    async fn status(&self, exchange: &Exchange) -> Outcome {
        let body = read::<Body>(exchange)?;
        let view = self.statuses.view(&body.session_id).await.map_err(|error| problems::store(&error))?;
        Ok(json(StatusCode::OK, &view))
    }
}

#[async_trait]
impl Endpoint for StatusEndpoint {
    fn media(&self) -> Media {
        Media { takes: &[Medium::Json], gives: &[Medium::Json] }
    }

    async fn answer(&self, exchange: Exchange) -> Reply {
        reply(self.status(&exchange).await)
    }
}
