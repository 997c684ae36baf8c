//! What was decided is what is sent: whoever reads the request that an upstream gets finds the row that was decided by,
//! the gateway itself and readers who mend what they see (`gateway.md` 2, 2.1).

use std::sync::LazyLock;

use http::Uri;
use pingora::http::RequestHeader;
use proptest::prelude::*;
use sidegate_filters::{Chain, PathRules, PathTemplate};

use super::*;
use crate::gateway::connection::Ends;
use crate::gateway::head::HeadScan;
use crate::gateway::settings::Limits;
use crate::routes::{Server, Upstream, UpstreamPath};
use crate::seats::Seats;
use crate::telemetry::{Metrics, Trace};

/// Name, pattern, where the upstream has it. Rows that lie within others come first.
const ROWS: &[(&str, &str, Option<&str>)] = &[
    ("status", "/nevisfido/status", None),
    ("target", "/nevisfido/token/dispatch/targets/{id}", None),
    ("targets", "/nevisfido/token/dispatch/targets", None),
    ("admin", "/shop/admin/*", None),
    ("cart", "/shop/cart", None),
    ("shop", "/shop/*", None),
    ("moved", "/moved/*", Some("/apps/shop/*")),
    ("risen", "/risen/*", Some("/*")),
    ("any-paid", "/any/shop/*", None),
    ("any-one", "/any/cart/{id}", None),
    ("any", "/any/*", None),
    ("blind-pay", "/Blind/pay/*", None),
    ("blind", "/Blind/*", None),
    ("sunk-pay", "/sunk/pay%C3%A4", None),
    ("sunk", "/sunk/*", Some("/deep/*")),
    ("rest", "/*", None),
];

/// Those that allow every spelling.
const ALLOWING: &[&str] = &["any", "blind", "rest"];

/// Those to whose servers small and capital letters are the same.
const BLIND: &[&str] = &["blind", "sunk"];

/// What paths are made of, and what readers of paths fall out about.
const PIECES: &[&str] = &[
    "/nevisfido/status",
    "/nevisfido/token",
    "/dispatch/targets",
    "/shop",
    "/admin",
    "/cart",
    "/moved",
    "/risen",
    "/any",
    "/pay",
    "/PAY",
    "/",
    "//",
    "/.",
    "/..",
    "/...",
    "\\",
    "..",
    ".",
    ";",
    ";a=b",
    ";/../",
    "%",
    "%2",
    "%2e",
    "%2E%2e",
    "%2f",
    "%2F",
    "%5c",
    "%25",
    "%252e",
    "%252f",
    "%25%32%66",
    "%00",
    "%0a",
    "%09",
    "%c3%a4",
    "%ff",
    "%c0%ae",
    "%61",
    "%7e",
    "%3b",
    "%3f",
    "%23",
    "?",
    "?a=/../b",
    "?%2e%2e",
    "#",
    "#/shop",
    "*",
    " ",
    "a",
    "A",
    "ADMIN",
    "~",
    ":",
    "@",
    "&",
    "=",
    "+",
    "'",
    "\"",
    "<",
    "`",
    "{",
    "|",
    "^",
    "http://a.example",
    "http://b.example",
    "//b.example",
    "\u{e4}",
    "\u{7f}",
    "\t",
];

/// How they begin, so that many of them find a row.
const BEGINNINGS: &[&str] =
    &["", "", "/shop", "/shop/admin", "/moved", "/risen", "/any", "/nevisfido/status", "/blind", "/BLIND/Pay", "/Sunk"];

static ROUTER: LazyLock<Router> = LazyLock::new(|| {
    let upstream = Arc::new(Upstream::new("app", vec![Server::plain("127.0.0.1:1".to_owned())]));
    Router::new(ROWS.iter().map(|row| route(row, &upstream)).collect())
});

fn route((name, pattern, there): &(&str, &str, Option<&str>), upstream: &Arc<Upstream>) -> Route {
    let everything = PathRules { empty_segments: true, encoded_slashes: true, double_encoding: true, parameters: true };
    let path = PathTemplate::parse(pattern).unwrap();
    Route {
        name: (*name).to_owned(),
        methods: vec![Method::GET],
        path: if BLIND.contains(name) { path.in_any_case() } else { path },
        pattern: (*pattern).to_owned(),
        on: vec![ListenerClass::Public],
        rules: if ALLOWING.contains(name) { everything } else { PathRules::default() },
        body_limit: None,
        bodies_of: Vec::new(),
        filters: Chain::default(),
        upstream_path: there.map(|there| UpstreamPath::new(pattern, there).unwrap()),
        websocket: None,
        destination: Destination::Upstream(upstream.clone()),
    }
}

/// A request that was let through: by which row, and the target that its upstream gets.
#[derive(Debug, PartialEq, Eq)]
struct Sent {
    row: String,
    target: String,
}

/// Decides about a head and makes what is sent of it, as the phases of the proxy do; `None` where it is refused.
fn pass(mut head: RequestHeader) -> Option<Sent> {
    let connection = Connection::new(Ends::default(), false, (None, None), Metrics::new().unwrap().connection());
    let request = Request::check(&head, &connection, ListenerClass::Public, &Limits::default()).ok()?;
    let found = ROUTER.find(ListenerClass::Public, &request.method, &request.path).ok()?;
    let Destination::Upstream(upstream) = &found.route.destination else { return None };
    let (to, way) = ((found.route.clone(), upstream.clone()), Seats::new(1, None).take(None).unwrap());
    let exchange = exchange(request, found.path, found.params, "r".to_owned());
    let mut forward = Forward::new(to, exchange, found.forwarded, "a.example".to_owned(), false, way);
    futures::executor::block_on(forward.peer()).unwrap();
    forward.rewrite(&mut head, &Trace::of(&HeaderMap::new())).unwrap();
    let target = String::from_utf8(head.raw_path().to_vec()).unwrap();
    // Over HTTP/1.1 an upstream gets the one, over HTTP/2 the other.
    assert_eq!(head.uri.path_and_query().map(ToString::to_string).as_ref(), Some(&target));
    Some(Sent { row: found.route.name.clone(), target })
}

/// The same for a target over HTTP/1.1, beginning with its bytes.
fn over_http1(target: &str) -> Option<Sent> {
    let head = format!("GET {target} HTTP/1.1\r\nHost: a.example\r\n\r\n");
    HeadScan::default().advance(head.as_bytes(), &Limits::default()).ok()??;
    let mut head = RequestHeader::build("GET", target.as_bytes(), None).ok()?;
    head.insert_header("host", "a.example").unwrap();
    pass(head)
}

/// The same for a `:path` over HTTP/2, beginning with what the HTTP/2 library makes of it.
fn over_http2(path: &str) -> Option<Sent> {
    let uri = Uri::builder().scheme("https").authority("a.example").path_and_query(path).build().ok()?;
    let (mut parts, ()) = http::Request::get(uri).body(()).ok()?.into_parts();
    parts.version = http::Version::HTTP_2;
    pass(parts.into())
}

/// The target here of what an upstream elsewhere got.
fn here(sent: &Sent) -> String {
    let (_, pattern, there) = ROWS.iter().find(|(name, ..)| *name == sent.row).unwrap();
    let Some(there) = there else { return sent.target.clone() };
    let prefix = |pattern: &str| pattern.strip_suffix("/*").unwrap().to_owned();
    let (path, query) =
        sent.target.split_once('?').map_or((sent.target.as_str(), None), |(path, query)| (path, Some(query)));
    let rest = path.strip_prefix(&prefix(there)).unwrap();
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}{rest}{query}", prefix(pattern))
}

/// A server behind. Each climbs by dots.
#[derive(Debug, Clone, Copy)]
struct Reader {
    /// It takes what follows two slashes at the beginning for a host.
    host: bool,
    /// It cuts parameters off, and again each time it has decoded.
    cut: bool,
    /// So often it decodes, and takes for a slash what becomes one.
    decode: usize,
    /// It takes a backslash for a slash.
    backslash: bool,
    /// It leaves empty segments out, but for a last one, which makes another path.
    merge: bool,
}

fn readers() -> impl Iterator<Item = Reader> {
    (0..48).map(|bits: usize| {
        let is = |bit: usize| bits >> bit & 1 == 1;
        Reader { host: is(0), cut: is(1), backslash: is(2), merge: is(3), decode: bits >> 4 }
    })
}

/// The segments that it sees.
fn mended(path: &str, reader: Reader) -> Vec<String> {
    let decode = |bytes: &[u8]| {
        let (mut decoded, mut rest) = (Vec::new(), bytes);
        while let [first, tail @ ..] = rest {
            let escape = tail.get(..2).filter(|_| *first == b'%').and_then(|two| std::str::from_utf8(two).ok());
            match escape.and_then(|two| u8::from_str_radix(two, 16).ok()) {
                Some(byte) => (decoded.push(byte), rest = &tail[2..]),
                None => (decoded.push(*first), rest = tail),
            };
        }
        decoded
    };
    let path = match path.strip_prefix("//") {
        Some(rest) if reader.host => rest.find('/').map_or("/", |at| &rest[at..]),
        _ => path,
    };
    let cut = |path: &[u8]| {
        let name = |segment: &'_ [u8]| segment.split(|byte| reader.cut && *byte == b';').next().unwrap().to_vec();
        path.split(|byte| *byte == b'/').map(name).collect::<Vec<_>>().join(&b'/')
    };
    let decoded = (0..reader.decode).fold(cut(path.as_bytes()), |text, _| cut(&decode(&text)));
    let text = String::from_utf8_lossy(&decoded).into_owned();
    let mut segments: Vec<String> = Vec::new();
    for segment in text[1..].split(|c| c == '/' || (reader.backslash && c == '\\')) {
        match segment {
            "" if reader.merge => {}
            "." => {}
            ".." => _ = segments.pop(),
            other => segments.push(other.to_owned()),
        }
    }
    if reader.merge && text.ends_with('/') && !segments.is_empty() {
        segments.push(String::new());
    }
    segments
}

/// The row that such a server finds, by its own reading of the patterns.
fn row_of(segments: &[String], blind: bool) -> Option<&'static str> {
    let fits = |name: &str, pattern: &str| {
        let open = pattern.ends_with("/*");
        let wanted: Vec<_> = pattern.trim_end_matches("/*").split('/').skip(1).collect();
        let same = |wanted: &str, segment: &str| {
            wanted == segment || (blind || BLIND.contains(&name)) && wanted.eq_ignore_ascii_case(segment)
        };
        // A parameter is something: `/any/cart/` is the cart's own path, and names none of its items.
        let is_same = |(wanted, segment): (&&str, &String)| {
            (wanted.starts_with('{') && !segment.is_empty()) || same(wanted, segment)
        };
        (segments.len() == wanted.len() || (open && segments.len() > wanted.len()))
            && wanted.iter().zip(segments).all(is_same)
    };
    ROWS.iter().find(|(name, pattern, _)| fits(name, pattern)).map(|(name, ..)| *name)
}

fn check(raw: &str, sent: Option<Sent>) -> Result<(), TestCaseError> {
    let Some(sent) = sent else { return Ok(()) };
    let again = over_http1(&here(&sent)).map(|again| (again.row, again.target));
    prop_assert_eq!(again.as_ref(), Some(&(sent.row.clone(), sent.target.clone())), "read once more: {}", raw);
    prop_assert_eq!(over_http2(&here(&sent)).map(|again| (again.row, again.target)), again, "over HTTP/2: {}", raw);
    let query = |target: &str| target.split_once('?').map(|(_, query)| query.to_owned());
    prop_assert_eq!(query(&sent.target), query(raw.split('#').next().unwrap()), "the query: {}", raw);
    let path = here(&sent);
    for reader in readers() {
        let segments = mended(path.split('?').next().unwrap(), reader);
        for blind in [false, BLIND.contains(&sent.row.as_str())] {
            let found = row_of(&segments, blind);
            prop_assert_eq!(found, Some(sent.row.as_str()), "{:?} (blind: {}) who reads {}", reader, blind, path);
        }
    }
    Ok(())
}

fn targets() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(PIECES), 0..7);
    (prop::sample::select(BEGINNINGS), pieces).prop_map(|(row, pieces)| format!("{row}{}", pieces.concat()))
}

proptest! {
    // Few paths of these pieces find a row at all. A soak asks for more.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(4_000)))]

    #[test]
    fn the_row_of_what_is_forwarded_is_the_row_that_was_decided_by(raw in targets()) {
        check(&raw, over_http1(&raw))?;
        check(&raw, over_http2(&raw))?;
    }
}

/// The property would hold of a gateway that refuses everything.
#[test]
fn each_row_is_found_in_more_than_one_spelling() {
    for (raw, row, target) in [
        ("/nevisfido/%73tatus/", "status", "/nevisfido/status"),
        ("/nevisfido/dispatch/targets/%7Ea/", "target", "/nevisfido/token/dispatch/targets/~a"),
        ("/nevisfido/dispatch/targets/", "targets", "/nevisfido/token/dispatch/targets"),
        ("/shop/%61dmin/x", "admin", "/shop/admin/x"),
        ("/shop/ADMIN/x", "shop", "/shop/ADMIN/x"),
        ("/shop/cart/", "shop", "/shop/cart/"),
        ("/moved/%c3%a4?%2e", "moved", "/apps/shop/%C3%A4?%2e"),
        ("/risen/", "risen", "/"),
        ("/risen?a", "risen", "/?a"),
        ("/any//a;b/%2f%252f", "any", "/any//a;b/%2F%252f"),
        ("/any/a%3bb", "any", "/any/a%3Bb"),
        ("/any/cart/", "any", "/any/cart/"),
        ("/Blind/pay/1", "blind-pay", "/Blind/pay/1"),
        ("/bLIND/%50rices//1", "blind", "/bLIND/Prices//1"),
        ("/SUNK/A", "sunk", "/deep/A"),
    ] {
        let expected = Some(Sent { row: row.to_owned(), target: target.to_owned() });
        assert_eq!(over_http1(raw), expected, "{raw}");
        assert_eq!(over_http2(raw), expected, "{raw}");
    }
    for raw in [
        "/any//shop/x",
        "/any/shop;a/x",
        "/any/shop%2Fx",
        "/any/cart/a;b",
        "//nevisfido/status",
        "/shop%252fcart",
        "/shop%252f%25ADMIN",
        "/blind/pay/1",
        "/Blind/PAY/1",
        "/Blind//PAY/1",
        "/Blind/%2550ay",
    ] {
        assert_eq!(over_http1(raw), None, "{raw}");
    }
    assert_eq!(over_http1("http://a.example/shop/cart").map(|sent| sent.row).as_deref(), Some("cart"));
}
