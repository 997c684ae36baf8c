//! GET: a relying party asks for a user's targets.

use std::sync::Arc;

use async_trait::async_trait;
use http::StatusCode;
use serde::Serialize;
use sidegate_filters::{Exchange, Problem, Reply};

use super::super::answers::{Outcome, json, reply};
use super::super::asker::asker;
use super::super::problems;
use crate::oob::Targets;
use crate::routes::{Endpoint, Media, Medium};

/// Lists dispatch targets, never their keys or push tokens.
pub struct ListTargetsEndpoint(Arc<Targets>);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    dispatch_targets: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    name: String,
    id: String,
    dispatcher: String,
}

#[derive(Default)]
struct Query {
    username: Option<String>,
    app_id: Option<String>,
}

impl ListTargetsEndpoint {
    /// The endpoint over this service.
    #[must_use]
    pub fn new(targets: Arc<Targets>) -> Self {
        Self(targets)
    }

    async fn list(&self, exchange: &Exchange) -> Outcome {
        let query = Query::parse(exchange.query.as_deref().unwrap_or_default())?;
        let username = query.username.ok_or_else(|| Problem::bad_request("username: missing in the query"))?;
        let listed = self.0.list(&asker(exchange, false), &username, query.app_id.as_deref()).await;
        let targets = listed.map_err(|fault| problems::target(&fault))?;
        let entry =
            |target: crate::store::Target| Entry { name: target.name, id: target.id, dispatcher: target.dispatcher };
        Ok(json(StatusCode::OK, &Answer { dispatch_targets: targets.into_iter().map(entry).collect() }))
    }
}

impl Query {
    /// A parameter that is there twice could mean two users to two readers.
    fn parse(text: &str) -> Result<Self, Problem> {
        let mut query = Self::default();
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            let (slot, member) = match name.as_ref() {
                "username" => (&mut query.username, "username"),
                "appId" => (&mut query.app_id, "appId"),
                _ => continue,
            };
            if slot.replace(value.into_owned()).is_some() {
                return Err(Problem::bad_request(format!("{member}: twice in the query")));
            }
        }
        Ok(query)
    }
}

#[async_trait]
impl Endpoint for ListTargetsEndpoint {
    fn media(&self) -> Media {
        Media { takes: &[], gives: &[Medium::Json] }
    }

    async fn answer(&self, exchange: Exchange) -> Reply {
        reply(self.list(&exchange).await)
    }
}
