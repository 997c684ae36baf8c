//! The keys of an issuer as they are now: read when they are needed, by one at a time, and never as often as strangers
//! would like.

use std::fmt;
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

impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(out),
            Self::Url(remote) => out.write_str(remote.shown()),
        }
    }
}

/// How often a set is read.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// A set is read anew when it is so old, and requests wait for it: a key that has left it passes nobody then.
    pub refresh: Duration,
    /// Without success it is good for so long. Then tokens that were not verified before are refused.
    pub keep: Duration,
    /// Between two tries, whatever asks for the second one: a failure, or a token whose key is not in the set. After a
    /// failure requests go on with the old set meanwhile.
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
    /// When the last try began.
    tried: Option<Millis>,
    /// When the last try was over, whatever came of it.
    ended: Option<Millis>,
    /// How many are over.
    tries: u64,
    /// Whether the last one failed.
    failed: bool,
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

    /// Whether the issuer has this key, for what was verified before. While it can't be asked, what it last said holds,
    /// however old that is: the token's own time is what ends it.
    pub(super) async fn has(&self, key: &Thumbprint) -> bool {
        self.current().await.set.is_some_and(|(set, _)| set.has(key))
    }

    /// The key that a token was signed with. One that is not in the set is looked for once more, since keys change.
    ///
    /// # Errors
    /// When there is no set that may still be believed; or when the key is not in it and the issuer could not be asked
    /// whether it is a new one: whose token it is must not be told to throw away a good one.
    pub(super) async fn choose(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Result<Arc<VerificationKey>, NoKey>, FilterError> {
        let tries = self.current().await.tries;
        if let Ok(set) = self.0.good() {
            let chosen = set.choose(kid, algorithm);
            if !matches!(chosen, Err(NoKey::Unknown)) {
                return Ok(chosen);
            }
        }
        self.read(tries).await;
        let chosen = self.0.good()?.choose(kid, algorithm);
        if matches!(chosen, Err(NoKey::Unknown)) && self.0.state().failed {
            return Err(self.0.out_of_reach());
        }
        Ok(chosen)
    }

    /// What is known once the issuer was asked within `refresh`. Where its answer is older since it could not be reached,
    /// it is asked again meanwhile: an issuer that hangs must not hold up every request.
    async fn current(&self) -> State {
        let State { set, ended, tries, .. } = self.0.state().clone();
        if self.0.is_due(ended) {
            self.read(tries).await;
        } else if self.0.is_due(set.map(|(_, read)| read)) && self.0.may_read(tries) {
            drop(self.begin(tries));
        }
        self.0.state().clone()
    }

    /// Has the set read, unless a try ended since `tries` were counted, and waits for it: also for one that is under way.
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
    fn good(&self) -> Result<Arc<KeySet>, FilterError> {
        let set = self.state().set.clone();
        let set = set.filter(|(_, read)| self.clock.now().since(*read) < self.pace.keep).map(|(set, _)| set);
        set.ok_or_else(|| self.out_of_reach())
    }

    /// Whether a key is the issuer's can't be told.
    fn out_of_reach(&self) -> FilterError {
        FilterError::unavailable(format!("the key set of the token issuer {}", self.issuer))
    }

    fn is_due(&self, last: Option<Millis>) -> bool {
        last.is_none_or(|last| self.clock.now().since(last) >= self.pace.refresh)
    }

    /// Whether no try has ended since `tries` were counted, and the last one is long enough ago.
    fn may_read(&self, tries: u64) -> bool {
        let (state, now) = (self.state(), self.clock.now());
        state.tries == tries && state.tried.is_none_or(|tried| now.since(tried) >= self.pace.retry)
    }

    async fn read(&self, tries: u64) {
        let _turn = self.reading.lock().await;
        if !self.may_read(tries) {
            return;
        }
        self.state().tried = Some(self.clock.now());
        let (issuer, loaded) = (self.issuer.as_str(), self.load().await);
        let (mut state, now) = (self.state(), self.clock.now());
        state.ended = Some(now);
        state.tries += 1;
        match loaded {
            Ok(set) => {
                tracing::debug!(
                    issuer,
                    keys = set.len(),
                    unused = set.unused,
                    "the key set of a token issuer was read"
                );
                if std::mem::take(&mut state.failed) {
                    tracing::info!(issuer, keys = set.len(), "the key set of a token issuer can be read again");
                }
                state.set = Some((Arc::new(set), now));
            }
            Err(reason) => {
                state.failed = true;
                tracing::warn!(issuer, at = %self.source, %reason, "the key set of a token issuer could not be read");
            }
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
