//! DELETE `/{id}`: a user removes one of their own targets.

use std::sync::Arc;

use async_trait::async_trait;
use sidegate_filters::{Exchange, Reply};

use super::super::answers::{Outcome, no_content, reply};
use super::super::asker::asker;
use super::super::problems;
use crate::oob::Targets;
use crate::routes::{Endpoint, Media};

/// Removes dispatch targets.
pub struct DeleteTargetEndpoint(Arc<Targets>);

impl DeleteTargetEndpoint {
    /// The endpoint over this service.
    #[must_use]
    pub fn new(targets: Arc<Targets>) -> Self {
        Self(targets)
    }

    async fn delete(&self, exchange: &Exchange) -> Outcome {
        let id = exchange.params.get("id").ok_or_else(|| problems::internal(&"the route of DELETE has no {id}"))?;
        self.0.delete(&asker(exchange, false), id).await.map_err(|fault| problems::target(&fault))?;
        Ok(no_content())
    }
}

#[async_trait]
impl Endpoint for DeleteTargetEndpoint {
    fn media(&self) -> Media {
        Media { takes: &[], gives: &[] }
    }

    async fn answer(&self, exchange: Exchange) -> Reply {
        reply(self.delete(&exchange).await)
    }
}
