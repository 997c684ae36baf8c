//! POST `/auth/fidouaf`: the UAF request of a login (`http-api.md` 7). It leaves no session.

use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use sidegate_filters::{Exchange, Reply};

use super::answers::{Outcome, reply};
use super::asker::asker;
use super::body::read;
use super::uaf_request::handed_out;
use crate::oob::Requests;
use crate::routes::{Endpoint, Media, Medium};

/// Hands out the UAF request of a login.
pub struct FidoLoginRequestEndpoint(Arc<Requests>);

#[derive(Deserialize)]
struct Body {
    username: Option<String>,
}

impl FidoLoginRequestEndpoint {
    /// The endpoint over this service.
    #[must_use]
    pub fn new(requests: Arc<Requests>) -> Self {
        Self(requests)
    }

    async fn request(&self, exchange: &Exchange) -> Outcome {
        let body = read::<Body>(exchange)?;
        handed_out(self.0.login(&asker(exchange, false), body.username.as_deref()).await)
    }
}

#[async_trait]
impl Endpoint for FidoLoginRequestEndpoint {
    fn media(&self) -> Media {
        Media { takes: &[Medium::Json], gives: &[Medium::FidoUaf, Medium::Json] }
    }

    async fn answer(&self, exchange: Exchange) -> Reply {
        reply(self.request(&exchange).await)
    }
}
