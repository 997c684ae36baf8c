//! How often one work takes the time of another. Both run turn by turn in one process, so that a busy machine slows both.

use std::cell::Cell;
use std::io::Write as _;
use std::time::{Duration, Instant};

use super::Failure;

/// Turns of a comparison; the median of their ratios is told.
const TURNS: usize = 21;

/// Whether times are asked for. `cargo test` only tries whether all that is measured works, each thing once.
fn is_measured() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// What is compared: `prepare` is not measured and makes what `whole` uses up.
pub(crate) struct Ratio<'a, T> {
    pub(crate) name: &'a str,
    /// How often each side runs in a turn.
    pub(crate) runs: usize,
    pub(crate) prepare: &'a dyn Fn() -> Result<T, Failure>,
    pub(crate) whole: &'a dyn Fn(T) -> bool,
    pub(crate) bare: &'a dyn Fn() -> bool,
}

impl<T> Ratio<'_, T> {
    /// Measures and prints it.
    pub(crate) fn print(&self) -> Result<(), Failure> {
        tell(self.name, self.median()?)
    }

    /// Measures it.
    pub(crate) fn median(&self) -> Result<Cost, Failure> {
        let (count, runs) = if is_measured() { (TURNS, self.runs) } else { (1, 1) };
        let mut turns = (0..count).map(|_| self.turn(runs)).collect::<Result<Vec<_>, _>>()?;
        turns.sort_by(|one, other| one.ratio().total_cmp(&other.ratio()));
        let median = turns.get(count / 2).ok_or("no turn")?;
        let each = |side: Duration| side.as_secs_f64() * 1e6 / runs as f64;
        Ok(Cost { whole: each(median.whole), bare: each(median.bare) })
    }

    fn turn(&self, runs: usize) -> Result<Turn, Failure> {
        let prepared = (0..runs).map(|_| (self.prepare)()).collect::<Result<Vec<_>, _>>()?;
        let failed = Cell::new(0);
        let count = |right: bool| failed.set(failed.get() + u32::from(!right));
        let whole = time(|| prepared.into_iter().for_each(|one| count((self.whole)(one))));
        let bare = time(|| (0..runs).for_each(|_| count((self.bare)())));
        match failed.get() {
            0 => Ok(Turn { whole, bare }),
            // A ratio of failures would be a fine one.
            count => Err(format!("{}: {count} failed", self.name).into()),
        }
    }
}

/// What each side takes, in microseconds.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) whole: f64,
    pub(crate) bare: f64,
}

struct Turn {
    whole: Duration,
    bare: Duration,
}

impl Turn {
    fn ratio(&self) -> f64 {
        self.whole.as_secs_f64() / self.bare.as_secs_f64()
    }
}

/// Prints a comparison that was measured.
pub(crate) fn tell(name: &str, Cost { whole, bare }: Cost) -> Result<(), Failure> {
    if is_measured() {
        writeln!(std::io::stdout(), "{name}: {:.2} ({whole:.3} us / {bare:.3} us)", whole / bare)?;
    }
    Ok(())
}

fn time(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}
