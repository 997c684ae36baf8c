//! The keys of an issuer as they are now: read when they are needed, by one at a time, and never as often as strangers
//! would like.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sidegate_filters::FilterError;
use sidegate_filters::clock::{Clock, Millis, SteadyClock};
use sidegate_filters::jws::{Algorithm, Thumbprint, VerificationKey};

use super::super::remote::Remote;
use super::key_set::{KeySet, NoKey};

/// The longest JWK set, in bytes.
const LONGEST: usize = 256 * 1024;

/// Where a JWK set is.
pub enum Source {
    /// A file of this machine.
    File(PathBuf),
    /// A server.
    Url(Box<Remote>),
}

/// How often a set is read.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// A set is read anew when it is so old; requests go on with the old one meanwhile.
    pub refresh: Duration,
    /// Without success it is good for so long. Then tokens that were not verified before are refused.
    pub keep: Duration,
    /// Between two tries, whatever asks for the second one: a failure, or a token whose key is not in the set.
    pub retry: Duration,
}

/// The keys of one issuer. Copies share what they know.
#[derive(Clone)]
pub struct IssuerKeys(Arc<Shared>);

struct Shared {
    issuer: String,
    source: Source,
    pace: Pace,
    state: Mutex<State>,
    /// Held by whoever reads; the others wait for what comes of it.
    reading: tokio::sync::Mutex<()>,
    clock: SteadyClock,
}

#[derive(Default, Clone)]
struct State {
    /// The last set that was good, with the time at which it was read.
    set: Option<(Arc<KeySet>, Millis)>,
    /// When it was last tried.
    tried: Option<Millis>,
    tries: u64,
}

impl IssuerKeys {
    /// Keys that nothing is known of yet. `issuer` names them in the log.
    #[must_use]
    pub fn new(issuer: String, source: Source, pace: Pace, clock: Arc<dyn Clock>) -> Self {
        let clock = SteadyClock::new(clock);
        Self(Arc::new(Shared {
            issuer,
            source,
            pace,
            state: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
            clock,
        }))
    }

    /// Whether the issuer has this key, as far as is known: for what was verified while it could be asked. Where that is
    /// old, it is asked meanwhile.
    pub(super) fn has(&self, key: &Thumbprint) -> bool {
        let State { set, tries, .. } = self.0.state().clone();
        let Some((set, read)) = set else { return false };
        if self.0.clock.now().since(read) >= self.0.pace.refresh && self.0.may_read(tries) {
            drop(self.begin(tries));
        }
        set.has(key)
    }

    /// The key that a token was signed with. One that is not in the set is looked for once more, since keys change.
    ///
    /// # Errors
    /// When there is no set that may still be believed.
    pub(super) async fn choose(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Result<Arc<VerificationKey>, NoKey>, FilterError> {
        let (set, tries) = self.fresh().await?;
        let chosen = set.choose(kid, algorithm);
        if !matches!(chosen, Err(NoKey::Unknown)) {
            return Ok(chosen);
        }
        self.read(tries).await;
        let set = self.0.good().unwrap_or(set);
        Ok(set.choose(kid, algorithm))
    }

    /// A set that may be believed, and how often it was tried to read one.
    async fn fresh(&self) -> Result<(Arc<KeySet>, u64), FilterError> {
        let State { set, tries, .. } = self.0.state().clone();
        let age = set.as_ref().map(|(_, read)| self.0.clock.now().since(*read));
        match (set, age) {
            (Some((set, _)), Some(age)) if age < self.0.pace.refresh => return Ok((set, tries)),
            (Some((set, _)), Some(age)) if age < self.0.pace.keep && matches!(self.0.source, Source::Url(_)) => {
                if self.0.may_read(tries) {
                    drop(self.begin(tries));
                }
                return Ok((set, tries));
            }
            _ => self.read(tries).await,
        }
        let set = self.0.good().ok_or(FilterError::Unavailable("the key set of a token issuer"))?;
        Ok((set, self.0.state().tries))
    }

    /// Has the set read, unless that was done since `tries` were counted, and waits for it.
    async fn read(&self, tries: u64) {
        // It fails only where the gateway stops.
        let _ = self.begin(tries).await;
    }

    /// A task of its own: whoever hangs up keeps nobody else from what is being read.
    fn begin(&self, tries: u64) -> tokio::task::JoinHandle<()> {
        let shared = self.0.clone();
        tokio::spawn(async move { shared.read(tries).await })
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last set that was good, within its time.
    fn good(&self) -> Option<Arc<KeySet>> {
        let (set, read) = self.state().set.clone()?;
        (self.clock.now().since(read) < self.pace.keep).then_some(set)
    }

    /// Whether nobody has tried since `tries` were counted, and the last try is long enough ago.
    fn may_read(&self, tries: u64) -> bool {
        let (state, now) = (self.state(), self.clock.now());
        state.tries == tries && state.tried.is_none_or(|tried| now.since(tried) >= self.pace.retry)
    }

    async fn read(&self, tries: u64) {
        let _turn = self.reading.lock().await;
        if !self.may_read(tries) {
            return;
        }
        {
            let mut state = self.state();
            state.tried = Some(self.clock.now());
            state.tries += 1;
        }
        let issuer = self.issuer.as_str();
        match self.load().await {
            Ok(set) => {
                tracing::debug!(
                    issuer,
                    keys = set.len(),
                    unused = set.unused,
                    "the key set of a token issuer was read"
                );
                self.state().set = Some((Arc::new(set), self.clock.now()));
            }
            Err(reason) => tracing::warn!(issuer, %reason, "the key set of a token issuer could not be read"),
        }
    }

    async fn load(&self) -> Result<KeySet, String> {
        match &self.source {
            Source::Url(remote) => {
                let text = remote.get(LONGEST).await.map_err(|error| error.to_string())?;
                KeySet::parse(&text).map_err(|error| error.to_string())
            }
            Source::File(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || of_file(&path)).await;
                read.map_err(|error| error.to_string())?
            }
        }
    }
}

fn of_file(path: &Path) -> Result<KeySet, String> {
    let (text, shown) = (std::fs::read(path), path.display());
    KeySet::parse(&text.map_err(|error| format!("{shown}: {error}"))?).map_err(|error| format!("{shown}: {error}"))
}

/// Reads a file with a key set as a realm does.
///
/// # Errors
/// Why it can't be used.
pub fn try_file(path: &Path) -> Result<(), String> {
    of_file(path).map(drop)
}
