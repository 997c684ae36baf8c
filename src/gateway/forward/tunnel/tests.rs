use async_trait::async_trait;
use http::Method;
use sidegate_filters::{BodySource, Caller, Chain, Exchange, Filter, FilterError, PathRules, PathTemplate, Verdict};

use super::*;
use crate::gateway::connection::{Connection, Ends};
use crate::gateway::settings::Limits;
use crate::gateway::snapshot::{Snapshot, Switch};
use crate::gateway::watch::WATCH;
use crate::identity::testing::exchange;
use crate::routes::{Destination, ListenerClass, Route, Router, Server, Upstream, WebSocket};
use crate::telemetry::Metrics;

/// Lets everything pass, and breaks when it is asked whether that holds.
struct Breaking;

#[async_trait]
impl Filter for Breaking {
    fn name(&self) -> &'static str {
        "breaking"
    }

    async fn request(&self, _: &mut Exchange, _: &mut dyn BodySource) -> Result<Verdict, FilterError> {
        Ok(Verdict::Pass)
    }

    async fn holds(&self, _: &Caller, _: &Exchange) -> Result<bool, FilterError> {
        panic!("a fault of ours");
    }
}

fn terms() -> WebSocket {
    let hour = Duration::from_secs(3600);
    WebSocket { origins: Vec::new(), without_origin: true, idle: hour, lifetime: hour, bytes: None }
}

fn route(upstream: &Arc<Upstream>) -> Route {
    Route {
        name: "feed".to_owned(),
        methods: vec![Method::GET],
        path: PathTemplate::parse("/*").unwrap(),
        pattern: "/*".to_owned(),
        on: vec![ListenerClass::Public],
        rules: PathRules::default(),
        body_limit: None,
        bodies_of: Vec::new(),
        filters: Chain::new(vec![Arc::new(Breaking)]),
        upstream_path: None,
        websocket: Some(terms()),
        destination: Destination::Upstream(upstream.clone()),
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_watched_no_longer_ends() {
    let upstream = Arc::new(Upstream::new("app", vec![Server::plain("127.0.0.1:1".to_owned())]));
    let router = Arc::new(Router::new(vec![route(&upstream)]));
    let served = Switch::new(Snapshot::new(router, vec![None]), STEP).of_listener(0);
    let asked = Asked {
        exchange: exchange(Method::GET, &[]),
        connection: Connection::new(Ends::default(), false, (None, None), Metrics::new().unwrap().connection()),
        class: ListenerClass::Public,
        snapshot: served.now(),
        served,
    };
    let (_, attempt) = upstream.servers.next(None, &[]).unwrap();
    let server = upstream.servers.of(attempt).unwrap().clone();
    let open = Open { route: Arc::new(route(&upstream)), caller: Caller::Anonymous, path: None, server };
    let mut tunnel = Tunnel::new(Handshake::to(terms()), asked);
    let watch = BodyWatch::new(&Limits::default());
    WATCH.scope(watch.clone(), async { tunnel.open(open) }).await.unwrap();
    assert!(timeout(STEP * 10, watch.ended()).await.is_ok());
}
