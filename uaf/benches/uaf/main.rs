//! What a ceremony costs the server beyond the one thing it cannot do without, the checks of P-256 signatures by OpenSSL:
//! one in an authentication, three in a registration with a leaf, an authority and a root. The ratios are taken in one
//! run, turn by turn, so that a busy machine slows both sides: `make bench`.

mod bare;
mod ceremonies;

use std::io::Write as _;
use std::time::{Duration, Instant};

use bare::Bare;
use ceremonies::{Authentication, Registration};
use criterion::Criterion;

type Failure = Box<dyn std::error::Error>;

/// Turns of the comparison, and how often each side runs in a turn.
const TURNS: usize = 21;
const RUNS: u32 = 50;

fn main() -> Result<(), Failure> {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let (authentication, registration, bare) = (Authentication::build()?, Registration::build()?, Bare::build()?);
    let works = authentication.finish() && authentication.parse() && registration.finish() && registration.parse();
    if !works || !bare.verify() {
        return Err("what is to be measured does not work".into());
    }
    criterion.bench_function("openssl: verify P-256", |bencher| bencher.iter(|| bare.verify()));
    criterion.bench_function("authentication: parse", |bencher| bencher.iter(|| authentication.parse()));
    criterion.bench_function("authentication: parse and open", |bencher| bencher.iter(|| authentication.open()));
    criterion.bench_function("authentication: finish, P-256", |bencher| bencher.iter(|| authentication.finish()));
    criterion.bench_function("authentication: parse, open and finish", |bencher| {
        bencher.iter(|| authentication.open().is_some_and(|opened| authentication.finish_with(&opened)));
    });
    criterion.bench_function("registration: parse", |bencher| bencher.iter(|| registration.parse()));
    criterion
        .bench_function("registration: finish, full attestation", |bencher| bencher.iter(|| registration.finish()));
    criterion.final_summary();
    // `cargo test` only tries whether all that is measured works.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let mut out = std::io::stdout();
    let of_authentication = ratio(|| authentication.finish(), || bare.verify());
    writeln!(out, "finish of an authentication / bare signature check: {of_authentication:.2}")?;
    let of_registration = ratio(|| registration.finish(), || (0..3).all(|_| bare.verify()));
    writeln!(out, "finish of a full attestation / its three bare signature checks: {of_registration:.2}")?;
    Ok(())
}

/// The median of one side's time over the other's.
fn ratio(one: impl Fn() -> bool, other: impl Fn() -> bool) -> f64 {
    let time = |run: &dyn Fn() -> bool| {
        let begun = Instant::now();
        for _ in 0..RUNS {
            std::hint::black_box(run());
        }
        begun.elapsed().as_secs_f64()
    };
    let mut ratios: Vec<f64> = (0..TURNS).map(|_| time(&one) / time(&other)).collect();
    ratios.sort_by(f64::total_cmp);
    ratios.get(TURNS / 2).copied().unwrap_or(f64::NAN)
}
