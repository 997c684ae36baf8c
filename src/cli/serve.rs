//! `sidegate [serve]`: from a configuration to a running gateway.

use std::io::{self, ErrorKind, IsTerminal as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

use sidegate_filters::clock::{Clock, SystemClock};
use tokio::runtime::Runtime;

use super::Failure;
use super::compose::{self, Memory, Stores};
use super::reload::{Reloading, Watch, Wish};
use super::upgrade::{self, Offer, Successor, Taken};
use super::{check, data, program, start};
use crate::config::{self, Config, Environment, Fault, Overrides, Source};
use crate::gateway::{self, StartError, Stop};
use crate::routes::Router;
use crate::store::DataFolder;
use crate::telemetry::access::UNKNOWN;
use crate::telemetry::{Metrics, Work, log};

/// How often forgotten operations and sessions make room.
const SWEEP: Duration = Duration::from_secs(1);
/// Every so many sweeps the things of removed users go.
const ORPHANS: u32 = 60;

/// Serves until asked to stop.
pub(super) fn run(source: &Source, overrides: &Overrides, upgrade: bool) -> Result<(), Failure> {
    let (config, files) = config::read(source, overrides, &Environment::of_process());
    let (config, begun) = (config?, Watch::new(files));
    let metrics = Arc::new(Metrics::new()?);
    log::start(config.log.level, config::LEVELS, metrics.clone())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Before anything is made that a signal could leave half-made.
    let mut stop = runtime.block_on(async { Stop::on_signals() })?;
    let wish = Wish::on_signal()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    // Before the folder: a start that finds an address taken leaves none.
    let (listening, before) =
        if upgrade { take_over(source, &config, &runtime, &mut stop)? } else { (listen(&config)?, None) };
    let folder = open_folder(&config)?;
    let bearers = start::bearers(&config, &folder);
    let stores = Arc::new(match before {
        Some(memory) => Stores::open_after(&config, &folder, &clock, memory)?,
        None => Stores::open(&config, &folder, &clock)?,
    });
    let (router, lonely, demo) = runtime.block_on(compose_first(&config, &folder, &stores, &clock, &metrics))?;
    stores.served();
    expect(&config, &metrics);
    // First of what is said: for whom this is, and the password that is shown once, whatever becomes of the start.
    let notes = start::notes(source, &config, lonely, bearers);
    start::announce(&config, notes, demo.as_ref(), std::io::stderr().is_terminal());
    let gateway = gateway::on(listening, &router, &metrics)?;
    let sweeper = sweep(runtime, stores.clone(), metrics.clone());
    let (reloader, running) = mpsc::channel();
    let successor = offer(&folder, &gateway, &stop, stores.clone());
    let (source, overrides, switch) = (source.clone(), overrides.clone(), gateway.switch());
    let left = stores.clone();
    Reloading { source, overrides, config, folder, stores, clock, metrics, switch, begun }.watch(wish, running)?;
    let ended = gateway.run(stop);
    drop((sweeper, reloader));
    successor.leave(|| left.left());
    Ok(ended?)
}

/// The routes of a start, whether nobody can log in there, and the password of a demo user that it made.
async fn compose_first(
    config: &Config,
    folder: &DataFolder,
    stores: &Stores,
    clock: &Arc<dyn Clock>,
    metrics: &Arc<Metrics>,
) -> Result<(Arc<Router>, bool, Option<start::DemoPassword>), Failure> {
    // First: what removed users had registered must not hold up a change of the app-id.
    stores.sweep_orphans().await?;
    let router = compose::router(config, folder, stores, clock, metrics).await?;
    let demo = start::demo_user(config, folder, stores.users.as_ref()).await?;
    let lonely = start::nobody_can_log_in(config, stores.users.as_ref()).await?;
    Ok((Arc::new(router), lonely, demo))
}

fn listen(config: &Config) -> Result<gateway::Listening, Failure> {
    gateway::listen(settings(config, &config.data)).map_err(|refused| match &refused {
        StartError::Bind { address, source, .. }
            if source.kind() == ErrorKind::AddrInUse && was_bound(&config.data, *address) =>
        {
            let upgrade = program::command("serve --upgrade");
            let file = config.data.join(gateway::ADDRESSES);
            format!(
                "{refused}; {} says that the gateway of this data folder listens there: if it runs, {upgrade} with the \
                 same flags takes over from it",
                file.display()
            )
            .into()
        }
        _ => refused.into(),
    })
}

/// Whether the gateway of this data folder listened there when it was last started.
fn was_bound(data: &Path, address: SocketAddr) -> bool {
    gateway::last_bound(data).iter().any(|bound| bound.address == address)
}

/// The sockets and the memory of the gateway that serves, for whose end it waits until it is told to stop; without one it is
/// a start like any. What that would fail at is looked for before.
fn take_over(
    source: &Source,
    config: &Config,
    runtime: &Runtime,
    stop: &mut Stop,
) -> Result<(gateway::Listening, Option<Memory>), Failure> {
    let Some(mut taken) = Taken::ask(&config.data, || runtime.block_on(upgrade::came(stop.signalled())))? else {
        tracing::info!("no gateway serves from this data folder that could be taken over from: this one starts as any");
        return Ok((listen(config)?, None));
    };
    match fit(source, config, &mut taken) {
        Ok(listening) => Ok((listening, Some(runtime.block_on(taken.take_over(stop.signalled()))?))),
        Err(why) => {
            taken.refuse(&why.to_string());
            Err(why)
        }
    }
}

/// Its sockets, if a start on them would not fail.
fn fit(source: &Source, config: &Config, taken: &mut Taken) -> Result<gateway::Listening, Failure> {
    let listening =
        gateway::adopt(settings(config, &config.data), taken.sockets()).map_err(|refused| match refused {
            StartError::Handed(differences) => failure(&others(source, config, &differences)),
            refused => refused.into(),
        })?;
    let faults = check::misfits(source, config)?;
    if !faults.is_empty() {
        return Err(failure(&faults));
    }
    compose::rehearse(config, taken.has_keys())?;
    Ok(listening)
}

/// Where the configuration has other listeners than the gateway that serves.
fn others(source: &Source, config: &Config, differences: &[gateway::Difference]) -> Vec<Fault> {
    let fault = |difference: &gateway::Difference| {
        let key = format!("listeners[{}].address", difference.index);
        let wrong = format!("the gateway that serves has other listeners than this configuration ({difference})");
        source.fault(&config.places, &key, &wrong, gateway::SAME)
    };
    differences.iter().map(fault).collect()
}

fn failure(faults: &[Fault]) -> Failure {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n").into()
}

fn open_folder(config: &Config) -> Result<DataFolder, Failure> {
    let folder = DataFolder::open(&config.data)?;
    if folder.closed() {
        tracing::warn!(path = %config.data.display(), "{}", data::CLOSED);
    }
    if folder.began_empty() && !config.try_out {
        tracing::warn!(path = %config.data.display(), "{}", data::ANEW);
    }
    Ok(folder)
}

/// Waits for a gateway that takes over; without the socket for it this one serves all the same.
fn offer(folder: &DataFolder, gateway: &gateway::Gateway, stop: &Stop, stores: Arc<Stores>) -> Successor {
    let has_keys = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        runtime.block_on(stores.has_keys()).map_err(io::Error::other)
    };
    match Offer::open(folder) {
        Ok(offer) => offer.wait(gateway.doors(), stop.handle(), Box::new(has_keys)),
        Err(error) => {
            tracing::warn!(%error, "no other gateway can take over from this one (serve --upgrade)");
            Successor::default()
        }
    }
}

/// Has what is cut counted from zero, on each row and where no row fits.
pub(super) fn expect(config: &Config, metrics: &Metrics) {
    for listener in &config.listeners {
        let class = listener.class;
        let rows = config.routes.iter().filter(|row| row.on.contains(&class));
        rows.map(|row| row.name.as_str()).chain([UNKNOWN]).for_each(|row| metrics.expect_row(class.name(), row));
    }
}

/// Sweeps until the sender that it gives back is dropped.
fn sweep(runtime: Runtime, stores: Arc<Stores>, metrics: Arc<Metrics>) -> Sender<()> {
    let (running, ended) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        let mut count = 0u32;
        while ended.recv_timeout(SWEEP) == Err(RecvTimeoutError::Timeout) {
            count = count.wrapping_add(1);
            let sweep = async {
                stores.sweep().await?;
                if count.is_multiple_of(ORPHANS) { stores.sweep_orphans().await } else { Ok(()) }
            };
            if let Some(Err(error)) = runtime.block_on(Work::Sweep.waiting(&metrics, sweep)) {
                tracing::error!(%error, "a store could not be swept; it is tried again");
            }
        }
    });
    running
}

pub(super) fn settings(config: &Config, data: &Path) -> gateway::Settings {
    let listener = |listener: &config::Listener| gateway::Listener {
        class: listener.class,
        address: listener.address,
        tls: listener.tls.as_ref().map(|tls| gateway::TlsFiles {
            certificate: tls.certificate.clone(),
            key: tls.key.clone(),
            client_ca: tls.client_ca.clone(),
        }),
        balancers: listener.balancers.clone(),
        proxies: listener.proxies.clone(),
        http2: listener.http2,
    };
    let limits = &config.limits;
    let mut settings = gateway::Settings::new(config.listeners.iter().map(listener).collect(), data.to_owned());
    settings.try_out = config.try_out;
    settings.questions = compose::questions(config);
    settings.shutdown = limits.stop;
    settings.limits.connections = limits.connections;
    settings.limits.connections_share = limits.connections_share;
    settings.limits.head = limits.header_time;
    settings.limits.idle = limits.idle;
    settings.limits.write = limits.write_time;
    settings.limits.body_rate = limits.body_rate;
    settings.limits.body_window = limits.body_window;
    settings.limits.streams = u32::try_from(limits.streams).unwrap_or(u32::MAX);
    settings.limits.requests = limits.requests;
    settings.limits.head_bytes = limits.header_size;
    settings.limits.fields = limits.header_fields;
    settings.limits.body_bytes = limits.body_size;
    settings
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Every limit with a number of its own.
    const WRITTEN: &str = "\
public-url: https://gate.example
listeners:
  - class: public
    address: 0.0.0.0:443
    tls: { certificate: cert.pem, key: key.pem, client-ca: ca.pem }
    http2: false
limits:
  connections: 11
  connections-share: 12%
  header-time: 1s
  header-fields: 2
  header-size: 3
  body-size: 4
  body-rate: 5
  body-window: 6s
  write-time: 7s
  streams: 8
  requests: 13
  idle: 9s
  stop: 10s
";

    #[test]
    fn what_is_configured_is_what_the_gateway_is_told() {
        let root = tempfile::tempdir().unwrap();
        for file in ["cert.pem", "key.pem", "ca.pem"] {
            std::fs::write(root.path().join(file), "x").unwrap();
        }
        let path = root.path().join("gate.yml");
        std::fs::write(&path, WRITTEN).unwrap();
        let config = config::load(&Source::File(path), &Overrides::default(), &Environment::of_process()).unwrap();
        let told = settings(&config, root.path());
        let [listener] = &told.listeners[..] else { panic!("one listener") };
        assert!(!listener.http2);
        assert_eq!(listener.tls.as_ref().unwrap().client_ca.as_deref(), Some(root.path().join("ca.pem").as_path()));
        let limits = &told.limits;
        assert_eq!((limits.fields, limits.head_bytes, limits.body_bytes, limits.body_rate), (2, 3, 4, 5));
        let times = [limits.head, limits.body_window, limits.write, limits.idle, told.shutdown];
        assert_eq!(times, [1, 6, 7, 9, 10].map(Duration::from_secs));
        assert_eq!((limits.streams, limits.requests), (8, 13));
        assert_eq!((limits.connections, limits.connections_share), (11, 12));
    }
}
