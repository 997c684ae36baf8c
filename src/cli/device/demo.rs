//! The whole story against a running gateway, with a fresh phone that leaves nothing behind.

use std::cell::Cell;
use std::path::Path;

use serde_json::{Value, json};

use super::flags::KeyMaker;
use super::http::{Connection, Gateway};
use super::interrupts::Interrupts;
use super::link;
use super::phone::Phone;
use super::{PhoneError, say};
use crate::cli::program::{self, command};

/// Plays it. After a SIGINT it cleans up and fails with [`PhoneError::Interrupted`].
pub(super) async fn play(gateway: &Gateway, maker: KeyMaker, user: &str, password: &str) -> Result<(), PhoneError> {
    let interrupts = Interrupts::begin();
    let mut interrupts = interrupts.map_err(|source| PhoneError::File { path: "SIGINT".into(), source })?;
    let mut phone = Phone::fresh(gateway, maker)?;
    let count = interrupts.count();
    let told = interrupts.heeding(tell(&mut phone, gateway, (user, password), &count)).await;
    // What was registered goes again, also when the story broke off.
    let began = !phone.is_blank() || count.get() > 0;
    let cleaned = if phone.is_blank() { Some(Ok(())) } else { interrupts.heeding(phone.delete()).await };
    let told = told.filter(|_| count.get() == 0).unwrap_or(Err(PhoneError::Interrupted));
    let cleaned = cleaned.unwrap_or(Err(PhoneError::Interrupted));
    let key_left = cleaned.is_err().then(|| kept(&mut phone, user));
    let ways_out: Vec<_> = key_left.into_iter().chain(unnamed(&phone, user)).collect();
    let ended = told.and(cleaned);
    if ways_out.is_empty() {
        match &ended {
            Ok(()) => say("done: nothing of this phone is left"),
            Err(_) if began => say("nothing of this phone is left"),
            Err(_) => {}
        }
        return ended;
    }
    ended.map_err(|why| PhoneError::Left { why: Box::new(why), way_out: ways_out.join("; ") })
}

/// Keeps a phone that could not be cleaned up, since nothing else can do it later; tells how.
fn kept(phone: &mut Phone, user: &str) -> String {
    let file = format!("phone-left-{}.json", uuid::Uuid::new_v4().simple());
    match phone.keep_as(Path::new(&file)) {
        Ok(()) => {
            let delete = command(&format!("device delete --state {file}"));
            format!("{delete} removes it, with the same --gateway and --ca")
        }
        Err(error) => format!("it can't be kept ({error}), so it goes with the user: {}", removal(user)),
    }
}

/// How a dispatch target goes that the phone can't delete, since it never learnt the id.
fn unnamed(phone: &Phone, user: &str) -> Option<String> {
    let name = phone.unanswered_target()?;
    Some(format!(
        "whether there is a dispatch target {name:?} is not known, since its creation got no answer: the targets of {user} \
         are listed for internal callers, and it goes with the user: {}",
        removal(user)
    ))
}

fn removal(user: &str) -> String {
    command(&format!("user remove {}", program::quoted(user)))
}

async fn tell(
    phone: &mut Phone,
    gateway: &Gateway,
    (user, password): (&str, &str),
    interrupts: &Cell<u8>,
) -> Result<(), PhoneError> {
    // Between two deeds: in the midst of one, nobody knows what the gateway has.
    let go_on = || if interrupts.get() == 0 { Ok(()) } else { Err(PhoneError::Interrupted) };
    phone.register(user, password).await?;
    go_on()?;
    phone.register_target(&format!("Demo phone {}", uuid::Uuid::new_v4())).await?;
    go_on()?;
    let mut web = Connection::new(gateway)?;
    let (session, link) = dispatch(&mut web, user, phone.target_id().unwrap_or_default()).await?;
    go_on()?;
    phone.approve(&link::read(&link)?).await?;
    go_on()?;
    let status = web.post_json("/nevisfido/status", &json!({ "sessionId": session })).await?.expect(200, "status")?;
    match status.get("status").and_then(Value::as_str) {
        Some("succeeded") => say("web client: status succeeded"),
        other => return Err(PhoneError::Message(format!("web client: status {other:?} where succeeded was expected"))),
    }
    go_on()?;
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
