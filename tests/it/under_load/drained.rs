//! Servers behind that are restarted so that not even a POST is lost, of which none may be sent twice: they fail their health
//! checks until no more requests come, listen no more, end what is open, and come back.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use futures::FutureExt as _;
use tokio::sync::Semaphore;

use super::Load;
use crate::support::gateway::Gateway;
use crate::support::upstream::{Received, Upstream};
use crate::support::{ports, wait};

/// What is ended only once a server listens no more.
const LONG: &str = "long";

/// Two tills behind one name.
pub(super) struct Tills([Till; 2]);

/// A server that remembers what it was asked to do.
struct Till {
    address: SocketAddr,
    server: Upstream,
    state: Arc<State>,
}

struct State {
    leaves: AtomicBool,
    done: Mutex<Vec<String>>,
    gate: Semaphore,
}

impl Tills {
    pub(super) async fn start() -> Self {
        Self([Till::start().await, Till::start().await])
    }

    /// The upstream and its row, for a configuration.
    pub(super) fn rows(&self) -> [String; 2] {
        let [one, two] = self.0.each_ref().map(|till| till.address);
        let check = "{path: /health, codes: [204], interval: 100ms, timeout: 10s, failures: 1, successes: 1}";
        let upstream = format!("  till: {{servers: ['http://{one}', 'http://{two}'], health-check: {check}}}\n");
        let row = "  - {name: till, path: /till/*, methods: [POST], filters: [], upstream: till}\n";
        [upstream, row.to_owned()]
    }

    /// Restarts the one that happens to have the longest work.
    pub(super) async fn restart_one(&mut self, gateway: &Gateway, load: &Load) {
        // It is on a connection of its own: one that was idle may be about to end.
        let long = tokio::spawn(gateway.public().alone().post("/till/sale").body(LONG).send());
        let is_busy = async || self.0.iter().position(Till::is_busy);
        let place = wait::until("one has it", wait::BOUND, is_busy).await;
        let till = &mut self.0[place];
        till.state.leaves.store(true, Ordering::SeqCst);
        till.turned(gateway, 0).await;
        load.more().await;
        till.server.close().await;
        till.state.gate.add_permits(1);
        long.await.unwrap().expect(200);
        load.more().await;
        till.come_back().await;
        till.turned(gateway, 1).await;
        load.more().await;
    }

    /// Each of so many sales was done once, by one of them.
    pub(super) fn did_once(&self, sales: u64) {
        let done: Vec<String> = self.0.iter().flat_map(|till| till.state.done.lock().unwrap().clone()).collect();
        assert_eq!(done.iter().collect::<BTreeSet<_>>().len(), done.len(), "none twice");
        assert_eq!(u64::try_from(done.len()).unwrap(), sales);
        assert!(self.0.iter().all(|till| !till.state.done.lock().unwrap().is_empty()), "both had some");
    }
}

impl Till {
    async fn start() -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], ports::free()));
        let state = Arc::new(State { leaves: AtomicBool::new(false), done: Mutex::default(), gate: Semaphore::new(0) });
        Self { address, server: serve(address, state.clone()).await, state }
    }

    fn is_busy(&self) -> bool {
        self.state.done.lock().unwrap().iter().any(|sale| sale == LONG)
    }

    async fn come_back(&mut self) {
        self.state.done.lock().unwrap().retain(|sale| sale != LONG);
        self.state.leaves.store(false, Ordering::SeqCst);
        self.server = serve(self.address, self.state.clone()).await;
    }

    /// Waits until the gateway takes it for well, or not.
    async fn turned(&self, gateway: &Gateway, healthy: u64) {
        let sample = format!("sidegate_upstream_server_healthy{{server=\"{}\",upstream=\"till\"}}", self.address);
        wait::until(&sample, wait::BOUND, async || (gateway.metric(&sample).await == healthy).then_some(())).await;
    }
}

async fn serve(address: SocketAddr, state: Arc<State>) -> Upstream {
    Upstream::judging_at(address, move |request| judged(request, state.clone()).boxed()).await
}

async fn judged(request: Received, state: Arc<State>) -> u16 {
    if request.head.starts_with("GET /health ") {
        return if state.leaves.load(Ordering::SeqCst) { 503 } else { 204 };
    }
    let sale = String::from_utf8(request.body).unwrap();
    state.done.lock().unwrap().push(sale.clone());
    if sale == LONG {
        state.gate.acquire().await.unwrap().forget();
    }
    200
}
