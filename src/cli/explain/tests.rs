use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rstest::rstest;
use sidegate_filters::{BodySource, Chain, Exchange, Filter, FilterError, PathTemplate, Reply, Verdict};

use super::*;
use crate::cli::{compose, keygen};
use crate::config::{self, Environment, Overrides, Source};
use crate::jose::UpstreamTls;
use crate::routes::{Address, Balance, Endpoint, HealthCheck, Media, Server, Upstream, UpstreamPath, WebSocket};

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
    async fn request(&self, _: &mut Exchange, _: &mut dyn BodySource) -> Result<Verdict, FilterError> {
        Err(FilterError::unavailable("never called"))
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
        bodies_of: Vec::new(),
        filters: Chain::new(filters),
        upstream_path: None,
        websocket: None,
        destination: to,
    }
}

fn router() -> Router {
    let server = |address: &str| Server { address: Address::new(address.to_owned()), name: "shop".to_owned() };
    let mut shop = Upstream::new("shop", vec![server("shop-a.internal:8443"), server("shop-b.internal:8443")]);
    shop.balance = Balance::Session;
    shop.health_check = Some(HealthCheck {
        path: "/health".to_owned(),
        codes: vec![200..=299, 401..=401],
        interval: Duration::from_secs(10),
        timeout: Duration::from_millis(2_500),
        failures: 3,
        successes: 2,
    });
    shop.tls = Some(UpstreamTls { authorities: None, verify: true, client: None });
    let bypass: Arc<dyn Filter> = Arc::new(Named("jws-bypass", "clock skew 5m"));
    let chain: Vec<Arc<dyn Filter>> =
        vec![Arc::new(Named("identity-creation", "level 2")), Arc::new(Named("role", ""))];
    let target = "/nevisfido/token/dispatch/targets/{id}";
    let mut orders =
        route("shop", &[Method::GET, Method::POST], "/shop/*", chain, Destination::Upstream(Arc::new(shop)));
    orders.websocket = Some(WebSocket {
        origins: vec!["https://shop.example".to_owned()],
        without_origin: true,
        idle: Duration::from_secs(60),
        lifetime: Duration::from_secs(28_800),
        bytes: Some(1024),
    });
    orders.rules.empty_segments = true;
    orders.body_limit = None;
    orders.bodies_of = vec![Method::GET];
    orders.upstream_path = UpstreamPath::new("/shop/*", "/app/*");
    Router::new(vec![
        route("target-modify", &[Method::PATCH], target, vec![bypass], Destination::Local(Arc::new(Service))),
        route("status", &[Method::POST], "/nevisfido/status", vec![], Destination::Local(Arc::new(Service))),
        orders,
        on_internal_listeners("callers", "/internal/*"),
        on_internal_listeners("ended", "/nevisfido/status"),
    ])
}

fn on_internal_listeners(name: &str, pattern: &str) -> Route {
    let on = vec![ListenerClass::Internal];
    Route { on, ..route(name, &[Method::DELETE], pattern, vec![], Destination::Local(Arc::new(Service))) }
}

fn explained(class: ListenerClass, method: &str, path: &str) -> Result<String, String> {
    let config = config::load(&Source::BuiltIn, &Overrides::default(), &Environment::new(|_| None)).unwrap();
    explain(&config, &router(), class, method, path)
        .map(|found| found.to_string())
        .map_err(|refused| refused.to_string())
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
    bodies of GET too
    websocket from https://shop.example, clients without an origin; idle 60s, open 28800s at most, 1024 bytes each way
    filter 1  identity-creation: level 2
    filter 2  role
    leads to  upstream shop at https://shop-a.internal:8443, https://shop-b.internal:8443
    balance   a session keeps its server
    checks    GET /health every 10s, 200-299, 401 within 2.5s; out after 3 bad in a row, in after 2 good
    ");
    let open = explained(ListenerClass::Public, "POST", "/nevisfido/status").unwrap();
    assert!(open.contains("filters   none: open to all"), "{open}");
}

#[test]
fn a_row_to_which_letters_are_the_same_says_so_and_leads_past_none_before_it() {
    let row = |name, pattern| route(name, &[Method::GET], pattern, vec![], Destination::Local(Arc::new(Service)));
    let mut shop = row("shop", "/shop/*");
    shop.path = shop.path.in_any_case();
    let router = Router::new(vec![row("pay", "/shop/pay/*"), shop]);
    let config = config::load(&Source::BuiltIn, &Overrides::default(), &Environment::new(|_| None)).unwrap();
    let explained = |path| match explain(&config, &router, ListenerClass::Public, "GET", path) {
        Ok(found) => found.to_string(),
        Err(refused) => refused.to_string(),
    };
    insta::assert_snapshot!(explained("/Shop/Cart"), @"
    row       shop
    matches   GET /shop/*
    served on public, internal listeners
    letters   small and capital ones are the same
    body      at most 65536 bytes
    filters   none: open to all
    leads to  a service of this gateway
    ");
    assert!(!explained("/shop/pay/1").contains("letters"));
    let refused = explained("/Shop/Pay/1");
    assert!(refused.contains("takes small and capital letters for the same"), "{refused}");
}

#[rstest]
#[case("GET", "/nothing", "refused with 404: no row on public listeners has the path /nothing")]
#[case(
    "DELETE",
    "/internal/x?y",
    "refused with 404: no row on public listeners has the path /internal/x; the row callers has it on internal listeners: \
     ask with --on internal"
)]
#[case(
    "DELETE",
    "/nevisfido/status",
    "refused with 405: on public listeners this path takes POST; the row ended has it on internal listeners: ask with --on \
     internal"
)]
#[case("GET", "/nevisfido/status", "refused with 405: on public listeners this path takes POST")]
#[case("PUT", "/shop/a", "refused with 405: on public listeners this path takes GET, POST, HEAD")]
#[case(
    "post",
    "/nevisfido/status",
    "refused with 405: on public listeners this path takes POST; methods are written in capitals"
)]
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

/// A sample as `sidegate explain` sees it, with the certificates that it names.
fn sample(name: &str) -> (Config, Router) {
    let folder = tempfile::tempdir().unwrap();
    let conf = folder.path().join("conf");
    keygen::certificates(&conf.join("certs"), &[], &mut Vec::new()).unwrap();
    let path = conf.join(name);
    std::fs::copy(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("conf").join(name), &path).unwrap();
    compose::offline(&Source::File(path)).unwrap()
}

fn explained_of((config, router): &(Config, Router), class: ListenerClass, method: &str, path: &str) -> String {
    match explain(config, router, class, method, path) {
        Ok(found) => found.to_string(),
        Err(refused) => refused.to_string(),
    }
}

#[test]
fn a_server_that_a_service_asks_is_shown() {
    let hybrid = sample("hybrid.yml");
    let redeem = "/nevisfido/token/redeem/authentication";
    insta::assert_snapshot!(explained_of(&hybrid, ListenerClass::Public, "POST", redeem), @"
    row       redeem-authentication
    matches   POST /nevisfido/token/redeem/authentication
    served on public, internal listeners
    body      at most 65536 bytes
    filter 1  identity-creation: domain main by cookie, session token; open, a session is recognised; every internal caller; interception never
    leads to  a service of this gateway
    asks      upstream uaf-server at https://127.0.0.1:9443
    ");
    let status = explained_of(&hybrid, ListenerClass::Public, "POST", "/nevisfido/status");
    assert!(!status.contains("asks"), "{status}");
    insta::assert_snapshot!(Table::of(&hybrid.0, None).unwrap());
}

#[test]
fn what_users_may_show_is_shown() {
    let sample = sample("api.yml");
    let app = explained_of(&sample, ListenerClass::Public, "GET", "/app/a");
    assert!(
        app.contains(
            ": domain main by cookie, session token, jwt partners of https://idp.example.com; a session of level 1;"
        ),
        "{app}"
    );
    let staff = explained_of(&sample, ListenerClass::Public, "GET", "/app/staff/a");
    let demand =
        "by jwt partners of https://idp.example.com; a session of level 1 by partners with role staff or admin;";
    assert!(staff.contains(demand), "{staff}");
}

#[test]
fn logins_of_a_further_domain_are_shown() {
    let sample = sample("domains.yml");
    insta::assert_snapshot!(explained_of(&sample, ListenerClass::Public, "POST", "/auth/partners/pwd/"), @"
    row       partners-login-password
    matches   POST /auth/partners/pwd
    served on public listeners
    path      /auth/partners/pwd (as it is matched and forwarded)
    body      at most 65536 bytes
    filter 1  identity-creation: domain partners by cookie, session token; open, a session is recognised; every internal caller; interception never
    leads to  a service of this gateway
    ");
    let service = explained_of(&sample, ListenerClass::Public, "POST", "/nevisfido/uaf/1.1/request/registration");
    assert!(service.contains("domain main by cookie, session token; a session of level 1"), "{service}");
    let rows = Table::of(&sample.0, None).unwrap().to_string();
    assert!(
        rows.lines().any(|row| row.starts_with("partners-login-oob ") && row.contains("/auth/partners/oob")),
        "{rows}"
    );
}

#[test]
fn a_rule_is_shown_with_its_encoding() {
    let dispatch = "/nevisfido/token/dispatch/registration";
    let shown = explained_of(&sample("fronting.yml"), ListenerClass::Internal, "POST", dispatch);
    let rules = "AUTH:user.auth.SecToken:Authorization, AUTH:user.auth.UserId:X-User, \
                 AUTH:user.auth.LoginId:X-User-Name:urlencode, CALLER:name:X-Caller\n";
    assert!(shown.contains(&format!("delegation: audience fido-server; {rules}")), "{shown}");
}

#[test]
fn only_listeners_that_are_there_are_shown() {
    let behind = sample("hybrid-upstream.yml");
    let registration = "/nevisfido/uaf/1.1/registration";
    insta::assert_snapshot!(explained_of(&behind, ListenerClass::Public, "POST", registration), @"refused: the configuration has no public listener; --on names one of internal, management");
    insta::assert_snapshot!(explained_of(&behind, ListenerClass::Internal, "POST", registration), @"
    row       uaf-registration
    matches   POST /nevisfido/uaf/1.1/registration
    served on internal listeners
    body      at most 65536 bytes
    filter 1  identity-creation: domain main by cookie, session token; open, a session is recognised; every internal caller; interception never
    leads to  a service of this gateway
    ");
    insta::assert_snapshot!(Table::of(&behind.0, None).unwrap());
    assert!(Table::of(&behind.0, Some(ListenerClass::Public)).is_err());
}

/// With the certificates of the sample, of which one is an authority, too.
#[test]
fn whose_word_is_taken_for_who_the_client_is_is_shown_with_the_listener() {
    let folder = tempfile::tempdir().unwrap();
    let (path, certs) = (folder.path().join("gate.yml"), folder.path().join("certs"));
    keygen::certificates(&certs, &[], &mut Vec::new()).unwrap();
    let first = "    address: 127.0.0.1:8080\n";
    let listeners = format!(
        "{first}    tls: {{certificate: certs/server.pem, key: certs/server.key, client-ca: certs/ca.pem}}\n  \
         - class: public\n    address: 127.0.0.1:8082\n    proxy-protocol: [192.0.2.0/24, 198.51.100.1/32]\n  \
         - class: public\n    address: 127.0.0.1:8083\n    forwarded: {{from: [192.0.2.7/32], header: x-forwarded-for}}\n"
    );
    let realm = "\nrealms:\n  staff: { type: mtls, domain: main, users: [{ subject: CN=a, user: e-1 }] }\n";
    let rows = "upstreams: { shop: { url: 'http://127.0.0.1:1' } }
filters:
  any: { type: identity-creation, domain: main }
  users: { type: identity-creation, domain: main, realms: [password] }
routes:
  - { name: any, path: /any/*, methods: [GET], filters: [any], upstream: shop }
  - { name: users, path: /users/*, methods: [GET], filters: [users], upstream: shop }
  - { name: inside, path: /inside/*, methods: [GET], on: [internal], filters: [any], upstream: shop }
";
    let text = config::STANDALONE.replacen(first, &listeners, 1).replacen("\nrealms:\n", realm, 1);
    std::fs::write(&path, format!("{text}\n{rows}")).unwrap();
    let shop = compose::offline(&Source::File(path)).unwrap();
    insta::assert_snapshot!(explained_of(&shop, ListenerClass::Public, "GET", "/any/a"), @"
    row       any
    matches   GET /any/*
    served on public listeners
    clients   as the PROXY protocol of 192.0.2.0/24, 198.51.100.1/32 says, on 127.0.0.1:8082; nobody else connects there
    clients   as x-forwarded-for of 192.0.2.7/32 says, on 127.0.0.1:8083
    certificates are asked for on 127.0.0.1:8080
    body      of any length
    filter 1  identity-creation: domain main by cookie, session token, mtls staff; a session of level 1; no internal caller; interception auto
    leads to  upstream shop at http://127.0.0.1:1
    ");
    let users = explained_of(&shop, ListenerClass::Public, "GET", "/users/a");
    assert!(users.contains("PROXY protocol") && !users.contains("certificates"), "{users}");
    let inside = explained_of(&shop, ListenerClass::Internal, "GET", "/inside/a");
    assert!(inside.contains("certificates are asked for on none of its listeners\n"), "{inside}");
    assert!(!inside.contains("PROXY protocol") && !inside.contains("x-forwarded-for"), "{inside}");
}

#[test]
fn filters_of_a_row_are_shown_in_their_order_without_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gate.yml");
    let rows = "upstreams: { shop: { url: 'http://127.0.0.1:1' } }
filters:
  house: { type: headers, request: { set: { X-Key: s3cret } }, response: { remove: [Server] } }
  office: { type: ip-list, allow: [192.0.2.0/24] }
  calm: { type: rate-limit, per: address, burst: 60, every: 1s }
  known: { type: identity-creation, domain: main, internal-callers: admin }
  staff: { type: role, all-of: [staff], internal-callers: admin }
routes:
  - { name: shop, path: /shop/*, methods: [GET], filters: [house, office, calm, known, staff], upstream: shop }
";
    std::fs::write(&path, format!("{}\n{rows}", config::STANDALONE)).unwrap();
    let shop = compose::offline(&Source::File(path)).unwrap();
    let shown = explained_of(&shop, ListenerClass::Public, "GET", "/shop/a");
    for line in [
        "filter 1  headers: request: set x-key; response: remove server\n",
        "filter 2  ip-list: from 192.0.2.0/24 alone\n",
        "filter 3  rate-limit: 60 at once, then one every 1 s for each address (/32, /56)\n",
        "filter 4  identity-creation: ",
        "filter 5  role: users with role staff; internal callers with admin\n",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    assert!(!shown.contains("s3cret"), "{shown}");
}
