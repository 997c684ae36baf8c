use std::sync::Arc;

use async_trait::async_trait;
use rstest::rstest;
use sidegate_filters::{Chain, Exchange, Filter, FilterError, PathTemplate, Reply, Verdict};

use super::*;
use crate::routes::{Address, Endpoint, Media, Server, Upstream, UpstreamPath, UpstreamTls};

struct Service;

#[async_trait]
impl Endpoint for Service {
    fn media(&self) -> Media {
        Media { takes: &[], gives: &[] }
    }
    async fn answer(&self, _exchange: Exchange) -> Reply {
        sidegate_filters::Problem::new(http::StatusCode::NOT_IMPLEMENTED, "never called").into()
    }
}

struct Named(&'static str, &'static str);

#[async_trait]
impl Filter for Named {
    fn name(&self) -> &'static str {
        self.0
    }
    fn settings(&self) -> String {
        self.1.to_owned()
    }
    async fn request(&self, _exchange: &mut Exchange) -> Result<Verdict, FilterError> {
        Err(FilterError::Unavailable("never called"))
    }
}

fn route(name: &str, methods: &[Method], pattern: &str, filters: Vec<Arc<dyn Filter>>, to: Destination) -> Route {
    Route {
        name: name.to_owned(),
        methods: methods.to_vec(),
        path: PathTemplate::parse(pattern).unwrap(),
        pattern: pattern.to_owned(),
        on: vec![ListenerClass::Public, ListenerClass::Internal],
        rules: PathRules::default(),
        body_limit: Some(65_536),
        filters: Chain::new(filters),
        upstream_path: None,
        destination: to,
    }
}

fn router() -> Router {
    let server = |address: &str| Server { address: Address::new(address.to_owned()), name: "shop".to_owned() };
    let mut shop = Upstream::new("shop", vec![server("shop-a.internal:8443"), server("shop-b.internal:8443")]);
    shop.tls = Some(UpstreamTls { authorities: None, verify: true, client: None });
    let bypass: Arc<dyn Filter> = Arc::new(Named("jws-bypass", "clock skew 5m"));
    let chain: Vec<Arc<dyn Filter>> =
        vec![Arc::new(Named("identity-creation", "level 2")), Arc::new(Named("role", ""))];
    let target = "/nevisfido/token/dispatch/targets/{id}";
    let mut orders =
        route("shop", &[Method::GET, Method::POST], "/shop/*", chain, Destination::Upstream(Arc::new(shop)));
    orders.rules.empty_segments = true;
    orders.body_limit = None;
    orders.upstream_path = UpstreamPath::new("/shop/*", "/app/*");
    Router::new(vec![
        route("target-modify", &[Method::PATCH], target, vec![bypass], Destination::Local(Arc::new(Service))),
        route("status", &[Method::POST], "/nevisfido/status", vec![], Destination::Local(Arc::new(Service))),
        orders,
    ])
}

fn explained(class: ListenerClass, method: &str, path: &str) -> Result<String, String> {
    explain(&router(), class, method, path).map(|found| found.to_string()).map_err(|refused| refused.to_string())
}

#[test]
fn a_row_shows_its_filters_and_where_it_leads() {
    let bypassed = explained(ListenerClass::Public, "PATCH", "/nevisfido/dispatch/targets/abc/?x=1").unwrap();
    insta::assert_snapshot!(bypassed, @"
    row       target-modify
    matches   PATCH /nevisfido/token/dispatch/targets/{id}
    served on public, internal listeners
    path      /nevisfido/token/dispatch/targets/abc (as it is matched and forwarded)
    body      at most 65536 bytes
    filter 1  jws-bypass: clock skew 5m
    leads to  a service of this gateway
    ");
    insta::assert_snapshot!(explained(ListenerClass::Internal, "GET", "/shop//cart").unwrap(), @"
    row       shop
    matches   GET, POST /shop/*
    served on public, internal listeners
    sent as   /app//cart
    allows    empty-segments
    body      of any length
    filter 1  identity-creation: level 2
    filter 2  role
    leads to  upstream shop at https://shop-a.internal:8443, https://shop-b.internal:8443
    ");
    let open = explained(ListenerClass::Public, "POST", "/nevisfido/status").unwrap();
    assert!(open.contains("filters   none: open to all"), "{open}");
}

#[rstest]
#[case("GET", "/nothing", "refused with 404: no row on public listeners has the path /nothing")]
#[case("GET", "/nevisfido/status", "refused with 405: on public listeners this path takes POST")]
#[case("GET", "/shop/a;b", "refused with 400: the row does not allow how the path is spelt (parameters)")]
#[case("GET", "/shop/../x", "refused with 400: the path holds a dot segment")]
#[case("G T", "/shop", "refused with 400: this is no method")]
fn a_refusal_says_why(#[case] method: &str, #[case] path: &str, #[case] expected: &str) {
    assert_eq!(explained(ListenerClass::Public, method, path).unwrap_err(), expected);
}

#[test]
fn other_listeners_serve_other_rows() {
    let refused = explained(ListenerClass::Management, "PATCH", "/nevisfido/token/dispatch/targets/abc").unwrap_err();
    assert!(refused.starts_with("refused with 404"), "{refused}");
}
