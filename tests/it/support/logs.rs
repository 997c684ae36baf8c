//! What the gateway wrote, both streams, from start to end.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

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
