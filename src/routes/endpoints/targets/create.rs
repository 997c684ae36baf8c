//! POST: a phone registers itself.

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sidegate_filters::{Exchange, Reply};

use super::super::answers::{Outcome, json, reply};
use super::super::asker::asker;
use super::super::body::read;
use super::super::problems;
use crate::oob::{NewTarget, Targets};
use crate::routes::{Endpoint, Media, Medium};
use crate::store::PushToken;

/// Registers dispatch targets.
pub struct CreateTargetEndpoint(Arc<Targets>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    name: String,
    device_id: Option<String>,
    dispatcher: String,
    target: Option<PushToken>,
    username: Option<String>,
    app_id: Option<String>,
    signature_key: Value,
    encryption_key: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    id: &'a str,
    ext_id: &'a str,
}

impl CreateTargetEndpoint {
    /// The endpoint over this service.
    #[must_use]
    pub fn new(targets: Arc<Targets>) -> Self {
        Self(targets)
    }

    async fn create(&self, exchange: &Exchange) -> Outcome {
        let new = read::<Body>(exchange)?.into();
        let created = self.0.create(&asker(exchange, false), new).await;
        let id = created.map_err(|fault| problems::target(&fault))?;
        let mut response = json(StatusCode::CREATED, &Answer { id: &id, ext_id: &id });
        let location = format!("/nevisfido/token/dispatch/targets/{id}");
        let location = HeaderValue::from_str(&location).map_err(|error| problems::internal(&error))?;
        response.headers_mut().insert(header::LOCATION, location);
        Ok(response)
    }
}

impl From<Body> for NewTarget {
    fn from(body: Body) -> Self {
        Self {
            username: body.username,
            name: body.name,
            device_id: body.device_id,
            app_id: body.app_id,
            dispatcher: body.dispatcher,
            push_token: body.target,
            signature_key: body.signature_key,
            encryption_key: body.encryption_key,
        }
    }
}

#[async_trait]
impl Endpoint for CreateTargetEndpoint {
    fn media(&self) -> Media {
        Media { takes: &[Medium::Json], gives: &[Medium::Json] }
    }

    async fn answer(&self, exchange: Exchange) -> Reply {
        reply(self.create(&exchange).await)
    }
}
