//! What the gateways within this process write: one log for all of them, searched for the secrets of each.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock, Mutex};

use sidegate::telemetry::{Metrics, log};
use tracing::level_filters::LevelFilter;

use super::clients::{exchange, h2, request, status};
use super::front::{Front, eventually, quick};
use super::origin::Origin;

static LOG: LazyLock<Lines> = LazyLock::new(|| {
    let lines = Lines::default();
    let writer = lines.clone();
    log::start_on(move || writer.clone(), LevelFilter::TRACE, Arc::new(Metrics::new().unwrap())).unwrap();
    lines
});

/// Lines of JSON.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A place in the log.
pub(super) struct Mark(usize);

impl Mark {
    /// The end of what is written by now.
    pub(super) fn here() -> Self {
        Self(LOG.0.lock().unwrap().len())
    }

    /// All that was written since, by whichever gateway.
    pub(super) fn since(&self) -> String {
        String::from_utf8_lossy(&LOG.0.lock().unwrap()[self.0..]).into_owned()
    }
}

#[test]
fn a_secret_in_the_log_fails_the_test_that_made_it() {
    let front = Front::start(quick(), None);
    let answer = exchange(front.plain, b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let id = answer.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap().to_owned();
    front.secrets.add("planted", id);
    let end = catch_unwind(AssertUnwindSafe(|| drop(front)));
    let told = *end.unwrap_err().downcast::<String>().unwrap();
    assert!(told.contains("secrets in the log") && told.contains("planted"), "{told}");
}

/// The rows, with everything that a client may keep to itself in every place of a request.
#[test]
fn nothing_of_a_request_is_in_the_log_however_it_ends() {
    let origin = Origin::start();
    let front = Front::start(quick(), Some(origin.address));
    let paths = ["/up", "/up/quoting", "/up/garbage", "/held", "/capped", "/nowhere", "/hello", "/count", "/closed"];
    for path in paths {
        let secret = uuid::Uuid::new_v4().simple().to_string();
        front.secrets.add(path, &secret);
        let head = format!(
            "POST {path}/{secret}?token={secret} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nCookie: __Host-sidegate-main={secret}\r\n\
             Authorization: Bearer {secret}\r\nX-{secret}: {secret}\r\nContent-Type: application/json\r\nContent-Length: 32\r\n"
        );
        for broken in ["", "no field\r\n", "Host: b\r\n"] {
            let answer = exchange(front.plain, format!("{head}{broken}\r\n{secret}").as_bytes());
            assert!(status(&answer) >= 200, "{path}: {answer}");
        }
        let target = format!("{path}/{secret}?token={secret}");
        let mut request = request(front.plain, "POST", &target, secret.clone().into_bytes());
        request.headers_mut().insert("authorization", format!("Bearer {secret}").parse().unwrap());
        h2(front.plain, request).unwrap();
    }
    eventually("the lines are written", || front.log().matches(r#""route":"up""#).count() >= 6);
    assert!(front.log().contains("an upstream failed"), "{}", front.log());
}
