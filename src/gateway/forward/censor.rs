//! What an upstream may not say before its answer, in its head, or behind its body: only we hand out sessions, and only we
//! take them back.

mod framing;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use pingora::http::ResponseHeader;
use pingora::{Error, ErrorType};
use sidegate_filters::delegation::fold;
use sidegate_filters::identity_creation::sets_session_cookie;

use crate::gateway::websocket::Handshake;

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");
/// In the spelling that clients know each is looked into; in any other, which something in between may fold, it goes.
const LOOKED_INTO: &[&str] = &["set-cookie", "clear-site-data"];
/// RFC 2965 set cookies by it; browsers have forgotten it, and nobody else needs it.
const OBSOLETE: &str = "set-cookie2";
/// Behind a body these have no meaning (RFC 9110 6.5.1), but a client that adds trailers to the head would give them one.
const OF_HEADS: &[&str] = &[
    "age",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-security-policy",
    "content-type",
    "expires",
    "host",
    "keep-alive",
    "location",
    "proxy-authenticate",
    "proxy-connection",
    "strict-transport-security",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "vary",
    "www-authenticate",
    "x-content-type-options",
    "x-frame-options",
    "x-request-id",
];
/// The most fields of a head, and of what stands behind a body: as Pingora has it over HTTP/1.1. Over HTTP/2 it takes 16 MiB.
const MOST_FIELDS: usize = 256;
/// And their bytes.
const MOST_BYTES: usize = 1 << 20;
/// Heads of 1xx before the answer's own, and their bytes: Pingora would pass them on without end, and each gives the
/// upstream its read timeout anew.
const MOST_EARLY: usize = 16;
const MOST_EARLY_BYTES: usize = 64 * 1024;

/// What an upstream said before its answer.
#[derive(Debug, Default)]
pub(super) struct Early {
    heads: usize,
    bytes: usize,
}

impl Early {
    /// Counts a head if it is of 1xx.
    pub(super) fn count(&mut self, head: &ResponseHeader) -> pingora::Result<()> {
        if !head.status.is_informational() {
            return Ok(());
        }
        self.heads += 1;
        self.bytes += bytes(&head.headers);
        if self.heads > MOST_EARLY || self.bytes > MOST_EARLY_BYTES {
            return Err(Error::explain(ErrorType::InvalidHTTPHeader, "too much before an answer").into_up());
        }
        Ok(())
    }
}

/// Refuses more fields than any answer needs.
fn check_size(fields: &HeaderMap) -> pingora::Result<()> {
    if fields.len() <= MOST_FIELDS && bytes(fields) <= MOST_BYTES {
        return Ok(());
    }
    Err(Error::explain(ErrorType::InvalidHTTPHeader, "too many fields in an answer").into_up())
}

fn bytes(fields: &HeaderMap) -> usize {
    fields.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

/// Takes out of an upstream's trailers what it may not say in a head, and what means something in heads alone.
pub(in crate::gateway) fn trailers(trailers: &mut HeaderMap) -> pingora::Result<()> {
    check_size(trailers)?;
    let goes =
        |name: &str, folded: &str| goes(name, folded) || LOOKED_INTO.contains(&folded) || OF_HEADS.contains(&folded);
    for name in gone(trailers, goes) {
        trailers.remove(name);
    }
    Ok(())
}

/// Makes an upstream's head into one that a client may get, who asked for a `websocket` or did not.
pub(super) fn head(head: &mut ResponseHeader, websocket: Option<&Handshake>) -> pingora::Result<()> {
    check_size(&head.headers)?;
    let switches = head.status == StatusCode::SWITCHING_PROTOCOLS;
    if switches && !websocket.is_some_and(|handshake| handshake.is_answered_by(&head.headers)) {
        // Nobody asked for it, so the answer is still to come or never will.
        return Err(Error::explain(ErrorType::InvalidHTTPHeader, "an upgrade that nobody asked for").into_up());
    }
    for name in gone(&head.headers, |name, folded| framing::is_misleading(name, folded) || goes(name, folded)) {
        head.remove_header(&name);
    }
    framing::settle(head)?;
    if switches {
        head.insert_header(header::CONNECTION, "Upgrade")?;
        head.insert_header(header::UPGRADE, "websocket")?;
    }
    keep(head, header::SET_COOKIE, |field| Some(field.clone()).filter(|field| !sets_session_cookie(field)))?;
    keep(head, CLEAR_SITE_DATA, clears_no_cookies)
}

/// The names of those that go, by name and folded name.
fn gone(fields: &HeaderMap, goes: impl Fn(&str, &str) -> bool) -> Vec<HeaderName> {
    fields.keys().filter(|name| goes(name.as_str(), &fold(name.as_str()))).cloned().collect()
}

fn goes(name: &str, folded: &str) -> bool {
    folded == OBSOLETE || (folded != name && LOOKED_INTO.contains(&folded))
}

/// Leaves of the fields of one name what `left` does.
fn keep(
    head: &mut ResponseHeader,
    name: HeaderName,
    left: impl Fn(&HeaderValue) -> Option<HeaderValue>,
) -> pingora::Result<()> {
    let fields = values(&head.headers, &name);
    let kept: Vec<HeaderValue> = fields.iter().filter_map(left).collect();
    if kept != fields {
        head.remove_header(&name);
        for field in kept {
            head.append_header(name.clone(), field)?;
        }
    }
    Ok(())
}

fn values(headers: &HeaderMap, name: &HeaderName) -> Vec<HeaderValue> {
    headers.get_all(name).iter().cloned().collect()
}

/// The kinds of data of a `Clear-Site-Data` without our cookie's: cookies, and everything at once.
fn clears_no_cookies(field: &HeaderValue) -> Option<HeaderValue> {
    let text = field.to_str().ok()?;
    let kinds = text.split(',').map(str::trim);
    let kept: Vec<&str> = kinds.filter(|kind| !kind.contains('*') && !fold(kind).contains("cookies")).collect();
    HeaderValue::from_str(&kept.join(", ")).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn censored(fields: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut head = ResponseHeader::build(200, None).unwrap();
        for (name, value) in fields {
            head.append_header((*name).to_owned(), *value).unwrap();
        }
        super::head(&mut head, None).unwrap();
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
    }

    #[rstest]
    #[case("Set-Cookie", "sidegate-main=x")]
    #[case("Set-Cookie", "a=b, sidegate-main=x")]
    #[case("Set-Cookie2", "a=b")]
    #[case("Set_Cookie2", "a=b")]
    #[case("Set_Cookie", "a=b")]
    #[case("set.cookie", "a=b")]
    #[case("Clear_Site_Data", "\"cache\"")]
    #[case("Clear-Site-Data", "\"cookies\"")]
    #[case("Clear-Site-Data", "\"*\"")]
    #[case("Clear-Site-Data", "*")]
    #[case("Clear-Site-Data", "\"COOKIES\", \"*\"")]
    fn stays_here(#[case] name: &str, #[case] value: &str) {
        assert_eq!(censored(&[(name, value)]), []);
    }

    #[rstest]
    #[case("set-cookie", "theme=dark; Path=/; Expires=Wed, 21 Oct 2099 07:28:00 GMT")]
    #[case("clear-site-data", "\"cache\", \"storage\"")]
    #[case("x-set-cookie", "sidegate-main=x")]
    #[case("vary", "*")]
    fn goes_on(#[case] name: &str, #[case] value: &str) {
        assert_eq!(censored(&[(name, value)]), [(name.to_owned(), value.to_owned())]);
    }

    #[test]
    fn what_is_left_keeps_its_order() {
        let fields = [("set-cookie", "a=1"), ("set-cookie", "sidegate-main=x"), ("set-cookie", "b=2")];
        let left = [("set-cookie", "a=1"), ("set-cookie", "b=2")].map(|(name, value)| (name.into(), value.into()));
        assert_eq!(censored(&fields), left);
        let left = [("clear-site-data".to_owned(), "\"cache\", \"storage\"".to_owned())];
        assert_eq!(censored(&[("clear-site-data", "\"cache\", \"cookies\",\"storage\"")]), left);
    }

    #[test]
    fn an_upgrade_is_the_upstreams_fault() {
        let error = super::head(&mut ResponseHeader::build(101, None).unwrap(), None).unwrap_err();
        assert_eq!(*error.esource(), pingora::ErrorSource::Upstream);
    }

    #[rstest]
    #[case("Set-Cookie", "theme=dark")]
    #[case("set_cookie", "a=b")]
    #[case("set-cookie2", "a=b")]
    #[case("clear-site-data", "\"cache\"")]
    #[case("clear.site.data", "\"cookies\"")]
    #[case("content-length", "5")]
    #[case("content_length", "5")]
    #[case("location", "https://evil.example/")]
    #[case("x-request-id", "theirs")]
    fn stays_here_as_a_trailer(#[case] name: &str, #[case] value: &str) {
        let mut map = HeaderMap::new();
        map.insert("x-checksum", HeaderValue::from_static("1"));
        map.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        trailers(&mut map).unwrap();
        assert_eq!(map.keys().collect::<Vec<_>>(), ["x-checksum"]);
    }

    #[test]
    fn fields_are_so_many_and_so_long_and_no_more() {
        let fields = |number: usize, length: usize| {
            let mut head = ResponseHeader::build(200, None).unwrap();
            for field in 0..number {
                head.append_header(format!("x-{field}"), "x".repeat(length)).unwrap();
            }
            head
        };
        assert!(super::head(&mut fields(MOST_FIELDS, 1), None).is_ok());
        for mut head in [fields(MOST_FIELDS + 1, 1), fields(2, MOST_BYTES / 2)] {
            assert_eq!(*trailers(&mut head.headers.clone()).unwrap_err().esource(), pingora::ErrorSource::Upstream);
            assert_eq!(*super::head(&mut head, None).unwrap_err().esource(), pingora::ErrorSource::Upstream);
        }
    }

    #[test]
    fn an_upstream_says_only_so_much_before_its_answer() {
        let mut early = Early::default();
        let mut hints = ResponseHeader::build(103, None).unwrap();
        assert!((0..MOST_EARLY).all(|_| early.count(&hints).is_ok()));
        assert!(early.count(&ResponseHeader::build(200, None).unwrap()).is_ok());
        assert_eq!(*early.count(&hints).unwrap_err().esource(), pingora::ErrorSource::Upstream);
        let mut early = Early::default();
        hints.append_header("link", "x".repeat(MOST_EARLY_BYTES / 2)).unwrap();
        assert!(early.count(&hints).is_ok() && early.count(&hints).is_err());
    }
}
