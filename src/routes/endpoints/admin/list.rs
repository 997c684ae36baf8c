//! GET: users, and what a user has. Never keys, push tokens or anything that is a credential.

use std::sync::Arc;

use async_trait::async_trait;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use sidegate_filters::{Exchange, Problem, Reply};

use super::super::answers::{Outcome, json as answer, reply};
use super::super::problems;
use super::administrator;
use super::query::Query;
use crate::oob::administration::RegisteredKey;
use crate::oob::{Administration, AdministrationFault, rfc3339};
use crate::routes::rows::Administered;
use crate::routes::{Endpoint, Media, Medium};
use crate::store::{SessionRecord, Target, User};

/// Lists what is administered.
pub struct AdminListEndpoint {
    administration: Arc<Administration>,
    what: Administered,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownUser {
    name: String,
    ext_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownCredential {
    ext_id: String,
    aaid: String,
    key_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_name: Option<String>,
    created: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used: Option<String>,
    confirmed: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownTarget {
    ext_id: String,
    name: String,
    dispatcher: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_id: Option<String>,
    created: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownSession {
    domain: String,
    realm: String,
    auth_level: u8,
    authenticated: String,
    last_used: String,
    ends: String,
}

impl AdminListEndpoint {
    /// The endpoint over this service.
    #[must_use]
    pub fn new(administration: Arc<Administration>, what: Administered) -> Self {
        Self { administration, what }
    }

    async fn list(&self, exchange: &Exchange) -> Outcome {
        administrator(exchange)?;
        if self.what == Administered::Users {
            return Ok(answer(StatusCode::OK, &self.users(exchange).await?));
        }
        let query = Query::parse(exchange, &["username"])?;
        let of_user = self.of_user(query.required("username")?).await;
        Ok(answer(StatusCode::OK, &of_user.map_err(|fault| problems::administration(&fault))?))
    }

    async fn users(&self, exchange: &Exchange) -> Result<Value, Problem> {
        let query = Query::parse(exchange, &["username", "after", "limit"])?;
        let fault = |fault: AdministrationFault| problems::administration(&fault);
        if let Some(username) = query.get("username") {
            let user = self.administration.user(username).await.map_err(fault)?;
            return Ok(json!({"users": [ShownUser::from(user)]}));
        }
        let after = query.get("after").unwrap_or_default();
        let page = self.administration.users_after(after, query.limit()?).await.map_err(fault)?;
        let mut shown = json!({"users": page.users.into_iter().map(ShownUser::from).collect::<Vec<_>>()});
        if let (Some(next), Some(members)) = (page.next, shown.as_object_mut()) {
            members.insert("next".to_owned(), next.into());
        }
        Ok(shown)
    }

    async fn of_user(&self, username: &str) -> Result<Value, AdministrationFault> {
        let of = &self.administration;
        Ok(match self.what {
            Administered::Users => json!({"users": [ShownUser::from(of.user(username).await?)]}),
            Administered::Credentials => {
                json!({"credentials": shown::<_, ShownCredential>(of.keys(username).await?)})
            }
            Administered::Targets => json!({"targets": shown::<_, ShownTarget>(of.targets(username).await?)}),
            Administered::Sessions => json!({"sessions": shown::<_, ShownSession>(of.sessions(username).await?)}),
        })
    }
}

fn shown<T, S: From<T>>(things: Vec<T>) -> Vec<S> {
    things.into_iter().map(S::from).collect()
}

impl From<User> for ShownUser {
    fn from(user: User) -> Self {
        Self { name: user.name, ext_id: user.ext_id.to_string() }
    }
}

impl From<RegisteredKey> for ShownCredential {
    fn from(registered: RegisteredKey) -> Self {
        Self {
            ext_id: registered.ext_id,
            aaid: registered.key.aaid().to_owned(),
            key_id: sidegate_uaf::encoding::encode(registered.key.key_id()),
            device_id: registered.device_id,
            device_name: registered.device_name,
            created: rfc3339(registered.created),
            last_used: registered.last_used.map(rfc3339),
            confirmed: registered.confirmed,
        }
    }
}

impl From<Target> for ShownTarget {
    fn from(target: Target) -> Self {
        Self {
            ext_id: target.id,
            name: target.name,
            dispatcher: target.dispatcher,
            device_id: target.device_id,
            app_id: target.app_id,
            created: rfc3339(target.created),
        }
    }
}

impl From<SessionRecord> for ShownSession {
    fn from(record: SessionRecord) -> Self {
        Self {
            ends: rfc3339(record.alive_until()),
            last_used: rfc3339(record.last_used),
            authenticated: rfc3339(record.session.authenticated_at()),
            realm: record.session.realm().to_owned(),
            auth_level: record.session.level(),
            domain: record.session.domain,
        }
    }
}

#[async_trait]
impl Endpoint for AdminListEndpoint {
    fn media(&self) -> Media {
        Media { takes: &[], gives: &[Medium::Json] }
    }

    async fn answer(&self, exchange: Exchange) -> Reply {
        reply(self.list(&exchange).await)
    }
}
