//! POST `/nevisfido/token/redeem/{operation}` (`http-api.md` 3).

use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use sidegate_filters::{Exchange, Reply};

use super::answers::{Outcome, reply, to_the_end};
use super::asker::asker;
use super::body::read;
use super::uaf_request::handed_out;
use crate::oob::Redeem;
use crate::routes::{Endpoint, Media, Medium};
use crate::store::operation::OperationKind;

/// Redeems tokens of one operation.
pub struct RedeemEndpoint {
    redeem: Arc<Redeem>,
    kind: OperationKind,
}

#[derive(Deserialize)]
struct Body {
    token: zeroize::Zeroizing<String>,
}

impl RedeemEndpoint {
    /// The endpoint for `kind`.
    #[must_use]
    pub fn new(redeem: Arc<Redeem>, kind: OperationKind) -> Self {
        Self { redeem, kind }
    }

    async fn redeem(&self, exchange: &Exchange) -> Outcome {
        let body = read::<Body>(exchange)?;
        let (redeem, kind, from) = (Arc::clone(&self.redeem), self.kind, asker(exchange, false).network());
        handed_out(to_the_end(async move { redeem.redeem(kind, &body.token, from).await }).await?)
    }
}

#[async_trait]
impl Endpoint for RedeemEndpoint {
    fn media(&self) -> Media {
        Media { takes: &[Medium::Json], gives: &[Medium::FidoUaf] }
    }

    async fn answer(&self, exchange: Exchange) -> Reply {
        reply(self.redeem(&exchange).await)
    }
}
