//! A gateway with a table of its own, on a thread, and the services behind it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use sidegate::gateway::{self, Limits, Listener, RunError, Settings, Stop, StopHandle, TlsFiles};
use sidegate::routes::{Destination, Endpoint, ListenerClass, Media, Medium, Route, Router, Server, Upstream};
use sidegate::telemetry::Metrics;
use sidegate_filters::delegation::RemovedHeaders;
use sidegate_filters::{
    BodySource, Chain, Exchange, Filter, FilterError, PathRules, PathTemplate, Problem, Reply, Verdict,
};
use tokio::sync::watch;

use super::clients::certificate;
use super::log::Mark;
use crate::support::secrets::Secrets;
use crate::support::wait;

/// How long the end of open requests is waited for before a log is searched.
const LAST_LINES: Duration = Duration::from_secs(1);

/// A running gateway; when this is dropped, it stops and its log is searched for secrets.
pub(crate) struct Front {
    pub(crate) plain: SocketAddr,
    pub(crate) tls: SocketAddr,
    /// TLS for clients with a certificate of the same authority.
    pub(crate) mutual: SocketAddr,
    pub(crate) data: PathBuf,
    pub(crate) metrics: Arc<Metrics>,
    /// What filters were told about answers.
    pub(crate) told: Arc<Mutex<Vec<u16>>>,
    /// What its log is searched for when this is dropped.
    pub(crate) secrets: Secrets,
    /// Where its log begins.
    begun: Mark,
    /// Lets `/slow` answer.
    gate: watch::Sender<bool>,
    stop: StopHandle,
    thread: Option<JoinHandle<Result<(), RunError>>>,
    _folder: tempfile::TempDir,
}

/// Limits that a test can wait for.
pub(crate) fn quick() -> Limits {
    Limits {
        head: Duration::from_secs(1),
        idle: Duration::from_secs(3),
        body_window: Duration::from_secs(1),
        ..Limits::default()
    }
}

/// Waits until something holds that is about to.
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    assert!(wait::blocking(wait::BOUND, || holds().then_some(())).is_some(), "{what}");
}

impl Front {
    /// A gateway with these limits; `/up/…` goes to `upstream`.
    pub(crate) fn start(limits: Limits, upstream: Option<SocketAddr>) -> Self {
        let begun = Mark::here();
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().to_owned();
        let mut settings = Settings::new(listeners(&data), data.clone());
        settings.limits = limits;
        settings.threads = 2;
        // Whoever waits for nothing is not ended by this.
        settings.shutdown = Duration::from_secs(60);
        let told = Arc::new(Mutex::new(Vec::new()));
        let gate = watch::Sender::new(false);
        let router = Arc::new(Router::new(table(upstream, &told, &gate)));
        let metrics = Arc::new(Metrics::new().unwrap());
        let gateway = gateway::on(gateway::listen(settings).unwrap(), &router, &metrics).unwrap();
        let [plain, tls, mutual] = [0, 1, 2].map(|index: usize| gateway.addresses()[index].address);
        let (on_handle, stop) = Stop::by_handle();
        let thread = Some(std::thread::spawn(move || gateway.run(on_handle)));
        let secrets = Secrets::default();
        let key = std::fs::read_to_string(data.join("key.pem")).unwrap();
        key.lines().filter(|line| !line.starts_with('-')).for_each(|line| secrets.add("private key", line));
        Self { plain, tls, mutual, data, metrics, told, secrets, begun, gate, stop, thread, _folder: folder }
    }

    /// Asks it to stop.
    pub(crate) fn ask_to_stop(&self) {
        self.stop.stop();
    }

    /// Has `/slow` answer, from now on.
    pub(crate) fn open_gate(&self) {
        self.gate.send_replace(true);
    }

    /// Asks it to stop and waits until it has.
    pub(crate) fn stop(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap().unwrap();
        }
    }

    /// What was logged since it was started.
    pub(crate) fn log(&self) -> String {
        self.begun.since()
    }

    pub(crate) fn metrics(&self) -> String {
        String::from_utf8(self.metrics.text()).unwrap()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.stop.stop();
        // A line is written when its request ends; those that a test leaves open have nothing more to say.
        wait::blocking(LAST_LINES, || (self.metrics.open_requests() == 0).then_some(()));
        let leaks = self.secrets.leaks(&self.log());
        if std::thread::panicking() {
            eprintln!("leaks: {leaks:#?}");
            return;
        }
        assert!(leaks.is_empty(), "secrets in the log: {leaks:#?}");
    }
}

fn listeners(data: &std::path::Path) -> Vec<Listener> {
    let (certificate, key) = certificate(data);
    let any = "127.0.0.1:0".parse().unwrap();
    let tls = Some(TlsFiles { certificate, key, client_ca: None });
    let mutual = tls.clone().map(|files| TlsFiles { client_ca: Some(files.certificate.clone()), ..files });
    vec![
        Listener {
            class: ListenerClass::Public,
            address: any,
            balancers: Vec::new(),
            proxies: None,
            tls: None,
            http2: true,
        },
        Listener { class: ListenerClass::Public, address: any, balancers: Vec::new(), proxies: None, tls, http2: true },
        Listener {
            class: ListenerClass::Public,
            address: any,
            balancers: Vec::new(),
            proxies: None,
            tls: mutual,
            http2: false,
        },
    ]
}

fn route(method: Method, path: &str, filters: Vec<Arc<dyn Filter>>, destination: Destination) -> Route {
    Route {
        name: path.trim_matches(['/', '*']).to_owned(),
        methods: vec![method],
        path: PathTemplate::parse(path).unwrap(),
        pattern: path.to_owned(),
        on: vec![ListenerClass::Public],
        rules: PathRules::default(),
        body_limit: None,
        bodies_of: Vec::new(),
        filters: Chain::new(filters),
        upstream_path: None,
        websocket: None,
        destination,
    }
}

fn table(upstream: Option<SocketAddr>, told: &Arc<Mutex<Vec<u16>>>, gate: &watch::Sender<bool>) -> Vec<Route> {
    let local = |service: Service| Destination::Local(Arc::new(service));
    let mut routes = vec![
        route(Method::GET, "/hello", vec![], local(Service::Hello)),
        route(Method::GET, "/slow", vec![], local(Service::Slow(gate.subscribe()))),
        route(Method::GET, "/panic", vec![], local(Service::Panic)),
        route(Method::GET, "/away", vec![], local(Service::Away)),
        route(Method::POST, "/count", vec![], local(Service::Count)),
        route(Method::POST, "/closed", vec![Arc::new(Closed)], local(Service::Hello)),
        route(Method::GET, "/broken", vec![Arc::new(Broken(Step::Request))], local(Service::Hello)),
    ];
    if let Some(address) = upstream {
        let identity = HeaderName::from_static("x-user");
        let to = Destination::Upstream(Arc::new(Upstream {
            connect_timeout: Duration::from_secs(1),
            read_timeout: Duration::from_secs(2),
            write_timeout: Duration::from_secs(1),
            idle_timeout: Duration::from_secs(10),
            identity_headers: RemovedHeaders::from_iter([&identity]),
            ..Upstream::new("app", vec![Server::plain(address.to_string())])
        }));
        let filters: Vec<Arc<dyn Filter>> = vec![Arc::new(Identify(identity, told.clone()))];
        for (path, step) in
            [("/uncommitted/*", Step::Commit), ("/unsent/*", Step::Sent), ("/unnoted/*", Step::Response)]
        {
            let broken: Arc<dyn Filter> = Arc::new(Broken(step));
            let filters = std::iter::once(broken).chain(filters.clone()).collect();
            routes.push(route(Method::GET, path, filters, to.clone()));
        }
        routes.push(Route {
            methods: vec![Method::GET, Method::POST],
            ..route(Method::GET, "/up/*", filters, to.clone())
        });
        let mut held = route(Method::POST, "/held/*", vec![Arc::new(Inspect)], to.clone());
        held.body_limit = Some(64 * 1024);
        routes.push(held);
        let mut capped = route(Method::POST, "/capped/*", vec![], to);
        capped.body_limit = Some(128 * 1024);
        routes.push(capped);
    }
    routes
}

enum Service {
    Hello,
    /// Answers once its gate is open.
    Slow(watch::Receiver<bool>),
    Panic,
    Away,
    Count,
}

#[async_trait]
impl Endpoint for Service {
    fn media(&self) -> Media {
        match self {
            Self::Count => Media { takes: &[Medium::Json], gives: &[Medium::Json] },
            _ => Media { takes: &[], gives: &[] },
        }
    }

    async fn answer(&self, exchange: Exchange) -> Reply {
        let text = match self {
            Self::Hello => "hello".to_owned(),
            Self::Slow(gate) => {
                gate.clone().wait_for(|open| *open).await.unwrap();
                "slow".to_owned()
            }
            Self::Panic => panic!("as asked"),
            Self::Away => {
                let retry = (http::header::RETRY_AFTER, HeaderValue::from_static("7"));
                return Problem::unavailable().with(retry.0, retry.1).into();
            }
            Self::Count => exchange.body.map_or(0, |body| body.len()).to_string(),
        };
        Reply::Response(Response::new(Bytes::from(text)))
    }
}

/// Nobody gets in.
struct Closed;

#[async_trait]
impl Filter for Closed {
    fn name(&self) -> &'static str {
        "closed"
    }

    async fn request(&self, _: &mut Exchange, _: &mut dyn BodySource) -> Result<Verdict, FilterError> {
        Ok(Verdict::Answer(Problem::new(StatusCode::UNAUTHORIZED, "log in first").into()))
    }
}

/// Panics at this step.
struct Broken(Step);

#[derive(PartialEq, Eq)]
enum Step {
    Request,
    Commit,
    Sent,
    Response,
}

impl Broken {
    fn reach(&self, step: Step) {
        assert!(self.0 != step, "as asked");
    }
}

#[async_trait]
impl Filter for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    async fn request(&self, _: &mut Exchange, _: &mut dyn BodySource) -> Result<Verdict, FilterError> {
        self.reach(Step::Request);
        Ok(Verdict::Pass)
    }

    async fn commit(&self, _: &mut Exchange) -> Result<Verdict, FilterError> {
        self.reach(Step::Commit);
        Ok(Verdict::Pass)
    }

    fn sent(&self, _: &Exchange) {
        self.reach(Step::Sent);
    }

    async fn response(&self, _: &Exchange, _: StatusCode) -> Result<(), FilterError> {
        self.reach(Step::Response);
        Ok(())
    }
}

/// Wants the whole body before it passes.
struct Inspect;

#[async_trait]
impl Filter for Inspect {
    fn name(&self) -> &'static str {
        "inspect"
    }

    async fn request(&self, exchange: &mut Exchange, body: &mut dyn BodySource) -> Result<Verdict, FilterError> {
        let read = exchange.read_body(body, 64 * 1024).await;
        Ok(read.map_or_else(|problem| Verdict::Answer(problem.into()), |_| Verdict::Pass))
    }
}

/// Says who is calling, and keeps what it is told about answers. Takes `X-Secret` away.
struct Identify(HeaderName, Arc<Mutex<Vec<u16>>>);

#[async_trait]
impl Filter for Identify {
    fn name(&self) -> &'static str {
        "identify"
    }

    async fn request(&self, exchange: &mut Exchange, _: &mut dyn BodySource) -> Result<Verdict, FilterError> {
        exchange.headers.remove("x-secret");
        exchange.upstream_headers.push((self.0.clone(), HeaderValue::from_static("alice")));
        exchange.personal = true;
        Ok(Verdict::Pass)
    }

    async fn response(&self, _: &Exchange, status: StatusCode) -> Result<(), FilterError> {
        self.1.lock().unwrap().push(status.as_u16());
        Ok(())
    }
}
