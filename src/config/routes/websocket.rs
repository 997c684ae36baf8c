//! `routes[].websocket`: which WebSockets may be opened on a row.

use std::time::Duration;

use http::Method;

use crate::config::PublicUrl;
use crate::config::field::Field;
use crate::config::scalar::{Bytes, Scalar};
use crate::config::section::Section;
use crate::routes::WebSocket;

/// What is written of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WrittenWebSocket {
    /// Pages that may open one; `None`: those of the gateway itself.
    origins: Option<Vec<Origin>>,
    idle: Duration,
    lifetime: Duration,
    bytes: Option<usize>,
}

/// Where a page is from, as browsers tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    Url(PublicUrl),
    /// Who is no browser need not name one.
    Unnamed,
}

impl Scalar for Origin {
    const RIGHT: &'static str = "write scheme, host and port, such as https://app.example.com, or none for programs";
    fn read(text: &str) -> Result<Self, String> {
        if text == "none" { Ok(Self::Unnamed) } else { PublicUrl::read(text).map(Self::Url) }
    }
}

impl WrittenWebSocket {
    /// What is served where the gateway itself is at this URL.
    #[must_use]
    pub fn of(&self, own: &PublicUrl) -> WebSocket {
        let own = [Origin::Url(own.clone())];
        let all = self.origins.as_deref().unwrap_or(&own);
        let url = |origin: &Origin| match origin {
            Origin::Url(url) => Some(url.text().to_owned()),
            Origin::Unnamed => None,
        };
        WebSocket {
            origins: all.iter().filter_map(url).collect(),
            without_origin: all.contains(&Origin::Unnamed),
            idle: self.idle,
            lifetime: self.lifetime,
            bytes: self.bytes,
        }
    }
}

/// `true` is a section without keys, `false` is none.
pub(super) fn read(field: &Field<'_>, methods: &[Method]) -> Option<WrittenWebSocket> {
    let minute = Duration::from_secs(60);
    let written = if field.is_section() {
        field.section(section)?
    } else if field.optional::<bool>()? {
        WrittenWebSocket { origins: None, idle: minute, lifetime: 480 * minute, bytes: None }
    } else {
        return None;
    };
    if !methods.contains(&Method::GET) {
        field.fault("a WebSocket is opened by GET, which the row does not serve", "list GET in methods, or leave it");
    }
    Some(written)
}

fn section(section: &Section<'_>) -> WrittenWebSocket {
    let origins = section.field("origins");
    let found = origins.each(Field::optional::<Origin>);
    if origins.is_written() && origins.is_all(0) {
        origins.fault("nobody could open a WebSocket", Origin::RIGHT);
    }
    let minute = Duration::from_secs(60);
    WrittenWebSocket {
        origins: origins.is_written().then_some(found),
        idle: section.field("idle").or(minute),
        lifetime: section.field("lifetime").or(480 * minute),
        bytes: section.field("bytes").optional::<Bytes>().map(|bytes| bytes.0),
    }
}
