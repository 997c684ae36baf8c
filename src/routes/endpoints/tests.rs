//! The services over HTTP: outer bodies, shapes of answers, codes. What the services decide has its tests with them.

mod approvals;
mod bodies;
mod login;
mod shapes;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use serde_json::Value;
use sidegate_filters::{Caller, CanonicalPath, Exchange, PathTemplate};

use crate::identity::testing::exchange;
use crate::routes::Endpoint;

/// A request with this body by this caller.
fn request(caller: &Caller, body: impl Into<Bytes>) -> Exchange {
    Exchange { caller: caller.clone(), body: Some(body.into()), ..exchange(Method::POST, &[]) }
}

/// The same for one target.
fn for_target(caller: &Caller, id: &str) -> Exchange {
    let path = CanonicalPath::parse(&format!("/t/{id}")).unwrap();
    let params = PathTemplate::parse("/t/{id}").unwrap().matches(&path).unwrap();
    Exchange { params, path, ..request(caller, "") }
}

async fn send(endpoint: &dyn Endpoint, exchange: Exchange) -> Response<Bytes> {
    endpoint.answer(exchange).await.into_response("r")
}

fn body(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap_or(Value::Null)
}

/// Status and `detail` of a problem.
async fn problem(endpoint: &dyn Endpoint, exchange: Exchange) -> (StatusCode, String) {
    let response = send(endpoint, exchange).await;
    let detail = body(&response)["detail"].as_str().unwrap_or_default().to_owned();
    (response.status(), detail)
}
