//! Reloads of a running gateway, as its operator sees them.

use super::super::wait;
use super::Gateway;

impl Gateway {
    /// A sample of `/metrics`; 0 where it is not there.
    pub(crate) async fn metric(&self, sample: &str) -> u64 {
        self.written_metric(sample).await.unwrap_or(0)
    }

    /// The same, if it is there.
    pub(crate) async fn written_metric(&self, sample: &str) -> Option<u64> {
        let text = self.management().get("/metrics").send().await.expect(200).text();
        let line = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        line.map(|value| value.parse().unwrap())
    }

    /// How many reloads ended so: `done`, `faults`, `needs-restart` or `failed`.
    pub(crate) async fn reloads(&self, result: &str) -> u64 {
        self.metric(&format!("sidegate_reloads_total{{result=\"{result}\"}}")).await
    }

    /// Waits until so many ended so.
    pub(crate) async fn reloaded(&self, result: &str, count: u64) {
        let what = format!("{count} reloads with the result {result}");
        wait::until(&what, wait::BOUND, async || (self.reloads(result).await >= count).then_some(())).await;
    }

    /// What `sidegate check` prints of its configuration as it is now.
    pub(crate) fn checked(&self) -> String {
        let file = self.config.as_ref().expect("its configuration is not the built-in one");
        let output = self.program().arg("check").arg("--config").arg(file).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}
