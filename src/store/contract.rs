//! What every implementation of a store must do: one suite a trait, over the trait alone and a clock that the test
//! moves. A suite's macro makes a test of each of its rules, so that no implementation can leave one out.

use std::sync::Arc;

use sidegate_filters::clock::{ManualClock, Millis};

pub(crate) mod belongings;
pub(crate) mod challenges;
pub(crate) mod credentials;
pub(crate) mod keys_behind;
pub(crate) mod operations;
pub(crate) mod replays;
pub(crate) mod sessions;
pub(crate) mod targets;
pub(crate) mod users;

pub(crate) use belongings::belongings_contract;
pub(crate) use challenges::challenges_contract;
pub(crate) use credentials::credentials_contract;
pub(crate) use keys_behind::keys_behind_contract;
pub(crate) use operations::operations_contract;
pub(crate) use replays::replays_contract;
pub(crate) use sessions::sessions_contract;
pub(crate) use targets::targets_contract;
pub(crate) use users::users_contract;

/// When the tests' clocks begin.
pub(crate) const START: Millis = Millis(1_700_000_000_500);

/// A new, empty store and the clock it sees.
pub(crate) struct Fixture<S: ?Sized> {
    pub(crate) store: Arc<S>,
    pub(crate) clock: Arc<ManualClock>,
    /// What must live as long as the store.
    pub(crate) _folder: Option<tempfile::TempDir>,
}

/// Runs `count` tasks at once and gives back what they said.
pub(crate) async fn race<T, F>(count: usize, task: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(tokio::sync::Barrier::new(count));
    let tasks: Vec<_> = (0..count)
        .map(|number| {
            let (start, task) = (start.clone(), task(number));
            tokio::spawn(async move {
                start.wait().await;
                // The last one woke the others on its own thread: so each of them may be taken by another.
                tokio::task::yield_now().await;
                task.await
            })
        })
        .collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

/// Makes a test of each rule of a suite.
macro_rules! rules {
    ($suite:ident, $fixture:path, [$($rule:ident),* $(,)?]) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $rule() {
                $crate::store::contract::$suite::$rule(&$fixture()).await;
            }
        )*
    };
}
pub(crate) use rules;
