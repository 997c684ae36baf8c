//! A UAF server behind the gateway that verifies nothing: it takes every answer for good, unless the script says
//! otherwise. What the gateway believes of that is the gateway's own doing.

mod wire;

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use sidegate_uaf::Incoming;
use sidegate_uaf::encoding::encode;
use sidegate_uaf::wire::Operation;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// What is done with one request in place of an honest-looking answer.
pub(crate) enum Act {
    /// This HTTP status and body.
    Say(u16, String),
    /// Nothing, as long as the other side waits.
    Hang,
    /// Half an answer, then a reset.
    Reset,
    /// It does what an honest-looking answer would tell of, and then this.
    Done(Box<Act>),
    /// The honest-looking answer, and nothing of what it tells.
    Pretend,
    /// The honest-looking answer, once this has a permit.
    Hold(Arc<Semaphore>),
    /// A request with this challenge.
    Challenge(String),
}

impl Act {
    /// HTTP 200 with this UAF code and nothing else.
    pub(crate) fn code(code: u16) -> Self {
        Self::Say(200, json!({"statusCode": code}).to_string())
    }
}

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Its path below the base path.
    pub(crate) path: String,
    pub(crate) body: Value,
}

impl Asked {
    /// The members of its context.
    pub(crate) fn context(&self) -> Value {
        serde_json::from_str(self.body["context"].as_str().unwrap()).unwrap()
    }
}

#[derive(Default)]
struct State {
    script: VecDeque<Act>,
    asked: Vec<Asked>,
    /// For whom a challenge was issued.
    issued: HashMap<String, String>,
    /// The keys of users: AAID and key id.
    keys: HashMap<String, Vec<(String, String)>>,
    /// The models that no request lets answer.
    revoked: Vec<String>,
}

/// The running server.
#[derive(Clone)]
pub(crate) struct ScriptedUpstream {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl ScriptedUpstream {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        let server = upstream.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = server.clone();
                tokio::spawn(async move { server.serve(stream).await });
            }
        });
        upstream
    }

    /// What it does with the next request that no act is waiting for yet.
    pub(crate) fn then(&self, act: Act) {
        self.state.lock().unwrap().script.push_back(act);
    }

    /// Every request so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    /// How many answers of phones were passed on to it.
    pub(crate) fn answers(&self) -> usize {
        self.asked().iter().filter(|asked| asked.body.get("uafResponse").is_some()).count()
    }

    async fn serve(&self, mut stream: TcpStream) {
        let Some(asked) = wire::read(&mut stream).await else { return };
        let act = {
            let mut state = self.state.lock().unwrap();
            state.asked.push(asked.clone());
            state.script.pop_front()
        };
        self.act(act, &asked, stream).await;
    }

    async fn act(&self, act: Option<Act>, asked: &Asked, mut stream: TcpStream) {
        match act {
            Some(Act::Done(then)) => {
                self.take_for_good(asked, None);
                Box::pin(self.act(Some(*then), asked, stream)).await;
            }
            None => wire::answer(&mut stream, 200, &self.take_for_good(asked, None)).await,
            Some(Act::Challenge(challenge)) => {
                wire::answer(&mut stream, 200, &self.take_for_good(asked, Some(challenge))).await;
            }
            Some(Act::Pretend) => {
                let kept = self.state.lock().unwrap().keys.clone();
                let body = self.take_for_good(asked, None);
                self.state.lock().unwrap().keys = kept;
                wire::answer(&mut stream, 200, &body).await;
            }
            Some(Act::Say(status, body)) => wire::answer(&mut stream, status, &body).await,
            Some(Act::Hang) => wire::closed(&mut stream).await,
            Some(Act::Reset) => wire::reset(stream, &self.take_for_good(asked, None)).await,
            Some(Act::Hold(gate)) => {
                let body = self.take_for_good(asked, None);
                gate.acquire().await.unwrap().forget();
                wire::answer(&mut stream, 200, &body).await;
            }
        }
    }

    fn take_for_good(&self, asked: &Asked, challenge: Option<String>) -> String {
        let body = match asked.path.as_str() {
            "request/registration" => self.request("Reg", asked, challenge),
            "request/authentication" => self.request("Auth", asked, challenge),
            "request/deregistration" => self.deregistration(asked),
            "registration" => {
                self.learn(asked.body["uafResponse"].as_str().unwrap());
                json!({"statusCode": 1200})
            }
            _ => json!({"statusCode": 1200}),
        };
        body.to_string()
    }

    fn request(&self, op: &str, asked: &Asked, challenge: Option<String>) -> Value {
        let context = asked.context();
        let username = context["username"].as_str().unwrap_or_default().to_owned();
        let challenge = challenge.unwrap_or_else(|| encode(uuid::Uuid::new_v4().as_bytes()));
        let mut state = self.state.lock().unwrap();
        let mut message = json!({
            "header": header(op),
            "challenge": challenge,
            "policy": {"accepted": accepted(state.keys.get(&username).filter(|_| op == "Auth"))},
        });
        if !state.revoked.is_empty() {
            message["policy"]["disallowed"] = json!([{"aaid": state.revoked}]);
        }
        if op == "Reg" {
            message["username"] = json!(username);
        }
        if let Some(transaction) = context.get("transaction") {
            message["transaction"] = transaction.clone();
        }
        state.issued.insert(challenge, username);
        handed_out(op, &message)
    }

    /// Removes one key of a user, or all of them.
    fn deregistration(&self, asked: &Asked) -> Value {
        let context = asked.context();
        let (username, one) = (context["username"].as_str().unwrap(), context["keyId"].as_str());
        let mut state = self.state.lock().unwrap();
        let keys = state.keys.remove(username).unwrap_or_default();
        let (gone, left): (Vec<_>, Vec<_>) = keys.into_iter().partition(|(_, id)| one.is_none_or(|one| id == one));
        if !left.is_empty() {
            state.keys.insert(username.to_owned(), left);
        }
        if gone.is_empty() {
            return json!({"statusCode": 1404});
        }
        let gone: Vec<_> = gone.iter().map(|(aaid, key_id)| json!({"aaid": aaid, "keyID": key_id})).collect();
        handed_out("Dereg", &json!({"header": header("Dereg"), "authenticators": gone}))
    }

    /// No request lets these models answer any more.
    pub(crate) fn revoke(&self, models: Vec<String>) {
        self.state.lock().unwrap().revoked = models;
    }

    /// It has no keys of this user any more.
    pub(crate) fn forget(&self, user: &str) {
        self.state.lock().unwrap().keys.remove(user);
    }

    /// The ids of a user's keys.
    pub(crate) fn key_ids(&self, user: &str) -> Vec<String> {
        let state = self.state.lock().unwrap();
        state.keys.get(user).into_iter().flatten().map(|(_, key_id)| key_id.clone()).collect()
    }

    /// How many keys it has of a user.
    pub(crate) fn keys(&self, user: &str) -> usize {
        self.state.lock().unwrap().keys.get(user).map_or(0, Vec::len)
    }

    /// Keeps the keys of a registration under the user whom its challenge was issued for.
    fn learn(&self, message: &str) {
        let incoming = Incoming::parse(Operation::Reg, message, None).unwrap();
        let challenge = encode(incoming.final_challenge().unwrap().challenge.as_bytes());
        let mut state = self.state.lock().unwrap();
        let user = state.issued[&challenge].clone();
        let keys = incoming.keys().into_iter().map(|key| (key.aaid.to_string(), encode(key.key_id.as_bytes())));
        state.keys.entry(user).or_default().extend(keys);
    }
}

fn header(op: &str) -> Value {
    json!({"upv": {"major": 1, "minor": 1}, "op": op, "appID": "https://uaf.example/facets",
        "serverData": uuid::Uuid::new_v4().to_string()})
}

/// Everything, or exactly these keys.
fn accepted(keys: Option<&Vec<(String, String)>>) -> Value {
    let Some(keys) = keys else {
        return json!([[{"authenticationAlgorithms": [1, 2], "assertionSchemes": ["UAFV1TLV"]}]]);
    };
    keys.iter().map(|(aaid, key_id)| json!([{"aaid": [aaid], "keyIDs": [key_id]}])).collect()
}

fn handed_out(op: &str, message: &Value) -> Value {
    let minute = Duration::from_secs(60).as_millis();
    json!({"statusCode": 1200, "op": op, "uafRequest": json!([message]).to_string(), "lifetimeMillis": minute})
}
