//! POST `/nevisfido/token/redeem/{operation}` (`http-api.md` 3).

use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use sidegate_filters::{Exchange, Reply};

use super::answers::{Outcome, reply};
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
        handed_out(self.redeem.redeem(self.kind, &body.token).await)
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
