//! DELETE: a user, a device, one key, one dispatch target, or all sessions of a user.

use std::sync::Arc;

use async_trait::async_trait;
use sidegate_filters::{Exchange, Problem, Reply};

use super::super::answers::{Outcome, no_content, reply, to_the_end};
use super::super::problems;
use super::administrator;
use super::query::Query;
use crate::oob::{Administration, AdministrationFault};
use crate::routes::rows::Administered;
use crate::routes::{Endpoint, Media};

/// Removes what is administered.
pub struct AdminRemoveEndpoint {
    administration: Arc<Administration>,
    what: Administered,
}

/// What to remove of a user.
enum Removal {
    User,
    Device(String),
    Credential(String),
    Target(String),
    Sessions,
}

impl AdminRemoveEndpoint {
    /// The endpoint over this service.
    #[must_use]
    pub fn new(administration: Arc<Administration>, what: Administered) -> Self {
        Self { administration, what }
    }

    async fn remove(&self, exchange: &Exchange) -> Outcome {
        let caller = administrator(exchange)?.to_owned();
        let (username, removal) = self.asked(exchange)?;
        let administration = self.administration.clone();
        let removed = to_the_end(async move { removal.of(&administration, &caller, &username).await }).await?;
        removed.map_err(|fault| problems::administration(&fault))?;
        Ok(no_content())
    }

    /// The user, and what of the user.
    fn asked(&self, exchange: &Exchange) -> Result<(String, Removal), Problem> {
        let of_user = |query: &Query| query.required("username").map(str::to_owned);
        let one: fn(String) -> Removal = match self.what {
            Administered::Users | Administered::Sessions => {
                let username = of_user(&Query::parse(exchange, &["username"])?)?;
                let is_user = self.what == Administered::Users;
                return Ok((username, if is_user { Removal::User } else { Removal::Sessions }));
            }
            Administered::Credentials => Removal::Credential,
            Administered::Targets => Removal::Target,
        };
        let query = Query::parse(exchange, &["username", "deviceId", "extId"])?;
        let removal = match (query.get("deviceId"), query.get("extId")) {
            (Some(device), None) => Removal::Device(device.to_owned()),
            (None, Some(ext_id)) => one(ext_id.to_owned()),
            _ => return Err(Problem::bad_request("deviceId, extId: the query must have one of them")),
        };
        Ok((of_user(&query)?, removal))
    }
}

impl Removal {
    async fn of(self, of: &Administration, caller: &str, username: &str) -> Result<(), AdministrationFault> {
        match self {
            Self::User => of.remove_user(caller, username).await,
            Self::Device(device_id) => of.remove_device(caller, username, &device_id).await,
            Self::Credential(ext_id) => of.remove_credential(caller, username, &ext_id).await,
            Self::Target(id) => of.remove_target(caller, username, &id).await,
            Self::Sessions => of.end_sessions(caller, username).await,
        }
    }
}

#[async_trait]
impl Endpoint for AdminRemoveEndpoint {
    fn media(&self) -> Media {
        Media { takes: &[], gives: &[] }
    }

    async fn answer(&self, exchange: Exchange) -> Reply {
        reply(self.remove(&exchange).await)
    }
}
