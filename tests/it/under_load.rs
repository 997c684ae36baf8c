//! What must not cost anybody a request, all at once: reloads, a gateway that takes over, and servers behind that are
//! restarted one after the other. Few requests in a run of the tests, 500 a second in a soak; what was done is printed, and
//! whether they were so many: a machine may be too slow for that, which is no fault of the gateway's.

mod drained;
mod rotation;

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
use drained::Tills;

/// How hard it is tried.
struct Effort {
    /// Requests a second, from all clients together.
    rate: u32,
    /// Clients for each errand.
    crowd: usize,
    reloads: u64,
    upgrades: usize,
    restarts: usize,
    rotations: usize,
}

impl Effort {
    fn of_this_run() -> Self {
        if std::env::var_os("SIDEGATE_SOAK").is_some() {
            Self { rate: 500, crowd: 5, reloads: 20, upgrades: 3, restarts: 3, rotations: 6 }
        } else {
            Self { rate: 50, crowd: 1, reloads: 3, upgrades: 1, restarts: 1, rotations: 2 }
        }
    }
}

/// What a client asks for, again and again.
#[derive(Clone, Copy)]
enum Errand {
    /// A page, of our own or behind.
    Page(&'static str),
    /// An operation of our own: it writes.
    Dispatch,
    /// Work for a server behind, which may not be done twice.
    Sale,
}

impl Errand {
    /// What comes back, and how often it was sent again. A GET of which nothing came back may be: the client's library drops,
    /// as an error, what it has yet to send when the gateway ends an HTTP/2 connection, and every client sends anew what
    /// crossed the end of an idle one (RFC 9110 9.2.2). A sale has a number by which the same may be asked for again: had the
    /// gateway begun with it, it would be done twice. What the gateway had begun with is looked for in its log as well.
    async fn run(self, client: Client) -> (Answer, u64) {
        let sale = uuid::Uuid::new_v4().to_string();
        let mut again = 0;
        loop {
            let request = match self {
                Self::Page(path) => client.get(path),
                Self::Sale => client.post("/till/sale").body(sale.clone()),
                Self::Dispatch => return (dispatch(&client, "authentication", &by_link("jeff")).await, 0),
            };
            match request.try_send().await {
                Err(error) if error.is_request() && again < AGAIN => again += 1,
                done => return (done.unwrap(), again),
            }
        }
    }
}

/// How often a request may meet a connection that ends: each that its client keeps may be about to, one after the other.
const AGAIN: u64 = OPEN as u64;

/// What became of the requests.
#[derive(Default)]
struct Tally {
    ended: AtomicBool,
    answered: AtomicU64,
    /// How many were sent again.
    again: AtomicU64,
}

/// Requests on their way at a steady rate, whatever becomes of the ones before.
struct Load {
    tally: Arc<Tally>,
    clients: JoinSet<u64>,
    rate: u32,
    since: Instant,
}

/// What a load came to.
struct Sent {
    count: u64,
    /// How many were sent again.
    again: u64,
    /// How many a second there were to be.
    rate: u32,
    time: Duration,
}

impl Sent {
    /// Both together, which came at the same time.
    fn beside(&self, other: &Self) -> Self {
        let (count, again, rate) = (self.count + other.count, self.again + other.again, self.rate + other.rate);
        Self { count, again, rate, time: self.time.max(other.time) }
    }

    /// How many a second there were, and whether that is what was asked for, to one in a hundred.
    fn pace(&self) -> String {
        let pace = self.count as f64 / self.time.as_secs_f64();
        let kept = if pace >= 0.99 * f64::from(self.rate) { "reached" } else { "NOT REACHED" };
        format!("{pace:.1}/s of the {}/s that are asked for: {kept}", self.rate)
    }
}

impl Load {
    fn start(clients: Vec<(Client, Errand)>, rate: u32) -> Self {
        let tally = Arc::<Tally>::default();
        let pause = Duration::from_secs(1) / rate * u32::try_from(clients.len()).unwrap();
        let asking = clients.into_iter().map(|(client, errand)| ask(client, errand, pause, tally.clone()));
        Self { clients: asking.collect(), tally, rate, since: Instant::now() }
    }

    /// Waits until so many more are answered.
    async fn more(&self) {
        self.so_many_more(30).await;
    }

    async fn so_many_more(&self, count: u64) {
        let answered = || self.tally.answered.load(Ordering::Relaxed);
        let before = answered();
        wait::until("more answers", wait::BOUND, async || (answered() > before + count).then_some(())).await;
    }

    /// Ends; each request that was sent has been answered.
    async fn end(self) -> Sent {
        self.tally.ended.store(true, Ordering::Relaxed);
        let time = self.since.elapsed();
        let count: u64 = self.clients.join_all().await.into_iter().sum();
        assert_eq!(count, self.tally.answered.load(Ordering::Relaxed));
        Sent { count, again: self.tally.again.load(Ordering::Relaxed), rate: self.rate, time }
    }
}

/// How many requests a client has open: fewer than an HTTP/2 connection has streams, so that none waits in the client.
const OPEN: usize = 50;

/// Sends at its pace and waits for all answers, which must be good ones; how many it sent.
async fn ask(client: Client, errand: Errand, pause: Duration, tally: Arc<Tally>) -> u64 {
    let mut ticks = tokio::time::interval(pause);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut open, mut sent) = (JoinSet::new(), 0);
    while !tally.ended.load(Ordering::Relaxed) {
        ticks.tick().await;
        let (client, tally) = (client.clone(), tally.clone());
        open.spawn(async move {
            let (answer, again) = errand.run(client).await;
            answer.expect(200);
            tally.answered.fetch_add(1, Ordering::Relaxed);
            tally.again.fetch_add(again, Ordering::Relaxed);
        });
        sent += 1;
        while let Some(done) = open.try_join_next() {
            done.unwrap();
        }
        if open.len() >= OPEN {
            open.join_next().await.unwrap().unwrap();
        }
    }
    open.join_all().await;
    sent
}

/// Nothing that the gateway had begun with was cut, but where the client itself let go of it.
fn nothing_cut(gateway: &Gateway) {
    let lines = gateway.log();
    let cut = lines.lines().filter(|line| line.contains("\"cut\":true") && !line.contains("\"cut_by\":\"client\""));
    assert_eq!(cut.collect::<Vec<_>>(), Vec::<&str>::new());
}

/// No connection was refused, which its client would take for one that got lost.
async fn nobody_turned_away(gateway: &Gateway) {
    for reason in ["full", "share"] {
        let sample = format!("sidegate_connections_refused_total{{listener=\"public\",reason=\"{reason}\"}}");
        assert_eq!(gateway.written_metric(&sample).await, Some(0), "{sample}");
    }
}

async fn gateway(behind: &[Gateway; 2], tills: &Tills) -> Gateway {
    let [one, two] = behind.each_ref().map(|server| server.public().base().to_owned());
    let rows = "routes:\n  - {name: shop, path: /shop/*, methods: [GET], filters: [customers, told], upstream: shop, \
                upstream-path: \"/*\"}\n";
    let [till, till_row] = tills.rows();
    // The load of a whole country comes from one network here.
    let setup = Setup::default().user("jeff").append(format!(
        "limits: {{connections-share: 100%}}\nupstreams:\n  shop: {{servers: [\"{one}\", \"{two}\"]}}\n{till}\
         filters:\n  customers: {{type: identity-creation, domain: main}}\n\
         \x20 told: {{type: delegation, rules: [\"AUTH:user.auth.SecToken:Authorization\"]}}\n{rows}{till_row}"
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
    let Effort { rate, crowd, reloads, upgrades, restarts, .. } = Effort::of_this_run();
    let (shop, page) = (Errand::Page("/shop/auth/login"), Errand::Page("/auth/login"));
    let mut behind = [Gateway::standalone(&[]).await, Gateway::standalone(&[]).await];
    let mut tills = Tills::start().await;
    let mut gateway = gateway(&behind, &tills).await;
    let mut clients = Vec::new();
    for _ in 0..crowd {
        clients.extend([
            (customer(&gateway, gateway.public().alone()).await, shop),
            (customer(&gateway, gateway.public().alone_over_http2()).await, shop),
            (gateway.internal().alone(), Errand::Dispatch),
            (gateway.public().alone_over_http2(), page),
            (gateway.public().alone(), page),
        ]);
    }
    let of_sales = rate / 5;
    let load = Load::start(clients, rate - of_sales);
    let sales = (0..crowd).map(|_| (gateway.public().alone(), Errand::Sale)).collect();
    let sales = Load::start(sales, of_sales);
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
            tills.restart_one(&gateway, &load).await;
        }
    }
    for _ in 0..upgrades {
        nobody_turned_away(&gateway).await;
        assert_eq!(gateway.upgrade().await, Some(0), "the one before ended well");
        load.more().await;
    }
    let (sent, sold) = (load.end().await, sales.end().await);
    nothing_cut(&gateway);
    nobody_turned_away(&gateway).await;
    tills.did_once(sold.count);
    let all = sent.beside(&sold);
    let told = json!({"answered": all.count, "posts_to_servers": sold.count, "sent_again_by_clients": all.again,
        "seconds": all.time.as_secs_f32(), "reloads": reloads, "restarts": 4 * restarts, "upgrades": upgrades});
    println!("none lost: {told}; {}", all.pace());
}
