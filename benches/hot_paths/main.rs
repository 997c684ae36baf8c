//! What the work inside a request costs, without the network, and how that compares with what it cannot do without:
//! `make bench`, or `make bench BENCH=--quick`.

#[path = "../../tests/it/attacks/mod.rs"]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the tests have it, too")]
mod attacks;
mod bare;
mod house;
mod ratio;
mod refusals;

use std::cell::Cell;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion};
use http::Method;
use sidegate::routes::ListenerClass;
use sidegate_filters::CanonicalPath;

use bare::Bare;
use house::{House, fields};
use ratio::Ratio;

type Failure = Box<dyn std::error::Error>;

/// A head of a request that a decision is compared with copying.
const HEAD: [u8; 1024] = [7; 1024];

fn main() -> Result<(), Failure> {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let (house, bare) = (House::build()?, Bare::build()?);
    dispatch(&mut criterion, &house)?;
    redeem(&mut criterion, &house)?;
    patch(&mut criterion, &house)?;
    application(&mut criterion, &house)?;
    router(&mut criterion, &house)?;
    criterion.final_summary();
    ratios(&house, &bare)?;
    refusals::print(&house)
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
    for (name, to_target) in [("plain", false), ("encrypted, P-256", true)] {
        criterion.bench_function(&format!("dispatch a link, {name}"), |bencher| {
            bencher.iter_batched(
                || house.dispatch(to_target),
                |ask| wrong.unless(house.is_done(ask)),
                BatchSize::SmallInput,
            );
        });
    }
    wrong.none_of("dispatch")
}

fn redeem(criterion: &mut Criterion, house: &House) -> Result<(), Failure> {
    let wrong = Wrong::default();
    criterion.bench_function("redeem a token", |bencher| {
        bencher.iter_batched(
            || house.redeem(),
            |ask| wrong.unless(ask.is_ok_and(|ask| house.is_done(ask))),
            BatchSize::SmallInput,
        );
    });
    wrong.none_of("redeem")
}

fn patch(criterion: &mut Criterion, house: &House) -> Result<(), Failure> {
    let wrong = Wrong::default();
    criterion.bench_function("PATCH: all rows of the JWS bypass", |bencher| {
        bencher.iter_batched(
            || house.patch(),
            |exchange| wrong.unless(exchange.is_ok_and(|exchange| house.bypass(exchange))),
            BatchSize::SmallInput,
        );
    });
    wrong.none_of("PATCH")
}

fn application(criterion: &mut Criterion, house: &House) -> Result<(), Failure> {
    let wrong = Wrong::default();
    let (route, _) = house.application()?;
    criterion.bench_function("a session's user is told to an application", |bencher| {
        bencher.iter_batched(
            || house.application(),
            |asked| wrong.unless(asked.is_ok_and(|(_, mut exchange)| house.passes(&route, &mut exchange))),
            BatchSize::SmallInput,
        );
    });
    wrong.none_of("application")
}

fn router(criterion: &mut Criterion, house: &House) -> Result<(), Failure> {
    let wrong = Wrong::default();
    for (name, method, path) in [
        ("the first row", Method::POST, "/nevisfido/uaf/1.1/request/registration"),
        ("a row with a parameter", Method::PATCH, "/nevisfido/token/dispatch/targets/0b1c"),
        ("the last public row", Method::GET, "/.well-known/jwks.json"),
    ] {
        let path = CanonicalPath::parse(path)?;
        criterion.bench_function(&format!("find {name}"), |bencher| {
            bencher.iter(|| wrong.unless(house.finds(ListenerClass::Public, &method, &path)));
        });
    }
    wrong.none_of("router")
}

/// Each against the least that it could be.
fn ratios(house: &House, bare: &Bare) -> Result<(), Failure> {
    Ratio {
        name: "redeem of a token / its HMACs and randomness",
        runs: 200,
        prepare: &|| house.redeem(),
        whole: &|ask| house.is_done(ask),
        bare: &|| bare.redeem(),
    }
    .print()?;
    Ratio {
        name: "dispatch of an encrypted link / its JWE",
        runs: 50,
        prepare: &|| Ok(house.dispatch(true)),
        whole: &|ask| house.is_done(ask),
        bare: &|| bare.encrypt(),
    }
    .print()?;
    Ratio {
        name: "JWS bypass of a PATCH / bare signature check",
        runs: 50,
        prepare: &|| house.patch(),
        whole: &|exchange| house.bypass(exchange),
        bare: &|| bare.verify(),
    }
    .print()?;
    filter_ratios(house)
}

fn filter_ratios(house: &House) -> Result<(), Failure> {
    let headers = fields();
    Ratio {
        name: "identity creation and delegation / copy of the header",
        runs: 500,
        prepare: &|| house.application(),
        whole: &|(route, mut exchange)| house.passes(&route, &mut exchange),
        bare: &|| !black_box(headers.clone()).is_empty(),
    }
    .print()?;
    let path = CanonicalPath::parse("/.well-known/jwks.json")?;
    Ratio {
        name: "routing decision, last public row / copy of 1 KiB",
        runs: 2000,
        prepare: &|| Ok(()),
        whole: &|()| house.finds(ListenerClass::Public, &Method::GET, &path),
        bare: &|| !black_box(black_box(&HEAD).to_vec()).is_empty(),
    }
    .print()
}
