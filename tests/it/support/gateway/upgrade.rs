//! A gateway that takes over from another one on the same data folder.

use std::process::Child;

use super::super::wait;
use super::{Gateway, PATIENCE};

impl Gateway {
    /// Starts another process that is to take over.
    pub(crate) fn successor(&self) -> Child {
        let mut child = self.program().args(self.serve_arguments()).arg("--upgrade").spawn().unwrap();
        self.logs.collect(child.stdout.take().unwrap());
        self.logs.collect(child.stderr.take().unwrap());
        child
    }

    /// Has another process take over, and waits until it answers. The exit code of the one before, if one runs.
    pub(crate) async fn upgrade(&mut self) -> Option<i32> {
        self.upgrade_while(async |_| {}).await
    }

    /// The same, with something that happens to the one before once the successor is started.
    pub(crate) async fn upgrade_while(&mut self, happens: impl AsyncFnOnce(&Self)) -> Option<i32> {
        let successor = self.successor();
        happens(self).await;
        let status = match self.process.replace(successor) {
            Some(mut before) => wait::until("its end", PATIENCE, async || before.try_wait().unwrap()).await.code(),
            None => None,
        };
        let management = self.management();
        wait::until("the successor", PATIENCE, async || {
            let answer = management.get("/nevisfido/health").try_send().await.ok()?;
            (answer.status == 200).then_some(())
        })
        .await;
        status
    }
}
