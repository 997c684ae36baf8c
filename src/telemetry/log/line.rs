//! One JSON object a line: time, level, target, what the event says, and what is known of the request that it belongs to.
//! All of it stands at the top, so that one search finds every line of a request.

use std::fmt::{self, Debug};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// The form of lines.
pub(super) struct Line;

impl<S: Subscriber + for<'a> LookupSpan<'a>> FormatEvent<S, JsonFields> for Line {
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let mut members = Members::default();
        members.add("timestamp", time.into());
        members.add("level", event.metadata().level().as_str().into());
        event.record(&mut members);
        members.add("target", event.metadata().target().into());
        for span in context.event_scope().into_iter().flatten() {
            let extensions = span.extensions();
            let Some(fields) = extensions.get::<FormattedFields<JsonFields>>() else { continue };
            if let Ok(fields) = serde_json::from_str::<Map<String, Value>>(&fields.fields) {
                fields.into_iter().for_each(|(name, value)| members.add(&name, value));
            }
        }
        writeln!(writer, "{}", members.text)?;
        Ok(())
    }
}

/// The text of an object in the making. Of two members of one name the first stays.
#[derive(Default)]
struct Members {
    text: Text,
    names: Vec<String>,
}

#[derive(Default)]
struct Text(String);

impl fmt::Display for Text {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{{{}}}", self.0)
    }
}

impl Members {
    fn add(&mut self, name: &str, value: Value) {
        if self.names.iter().any(|known| known == name) {
            return;
        }
        let comma = if self.names.is_empty() { "" } else { "," };
        self.text.0.push_str(&format!("{comma}{}:{value}", Value::from(name)));
        self.names.push(name.to_owned());
    }
}

impl Visit for Members {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field.name(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field.name(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field.name(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field.name(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field.name(), format!("{value:?}").into());
    }
}
