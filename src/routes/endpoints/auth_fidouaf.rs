//! POST `/auth/fidouaf`: the UAF request of a login (`http-api.md` 7). It leaves no session.

use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use sidegate_filters::{Exchange, Reply};
use sidegate_uaf::StatusCode;

use super::answers::{Outcome, reply};
use super::asker::asker;
use super::body::read;
use super::problems::{UafFault, too_many};
use super::uaf_request::handed_out;
use crate::identity::Throttle;
use crate::oob::Requests;
use crate::routes::{Endpoint, Media, Medium};
use crate::store::SourceNetwork;

/// Hands out the UAF request of a login.
pub struct FidoLoginRequestEndpoint {
    requests: Arc<Requests>,
    throttle: Arc<Throttle>,
}

#[derive(Deserialize)]
struct Body {
    username: Option<String>,
}

impl FidoLoginRequestEndpoint {
    /// The endpoint over this service; it shares the throttle of the answers.
    #[must_use]
    pub fn new(requests: Arc<Requests>, throttle: Arc<Throttle>) -> Self {
        Self { requests, throttle }
    }

    async fn request(&self, exchange: &Exchange) -> Outcome {
        let body = read::<Body>(exchange)?;
        let name = body.username.as_deref();
        // Who names nobody finds nothing out: there is nothing to fail at.
        let network = SourceNetwork::of(exchange.client.address);
        let ticket = name.map(|_| self.throttle.admit(name, network)).transpose().map_err(too_many)?;
        let asked = self.requests.login(&asker(exchange, false), name).await;
        let asked = asked.map_err(UafFault::from);
        match (&asked, ticket) {
            // Whoever asks for users who are not there fails as with a wrong answer; a fault of a server is nobody's attempt.
            (Err(UafFault::Code(code)), ticket) if *code != StatusCode::INTERNAL => drop(ticket),
            (_, Some(ticket)) => ticket.unused(),
            (_, None) => {}
        }
        handed_out(asked)
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
