//! The counters behind `/metrics`.

mod names;

use std::fmt;
use std::time::Duration;

use prometheus::{Encoder as _, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Registry, TextEncoder};
use sidegate_filters::clock::Millis;

use super::access::Cut;
use super::background::Work;

/// Every counter of the gateway. Labels are names of the configuration and of this program, never a client's text.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    seconds: HistogramVec,
    cut_requests: IntCounterVec,
    uaf_upstream_failures: IntCounterVec,
    health_checks: IntCounterVec,
    healthy: IntGaugeVec,
    open_requests: IntGauge,
    open_connections: IntGauge,
    refused_connections: IntCounterVec,
    refused_requests: IntCounterVec,
    refused_forwards: IntCounterVec,
    events: IntCounterVec,
    password_hashes: IntCounterVec,
    reloads: IntCounterVec,
    background_failures: IntCounterVec,
    generation: IntGauge,
    configured: IntGauge,
}

/// What came of a reload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// The new configuration is served.
    Done,
    /// It has faults.
    Faults,
    /// It changes what is fixed from start to end.
    NeedsRestart,
    /// It could not be read, or not be put together.
    Failed,
}

impl Reload {
    const ALL: [Self; 4] = [Self::Done, Self::Faults, Self::NeedsRestart, Self::Failed];
}

impl fmt::Display for Reload {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Done => "done",
            Self::Faults => "faults",
            Self::NeedsRestart => "needs-restart",
            Self::Failed => "failed",
        })
    }
}

/// Something open; it counts as such until it is dropped.
#[derive(Debug)]
pub struct Opened(IntGauge);

impl Opened {
    fn new(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    /// A listener of this class is served, and refuses for these reasons: what it refuses is counted from zero.
    pub fn expect_listener(&self, listener: &str, reasons: &[&str]) {
        for reason in reasons {
            for refused in [&self.refused_connections, &self.refused_requests, &self.refused_forwards] {
                refused.with_label_values(&[listener, reason]);
            }
        }
    }

    /// It closes connections for this reason too: they are counted from zero.
    pub fn expect_refusal(&self, listener: &str, reason: &str) {
        self.refused_connections.with_label_values(&[listener, reason]);
    }

    /// A row is served on a listener: what is cut there is counted from zero.
    pub fn expect_row(&self, listener: &str, route: &str) {
        for cut in Cut::ALL {
            self.cut_requests.with_label_values(&[listener, route, cut.name()]);
        }
    }

    /// A UAF server behind is asked, and fails in these ways: they are counted from zero.
    pub fn expect_uaf_upstream(&self, upstream: &str, kinds: &[&str]) {
        for kind in kinds {
            self.uaf_upstream_failures.with_label_values(&[upstream, kind]);
        }
    }

    /// Other servers are checked from here on, or none: what was shown of them goes.
    pub fn forget_health(&self) {
        self.healthy.reset();
    }

    /// Whether the checks of a server go well, and counts them from zero.
    pub fn show_health(&self, upstream: &str, server: &str, healthy: bool) {
        for result in ["good", "bad"] {
            self.health_checks.with_label_values(&[upstream, server, result]);
        }
        self.healthy.with_label_values(&[upstream, server]).set(healthy.into());
    }

    /// A server was asked whether it is well.
    pub fn health_checked(&self, upstream: &str, server: &str, good: bool) {
        let result = if good { "good" } else { "bad" };
        self.health_checks.with_label_values(&[upstream, server, result]).inc();
    }

    /// A client connected.
    #[must_use]
    pub fn connection(&self) -> Opened {
        Opened::new(&self.open_connections)
    }

    /// A client was turned away: its listener was `full`, its network had its `share`, or what stands before a request, the
    /// header of a balancer or a client's certificate, was no good.
    pub fn refused_connection(&self, listener: &str, reason: &str) {
        self.refused_connections.with_label_values(&[listener, reason]).inc();
    }

    /// A request over HTTP/2 was refused unheard, for the same reasons.
    pub fn refused_request(&self, listener: &str, reason: &str) {
        self.refused_requests.with_label_values(&[listener, reason]).inc();
    }

    /// A request found no way to an upstream, for the same reasons.
    pub fn refused_forward(&self, listener: &str, reason: &str) {
        self.refused_forwards.with_label_values(&[listener, reason]).inc();
    }

    /// A question to the UAF server behind got no answer that could be used; `kind` is a word of this program.
    pub fn uaf_upstream_failed(&self, upstream: &str, kind: &str) {
        self.uaf_upstream_failures.with_label_values(&[upstream, kind]).inc();
    }

    /// A hash with these parameters was computed for a login.
    pub fn password_hashed(&self, parameters: &str) {
        self.password_hashes.with_label_values(&[parameters]).inc();
    }

    /// A request came in.
    #[must_use]
    pub fn request(&self) -> Opened {
        Opened::new(&self.open_requests)
    }

    /// How many requests are under way.
    #[must_use]
    pub fn open_requests(&self) -> i64 {
        self.open_requests.get()
    }

    /// How many clients are connected.
    #[must_use]
    pub fn open_connections(&self) -> i64 {
        self.open_connections.get()
    }

    /// A request ended; `status` is its class (`2xx`), or `cut` when it got no answer.
    pub fn answered(&self, listener: &str, route: &str, method: &str, status: &str, took: Duration) {
        self.requests.with_label_values(&[listener, route, method, status]).inc();
        self.seconds.with_label_values(&[route]).observe(took.as_secs_f64());
    }

    /// A request was broken off `by` the `client`, the `upstream` or the `gateway`.
    pub fn cut(&self, listener: &str, route: &str, by: &str) {
        self.cut_requests.with_label_values(&[listener, route, by]).inc();
    }

    /// Another configuration is served from this time on; how many there were since the start, with it.
    pub fn configured(&self, at: Millis) -> u64 {
        self.generation.inc();
        self.configured.set(at.seconds());
        u64::try_from(self.generation.get()).unwrap_or_default()
    }

    /// The configuration was read again.
    pub fn reloaded(&self, result: Reload) {
        self.reloads.with_label_values(&[&result.to_string()]).inc();
    }

    /// A piece of work beside the requests broke off.
    pub(super) fn broke_off(&self, work: Work) {
        self.background_failures.with_label_values(&[work.name()]).inc();
    }

    /// An audited event happened ([`super::audit`]).
    pub fn event(&self, name: &str) {
        self.events.with_label_values(&[name]).inc();
    }

    /// The text of `/metrics` (Prometheus text format 0.0.4).
    #[must_use]
    pub fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "the metrics cannot be written");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::audit;
    use super::*;

    fn text(metrics: &Metrics) -> String {
        String::from_utf8(metrics.text()).unwrap()
    }

    #[test]
    fn requests_count_by_route_and_class_of_status() {
        let metrics = Metrics::new().unwrap();
        metrics.answered("public", "status", "POST", "2xx", Duration::from_millis(3));
        let text = text(&metrics);
        let line = r#"sidegate_requests_total{listener="public",method="POST",route="status",status="2xx"} 1"#;
        assert!(text.contains(line), "{text}");
        assert!(text.contains(r#"sidegate_request_seconds_count{route="status"} 1"#), "{text}");
    }

    #[test]
    fn what_is_foretold_is_there_from_the_start() {
        let metrics = Metrics::new().unwrap();
        metrics.expect_listener("public", &["full"]);
        metrics.expect_row("public", "status");
        metrics.expect_uaf_upstream("uaf", &["busy"]);
        let text = text(&metrics);
        for line in [
            r#"sidegate_events_total{event="login-failed"} 0"#,
            r#"sidegate_events_total{event="jws-bypass"} 0"#,
            r#"sidegate_reloads_total{result="needs-restart"} 0"#,
            r#"sidegate_connections_refused_total{listener="public",reason="full"} 0"#,
            r#"sidegate_requests_refused_total{listener="public",reason="full"} 0"#,
            r#"sidegate_forwards_refused_total{listener="public",reason="full"} 0"#,
            r#"sidegate_requests_cut_total{by="upstream",listener="public",route="status"} 0"#,
            r#"sidegate_uaf_upstream_failures_total{kind="busy",upstream="uaf"} 0"#,
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }

    #[test]
    fn every_event_of_the_audit_is_foretold() {
        let ours = (include_str!("audit.rs"), audit::NAMES);
        let of_filters = (include_str!("../../filters/src/audit.rs"), sidegate_filters::audit::NAMES);
        for (source, names) in [ours, of_filters] {
            let written = source.split("line!(\"").skip(1).filter_map(|rest| rest.split('"').next());
            let written: std::collections::BTreeSet<_> = written.collect();
            assert_eq!(written, names.iter().copied().collect());
        }
    }

    #[test]
    fn what_is_open_goes_down_again() {
        let metrics = Metrics::new().unwrap();
        let request = metrics.request();
        let _connection = metrics.connection();
        assert_eq!((metrics.open_requests(), metrics.open_connections()), (1, 1));
        drop(request);
        assert_eq!((metrics.open_requests(), metrics.open_connections()), (0, 1));
    }
}
