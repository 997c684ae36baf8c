use std::io::{self, Write};
use std::sync::Mutex;

use serde_json::Value;

use super::audit::Event as Audit;
use super::*;
use crate::telemetry::Trace;

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The lines that `work` writes at `level`.
fn lines(level: LevelFilter, metrics: &Arc<Metrics>, work: impl FnOnce()) -> Vec<Value> {
    text(level, metrics, work).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The same as they are written.
fn text(level: LevelFilter, metrics: &Arc<Metrics>, work: impl FnOnce()) -> String {
    let sink = Sink::default();
    let writer = sink.clone();
    let layer = json(move || writer.clone()).with_filter(filter(level));
    let registry = tracing_subscriber::registry().with(layer).with(Audited(metrics.clone()));
    tracing::subscriber::with_default(registry, work);
    String::from_utf8(sink.0.lock().unwrap().clone()).unwrap()
}

#[test]
fn the_variable_takes_the_words_of_the_file_and_nothing_else() {
    let known: Levels<'_> = &[("error", LevelFilter::ERROR), ("info", LevelFilter::INFO)];
    let read = |text: &str| overriding(Some(text.into()), known);
    assert_eq!(overriding(None, known).unwrap(), None);
    assert_eq!(read("").unwrap(), None, "empty is not set");
    for (word, level) in known {
        assert_eq!(read(word).unwrap(), Some(*level));
    }
    for wrong in ["3", "off", "INFO", "loud", " "] {
        let told = read(wrong).unwrap_err().to_string();
        assert!(told.starts_with(&format!("SIDEGATE_LOG is {wrong:?}, ")), "{told}");
        assert!(told.contains("write one of error, info, or unset it"), "{told}");
    }
}

#[test]
fn libraries_are_silent_below_warnings_at_every_level() {
    let lines = lines(LevelFilter::TRACE, &Arc::new(Metrics::new().unwrap()), || {
        tracing::debug!(target: "pingora_proxy", "Cookie: secret");
        tracing::trace!(target: "h2", "Authorization: secret");
        tracing::warn!(target: "pingora_core", "a warning");
        tracing::trace!(target: "sidegate::oob", "ours");
    });
    let messages: Vec<_> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["a warning", "ours"]);
}

#[test]
fn a_line_of_a_library_says_what_it_is_of_and_names_no_file() {
    use log::Log as _;
    let record = |level, text| {
        let file = Some("/home/somebody/lib.rs");
        libraries::Libraries.log(
            &log::Record::builder().level(level).target("pingora_core").file(file).line(Some(7)).args(text).build(),
        );
    };
    let text = text(LevelFilter::TRACE, &Arc::new(Metrics::new().unwrap()), || {
        record(log::Level::Warn, format_args!("slow"));
        record(log::Level::Error, format_args!("broken"));
        record(log::Level::Info, format_args!("Cookie: secret"));
    });
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = lines.iter().map(|line| [&line["level"], &line["library"], &line["message"]]).collect();
    assert_eq!(told, [["WARN", "pingora_core", "slow"], ["ERROR", "pingora_core", "broken"]]);
    assert!(!text.contains("somebody"), "{text}");
}

#[test]
fn audit_lines_are_written_and_counted_whatever_the_level() {
    let metrics = Arc::new(Metrics::new().unwrap());
    let lines = lines(LevelFilter::OFF, &metrics, || {
        Audit::Login { realm: "password", user: "u-1" }.record();
        tracing::info!(target: "audit", event = "bypass", target_id = "t-1");
    });
    assert_eq!(lines[0]["event"], "login");
    assert_eq!(lines[0]["user"], "u-1");
    assert_eq!(lines[1]["target_id"], "t-1");
    let text = String::from_utf8(metrics.text()).unwrap();
    assert!(text.contains(r#"sidegate_events_total{event="bypass"} 1"#), "{text}");
    assert!(text.contains(r#"sidegate_events_total{event="login"} 1"#), "{text}");
}

#[test]
fn a_line_stays_one_line_and_carries_the_request_id() {
    let trace = Trace::of(&http::HeaderMap::new());
    let lines = lines(LevelFilter::INFO, &Arc::new(Metrics::new().unwrap()), || {
        access::span("r-1", &trace).in_scope(|| {
            Audit::Logout { user: "a\n{\"event\":\"login\"}" }.record();
        });
    });
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["user"], "a\n{\"event\":\"login\"}");
    assert_eq!((&lines[0]["request_id"], &lines[0]["trace_id"]), (&Value::from("r-1"), &Value::from(trace.id())));
}

#[test]
fn the_request_id_stands_in_audit_lines_whatever_the_level() {
    let trace = Trace::of(&http::HeaderMap::new());
    let lines = lines(LevelFilter::ERROR, &Arc::new(Metrics::new().unwrap()), || {
        access::span("r-1", &trace).in_scope(|| {
            Audit::Logout { user: "u" }.record();
            audit::about(Some("o-1"));
            Audit::Logout { user: "u" }.record();
        });
        Audit::Logout { user: "u" }.record();
    });
    let told: Vec<_> = lines.iter().map(|line| [&line["request_id"], &line["operation_id"]]).collect();
    let (id, operation, none) = (Value::from("r-1"), Value::from("o-1"), Value::Null);
    assert_eq!(told, [[&id, &none], [&id, &operation], [&none, &none]]);
}

/// `Value` would keep the last of two members of one name without a word.
struct Members(Vec<String>);

impl<'de> serde::Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> serde::de::Visitor<'de> for Names {
            type Value = Members;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut names = Vec::new();
                while let Some((name, _)) = map.next_entry::<String, serde::de::IgnoredAny>()? {
                    names.push(name);
                }
                Ok(Members(names))
            }
        }
        deserializer.deserialize_map(Names)
    }
}

#[test]
fn no_audit_line_has_two_members_of_one_name() {
    use super::audit::Change;
    let (realm, user, operation, code) = ("r", "u", "authentication", 1200);
    let events = [
        Audit::Login { realm, user },
        Audit::LoginFailed { realm, user: Some(user), address: [192, 0, 2, 1].into(), reason: "password" },
        Audit::StepUp { realm, user, auth_level: 2 },
        Audit::Logout { user },
        Audit::Dispatch { operation, dispatcher: "link", result: "dispatched", user: Some(user), target: Some("t") },
        Audit::Redeem { operation, code, user: Some(user), target: Some("t") },
        Audit::Answer { operation, code, user: Some(user), confirmed: Some("5f") },
        Audit::Target { change: Change::Added, target: "t", user },
        Audit::Credential { change: Change::Removed, user, aaid: "a" },
        Audit::ActFor { caller: "c", user, operation },
    ];
    let text = text(LevelFilter::INFO, &Arc::new(Metrics::new().unwrap()), || {
        tracing::info_span!("request", request_id = "r-1").in_scope(|| events.into_iter().for_each(Audit::record));
    });
    assert_eq!(text.lines().count(), 10);
    for line in text.lines() {
        let Members(mut names) = serde_json::from_str(line).unwrap();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count, "{line}");
    }
}
