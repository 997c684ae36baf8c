//! One line and one count a request, whatever becomes of it.

mod stage;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use sidegate_filters::Reason;

use super::metrics::Opened;
use super::{Metrics, Trace};
pub use stage::{Cut, Stage, Way};

/// The `tracing` target of these lines.
pub const TARGET: &str = "access";
/// Stands for what is not known, because the request was refused before.
pub const UNKNOWN: &str = "-";

/// What every line that a request causes has: its id, its trace's, and the operation that it turns out to be about.
#[must_use]
pub fn span(request_id: &str, trace: &Trace) -> tracing::Span {
    let (trace_id, operation_id) = (trace.id(), tracing::field::Empty);
    tracing::info_span!(target: TARGET, "request", request_id, trace_id, operation_id)
}

/// What is told about a request. A request that is cut (a deadline, a reset, a panic) never comes to a proper end, so the
/// line is written at the latest when this is dropped.
pub struct RequestRecord {
    metrics: Arc<Metrics>,
    _open: Opened,
    started: Instant,
    request_id: String,
    trace: Trace,
    listener: &'static str,
    /// Where that listens.
    address: Arc<str>,
    protocol: &'static str,
    client: Option<IpAddr>,
    method: &'static str,
    route: String,
    path: String,
    caller: &'static str,
    user: Option<String>,
    stage: Stage,
    filter: Option<Arc<str>>,
    refused: Option<Reason>,
    answer: Option<(StatusCode, Duration)>,
    cut: Option<Cut>,
    received: usize,
    sent: usize,
    way: Option<Way>,
    written: bool,
}

impl RequestRecord {
    /// A request that has just come in with this id, as a part of this trace, on a listener of this class at this address,
    /// over this protocol (`http/1.1`).
    #[must_use]
    pub fn new(
        metrics: &Arc<Metrics>,
        (request_id, trace): (String, Trace),
        (listener, address): (&'static str, Arc<str>),
        protocol: &'static str,
        client: Option<IpAddr>,
    ) -> Self {
        Self {
            metrics: metrics.clone(),
            _open: metrics.request(),
            started: Instant::now(),
            request_id,
            trace,
            listener,
            address,
            protocol,
            client,
            method: UNKNOWN,
            route: UNKNOWN.to_owned(),
            path: UNKNOWN.to_owned(),
            caller: UNKNOWN,
            user: None,
            stage: Stage::Head,
            filter: None,
            refused: None,
            answer: None,
            cut: None,
            received: 0,
            sent: 0,
            way: None,
            written: false,
        }
    }

    /// The request's id.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The trace that it is a part of.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The status of the answer, once it is given.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.answer.map(|(status, _)| status)
    }

    /// The request's method; one that is not common is shown as `other`.
    pub fn set_method(&mut self, method: &Method) {
        self.method = match *method {
            Method::GET => "GET",
            Method::HEAD => "HEAD",
            Method::POST => "POST",
            Method::PUT => "PUT",
            Method::PATCH => "PATCH",
            Method::DELETE => "DELETE",
            Method::OPTIONS => "OPTIONS",
            _ => "other",
        };
    }

    /// The row that serves it: its name, and its path pattern in place of the client's path, which may hold the id of a
    /// session.
    pub fn set_route(&mut self, name: &str, pattern: &str) {
        name.clone_into(&mut self.route);
        pattern.clone_into(&mut self.path);
    }

    /// What kind of caller it is, and which user, by extId.
    pub fn set_caller(&mut self, kind: &'static str, user: Option<String>) {
        (self.caller, self.user) = (kind, user);
    }

    /// It came so far.
    pub fn reach(&mut self, stage: Stage) {
        self.stage = stage;
    }

    /// A filter of this name refused it.
    pub fn stopped_by(&mut self, filter: Option<Arc<str>>) {
        self.filter = filter;
    }

    /// It is refused, by that filter or where it came to; the first reason counts.
    pub fn refuse(&mut self, reason: Reason) {
        self.refused.get_or_insert(reason);
    }

    /// The answer begins.
    pub fn answered(&mut self, status: StatusCode) {
        self.answer.get_or_insert((status, self.started.elapsed()));
    }

    /// The request was broken off; the first one who is named did it.
    pub fn cut_by(&mut self, cut: Cut) {
        self.cut.get_or_insert(cut);
    }

    /// Bytes of the bodies.
    pub fn set_bytes(&mut self, received: usize, sent: usize) {
        (self.received, self.sent) = (received, sent);
    }

    /// It was sent there, or was to be.
    pub fn set_way(&mut self, way: Way) {
        self.way = Some(way);
    }

    /// Whether its line is written: nothing that is set now would be told.
    #[must_use]
    pub fn is_written(&self) -> bool {
        self.written
    }

    /// The request came to its end: writes the line and counts it, once.
    pub fn finish(&mut self) {
        if self.answer.is_none() {
            self.cut_by(Cut::Gateway);
        }
        self.write();
    }

    fn write(&mut self) {
        if std::mem::replace(&mut self.written, true) {
            return;
        }
        let (status, took) = self.answer.map_or((None, self.started.elapsed()), |(status, took)| (Some(status), took));
        self.metrics.answered(self.listener, &self.route, self.method, class(status), took);
        if let Some(cut) = self.cut {
            self.metrics.cut(self.listener, &self.route, cut.name());
        }
        let way = self.way.as_ref();
        tracing::info!(
            target: TARGET,
            request_id = self.request_id,
            trace_id = self.trace.id(),
            listener = self.listener,
            address = &*self.address,
            protocol = self.protocol,
            client = self.client.map(tracing::field::display),
            method = self.method,
            route = self.route,
            path = self.path,
            caller = self.caller,
            user = self.user,
            status = status.map(|status| status.as_u16()),
            refused_by = self.refused.map(|_| self.filter.as_deref().unwrap_or(self.stage.name())),
            reason = self.refused.map(Reason::word),
            cut = self.cut.is_some(),
            cut_by = self.cut.map(Cut::name),
            received = self.received,
            sent = self.sent,
            micros = micros(took),
            upstream = way.map(|way| &*way.upstream),
            server = way.and_then(|way| way.server.as_deref()),
            upstream_micros = way.and_then(|way| way.took).map(micros),
        );
    }
}

impl Drop for RequestRecord {
    fn drop(&mut self) {
        if !self.written {
            self.cut_by(Cut::Gateway);
            self.write();
        }
    }
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

fn class(status: Option<StatusCode>) -> &'static str {
    match status.map(|status| status.as_u16() / 100) {
        Some(1) => "1xx",
        Some(2) => "2xx",
        Some(3) => "3xx",
        Some(4) => "4xx",
        Some(_) => "5xx",
        None => "cut",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(metrics: &Arc<Metrics>) -> RequestRecord {
        let ids = ("r-1".to_owned(), Trace::of(&http::HeaderMap::new()));
        RequestRecord::new(metrics, ids, ("public", "127.0.0.1:1".into()), "http/1.1", None)
    }

    fn text(metrics: &Metrics) -> String {
        String::from_utf8(metrics.text()).unwrap()
    }

    #[test]
    fn a_request_that_is_cut_is_counted_when_it_is_dropped() {
        let metrics = Arc::new(Metrics::new().unwrap());
        let record = record(&metrics);
        assert_eq!(metrics.open_requests(), 1);
        drop(record);
        assert_eq!(metrics.open_requests(), 0);
        assert!(text(&metrics).contains(r#"status="cut"} 1"#));
        assert!(text(&metrics).contains(r#"sidegate_requests_cut_total{by="gateway",listener="public",route="-"} 1"#));
    }

    #[test]
    fn an_answer_that_is_cut_keeps_its_status_and_names_who_cut_it_first() {
        let metrics = Arc::new(Metrics::new().unwrap());
        let mut record = record(&metrics);
        record.answered(StatusCode::OK);
        record.cut_by(Cut::Upstream);
        record.cut_by(Cut::Client);
        record.finish();
        drop(record);
        let text = text(&metrics);
        assert!(text.contains(r#"status="2xx"} 1"#), "{text}");
        assert!(text.contains(r#"sidegate_requests_cut_total{by="upstream",listener="public",route="-"} 1"#), "{text}");
        assert_eq!(text.matches("sidegate_requests_cut_total{").count(), 1, "{text}");
    }

    #[test]
    fn a_request_is_counted_once_with_the_first_status() {
        let metrics = Arc::new(Metrics::new().unwrap());
        let mut record = record(&metrics);
        record.set_method(&Method::from_bytes(b"BREW").unwrap());
        record.set_route("status", "/nevisfido/status");
        record.answered(StatusCode::UNAUTHORIZED);
        record.answered(StatusCode::INTERNAL_SERVER_ERROR);
        record.finish();
        drop(record);
        let line = r#"{listener="public",method="other",route="status",status="4xx"} 1"#;
        assert!(text(&metrics).contains(line));
    }
}
