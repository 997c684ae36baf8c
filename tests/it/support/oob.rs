//! The out-of-band services as a relying party calls them.

use serde_json::{Value, json};

use super::http::{Answer, Client};
use super::jose::from_base64url;

/// A dispatched token.
#[derive(Debug, Clone)]
pub(crate) struct Dispatched {
    pub(crate) token: String,
    pub(crate) session_id: String,
    /// `dispatcherInformation.response`: the link.
    pub(crate) response: String,
}

/// The `context` member: a string holding JSON.
pub(crate) fn context(members: &Value) -> String {
    members.to_string()
}

/// A request to dispatch by link for a user.
pub(crate) fn by_link(user: &str) -> Value {
    json!({"dispatcher": "link", "getUafRequest": {"context": context(&json!({"username": user}))}})
}

/// The same to a target, so the link is encrypted.
pub(crate) fn by_link_to(user: &str, target: &str) -> Value {
    let mut body = by_link(user);
    body["dispatchTargetId"] = json!(target);
    body
}

/// POST `token/dispatch/{operation}`.
pub(crate) async fn dispatch(client: &Client, operation: &str, body: &Value) -> Answer {
    client.json(&format!("/nevisfido/token/dispatch/{operation}"), body).await
}

/// The same where it must succeed.
pub(crate) async fn dispatched(client: &Client, operation: &str, body: &Value) -> Dispatched {
    try_dispatched(client, operation, body)
        .await
        .unwrap_or_else(|answer| panic!("{}: {}", answer.status, answer.text()))
}

/// The same where it may be refused: then with the answer.
pub(crate) async fn try_dispatched(client: &Client, operation: &str, body: &Value) -> Result<Dispatched, Answer> {
    let answer = dispatch(client, operation, body).await;
    if answer.status != 200 {
        return Err(answer);
    }
    let answer = answer.json();
    assert_eq!(answer["dispatchResult"], "dispatched", "{answer}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Ok(Dispatched {
        token: text(&answer["token"]),
        session_id: text(&answer["sessionId"]),
        response: text(&answer["dispatcherInformation"]["response"]),
    })
}

/// POST `token/redeem/{operation}`.
pub(crate) async fn redeem(client: &Client, operation: &str, token: &str) -> Answer {
    let path = format!("/nevisfido/token/redeem/{operation}");
    client.post(&path).json(&json!({"token": token})).header("accept", "application/fido+uaf").send().await
}

/// What comes of asking for an answer of this user, by a caller who is told.
pub(crate) async fn asked(internal: &Client, user: &str) -> Value {
    let named = json!({"context": json!({"username": user}).to_string()});
    internal.uaf("/nevisfido/uaf/1.1/request/authentication", &named).await.json()["statusCode"].clone()
}

/// POST `status`.
pub(crate) async fn status(client: &Client, session_id: &str) -> Value {
    client.json("/nevisfido/status", &json!({"sessionId": session_id})).await.expect(200).json()
}

/// The payload that a link carries.
pub(crate) fn payload(link: &str) -> Value {
    let (_, text) = link.split_once("dispatchTokenResponse=").unwrap();
    serde_json::from_slice(&from_base64url(text)).unwrap()
}
