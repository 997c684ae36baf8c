//! Modifying a target with nothing but its signature: one test per row of `http-api.md` 1.1.

mod form;
mod signature;

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::gateway::Gateway;
use crate::support::http::{Answer, Client};
use crate::support::phone::Phone;

/// A gateway with jeff's phone and its target.
struct Bench {
    gateway: Gateway,
    phone: Phone,
}

impl Bench {
    async fn new() -> Self {
        let gateway = Gateway::standalone(&["jeff"]).await;
        let phone = Phone::enrolled(&gateway, "jeff").await;
        Self { gateway, phone }
    }

    fn path(&self) -> String {
        path(self.phone.target())
    }

    /// Signs with the phone's key and sends.
    async fn patch(&self, claims: &Value) -> Answer {
        self.send(&self.phone.signing.sign(claims)).await
    }

    async fn send(&self, jws: &str) -> Answer {
        send(&self.gateway.public(), &self.path(), jws).await
    }

    /// The name under which the target is listed.
    async fn name(&self) -> String {
        let list = self.gateway.internal().get("/nevisfido/token/dispatch/targets?username=jeff").send().await;
        let list = list.expect(200).json();
        list["dispatchTargets"].as_array().unwrap().iter().find(|target| target["id"] == self.phone.target()).unwrap()
            ["name"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

fn path(target: &str) -> String {
    format!("/nevisfido/token/dispatch/targets/{target}")
}

async fn send(client: &Client, path: &str, jws: &str) -> Answer {
    client.call(http::Method::PATCH, path).jose(jws).send().await
}

fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// Good claims with a change.
fn claims(change: &Value) -> Value {
    let mut claims = json!({"requestId": uuid::Uuid::new_v4(), "creationTimeInEpochMillis": now()});
    claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    claims
}

fn rename() -> Value {
    claims(&json!({"name": "new name"}))
}
