//! How often one work takes the time of another. Both run turn by turn in one process, so that a busy machine slows both.

use std::cell::Cell;
use std::io::Write as _;
use std::time::{Duration, Instant};

use super::Failure;

/// Turns of a comparison; the median of their ratios is told.
const TURNS: usize = 21;

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
        let Cost { whole, bare } = self.median()?;
        writeln!(std::io::stdout(), "{}: {:.2} ({whole:.3} us / {bare:.3} us)", self.name, whole / bare)?;
        Ok(())
    }

    /// Measures it.
    pub(crate) fn median(&self) -> Result<Cost, Failure> {
        let mut turns = (0..TURNS).map(|_| self.turn()).collect::<Result<Vec<_>, _>>()?;
        turns.sort_by(|one, other| one.ratio().total_cmp(&other.ratio()));
        let median = turns.get(TURNS / 2).ok_or("no turn")?;
        let each = |side: Duration| side.as_secs_f64() * 1e6 / self.runs as f64;
        Ok(Cost { whole: each(median.whole), bare: each(median.bare) })
    }

    fn turn(&self) -> Result<Turn, Failure> {
        let prepared = (0..self.runs).map(|_| (self.prepare)()).collect::<Result<Vec<_>, _>>()?;
        let failed = Cell::new(0);
        let count = |right: bool| failed.set(failed.get() + u32::from(!right));
        let whole = time(|| prepared.into_iter().for_each(|one| count((self.whole)(one))));
        let bare = time(|| (0..self.runs).for_each(|_| count((self.bare)())));
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

fn time(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}
