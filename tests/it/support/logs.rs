//! What the gateway wrote, both streams, from start to end.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::Value;

use super::gateway::Gateway;
use super::http::Answer;
use super::wait;

/// Lines of one or more processes, in the order of arrival.
#[derive(Clone, Default)]
pub(crate) struct Logs(Arc<Mutex<Collected>>);

#[derive(Default)]
struct Collected {
    text: String,
    readers: Vec<JoinHandle<()>>,
}

impl Logs {
    /// Reads a stream to its end on a thread of its own.
    pub(crate) fn collect(&self, stream: impl Read + Send + 'static) {
        let logs = self.clone();
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                logs.push(&String::from_utf8_lossy(&line));
            }
        });
        self.0.lock().unwrap().readers.push(reader);
    }

    fn push(&self, line: &str) {
        let mut collected = self.0.lock().unwrap();
        collected.text.push_str(line);
        collected.text.push('\n');
    }

    /// All lines so far.
    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap().text.clone()
    }

    /// Waits for the streams of ended processes: afterwards `text` is complete.
    pub(crate) fn finish(&self) {
        let readers = std::mem::take(&mut self.0.lock().unwrap().readers);
        for reader in readers {
            reader.join().unwrap();
        }
    }
}

/// The log lines of a gateway's own making, one JSON object each.
pub(crate) fn lines(gateway: &Gateway) -> Vec<Value> {
    gateway.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The access line of an answer: exactly one.
pub(crate) async fn access_line(gateway: &Gateway, answer: &Answer) -> Value {
    let id = answer.header("x-request-id").unwrap();
    let of_request =
        || lines(gateway).into_iter().filter(|line| line["target"] == "access" && line["request_id"] == id);
    let line = wait::until("the access line", wait::BOUND, async || of_request().next()).await;
    assert_eq!(of_request().count(), 1, "{id}");
    line
}

/// The audit lines of this event so far.
pub(crate) fn audited(gateway: &Gateway, event: &str) -> Vec<Value> {
    lines(gateway).into_iter().filter(|line| line["target"] == "audit" && line["event"] == event).collect()
}
