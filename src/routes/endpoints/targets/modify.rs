//! PATCH `/{id}`: a phone changes its own target, proved by a signature that the JWS bypass has checked.

use std::sync::Arc;

use async_trait::async_trait;
use sidegate_filters::{Exchange, Reply};

use super::super::answers::{Outcome, no_content, reply};
use super::super::problems;
use crate::oob::Targets;
use crate::routes::{Endpoint, Media, Medium};

/// Changes dispatch targets.
pub struct ModifyTargetEndpoint(Arc<Targets>);

impl ModifyTargetEndpoint {
    /// The endpoint over this service.
    #[must_use]
    pub fn new(targets: Arc<Targets>) -> Self {
        Self(targets)
    }

    async fn modify(&self, exchange: &Exchange) -> Outcome {
        let modify = exchange.proofs.get();
        let modify = modify.ok_or_else(|| problems::internal(&"the route of PATCH has no jws-bypass"))?;
        self.0.modify(modify).await.map_err(|fault| problems::target(&fault))?;
        Ok(no_content())
    }
}

#[async_trait]
impl Endpoint for ModifyTargetEndpoint {
    fn media(&self) -> Media {
        Media { takes: &[Medium::Jose], gives: &[] }
    }

    async fn answer(&self, exchange: Exchange) -> Reply {
        reply(self.modify(&exchange).await)
    }
}
