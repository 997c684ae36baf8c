//! An issuer of tokens: its keys, and the server that tells the public ones.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{OwnedRwLockWriteGuard, RwLock};
use tokio::task::JoinHandle;

use super::jose::SigningKey;

/// A running issuer.
pub(crate) struct Issuer {
    pub(crate) key: SigningKey,
    address: SocketAddr,
    state: Arc<State>,
    listening: JoinHandle<()>,
}

struct State {
    /// The JWK set; `None`: the server fails.
    set: Mutex<Option<String>>,
    asked: AtomicUsize,
    /// Whoever writes here keeps all answers back.
    gate: Arc<RwLock<()>>,
}

/// The name of its key.
pub(crate) use crate::attacks::KID;

/// A key as it stands in a set.
pub(crate) fn listed(key: &SigningKey, kid: &str) -> Value {
    let mut jwk = key.public();
    jwk["kid"] = kid.into();
    jwk
}

impl Issuer {
    /// One whose set has its own key and these.
    pub(crate) async fn start(key: SigningKey, others: &[Value]) -> Self {
        let mut keys = vec![listed(&key, KID)];
        keys.extend_from_slice(others);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let set = Mutex::new(Some(json!({"keys": keys}).to_string()));
        let state = Arc::new(State { set, asked: AtomicUsize::new(0), gate: Arc::default() });
        let address = listener.local_addr().unwrap();
        Self { key, address, listening: listen(listener, state.clone()), state }
    }

    /// Nothing listens there any more.
    pub(crate) async fn stop(&mut self) {
        self.listening.abort();
        let _ = (&mut self.listening).await;
    }

    /// It is there again.
    pub(crate) async fn again(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.listening = listen(listener, self.state.clone());
    }

    /// Its name, and where its keys are.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/keys", self.address)
    }

    /// Says from now on that it has these keys; with none at all it fails.
    pub(crate) fn say(&self, keys: Option<&[Value]>) {
        *self.state.set.lock().unwrap() = keys.map(|keys| json!({"keys": keys}).to_string());
    }

    /// Keeps its answers back until this is dropped.
    pub(crate) fn hold(&self) -> OwnedRwLockWriteGuard<()> {
        self.state.gate.clone().try_write_owned().unwrap()
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }

    /// A good token for the audience `gate`, with a change of its claims.
    pub(crate) fn token(&self, change: &Value) -> String {
        self.signed_by(&self.key, KID, change)
    }

    /// The same by another key.
    pub(crate) fn signed_by(&self, key: &SigningKey, kid: &str, change: &Value) -> String {
        let now = now();
        let mut claims = json!({"iss": self.url(), "aud": "gate", "sub": "e-1", "iat": now, "exp": now + 600});
        claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        key.sign_parts(&json!({"alg": "ES256", "kid": kid}).to_string(), &claims.to_string())
    }
}

fn listen(listener: TcpListener, state: Arc<State>) -> JoinHandle<()> {
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let state = state.clone();
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                state.asked.fetch_add(1, Ordering::SeqCst);
                drop(state.gate.read().await);
                let set = state.set.lock().unwrap().clone();
                let (status, set) = set.map_or((500, String::new()), |set| (200, set));
                let length = set.len();
                let head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
                let _ = stream.write_all(format!("{head}{set}").as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    })
}

/// Seconds since the epoch.
pub(crate) fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}
