//! The UAF server inside, over its stores: what each answer does to its operation and to the credentials.

mod answer;
mod credential;
mod forged;
mod interrupted;
mod purpose;
mod request;
mod step_up;
mod upstream;

use sidegate_filters::Caller;

use super::UafRequest;
use crate::oob::testing::{House, asker};
use crate::store::operation::OperationKind;

/// An authentication of jeff by token, redeemed: its request and its session id.
async fn redeemed(house: &House, context: &str) -> (UafRequest, String) {
    let jeff = house.user("jeff").await;
    let (token, session_id) = house.token_of(&jeff, OperationKind::Auth, context).await;
    let (_, request) = house.redeem(OperationKind::Auth, &token.expose()).await;
    (request.unwrap(), session_id)
}

const JEFF: &str = r#"{"username":"jeff"}"#;
const PAY: &str = r#"{"username":"jeff","transaction":[{"contentType":"text/plain","content":"UGF5IDE"}]}"#;

/// A request to log jeff in, in band.
async fn login(house: &House) -> UafRequest {
    house.requests.login(&asker(&Caller::Anonymous), Some("jeff")).await.unwrap()
}

/// A request to register a key for jeff.
async fn registration(house: &House) -> UafRequest {
    let jeff = house.user("jeff").await;
    house.requests.request(&asker(&jeff), OperationKind::Reg, None).await.unwrap()
}
