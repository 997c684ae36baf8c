//! Used request ids in the file.

use async_trait::async_trait;
use redb::{ReadableTable, TableDefinition, WriteTransaction};
use sidegate_filters::clock::Millis;

use super::{Embedded, Fault};
use crate::store::StoreError;
use crate::store::replays::Replays;

/// Until when (ms) a key is remembered.
const REPLAYS: TableDefinition<&str, i64> = TableDefinition::new("replays");
/// The same by time: (until, key).
const ENDS: TableDefinition<(i64, &str), ()> = TableDefinition::new("replay-ends");

/// For so long (ms) ended keys stay in the file: they are remembered once more where the clock is set back meanwhile.
const KEPT_ON: i64 = 10 * 60 * 1_000;
/// How many ended keys one call drops at most: more than it adds, so that they get fewer.
const SWEEP: usize = 16;

pub(super) fn make_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(REPLAYS)?;
    transaction.open_table(ENDS)?;
    Ok(())
}

fn remember(transaction: &WriteTransaction, keys: &[String], until: Millis, now: Millis) -> Result<bool, Fault> {
    let mut replays = transaction.open_table(REPLAYS)?;
    let mut ends = transaction.open_table(ENDS)?;
    let ended: Vec<(i64, String)> = ends
        .range(..(now.0.saturating_sub(KEPT_ON), ""))?
        .take(SWEEP)
        .map(|entry| entry.map(|(at, _)| (at.value().0, at.value().1.to_owned())))
        .collect::<Result<_, _>>()?;
    for (at, old) in &ended {
        ends.remove((*at, old.as_str()))?;
        replays.remove(old.as_str())?;
    }
    for key in keys.iter().map(String::as_str) {
        if replays.get(key)?.is_some_and(|at| at.value() > now.0) {
            return Ok(false);
        }
    }
    for key in keys.iter().map(String::as_str) {
        if let Some(ended) = replays.insert(key, until.0)? {
            ends.remove((ended.value(), key))?;
        }
        ends.insert((until.0, key), ())?;
    }
    Ok(true)
}

#[async_trait]
impl Replays for Embedded {
    async fn remember(&self, keys: &[&str], until: Millis) -> Result<bool, StoreError> {
        let (keys, clock) = (keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>(), self.clock.clone());
        self.write(move |transaction| Ok(Ok(remember(transaction, &keys, until, clock.now())?))).await
    }

    async fn is_remembered(&self, key: &str) -> Result<bool, StoreError> {
        let now = self.clock.now();
        self.read(|transaction| {
            let until = transaction.open_table(REPLAYS)?.get(key)?.map(|until| until.value());
            Ok(until.is_some_and(|until| until > now.0))
        })
    }
}
