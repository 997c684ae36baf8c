//! What the work inside a request costs, without the network: `make bench`, or `make bench BENCH=--quick`.

mod house;
mod services;

use std::cell::Cell;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use criterion::{BatchSize, Criterion};
use http::{Method, Response};
use sidegate::oob::DispatchAnswer;
use sidegate::routes::{Destination, Endpoint, ListenerClass, Media, Route, Router, rows};
use sidegate::store::operation::OperationKind;
use sidegate_filters::identity_creation::Sessions as _;
use sidegate_filters::jws::{Algorithm, CompactJws};
use sidegate_filters::jws_bypass::BODY_LIMIT;
use sidegate_filters::{CanonicalPath, Chain, Exchange, Filter as _, PathRules, PathTemplate, Reply, Verdict};

use house::House;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let house = House::build()?;
    dispatch(&mut criterion, &house)?;
    redeem(&mut criterion, &house)?;
    patch(&mut criterion, &house)?;
    session(&mut criterion, &house)?;
    router(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}

/// Counts what went wrong: a benchmark of failures would be a fast one.
#[derive(Default)]
struct Wrong(Cell<u32>);

impl Wrong {
    fn unless(&self, right: bool) -> bool {
        self.0.set(self.0.get() + u32::from(!right));
        right
    }

    fn none_of(&self, what: &str) -> Result<(), Failure> {
        match self.0.get() {
            0 => Ok(()),
            count => Err(format!("{what}: {count} failed").into()),
        }
    }
}

fn dispatch(criterion: &mut Criterion, house: &House) -> Result<(), Failure> {
    let wrong = Wrong::default();
    for (name, request) in [("plain", house.by_link(None)), ("encrypted, P-256", house.by_link(Some(&house.target)))] {
        criterion.bench_function(&format!("dispatch a link, {name}"), |bencher| {
            bencher.iter(|| {
                let answer = house.wait(house.tokens.dispatch(&house.asker(), &request));
                wrong.unless(matches!(answer, Ok(DispatchAnswer::Dispatched { .. })))
            });
        });
    }
    wrong.none_of("dispatch")
}

fn redeem(criterion: &mut Criterion, house: &House) -> Result<(), Failure> {
    let wrong = Wrong::default();
    let token = || house.wait(house.tokens.create(&house.asker(), OperationKind::Auth, Some(house::JEFF)));
    criterion.bench_function("redeem a token", |bencher| {
        bencher.iter_batched(
            || token().map(|(token, _)| token.expose()).unwrap_or_default(),
            |token| wrong.unless(house.wait(house.redeem.redeem(OperationKind::Auth, &token)).is_ok()),
            BatchSize::SmallInput,
        );
    });
    wrong.none_of("redeem")
}

/// The signature alone, and all that the JWS bypass does for a PATCH.
fn patch(criterion: &mut Criterion, house: &House) -> Result<(), Failure> {
    let wrong = Wrong::default();
    let message = house.patch()?;
    criterion.bench_function("PATCH: parse and verify the JWS, P-256", |bencher| {
        bencher.iter(|| {
            let jws = CompactJws::parse(message.as_bytes(), BODY_LIMIT).and_then(|jws| jws.admit(&Algorithm::ALL));
            wrong.unless(jws.is_ok_and(|jws| jws.verify(&house.key).is_ok()))
        });
    });
    criterion.bench_function("PATCH: all rows of the JWS bypass", |bencher| {
        bencher.iter_batched(
            || house.patch().ok().and_then(|message| house.exchange(message).ok()),
            |exchange| {
                let verdict = exchange.map(|mut exchange| house.wait(house.bypass.request(&mut exchange)));
                wrong.unless(matches!(verdict, Some(Ok(Verdict::Pass))))
            },
            BatchSize::SmallInput,
        );
    });
    wrong.none_of("PATCH")
}

fn session(criterion: &mut Criterion, house: &House) -> Result<(), Failure> {
    let wrong = Wrong::default();
    criterion.bench_function("find a session by its cookie", |bencher| {
        bencher.iter(|| {
            let found = house.wait(house.sessions.find(house.sessions.domain(), &house.cookie));
            wrong.unless(matches!(found, Ok(Some(_))))
        });
    });
    wrong.none_of("session")
}

fn router(criterion: &mut Criterion) -> Result<(), Failure> {
    let wrong = Wrong::default();
    let router = Router::new(rows::ROWS.iter().map(route).collect::<Result<_, _>>()?);
    for (name, method, path) in [
        ("the first row", Method::POST, "/nevisfido/uaf/1.1/request/registration"),
        ("a row with a parameter", Method::PATCH, "/nevisfido/token/dispatch/targets/0b1c"),
        ("the last public row", Method::GET, "/.well-known/jwks.json"),
    ] {
        let path = CanonicalPath::parse(path)?;
        criterion.bench_function(&format!("find {name}"), |bencher| {
            bencher.iter(|| wrong.unless(black_box(router.find(ListenerClass::Public, &method, &path)).is_ok()));
        });
    }
    wrong.none_of("router")
}

fn route(row: &rows::Row) -> Result<Route, Failure> {
    Ok(Route {
        name: row.name.to_owned(),
        methods: vec![row.method.parse()?],
        path: PathTemplate::parse(row.path)?,
        pattern: row.path.to_owned(),
        on: row.on.to_vec(),
        rules: PathRules::default(),
        body_limit: None,
        filters: Chain::default(),
        upstream_path: None,
        destination: Destination::Local(Arc::new(Nothing)),
    })
}

/// What no benchmark asks.
struct Nothing;

#[async_trait]
impl Endpoint for Nothing {
    fn media(&self) -> Media {
        Media { takes: &[], gives: &[] }
    }

    async fn answer(&self, _: Exchange) -> Reply {
        Reply::Response(Response::new(Bytes::new()))
    }
}
