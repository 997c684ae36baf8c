//! Asking servers behind whether they are well (`gateway.md` 4), as requests are sent there: over the same TLS, in the same
//! protocol, each time on a new connection. What comes of it is written into the ring that requests are sent by.

use std::sync::Arc;

use async_trait::async_trait;
use http::uri::{Builder, PathAndQuery};
use http::{Method, Version, header};
use pingora::connectors::ConnectorOptions;
use pingora::connectors::http::Connector;
use pingora::http::RequestHeader;
use pingora::server::ShutdownWatch;
use pingora::server::configuration::ServerConf;
use pingora::services::background::BackgroundService;
use pingora::{Error, ErrorType};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::forward::peer_of;
use super::snapshot::Switch;
use crate::routes::{Destination, HealthCheck, Upstream};
use crate::telemetry::{Metrics, Work};

/// Heads of 1xx before an answer, at most.
const MOST_EARLY: usize = 16;

/// Checks the servers of what is served.
pub(super) struct Checks {
    switch: Switch,
    connector: Arc<Connector>,
    metrics: Arc<Metrics>,
}

impl Checks {
    pub(super) fn new(switch: Switch, conf: &ServerConf, metrics: Arc<Metrics>) -> Self {
        let connector = Arc::new(Connector::new(Some(ConnectorOptions::from_server_conf(conf))));
        Self { switch, connector, metrics }
    }

    /// Begins anew with the upstreams that are served now; what is known of their servers stays. It ends with what it
    /// gives back.
    fn begin(&self) -> JoinSet<()> {
        let mut checks = JoinSet::new();
        self.metrics.forget_health();
        for upstream in upstreams(&self.switch) {
            let Some(check) = &upstream.health_check else {
                upstream.servers.forget_checks();
                continue;
            };
            for (place, server) in upstream.servers.all().enumerate() {
                let healthy = !upstream.servers.is_sick(place);
                self.metrics.show_health(&upstream.name, server.address.as_str(), healthy);
                let (upstream, check) = (upstream.clone(), check.clone());
                let watch = Watch { upstream, place, check, metrics: self.metrics.clone() };
                checks.spawn(watch.run(self.connector.clone()));
            }
        }
        checks
    }
}

#[async_trait]
impl BackgroundService for Checks {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        loop {
            let _running = self.begin();
            tokio::select! {
                () = self.switch.swapped() => {}
                _ = shutdown.changed() => return,
            }
        }
    }
}

/// Those that rows lead to, each once.
fn upstreams(switch: &Switch) -> Vec<Arc<Upstream>> {
    let mut found: Vec<Arc<Upstream>> = Vec::new();
    for route in switch.router().routes() {
        if let Destination::Upstream(upstream) = &route.destination
            && !found.iter().any(|known| Arc::ptr_eq(known, upstream))
        {
            found.push(upstream.clone());
        }
    }
    found
}

/// The checks of one server.
struct Watch {
    upstream: Arc<Upstream>,
    place: usize,
    check: HealthCheck,
    metrics: Arc<Metrics>,
}

/// What came of a check: nothing, or what was wrong and the status if there was one.
type Outcome = Result<(), (String, Option<u16>)>;

impl Watch {
    /// Spread over time, so that neither servers nor gateways ask in step.
    async fn run(self, connector: Arc<Connector>) {
        let mut pause = self.check.interval.mul_f64(chance());
        loop {
            sleep(pause).await;
            // One that breaks off says nothing of the server.
            Work::HealthCheck.waiting(&self.metrics, async { self.judge(self.outcome(&connector).await) }).await;
            pause = self.check.interval.mul_f64(0.9 + 0.2 * chance());
        }
    }

    async fn outcome(&self, connector: &Connector) -> Outcome {
        match timeout(self.check.timeout, self.ask(connector)).await {
            Err(_) => Err(("Timeout".to_owned(), None)),
            Ok(Err(error)) => Err((error.etype().as_str().to_owned(), None)),
            Ok(Ok(status)) if self.check.accepts(status) => Ok(()),
            Ok(Ok(status)) => Err(("Status".to_owned(), Some(status))),
        }
    }

    fn judge(&self, outcome: Outcome) {
        let Some(server) = self.upstream.servers.all().nth(self.place) else { return };
        let (upstream, server, good) = (self.upstream.name.as_str(), server.address.as_str(), outcome.is_ok());
        self.metrics.health_checked(upstream, server, good);
        if !self.upstream.servers.checked(self.place, good, self.check.enough(good)) {
            return;
        }
        self.metrics.show_health(upstream, server, good);
        match outcome {
            Ok(()) => {
                tracing::info!(upstream, server, "the health checks of a server go well again, and it is taken in")
            }
            Err((kind, status)) => {
                tracing::warn!(
                    upstream,
                    server,
                    kind,
                    status,
                    "the health checks of a server fail, and it is left out"
                );
            }
        }
    }

    /// The status of its answer.
    async fn ask(&self, connector: &Connector) -> pingora::Result<u16> {
        let none = || Error::explain(ErrorType::ConnectNoRoute, "a server without an address").into_up();
        let server = self.upstream.servers.all().nth(self.place).ok_or_else(none)?;
        let addresses = server.address.resolve(self.upstream.connect_timeout).await;
        let mut last = none();
        for address in addresses.iter() {
            let mut peer = peer_of(&self.upstream, server, *address);
            // One request on each connection: whether a server takes connections is part of the question.
            peer.options.max_h2_streams = 1;
            match connector.get_http_session(&peer).await {
                Ok((mut session, _)) => {
                    let http2 = session.as_http2().is_some();
                    session.write_request_header(Box::new(self.question(server.address.as_str(), http2)?)).await?;
                    session.finish_request_body().await?;
                    for _ in 0..MOST_EARLY {
                        session.read_response_header().await?;
                        let status = session.response_header().map(|head| head.status);
                        if let Some(status) = status.filter(|status| !status.is_informational()) {
                            return Ok(status.as_u16());
                        }
                    }
                    return Err(Error::explain(ErrorType::InvalidHTTPHeader, "too much before an answer").into_up());
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn question(&self, host: &str, http2: bool) -> pingora::Result<RequestHeader> {
        let mut head = RequestHeader::build(Method::GET, self.check.path.as_bytes(), None)?;
        if http2 {
            let unfit = |_| Error::explain(ErrorType::InvalidHTTPHeader, "a server that cannot be named in HTTP/2");
            let path = PathAndQuery::try_from(self.check.path.as_str()).map_err(|_| unfit(()))?;
            let scheme = if self.upstream.tls.is_some() { "https" } else { "http" };
            let uri = Builder::new().scheme(scheme).authority(host).path_and_query(path).build();
            head.set_uri(uri.map_err(|_| unfit(()))?);
            head.set_version(Version::HTTP_2);
        } else {
            head.insert_header(header::HOST, host)?;
            head.insert_header(header::CONNECTION, "close")?;
        }
        head.insert_header(header::USER_AGENT, "sidegate-health-check")?;
        Ok(head)
    }
}

/// From 0 to 1. It keeps questions apart and nothing secret.
fn chance() -> f64 {
    f64::from(uuid::Uuid::new_v4().as_fields().0) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::routes::Server;

    fn watch() -> Watch {
        let check = HealthCheck {
            path: "/health?deep=no".to_owned(),
            codes: vec![200..=204, 302..=302],
            interval: Duration::from_secs(10),
            timeout: Duration::from_secs(2),
            failures: 2,
            successes: 1,
        };
        let servers = vec![Server::plain("127.0.0.1:1".to_owned()), Server::plain("127.0.0.1:2".to_owned())];
        let metrics = Arc::new(Metrics::new().unwrap());
        Watch { upstream: Arc::new(Upstream::new("app", servers)), place: 1, check, metrics }
    }

    #[test]
    fn what_checks_find_is_where_requests_look_and_in_the_metrics() {
        let watch = watch();
        let text = || String::from_utf8(watch.metrics.text()).unwrap();
        let up = || watch.upstream.servers.next(None, &[]).map(|(server, _)| server.address.as_str().to_owned());
        for _ in 0..2 {
            watch.judge(Err(("Status".to_owned(), Some(500))));
        }
        assert!((0..3).all(|_| up().as_deref() == Some("127.0.0.1:1")));
        assert!(text().contains(r#"sidegate_upstream_server_healthy{server="127.0.0.1:2",upstream="app"} 0"#));
        watch.judge(Ok(()));
        assert!((0..2).any(|_| up().as_deref() == Some("127.0.0.1:2")));
        let text = text();
        for line in [
            r#"sidegate_upstream_server_healthy{server="127.0.0.1:2",upstream="app"} 1"#,
            r#"sidegate_health_checks_total{result="bad",server="127.0.0.1:2",upstream="app"} 2"#,
            r#"sidegate_health_checks_total{result="good",server="127.0.0.1:2",upstream="app"} 1"#,
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }

    #[test]
    fn a_check_asks_for_its_path_in_the_words_of_each_protocol() {
        let watch = watch();
        let http1 = watch.question("127.0.0.1:2", false).unwrap();
        assert_eq!(http1.uri.to_string(), "/health?deep=no");
        assert_eq!(http1.headers[header::HOST], "127.0.0.1:2");
        let http2 = watch.question("127.0.0.1:2", true).unwrap();
        assert_eq!(http2.uri.to_string(), "http://127.0.0.1:2/health?deep=no");
        assert!(http2.headers.get(header::HOST).is_none() && http2.headers.get(header::CONNECTION).is_none());
    }
}
