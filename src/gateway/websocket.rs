//! The handshake of a WebSocket (RFC 6455, 4.2.1), on rows that have any. What passes once it is open is not looked at.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use pingora::http::RequestHeader;
use sidegate_filters::{Problem, Reason};

use crate::jose::sha1;
use crate::routes::WebSocket;

const PROTOCOL: &[u8] = b"websocket";
const VERSION: &str = "13";
/// What the server's answer is made of, with the key (RFC 6455 1.3).
const SALT: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Whether a request asks for a WebSocket, be it well or badly. What else it may ask to upgrade to is left out on the way.
pub(super) fn is_asked_for(head: &RequestHeader) -> bool {
    head.version == Version::HTTP_11 && has_token(&head.headers, &header::UPGRADE, PROTOCOL)
}

/// A good handshake.
#[derive(Debug, Clone)]
pub(super) struct Handshake {
    /// What the row says of it.
    pub(super) terms: WebSocket,
    /// What a server says that goes on with it. One that answers 101 for another reason, since somebody made it do so, goes
    /// on with HTTP: whoever could speak that to it would pass by every filter.
    accept: String,
}

/// Checks the handshake and where the page is from that asks.
pub(super) fn check(head: &RequestHeader, websocket: &WebSocket) -> Result<Handshake, Problem> {
    let bad = |detail: &str| {
        Err(Problem::bad_request(format!("this opens no WebSocket: {detail}")).because(Reason::Handshake))
    };
    let one = |name: HeaderName| {
        let mut fields = head.headers.get_all(name).iter().map(HeaderValue::as_bytes);
        fields.next().filter(|_| fields.next().is_none())
    };
    if head.method != Method::GET {
        return bad("the method is not GET");
    }
    let upgrade = one(header::UPGRADE).is_some_and(|protocol| protocol.eq_ignore_ascii_case(PROTOCOL));
    if !upgrade || !has_token(&head.headers, &header::CONNECTION, b"upgrade") {
        return bad("Upgrade and Connection do not say it in one way");
    }
    if [header::CONTENT_LENGTH, header::TRANSFER_ENCODING].iter().any(|name| head.headers.contains_key(name)) {
        return bad("the request has a body");
    }
    if one(header::SEC_WEBSOCKET_VERSION) != Some(VERSION.as_bytes()) {
        let problem = Problem::new(StatusCode::UPGRADE_REQUIRED, "WebSockets are of version 13 here");
        return Err(problem.with(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION)));
    }
    let key = one(header::SEC_WEBSOCKET_KEY);
    let Some(key) = key.filter(|key| STANDARD.decode(key).is_ok_and(|key| key.len() == 16)) else {
        return bad("Sec-WebSocket-Key is not 16 bytes in base64");
    };
    if head.headers.contains_key(header::ORIGIN) && one(header::ORIGIN).is_none() {
        return bad("a request has one Origin");
    }
    if websocket.admits(one(header::ORIGIN)) {
        let accept = STANDARD.encode(sha1(&[key, SALT.as_bytes()].concat()));
        return Ok(Handshake { terms: websocket.clone(), accept });
    }
    let problem =
        Problem::new(StatusCode::FORBIDDEN, "no WebSocket is opened here for pages of this origin, or for none");
    Err(problem.because(Reason::OtherSite))
}

impl Handshake {
    /// One of a row with these terms, whose answer nobody looks at.
    #[cfg(test)]
    pub(super) fn to(terms: WebSocket) -> Self {
        Self { terms, accept: String::new() }
    }

    /// Whether an answer says that the server goes on with it.
    pub(super) fn is_answered_by(&self, headers: &HeaderMap) -> bool {
        let mut accepted = headers.get_all(header::SEC_WEBSOCKET_ACCEPT).iter();
        let own = accepted.next().is_some_and(|accept| accept.as_bytes().trim_ascii() == self.accept.as_bytes());
        own && accepted.next().is_none() && has_token(headers, &header::UPGRADE, PROTOCOL)
    }
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &[u8]) -> bool {
    let fields = headers.get_all(name).iter();
    let mut tokens = fields.flat_map(|field| field.as_bytes().split(|&byte| byte == b',')).map(<[u8]>::trim_ascii);
    tokens.any(|word| word.eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rstest::rstest;

    use super::*;

    const GOOD: &[(&str, &str)] = &[
        ("upgrade", "WebSocket"),
        ("connection", "keep-alive, Upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("origin", "https://shop.example"),
    ];

    fn head(fields: &[(&str, &str)]) -> RequestHeader {
        let mut head = RequestHeader::build("GET", b"/feed", None).unwrap();
        for (name, value) in fields {
            head.append_header((*name).to_owned(), *value).unwrap();
        }
        head
    }

    fn checked(head: &RequestHeader) -> Result<Handshake, Problem> {
        let websocket = WebSocket {
            origins: vec!["https://shop.example".to_owned()],
            without_origin: false,
            idle: Duration::from_secs(60),
            lifetime: Duration::from_secs(60),
            bytes: None,
        };
        check(head, &websocket)
    }

    fn status(head: &RequestHeader) -> Option<u16> {
        checked(head).err().map(|problem| problem.status.as_u16())
    }

    #[rstest]
    #[case(&[("upgrade", "websocket"), ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")], true)]
    #[case(&[("upgrade", "WebSocket"), ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo= ")], true)]
    #[case(&[("upgrade", "h2c"), ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")], false)]
    #[case(&[("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")], false)]
    #[case(&[("upgrade", "websocket")], false)]
    #[case(&[("upgrade", "websocket"), ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo")], false)]
    #[case(&[("upgrade", "websocket"), ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), ("sec-websocket-accept", "a")], false)]
    fn a_server_has_understood_the_key(#[case] answer: &[(&str, &str)], #[case] expected: bool) {
        let handshake = checked(&head(GOOD)).unwrap();
        assert_eq!(handshake.is_answered_by(&head(answer).headers), expected);
    }

    #[test]
    fn a_handshake_of_the_rows_own_page_is_good() {
        assert!(is_asked_for(&head(GOOD)));
        assert_eq!(status(&head(GOOD)), None);
    }

    #[rstest]
    #[case("upgrade", &["websocket, h2c"], 400)]
    #[case("upgrade", &["websocket", "websocket"], 400)]
    #[case("connection", &["keep-alive"], 400)]
    #[case("connection", &[], 400)]
    #[case("sec-websocket-version", &["8"], 426)]
    #[case("sec-websocket-version", &[], 426)]
    #[case("sec-websocket-version", &["13", "13"], 426)]
    #[case("sec-websocket-key", &[], 400)]
    #[case("sec-websocket-key", &["dGhlIHNhbXBsZSBub25jZQ"], 400)]
    #[case("sec-websocket-key", &["dGhlIHNhbXBsZQ=="], 400)]
    #[case("origin", &["https://evil.example"], 403)]
    #[case("origin", &[], 403)]
    #[case("origin", &["https://shop.example", "https://evil.example"], 400)]
    #[case("content-length", &["0"], 400)]
    #[case("transfer-encoding", &["chunked"], 400)]
    fn each_part_of_it_counts(#[case] name: &str, #[case] values: &[&str], #[case] expected: u16) {
        let others = GOOD.iter().filter(|(field, _)| *field != name).copied();
        let fields: Vec<_> = others.chain(values.iter().map(|value| (name, *value))).collect();
        assert!(is_asked_for(&head(&fields)));
        assert_eq!(status(&head(&fields)), Some(expected));
    }

    #[test]
    fn what_asks_for_something_else_asks_for_none() {
        assert!(!is_asked_for(&head(&[("upgrade", "h2c")])));
        assert!(!is_asked_for(&head(&[("connection", "upgrade")])));
        let mut old = head(GOOD);
        old.set_version(Version::HTTP_10);
        assert!(!is_asked_for(&old));
        let mut post = head(GOOD);
        post.set_method(Method::POST);
        assert_eq!(status(&post), Some(400));
    }
}
