//! UAF over HTTP (`uaf.md` A4), as a client: one POST, one answer, within bounds of time and size.

mod secured;

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, StatusCode, Url, redirect};
use serde::{Serialize, de::DeserializeOwned};

use crate::jose::{CryptoError, UpstreamTls};
use crate::seats::{NoSeat, Seat, Seats};
use crate::store::SourceNetwork;
use crate::telemetry::Metrics;
pub(crate) use secured::secured;

const MEDIA_TYPE: &str = "application/fido+uaf";
/// The longest answer: a policy fits that names 128 KiB of key ids, before base64url, more than the fifty longest.
const LONGEST: usize = 256 * 1024;

/// The upstream's settings can't be used: a fault at start.
#[derive(Debug, thiserror::Error)]
pub enum EndpointFault {
    /// The URL.
    #[error("the URL of the UAF upstream can't be used: {0}")]
    Url(String),
    /// The authorities, or what is shown.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// TLS can't be set up.
    #[error("no client for the UAF upstream: {0}")]
    Client(#[from] reqwest::Error),
}

/// No usable answer. The text is for the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unanswered {
    #[error("it can't be reached: {0}")]
    Unreachable(String),
    #[error("it broke off: {0}")]
    BrokenOff(String),
    #[error("it did not answer in time")]
    TimedOut,
    #[error("{}", match .0 {
        NoSeat::Full => "too many questions are open",
        NoSeat::Share => "too many questions of one network are open",
    })]
    Busy(NoSeat),
    #[error("it answered with HTTP status {0}")]
    Status(StatusCode),
    #[error("its answer is not the JSON of UAF")]
    Malformed,
    #[error("its answer is longer than {LONGEST} bytes")]
    TooLong,
}

impl Unanswered {
    /// Whether the question has surely not arrived.
    pub(super) fn is_unheard(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Busy(_))
    }

    /// The word for each.
    const KINDS: [&str; 8] =
        ["unreachable", "broken-off", "timed-out", "busy", "share", "status", "malformed", "too-long"];

    /// The word for it in the log and the metrics.
    fn kind(&self) -> &'static str {
        let [unreachable, broken_off, timed_out, busy, share, status, malformed, too_long] = Self::KINDS;
        match self {
            Self::Unreachable(_) => unreachable,
            Self::BrokenOff(_) => broken_off,
            Self::TimedOut => timed_out,
            Self::Busy(NoSeat::Full) => busy,
            Self::Busy(NoSeat::Share) => share,
            Self::Status(_) => status,
            Self::Malformed => malformed,
            Self::TooLong => too_long,
        }
    }
}

/// Which UAF server is asked.
#[derive(Debug, Clone, Copy)]
pub struct UafServer<'a> {
    /// The configured name of the upstream: what the log and the metrics call it.
    pub name: &'a str,
    /// `scheme://host:port`.
    pub origin: &'a str,
    /// The path above its endpoints.
    pub path: &'a str,
}

/// Where a UAF server is, and how to speak to it.
#[derive(Clone)]
pub struct Endpoint {
    client: Client,
    base: String,
    name: String,
    /// `host:port`.
    address: String,
    metrics: Arc<Metrics>,
    /// How long a whole exchange may take.
    pub(super) patience: Duration,
    /// One for each question that may be open.
    places: Arc<Seats>,
}

/// One of the questions that may be open, until it is dropped. Several may be asked in turn.
pub(super) struct Place {
    endpoint: Endpoint,
    _seat: Seat,
}

/// How long things may take, and how many there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Connecting, TLS included.
    pub connect: Duration,
    /// The whole exchange.
    pub total: Duration,
    /// How long an unused connection is kept.
    pub idle: Duration,
    /// Questions at once, each with a connection of its own. One more is not asked: strangers can have questions asked,
    /// and a server that hangs must not cost all open files.
    pub parallel: usize,
    /// How many of them one network may have open, in percent.
    pub share: u8,
}

impl Endpoint {
    /// Speaks to this server; over TLS with the name that its certificate must bear. No proxy of the environment is used
    /// and no redirect followed.
    ///
    /// # Errors
    /// What can't be used.
    pub fn new(
        server: &UafServer<'_>,
        bounds: Bounds,
        tls: Option<(&str, &UpstreamTls)>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, EndpointFault> {
        let mut base = Url::parse(server.origin).map_err(|error| EndpointFault::Url(error.to_string()))?;
        let (host, port) = (base.host_str().unwrap_or_default(), base.port_or_known_default().unwrap_or_default());
        metrics.expect_uaf_upstream(server.name, &Unanswered::KINDS);
        let (name, address) = (server.name.to_owned(), format!("{host}:{port}"));
        let builder = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .http1_only()
            .connect_timeout(bounds.connect)
            .timeout(bounds.total)
            .pool_idle_timeout(bounds.idle);
        let builder = match tls {
            Some((name, tls)) => secured(builder, name, tls, &mut base)?,
            None => builder,
        };
        base.set_path(server.path);
        let places = Seats::new(bounds.parallel, Some(bounds.share));
        let (client, base) = (builder.build()?, base.as_str().trim_end_matches('/').to_owned());
        Ok(Self { client, base, name, address, metrics, patience: bounds.total, places })
    }

    /// A place for a question that this network causes, or an internal caller (`None`); there is one or there is none, nobody
    /// waits.
    pub(super) fn place(&self, from: Option<SourceNetwork>) -> Result<Place, Unanswered> {
        let seat = self.places.take(from).map_err(|reason| self.note(Unanswered::Busy(reason), "-"))?;
        Ok(Place { endpoint: self.clone(), _seat: seat })
    }

    /// Logs and counts a failure, as one of an upstream that requests are passed on to.
    fn note(&self, reason: Unanswered, question: &str) -> Unanswered {
        let (kind, upstream, server) = (reason.kind(), self.name.as_str(), self.address.as_str());
        tracing::warn!(kind, upstream, server, question, %reason, "an upstream failed");
        self.metrics.uaf_upstream_failed(upstream, kind);
        reason
    }
}

impl Place {
    /// Asks below the base path. A failure is logged and counted.
    pub(super) async fn post<A: DeserializeOwned>(
        &self,
        path: &str,
        question: &impl Serialize,
    ) -> Result<A, Unanswered> {
        self.exchange(path, question).await.map_err(|reason| self.endpoint.note(reason, path))
    }

    async fn exchange<A: DeserializeOwned>(&self, path: &str, question: &impl Serialize) -> Result<A, Unanswered> {
        // Questions are dictionaries of strings and numbers, which always have a JSON form.
        let body = serde_json::to_vec(question).unwrap_or_default();
        let request = self.endpoint.client.post(format!("{}/{path}", self.endpoint.base)).body(body);
        let request = request.header(CONTENT_TYPE, "application/fido+uaf;charset=UTF-8").header(ACCEPT, MEDIA_TYPE);
        let mut response = request.send().await?;
        if response.status() != StatusCode::OK {
            return Err(Unanswered::Status(response.status()));
        }
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if answer.len().saturating_add(chunk.len()) > LONGEST {
                return Err(Unanswered::TooLong);
            }
            answer.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&answer).map_err(|_| Unanswered::Malformed)
    }
}

impl From<reqwest::Error> for Unanswered {
    fn from(error: reqwest::Error) -> Self {
        let (unheard, late) = (error.is_connect(), error.is_timeout());
        match (unheard, late) {
            (true, _) => Self::Unreachable(causes(&error.without_url())),
            (false, true) => Self::TimedOut,
            (false, false) => Self::BrokenOff(causes(&error.without_url())),
        }
    }
}

/// The error with all that it came from: what is wrong with a certificate stands last.
fn causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    std::iter::once(error.to_string()).chain(causes.map(ToString::to_string)).collect::<Vec<_>>().join(": ")
}
