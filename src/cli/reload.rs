//! A configuration that changes while the gateway runs (`gateway.md` 6.3): what it and its files say is read, checked as a
//! start checks it, and swapped as a whole, or not at all.
//!
//! SIGHUP asks for it, and so does a change of the file or of one that it names, once it stands still. What changes while
//! it is read is not taken: it is read again. A file with a fault leaves everything as it was, until it changes again.

mod files;

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use sidegate_filters::clock::Clock;
use signal_hook::consts::SIGHUP;
use tokio::runtime::Runtime;

use super::compose::{self, Stores};
use super::{Failure, check, serve};
use crate::config::{self, Config, Environment, Fault, Overrides, Source};
use crate::gateway::{Snapshot, Switch};
use crate::identity::sec_token::key_files;
use crate::store::DataFolder;
use crate::telemetry::Work;
use crate::telemetry::audit::Event;
use crate::telemetry::metrics::{Metrics, Reload};
pub(super) use files::Watch;
use files::{States, changed};

/// How often files are looked at. They are read once nothing changed between two looks.
const BEAT: Duration = Duration::from_millis(250);
/// So often something is read again that changes while it is read, for one SIGHUP.
const ATTEMPTS: usize = 20;

/// Whether SIGHUP came since it was looked at last. It ends no process from here on.
pub(super) struct Wish(Arc<AtomicBool>);

impl Wish {
    /// # Errors
    /// When the system does not let the signal be received.
    pub(super) fn on_signal() -> io::Result<Self> {
        let wish = Arc::default();
        signal_hook::flag::register(SIGHUP, Arc::clone(&wish))?;
        Ok(Self(wish))
    }

    fn take(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}

/// What a gateway was started with, and what is put together anew.
pub(super) struct Reloading {
    pub(super) source: Source,
    pub(super) overrides: Overrides,
    /// The configuration that is served.
    pub(super) config: Config,
    pub(super) folder: DataFolder,
    pub(super) stores: Arc<Stores>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) switch: Switch,
    /// The files that the configuration names, looked at before what is in them was read.
    pub(super) begun: Watch,
}

/// Why nothing was swapped.
enum Refused {
    /// The files changed while they were read.
    Unsettled,
    Faults(Vec<Fault>),
    /// Keys that are fixed from start to end.
    NeedsRestart(Vec<Fault>),
    /// No fault of the configuration's.
    Failed(Failure),
}

impl From<Vec<Fault>> for Refused {
    fn from(faults: Vec<Fault>) -> Self {
        Self::Faults(faults)
    }
}

impl Reloading {
    /// Watches until the other end of `running` is dropped.
    ///
    /// # Errors
    /// When the runtime for it can't be made.
    pub(super) fn watch(mut self, wish: Wish, running: Receiver<()>) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut watch = Watch::new(self.files());
        let mut served = watch.read();
        served.extend(self.begun.read());
        if self.begun.moved() {
            watch.unread();
        }
        self.metrics.configured(self.clock.now());
        std::thread::spawn(move || {
            while running.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                let wished = wish.take();
                if watch.look() || wished {
                    let metrics = self.metrics.clone();
                    tracing::info!("the configuration is read again, and the one before is served meanwhile");
                    if Work::Reload.piece(&metrics, || self.reload(&mut watch, &mut served, &runtime, wished)).is_none()
                    {
                        metrics.reloaded(Reload::Failed);
                    }
                }
            }
        });
        Ok(())
    }

    /// `served` are the files as they were when that was read which is served.
    fn reload(&mut self, watch: &mut Watch, served: &mut States, runtime: &Runtime, wished: bool) {
        for _ in 0..if wished { ATTEMPTS } else { 1 } {
            watch.set(self.files());
            let made = self.make(runtime);
            if watch.moved() {
                // Half of it may be what it was before: whatever was found, it says nothing of the whole.
                watch.unread();
                if wished {
                    std::thread::sleep(BEAT);
                }
                continue;
            }
            match made {
                Ok((config, snapshot)) => {
                    let before = std::mem::replace(served, watch.read());
                    self.swap(config, snapshot, &changed(&before, served));
                }
                Err(refused) => self.refuse(refused),
            }
            return;
        }
        if wished {
            self.refuse(Refused::Unsettled);
        }
    }

    /// All that is read for a configuration, as it is written now, and as it is served.
    fn files(&self) -> BTreeSet<PathBuf> {
        let (config, mut files) = config::read(&self.source, &self.overrides, &Environment::of_process());
        files.extend(self.config.files.iter().cloned());
        for config in config.iter().chain([&self.config]) {
            files.extend(config.sec_token_keys().flat_map(key_files).map(|name| self.folder.file(&name)));
            let made = config.internal_callers.iter().filter(|caller| caller.has_made_bearer());
            files.extend(made.map(|caller| self.folder.file(&caller.made_bearer())));
        }
        files
    }

    /// Everything that is to be served, before any of it is.
    fn make(&self, runtime: &Runtime) -> Result<(Config, Snapshot), Refused> {
        let config = config::load(&self.source, &self.overrides, &Environment::of_process())
            .map_err(|faults| faults.iter().cloned().collect::<Vec<_>>())?;
        self.check_fixed(&config)?;
        self.check_keys(&config)?;
        let faults = check::misfits(&self.source, &config).map_err(Refused::Failed)?;
        if !faults.is_empty() {
            return Err(faults.into());
        }
        let composed = compose::router(&config, &self.folder, &self.stores, &self.clock, &self.metrics);
        let failed = |error: compose::ComposeError| {
            Refused::Faults(vec![self.source.fault(&config.places, error.key(), &error.to_string(), error.right())])
        };
        let router = Arc::new(runtime.block_on(composed).map_err(failed)?);
        let listeners = serve::settings(&config, &config.data).listeners;
        let snapshot = self.switch.prepare(router, &listeners).map_err(|error| Refused::Failed(error.into()))?;
        Ok((config, snapshot))
    }

    /// Nothing takes effect of a configuration that would need a restart for a part of it.
    fn check_fixed(&self, config: &Config) -> Result<(), Refused> {
        let fault = |key: &String| {
            let right = "needs restart: what it was at the start is served on until then; or put it back";
            self.source.fault(&config.places, key, "this is fixed while the gateway runs", right)
        };
        let mut faults: Vec<_> = config.fixed_otherwise(&self.config).iter().map(fault).collect();
        faults.sort_by_key(|fault| fault.line);
        if faults.is_empty() { Ok(()) } else { Err(Refused::NeedsRestart(faults)) }
    }

    /// A start makes the keys that are missing. What is served now had its own, so that one got lost, or is about to come.
    fn check_keys(&self, config: &Config) -> Result<(), Refused> {
        let had: Vec<_> = self.config.sec_token_keys().collect();
        for audience in config.sec_token_keys().filter(|audience| had.contains(audience)) {
            let [current, _] = key_files(audience);
            let found = self.folder.read(&current).map_err(|error| Refused::Failed(error.into()))?;
            let path = self.folder.file(&current);
            let lost = || format!("{} is gone: put it back, or restart with a new one", path.display());
            found.ok_or_else(|| Refused::Failed(lost().into()))?;
        }
        Ok(())
    }

    fn swap(&mut self, config: Config, snapshot: Snapshot, files: &[PathBuf]) {
        serve::expect(&config, &self.metrics);
        self.stores.served();
        self.switch.swap(snapshot);
        let sections = config.changed_from(&self.config);
        if sections.is_empty() && files.is_empty() {
            tracing::info!("nothing changed of the configuration and of the files that it names");
        } else {
            let generation = self.metrics.configured(self.clock.now());
            let files = files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ");
            Event::Configuration { generation, sections: &sections.join(", "), files: &files }.record();
        }
        self.metrics.reloaded(Reload::Done);
        for notice in config.notices.iter().filter(|notice| !self.config.notices.contains(notice)) {
            tracing::warn!("{}", self.source.placed(&config.places, notice));
        }
        self.config = config;
    }

    fn refuse(&self, refused: Refused) {
        let (result, faults) = match refused {
            Refused::Faults(faults) => (Reload::Faults, faults),
            Refused::NeedsRestart(faults) => (Reload::NeedsRestart, faults),
            Refused::Unsettled => {
                tracing::error!("the files of the configuration do not stand still; they are read once they do");
                (Reload::Failed, Vec::new())
            }
            Refused::Failed(error) => {
                tracing::error!(%error, "the configuration can't be put together");
                (Reload::Failed, Vec::new())
            }
        };
        for fault in &faults {
            tracing::error!(%fault, "a fault of the configuration");
        }
        tracing::error!(%result, "the configuration is not taken, and the one before is served on");
        self.metrics.reloaded(result);
    }
}

impl fmt::Debug for Reloading {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Reloading")
    }
}
