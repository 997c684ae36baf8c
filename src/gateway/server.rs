//! From settings to a running gateway, and to its end.

mod error;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pingora::apps::HttpServerOptions;
use pingora::protocols::http::v2::server::default_h2_options;
use pingora::proxy::{HttpProxy, http_proxy};
use pingora::server::configuration::ServerConf;
use pingora::server::{ExecutionPhase, RunArgs, Server};
use pingora::services::background::background_service;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use super::addresses::{self, Bound};
use super::checks::Checks;
use super::doors::Doors;
use super::edge::{CLIENT_CERTIFICATE, Edge, Ending, PROXY_PROTOCOL};
use super::files::{self, Listeners};
use super::listening::Prebound;
use super::proxy::Front;
use super::settings::{Limits, Listener, Settings};
use super::snapshot::{Snapshot, Switch};
use super::stop::Stop;
use super::tls::Tls;
use crate::routes::Router;
use crate::seats::NoSeat;
use crate::telemetry::Metrics;
pub use error::{RunError, SAME, StartError};

/// From when listeners are told to accept no more until what is open is first looked at. Pingora accepts a connection, then
/// starts a task that comes to count it, and tells nobody of what is in between: a gateway with nothing else open would leave,
/// and a request that was sent on it get no answer.
const ACCEPTED: Duration = Duration::from_millis(100);
/// How often an idle state is looked for while stopping.
const STEP: Duration = Duration::from_millis(5);
/// How long connections may take to flush and close after their last request was answered.
const FLUSH: Duration = Duration::from_millis(300);

/// How long clients that keep a connection may take to send a request more on it, to a gateway that hands over: the answer
/// says that it is the last.
const LAST: Duration = Duration::from_secs(1);

/// How long requests that are cut may take to write their lines: it is over as soon as they have.
const CUT: Duration = Duration::from_secs(1);

/// A gateway whose listeners are bound: connections queue until it runs.
pub struct Gateway {
    server: Server,
    shutdown: Duration,
    /// Tells connections and requests when their time is over.
    ending: watch::Sender<Ending>,
    doors: Doors,
    bound: Vec<Bound>,
    metrics: Arc<Metrics>,
    switch: Switch,
}

/// Listeners that are bound, their certificates read: connections queue until a gateway runs on them.
pub struct Listening {
    settings: Settings,
    sockets: Vec<(TcpListener, Bound, Option<Tls>)>,
}

/// Binds all listeners and reads their certificates; the data folder is not touched, so that a start that fails here
/// leaves nothing.
///
/// # Errors
/// When an address or a file is unfit; nothing is bound then.
pub fn listen(settings: Settings) -> Result<Listening, StartError> {
    let listeners = settings.listeners.iter().enumerate();
    let sockets = listeners.map(|(index, listener)| open(index, listener, settings.limits.head));
    let sockets = sockets.collect::<Result<_, _>>()?;
    Ok(Listening { settings, sockets })
}

/// The same on sockets that another gateway handed over, in the order of its listeners.
///
/// # Errors
/// When they are not those of these settings, or a file is unfit.
pub fn adopt(settings: Settings, sockets: Vec<TcpListener>) -> Result<Listening, StartError> {
    let differences = addresses::differences(&settings.listeners, &sockets);
    if !differences.is_empty() {
        return Err(StartError::Handed(differences));
    }
    let listeners = settings.listeners.iter().enumerate().zip(sockets);
    let sockets = listeners.map(|((index, listener), socket)| {
        let (class, address) = (listener.class, listener.address);
        let bound = addresses::taken(listener, socket);
        secured(
            listener,
            bound.map_err(|source| StartError::Bind { class, index, address, source })?,
            settings.limits.head,
        )
    });
    let sockets = sockets.collect::<Result<_, _>>()?;
    Ok(Listening { settings, sockets })
}

/// A gateway on these listeners; writes `addresses.json`.
///
/// # Errors
/// When the data folder is unfit; nothing is served then.
pub fn on(
    Listening { settings, sockets }: Listening,
    router: &Arc<Router>,
    metrics: &Arc<Metrics>,
) -> Result<Gateway, StartError> {
    let listeners = Listeners { number: settings.listeners.len(), beside: settings.questions };
    let connections = listeners.connections(settings.limits.connections, settings.try_out);
    let mut server = Server::new_with_opt_and_conf(None, configuration(&settings, files::kept(connections)));
    let limits = Arc::new(Limits { connections, ..settings.limits.clone() });
    let ending = watch::Sender::new(Ending::Nothing);
    let unfit = |source| StartError::Data { path: settings.data.clone(), source };
    let (sockets, tls): (Vec<_>, Vec<_>) =
        sockets.into_iter().map(|(socket, bound, tls)| ((socket, bound), tls)).unzip();
    let doors = Doors::of(sockets.iter().map(|(socket, _)| socket)).map_err(unfit)?;
    let switch = Switch::new(Snapshot::new(router.clone(), tls), settings.limits.head);
    let mut all = Vec::with_capacity(settings.listeners.len());
    for (index, (listener, (socket, bound))) in settings.listeners.iter().zip(sockets).enumerate() {
        expect(metrics, listener);
        let served = switch.of_listener(index);
        let front = Front::new(
            (listener.class, bound.address.to_string().into()),
            served.clone(),
            limits.clone(),
            metrics.clone(),
        );
        let proxy = Arc::new(proxy(&server.configuration, front, listener, &limits));
        let edge = Edge::new(proxy, (served, listener), limits.clone(), metrics.clone(), ending.subscribe());
        server.add_service(Prebound::new(format!("{:?}", listener.class), edge, socket, bound.address.to_string()));
        all.push(bound);
    }
    let checks = Checks::new(switch.clone(), &server.configuration, metrics.clone());
    server.add_service(background_service("health checks", checks));
    addresses::write(&settings.data, &all).map_err(unfit)?;
    Ok(Gateway { server, shutdown: settings.shutdown, ending, doors, bound: all, metrics: metrics.clone(), switch })
}

/// What the listener may refuse is counted from zero.
fn expect(metrics: &Metrics, listener: &Listener) {
    let class = listener.class.name();
    metrics.expect_listener(class, &NoSeat::NAMES);
    if !listener.balancers.is_empty() {
        metrics.expect_refusal(class, PROXY_PROTOCOL);
    }
    if listener.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some()) {
        metrics.expect_refusal(class, CLIENT_CERTIFICATE);
    }
}

fn open(
    index: usize,
    listener: &Listener,
    deadline: Duration,
) -> Result<(TcpListener, Bound, Option<Tls>), StartError> {
    let (class, address) = (listener.class, listener.address);
    let bound = addresses::bind(listener).map_err(|source| StartError::Bind { class, index, address, source })?;
    secured(listener, bound, deadline)
}

fn secured(
    listener: &Listener,
    (socket, bound): (TcpListener, Bound),
    deadline: Duration,
) -> Result<(TcpListener, Bound, Option<Tls>), StartError> {
    let address = listener.address;
    let tls = Tls::of(listener, deadline, None).map_err(|source| StartError::Tls { address, source })?;
    Ok((socket, bound, tls))
}

fn configuration(settings: &Settings, kept: usize) -> ServerConf {
    let file = |name: &str| settings.data.join(name).to_string_lossy().into_owned();
    let threads = settings.threads.max(1);
    ServerConf {
        pid_file: file("gateway.pid"),
        // Nobody listens there: a gateway hands over by another way.
        upgrade_sock: file("pingora.sock"),
        threads,
        // For each thread, and once for each version of HTTP.
        upstream_keepalive_pool_size: (kept / 2 / threads).max(1),
        // An upper bound: the gateway leaves as soon as nothing is open, and cuts what is left well before that.
        grace_period_seconds: Some(settings.shutdown.as_secs() + 3),
        graceful_shutdown_timeout_seconds: Some(0),
        ..ServerConf::default()
    }
}

fn proxy(conf: &Arc<ServerConf>, front: Front, listener: &Listener, limits: &Limits) -> HttpProxy<Front> {
    let mut proxy = http_proxy(conf, front);
    let mut options = HttpServerOptions::default();
    options.h2c = listener.http2;
    options.h2_idle_timeout = Some(limits.idle);
    proxy.server_options = Some(options);
    let mut http2 = default_h2_options();
    http2.max_concurrent_streams(limits.streams);
    http2.max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX));
    proxy.h2_options = Some(http2);
    proxy
}

impl Gateway {
    /// Where it listens, in the order of the settings.
    #[must_use]
    pub fn addresses(&self) -> &[Bound] {
        &self.bound
    }

    /// Its listening sockets, for another gateway, while it runs.
    #[must_use]
    pub fn doors(&self) -> Doors {
        self.doors.clone()
    }

    /// What it serves may be swapped by this, while it runs.
    #[must_use]
    pub fn switch(&self) -> Switch {
        self.switch.clone()
    }

    /// Serves until asked to stop, then finishes what is open, at most [`Settings::shutdown`] long. Blocks, so it must not
    /// be called from within an asynchronous runtime.
    ///
    /// Pingora's threads may still be there when it returns: let the process end.
    ///
    /// # Errors
    /// When it ends without having been asked to, or is not given the time to finish what is open.
    pub fn run(self, stop: Stop) -> Result<(), RunError> {
        let phases = self.server.watch_execution_phase();
        let (interrupted, handle) = (stop.interrupted(), stop.handle());
        for bound in &self.bound {
            tracing::info!(class = bound.class.name(), address = %bound.address, tls = bound.tls, "listening");
        }
        std::thread::spawn(move || self.server.run(RunArgs { shutdown_signal: Box::new(stop) }));
        wait_for_stop(phases)?;
        self.doors.close();
        tracing::info!(open = self.metrics.open_requests(), "stopping");
        let end = Instant::now() + self.shutdown;
        std::thread::sleep(ACCEPTED);
        let mut ending = Ending::Idle;
        if handle.is_handing_over() {
            let last = Instant::now() + LAST.min(self.shutdown);
            wait(|| self.metrics.open_connections(), || Instant::now() >= last);
            ending = Ending::Tunnels;
        }
        self.ending.send_replace(ending);
        if !drained(&self.metrics, || Instant::now() >= end || *interrupted.borrow()) {
            let why = if *interrupted.borrow() { "interrupted while stopping" } else { "the time to stop is over" };
            tracing::warn!(open = self.metrics.open_requests(), why, "open requests are cut");
            self.ending.send_replace(Ending::All);
            let end = Instant::now() + CUT;
            wait(|| self.metrics.open_requests(), || Instant::now() >= end);
        }
        if *interrupted.borrow() { Err(RunError::Interrupted) } else { Ok(()) }
    }
}

fn wait_for_stop(mut phases: Receiver<ExecutionPhase>) -> Result<(), RunError> {
    loop {
        match phases.blocking_recv() {
            Ok(ExecutionPhase::ShutdownGracePeriod) => return Ok(()),
            Err(RecvError::Closed) => return Err(RunError::Died),
            Ok(_) | Err(RecvError::Lagged(_)) => {}
        }
    }
}

/// Blocks until nothing is open, or time is up; whether all requests were answered. Over HTTP/2 requests begin until the
/// client has heard that no more are taken: one that comes while connections flush is finished like any.
fn drained(metrics: &Metrics, is_up: impl Fn() -> bool) -> bool {
    let mut busy = Instant::now();
    while metrics.open_connections() > 0 || metrics.open_requests() > 0 {
        if metrics.open_requests() > 0 {
            busy = Instant::now();
        }
        if is_up() || busy.elapsed() >= FLUSH {
            break;
        }
        std::thread::sleep(STEP);
    }
    metrics.open_requests() == 0
}

fn wait(open: impl Fn() -> i64, is_up: impl Fn() -> bool) {
    while open() > 0 && !is_up() {
        std::thread::sleep(STEP);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn an_end_that_nobody_asked_for_is_an_error() {
        let (phase, phases) = tokio::sync::broadcast::channel(4);
        phase.send(ExecutionPhase::Running).unwrap();
        drop(phase);
        assert_eq!(wait_for_stop(phases), Err(RunError::Died));
        let (phase, phases) = tokio::sync::broadcast::channel(4);
        phase.send(ExecutionPhase::ShutdownGracePeriod).unwrap();
        drop(phase);
        assert_eq!(wait_for_stop(phases), Ok(()));
    }

    #[test]
    fn an_open_request_holds_the_gateway_up_and_an_idle_connection_does_not() {
        let metrics = Metrics::new().unwrap();
        let open = metrics.request();
        let _idle = metrics.connection();
        assert!(!drained(&metrics, || true));
        drop(open);
        assert!(drained(&metrics, || true));
    }

    #[test]
    fn a_request_that_begins_while_connections_flush_is_waited_for_too() {
        let metrics = Metrics::new().unwrap();
        let (_open, late) = (metrics.connection(), RefCell::new(None));
        let begun = Instant::now();
        let answered = || begun.elapsed() >= 2 * FLUSH;
        assert!(drained(&metrics, || {
            // From when time is first asked for.
            late.replace((!answered()).then(|| metrics.request()));
            false
        }));
        assert!(answered() && late.take().is_none());
        let late = metrics.request();
        assert!(!drained(&metrics, || begun.elapsed() >= 4 * FLUSH), "its end is a cut, and told");
        drop(late);
    }
}
