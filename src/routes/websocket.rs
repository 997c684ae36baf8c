//! WebSockets on a row (RFC 6455).

use std::fmt;
use std::time::Duration;

/// Which WebSockets may be opened on a row, and how long they stay open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSocket {
    /// `scheme://host[:port]` of the pages that may open one, as browsers write it. A browser sends cookies whichever page
    /// asks, so that this alone keeps other sites' pages away.
    pub origins: Vec<String>,
    /// Whether clients may that name no origin: programs, never browsers.
    pub without_origin: bool,
    /// How long the server may say nothing.
    pub idle: Duration,
    /// How long it is open at most.
    pub lifetime: Duration,
    /// How many bytes may pass each way; `None`: any number.
    pub bytes: Option<usize>,
}

impl WebSocket {
    /// Whether a request that names this origin may open one.
    #[must_use]
    pub fn admits(&self, origin: Option<&[u8]>) -> bool {
        origin.map_or(self.without_origin, |origin| self.origins.iter().any(|own| own.as_bytes() == origin))
    }
}

impl fmt::Display for WebSocket {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nobody = self.without_origin.then_some("clients without an origin");
        let from = self.origins.iter().map(String::as_str).chain(nobody).collect::<Vec<_>>().join(", ");
        write!(out, "from {from}; idle {:?}, open {:?} at most", self.idle, self.lifetime)?;
        self.bytes.map_or(Ok(()), |bytes| write!(out, ", {bytes} bytes each way"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_one_of_the_list_to_the_letter() {
        let own = WebSocket {
            origins: vec!["https://shop.example".to_owned()],
            without_origin: false,
            idle: Duration::from_secs(60),
            lifetime: Duration::from_secs(3600),
            bytes: None,
        };
        assert!(own.admits(Some(b"https://shop.example")));
        for other in ["https://shop.example.evil", "http://shop.example", "https://shop.example:444", "null", ""] {
            assert!(!own.admits(Some(other.as_bytes())), "{other}");
        }
        assert!(!own.admits(None));
        assert!(WebSocket { without_origin: true, ..own }.admits(None));
    }
}
