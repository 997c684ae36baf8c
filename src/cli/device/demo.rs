//! The whole story against a running gateway, with a fresh phone that leaves nothing behind.

use serde_json::{Value, json};

use super::http::{Connection, Gateway};
use super::key::UafKey;
use super::link;
use super::phone::Phone;
use super::{PhoneError, say};

/// Plays it.
pub(super) async fn play(gateway: &Gateway, key: UafKey, user: &str, password: &str) -> Result<(), PhoneError> {
    let mut phone = Phone::fresh(gateway, key)?;
    phone.register(user, password).await?;
    let told = tell(&mut phone, gateway, user).await;
    // What was registered goes again, also when the story broke off.
    let cleaned = phone.delete().await;
    told.and(cleaned)?;
    say("done: nothing of this phone is left");
    Ok(())
}

async fn tell(phone: &mut Phone, gateway: &Gateway, user: &str) -> Result<(), PhoneError> {
    phone.register_target(&format!("Demo phone {}", uuid::Uuid::new_v4())).await?;
    let mut web = Connection::new(gateway)?;
    let (session, link) = dispatch(&mut web, user, phone.target_id().unwrap_or_default()).await?;
    phone.approve(&link::read(&link)?).await?;
    let status = web.post_json("/nevisfido/status", &json!({ "sessionId": session })).await?.expect(200, "status")?;
    match status.get("status").and_then(Value::as_str) {
        Some("succeeded") => say("web client: status succeeded"),
        other => return Err(PhoneError::Message(format!("web client: status {other:?} where succeeded was expected"))),
    }
    phone.update_target(&format!("Renamed phone {}", uuid::Uuid::new_v4())).await
}

/// What the web client asks for: a token, encrypted for that phone, as a link.
async fn dispatch(web: &mut Connection, user: &str, target: &str) -> Result<(String, String), PhoneError> {
    let request = json!({
        "dispatcher": "link", "dispatchTargetId": target,
        "getUafRequest": { "op": "Auth", "context": json!({ "username": user }).to_string() },
    });
    let answer = web.post_json("/nevisfido/token/dispatch/authentication", &request).await?.expect(200, "dispatch")?;
    let session = answer.get("sessionId").and_then(Value::as_str);
    let link = answer.pointer("/dispatcherInformation/response").and_then(Value::as_str);
    let (Some(session), Some(link)) = (session, link) else {
        let result = answer.get("dispatchResult").and_then(Value::as_str).unwrap_or("no result");
        return Err(PhoneError::Message(format!("dispatch: {result}")));
    };
    say("web client: token dispatched by link, encrypted for the phone");
    Ok((session.to_owned(), link.to_owned()))
}
