//! What probes and Prometheus ask (`http-api.md` 11, `gateway.md` 6.4): served on management listeners only.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::join_all;
use http::StatusCode;
use sidegate_filters::{Exchange, Reply};

use super::answers::whole;
use crate::routes::{Endpoint, Media, Medium};
use crate::telemetry::Metrics;

/// Something that the gateway cannot serve without.
#[async_trait]
pub trait Probe: Send + Sync {
    /// Its name, for the log.
    fn name(&self) -> &'static str;

    /// Whether it can be reached now.
    async fn is_ready(&self) -> bool;
}

/// GET `/nevisfido/liveness`: the process answers.
pub struct Liveness;

/// GET `/nevisfido/health`: 200 when everything that is probed is ready, else 503.
pub struct Health {
    probes: Vec<Arc<dyn Probe>>,
}

impl Health {
    /// Asks these.
    #[must_use]
    pub fn new(probes: Vec<Arc<dyn Probe>>) -> Self {
        Self { probes }
    }

    async fn state(&self) -> Reply {
        let states =
            join_all(self.probes.iter().map(|probe| async move { (probe.name(), probe.is_ready().await) })).await;
        for (name, _) in states.iter().filter(|(_, ready)| !ready) {
            tracing::warn!(probe = name, "not ready");
        }
        state(states.iter().all(|(_, ready)| *ready))
    }
}

/// GET `/metrics`.
pub struct MetricsText(Arc<Metrics>);

impl MetricsText {
    /// Shows these counters.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self(metrics)
    }
}

#[async_trait]
impl Endpoint for Liveness {
    fn media(&self) -> Media {
        Media { takes: &[], gives: &[] }
    }

    async fn answer(&self, _: Exchange) -> Reply {
        state(true)
    }
}

#[async_trait]
impl Endpoint for Health {
    fn media(&self) -> Media {
        Media { takes: &[], gives: &[] }
    }

    async fn answer(&self, _: Exchange) -> Reply {
        self.state().await
    }
}

#[async_trait]
impl Endpoint for MetricsText {
    fn media(&self) -> Media {
        Media { takes: &[], gives: &[] }
    }

    async fn answer(&self, _: Exchange) -> Reply {
        Reply::Response(whole(StatusCode::OK, Medium::Metrics, Bytes::from(self.0.text())))
    }
}

fn state(up: bool) -> Reply {
    let (status, body) = if up {
        (StatusCode::OK, r#"{"status":"UP"}"#)
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"DOWN"}"#)
    };
    Reply::Response(whole(status, Medium::Json, Bytes::from_static(body.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(bool);

    #[async_trait]
    impl Probe for Fixed {
        fn name(&self) -> &'static str {
            "fixed"
        }

        async fn is_ready(&self) -> bool {
            self.0
        }
    }

    async fn health(states: &[bool]) -> (u16, Bytes) {
        let probes = states.iter().map(|ready| Arc::new(Fixed(*ready)) as Arc<dyn Probe>).collect();
        let response = Health::new(probes).state().await.into_response("r-1");
        assert_eq!(response.headers()["cache-control"], "no-store", "a state of just now");
        (response.status().as_u16(), response.into_body())
    }

    #[tokio::test]
    async fn one_part_that_is_down_takes_the_gateway_out() {
        let up = Bytes::from_static(br#"{"status":"UP"}"#);
        assert_eq!(health(&[]).await, (200, up.clone()));
        assert_eq!(health(&[true, true]).await, (200, up));
        assert_eq!(health(&[true, false]).await, (503, Bytes::from_static(br#"{"status":"DOWN"}"#)));
    }
}
