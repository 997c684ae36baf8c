//! What must not cost anybody a request, all at once: reloads, a gateway that takes over, and servers behind that are
//! restarted one after the other. Few requests in a run of the tests, 500 a second in a soak; what was done is printed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::{Answer, Client};
use crate::support::oob::{by_link, dispatch};
use crate::support::wait;

/// How hard it is tried.
struct Effort {
    /// Requests a second, from all clients together.
    rate: u32,
    reloads: u64,
    upgrades: usize,
    restarts: usize,
}

impl Effort {
    fn of_this_run() -> Self {
        if std::env::var_os("SIDEGATE_SOAK").is_some() {
            Self { rate: 500, reloads: 20, upgrades: 3, restarts: 3 }
        } else {
            Self { rate: 50, reloads: 3, upgrades: 1, restarts: 1 }
        }
    }
}

/// What a client asks for, again and again.
#[derive(Clone, Copy)]
enum Errand {
    /// A page behind, for whoever is logged in.
    Shop,
    /// An operation of our own: it writes.
    Dispatch,
    /// A page of our own.
    Page,
}

impl Errand {
    async fn run(self, client: Client) -> Answer {
        match self {
            Self::Shop => client.get("/shop/auth/login").send().await,
            Self::Dispatch => dispatch(&client, "authentication", &by_link("jeff")).await,
            Self::Page => client.get("/auth/login").send().await,
        }
    }
}

/// Requests on their way at a steady rate, whatever becomes of the ones before.
struct Load {
    ended: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    clients: JoinSet<u64>,
    since: Instant,
}

impl Load {
    fn start(clients: impl IntoIterator<Item = (Client, Errand)>, rate: u32) -> Self {
        let (ended, answered) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let clients: Vec<_> = clients.into_iter().collect();
        let pause = Duration::from_secs(1) / rate * u32::try_from(clients.len()).unwrap();
        let asking = clients.into_iter().map(|(client, errand)| {
            let (ended, answered) = (ended.clone(), answered.clone());
            ask(client, errand, pause, ended, answered)
        });
        Self { clients: asking.collect(), ended, answered, since: Instant::now() }
    }

    /// Waits until so many more are answered.
    async fn more(&self) {
        let before = self.answered.load(Ordering::Relaxed);
        let some = async || (self.answered.load(Ordering::Relaxed) > before + 30).then_some(());
        wait::until("more answers", wait::BOUND, some).await;
    }

    /// Ends; each request that was sent has been answered. How many there were, and in what time.
    async fn end(self) -> (u64, Duration) {
        self.ended.store(true, Ordering::Relaxed);
        let sent: u64 = self.clients.join_all().await.into_iter().sum();
        assert_eq!(sent, self.answered.load(Ordering::Relaxed));
        (sent, self.since.elapsed())
    }
}

/// Sends at its pace and waits for all answers, which must be good ones; how many it sent.
async fn ask(client: Client, errand: Errand, pause: Duration, ended: Arc<AtomicBool>, answered: Arc<AtomicU64>) -> u64 {
    let mut ticks = tokio::time::interval(pause);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut open, mut sent) = (JoinSet::new(), 0);
    while !ended.load(Ordering::Relaxed) {
        ticks.tick().await;
        let (client, answered) = (client.clone(), answered.clone());
        open.spawn(async move {
            errand.run(client).await.expect(200);
            answered.fetch_add(1, Ordering::Relaxed);
        });
        sent += 1;
        while let Some(done) = open.try_join_next() {
            done.unwrap();
        }
    }
    open.join_all().await;
    sent
}

async fn gateway(behind: &[Gateway; 2]) -> Gateway {
    let [one, two] = behind.each_ref().map(|server| server.public().base().to_owned());
    let rows = "routes:\n  - {name: shop, path: /shop/*, methods: [GET], filters: [customers, told], upstream: shop, \
                upstream-path: \"/*\"}\n";
    let setup = Setup::default().user("jeff").append(format!(
        "upstreams:\n  shop: {{servers: [\"{one}\", \"{two}\"]}}\n\
         filters:\n  customers: {{type: identity-creation, domain: main}}\n\
         \x20 told: {{type: delegation, rules: [\"AUTH:user.auth.SecToken:Authorization\"]}}\n{rows}"
    ));
    setup.start().await
}

async fn customer(gateway: &Gateway, client: Client) -> Client {
    let form = [("isiwebuserid", "jeff"), ("isiwebpasswd", gateway.password("jeff"))];
    let cookie = client.post("/auth/pwd").form(&form).send().await.expect(200).session();
    client.cookie(&cookie)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reloads_an_upgrade_and_restarts_behind_lose_nothing() {
    let Effort { rate, reloads, upgrades, restarts } = Effort::of_this_run();
    let mut behind = [Gateway::standalone(&[]).await, Gateway::standalone(&[]).await];
    let mut gateway = gateway(&behind).await;
    let clients = [
        (customer(&gateway, gateway.public()).await, Errand::Shop),
        (customer(&gateway, gateway.public_http2()).await, Errand::Shop),
        (gateway.internal(), Errand::Dispatch),
        (gateway.public_http2(), Errand::Page),
        (gateway.public(), Errand::Page),
    ];
    let load = Load::start(clients, rate);
    for count in 1..=reloads {
        gateway.hang_up();
        gateway.reloaded("done", count).await;
        load.more().await;
    }
    for _ in 0..restarts {
        for server in &mut behind {
            server.stop();
            load.more().await;
            server.restart().await;
            load.more().await;
        }
    }
    for _ in 0..upgrades {
        assert_eq!(gateway.upgrade().await, Some(0), "the one before ended well");
        load.more().await;
    }
    let (sent, time) = load.end().await;
    let told = json!({"requests": sent, "seconds": time.as_secs_f32(), "reloads": reloads,
        "restarts": 2 * restarts, "upgrades": upgrades});
    println!("none lost: {told}");
}
