use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use sidegate_filters::{BodySource, Chain, Filter, FilterError, PathRules, PathTemplate};

use super::*;
use crate::identity::testing::exchange;
use crate::routes::{Destination, ListenerClass, Server};
use crate::seats::Seats;

/// Counts how often it is asked for its last word.
#[derive(Default)]
struct Counting(AtomicUsize);

#[async_trait]
impl Filter for Counting {
    fn name(&self) -> &'static str {
        "counting"
    }

    async fn request(&self, _: &mut Exchange, _: &mut dyn BodySource) -> Result<Verdict, FilterError> {
        Ok(Verdict::Pass)
    }

    async fn commit(&self, _: &mut Exchange) -> Result<Verdict, FilterError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Verdict::Pass)
    }
}

fn route(filter: Arc<dyn Filter>, upstream: &Arc<Upstream>) -> Route {
    Route {
        name: "app".to_owned(),
        methods: vec![http::Method::GET],
        path: PathTemplate::parse("/app").unwrap(),
        pattern: "/app".to_owned(),
        on: vec![ListenerClass::Public],
        rules: PathRules::default(),
        body_limit: None,
        bodies_of: Vec::new(),
        filters: Chain::new(vec![filter]),
        upstream_path: None,
        websocket: None,
        destination: Destination::Upstream(upstream.clone()),
    }
}

#[tokio::test]
async fn filters_have_one_last_word_however_often_a_request_is_sent() {
    let filter = Arc::new(Counting::default());
    let upstream = Arc::new(Upstream::new("app", vec![Server::plain("127.0.0.1:1".to_owned())]));
    let route = Arc::new(route(filter.clone(), &upstream));
    let way = Seats::new(1, None).take(None).unwrap();
    let exchange = exchange(http::Method::GET, &[]);
    let mut forward = Forward::new((route, upstream), exchange, None, "a.example".to_owned(), true, way);
    for _ in 0..2 {
        assert!(forward.commit().await.is_ok());
    }
    assert_eq!(filter.0.load(Ordering::Relaxed), 1);
}
