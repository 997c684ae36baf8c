//! A UAF server behind the gateway (`http-api.md` 3 and 5, "Hybrid"): a Sidegate, and a scripted one that says what no
//! gateway should believe.

mod answers;
mod browser_login;
mod copies;
mod lost;
mod redeem;
pub(crate) mod samples;
mod shares;

use serde_json::{Value, json};

use crate::support::gateway::{Gateway, Setup};
use crate::support::oob::{Dispatched, by_link, dispatched};
use crate::support::phone::Phone;
use crate::support::scripted_upstream::ScriptedUpstream;

/// A gateway with users jeff and eve before a scripted upstream. It waits for that one's answer longer than a busy
/// machine needs for one, and not so long that the tests where none comes take their time.
pub(crate) async fn before(upstream: &ScriptedUpstream) -> Gateway {
    with(upstream, "read-timeout: 5s", "lease: 30s").await
}

async fn with(upstream: &ScriptedUpstream, patience: &str, lease: &str) -> Gateway {
    setup(upstream, patience, lease).start().await
}

pub(crate) fn setup(upstream: &ScriptedUpstream, patience: &str, lease: &str) -> Setup {
    let address = upstream.address;
    Setup::default()
        .user("jeff")
        .user("eve")
        .replace("  wildcards-for-testing: false\n", "")
        .replace("  metadata:\n    unknown-models: surrogate               # default refuse\n", "")
        .under("fido-uaf", format!("  upstream: uaf\n  time-limits: {{{lease}}}"))
        .append(format!("upstreams:\n  uaf:\n    url: http://{address}\n    connect-timeout: 2s\n    {patience}\n"))
}

/// An authentication of jeff whose token is free.
async fn token(gateway: &Gateway) -> Dispatched {
    dispatched(&gateway.public(), "authentication", &by_link("jeff")).await
}

/// jeff's phone with a key that the upstream knows.
async fn registered(gateway: &Gateway, user: &str) -> Phone {
    let mut phone = Phone::new(gateway, user);
    phone.login_password().await;
    phone.register().await;
    phone
}

/// A phone's answer with another `serverData`.
fn with_server_data(response: &str, server_data: &Value) -> String {
    let mut message: Value = serde_json::from_str(response).unwrap();
    message[0]["header"]["serverData"] = server_data.clone();
    message.to_string()
}

/// The message that was handed out.
fn message(handed_out: &Value) -> Value {
    serde_json::from_str::<Value>(handed_out["uafRequest"].as_str().unwrap()).unwrap()[0].clone()
}

/// The same request with another challenge.
fn with_challenge(handed_out: &Value, challenge: &Value) -> Value {
    let mut changed = message(handed_out);
    changed["challenge"] = challenge.clone();
    json!({"uafRequest": json!([changed]).to_string()})
}
