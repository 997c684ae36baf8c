//! What each counter is called, what it tells, and its labels.

use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, exponential_buckets,
};

use super::super::audit;
use super::{Metrics, Reload, Work};

/// Of a request that was answered.
const REQUEST: &[&str] = &["listener", "route", "method", "status"];
/// Of one that was broken off.
const CUT: &[&str] = &["listener", "route", "by"];
/// Of what is turned away.
const REFUSED: &[&str] = &["listener", "reason"];

fn counter(name: &str, told: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
    IntCounterVec::new(Opts::new(name, told), labels)
}

impl Metrics {
    /// Counters at zero: of those with labels, the events are there; others come when they are expected, or happen.
    ///
    /// # Errors
    /// When a name or bucket is not to Prometheus' liking: a fault of this program.
    #[expect(clippy::too_many_lines, reason = "a table: an entry for each counter")]
    pub fn new() -> Result<Self, prometheus::Error> {
        let seconds = HistogramOpts::new("sidegate_request_seconds", "Time from a request's head to its answer.");
        let buckets = exponential_buckets(0.0005, 2.0, 16)?;
        let healthy = Opts::new("sidegate_upstream_server_healthy", "Whether the health checks of a server go well.");
        Self {
            registry: Registry::new(),
            requests: counter("sidegate_requests_total", "Requests answered.", REQUEST)?,
            seconds: HistogramVec::new(seconds.buckets(buckets), &["route"])?,
            cut_requests: counter(
                "sidegate_requests_cut_total",
                "Requests broken off before their answer's end.",
                CUT,
            )?,
            uaf_upstream_failures: counter(
                "sidegate_uaf_upstream_failures_total",
                "Questions that the UAF server behind did not answer.",
                &["upstream", "kind"],
            )?,
            health_checks: counter(
                "sidegate_health_checks_total",
                "Questions to servers behind whether they are well.",
                &["upstream", "server", "result"],
            )?,
            healthy: IntGaugeVec::new(healthy, &["upstream", "server"])?,
            open_requests: IntGauge::new("sidegate_open_requests", "Requests under way.")?,
            open_connections: IntGauge::new("sidegate_open_connections", "Client connections.")?,
            refused_connections: counter(
                "sidegate_connections_refused_total",
                "Connections that were closed unheard.",
                REFUSED,
            )?,
            refused_requests: counter(
                "sidegate_requests_refused_total",
                "HTTP/2 requests refused, since too many were open.",
                REFUSED,
            )?,
            refused_forwards: counter(
                "sidegate_forwards_refused_total",
                "Requests answered with 503, since too many were on their way to upstreams.",
                REFUSED,
            )?,
            password_hashes: counter(
                "sidegate_password_hashes_total",
                "Password hashes computed for logins.",
                &["parameters"],
            )?,
            reloads: counter("sidegate_reloads_total", "Reloads of the configuration.", &["result"])?,
            background_failures: counter(
                "sidegate_background_failures_total",
                "Work beside the requests that broke off.",
                &["work"],
            )?,
            generation: IntGauge::new("sidegate_configuration_generation", "Configurations served since the start.")?,
            configured: IntGauge::new(
                "sidegate_configuration_timestamp_seconds",
                "Since when the configuration is served.",
            )?,
            events: counter("sidegate_events_total", "Audited events.", &["event"])?,
        }
        .registered()
    }

    /// The same, with all of them told, and the events from zero.
    fn registered(self) -> Result<Self, prometheus::Error> {
        let refused = [&self.refused_connections, &self.refused_requests, &self.refused_forwards];
        let failures = [&self.cut_requests, &self.uaf_upstream_failures, &self.health_checks];
        let others =
            failures.into_iter().chain([&self.requests, &self.events, &self.reloads, &self.background_failures]);
        let others = others.chain([&self.password_hashes]);
        for counter in refused.into_iter().chain(others) {
            self.registry.register(Box::new(counter.clone()))?;
        }
        for gauge in [&self.open_requests, &self.open_connections, &self.generation, &self.configured] {
            self.registry.register(Box::new(gauge.clone()))?;
        }
        self.registry.register(Box::new(self.healthy.clone()))?;
        self.registry.register(Box::new(self.seconds.clone()))?;
        for result in Reload::ALL {
            self.reloads.with_label_values(&[&result.to_string()]);
        }
        for work in Work::ALL {
            self.background_failures.with_label_values(&[work.name()]);
        }
        for name in audit::NAMES.iter().chain(sidegate_filters::audit::NAMES) {
            self.events.with_label_values(&[name]);
        }
        Ok(self)
    }
}
