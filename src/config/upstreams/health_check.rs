//! `upstreams.<name>.health-check`: how servers are asked whether they are well.

use std::ops::RangeInclusive;
use std::time::Duration;

use sidegate_filters::CanonicalPath;

use crate::config::field::Field;
use crate::config::scalar::Scalar;
use crate::config::section::Section;
use crate::routes::HealthCheck;

/// More often nobody has to know, and each question costs the server a connection.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

/// What is asked for, and the answers of a server that is well.
struct Path(String);

impl Scalar for Path {
    const RIGHT: &'static str = "write a path as it is sent, such as /health or /health?deep=no";
    fn read(text: &str) -> Result<Self, String> {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let canonical = CanonicalPath::parse(path).is_ok_and(|canonical| canonical.as_str() == path);
        let plain = query.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        if canonical && plain { Ok(Self(text.to_owned())) } else { Err("this is no path that can be sent".to_owned()) }
    }
}

struct Codes(RangeInclusive<u16>);

impl Scalar for Codes {
    const RIGHT: &'static str = "write a status code of an answer, such as 200, or two with a dash, such as 200-299";
    fn read(text: &str) -> Result<Self, String> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let code = |text: &str| text.parse().ok().filter(|code| (200..=599).contains(code));
        let codes = code(first).zip(code(last)).filter(|(first, last)| first <= last);
        codes.map(|(first, last)| Self(first..=last)).ok_or_else(|| "these are no status codes".to_owned())
    }
}

pub(super) fn read(field: &Field<'_>) -> Option<HealthCheck> {
    field.is_written().then(|| field.section(health_check)).flatten().flatten()
}

fn health_check(section: &Section<'_>) -> Option<HealthCheck> {
    let path = section.field("path").required::<Path>();
    let codes = section.field("codes");
    let found: Vec<_> = codes.each(Field::optional::<Codes>).into_iter().map(|codes| codes.0).collect();
    if codes.is_written() && codes.is_all(0) {
        codes.fault("no answer would be good enough", Codes::RIGHT);
    }
    let written = section.field("interval");
    let interval = written.or(Duration::from_secs(10));
    if interval < SHORTEST_INTERVAL {
        written.fault("each server would be asked too often", "write 100ms or more");
    }
    Some(HealthCheck {
        path: path?.0,
        codes: if codes.is_written() { found } else { vec![200..=299] },
        interval,
        timeout: section.field("timeout").or(Duration::from_secs(2)),
        failures: section.field("failures").or(3),
        successes: section.field("successes").or(2),
    })
}
