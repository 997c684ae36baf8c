//! Ways to spell or smuggle an identity header: on rows that ask for a session, on open ones and past the bypass, over
//! HTTP/1.1 and HTTP/2, only ours arrives.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;

use super::House;
use super::patch::{claims, path};
use crate::support::http::{JOSE, JSON};
use crate::support::jose::SigningKey;
use crate::support::oob::by_link;

/// Lines of a head over HTTP/1.1. Those that are refused whatever the row are in the table of [`crate::gateway`].
const HEADS: &[&str] = &[
    "X-User: eve",
    "x-user: eve",
    "X-USER:eve",
    "X_User: eve",
    "X_USER: eve",
    "X.User: eve",
    "X~User: eve",
    "X!User: eve",
    "X|User: eve",
    "X*User: eve",
    "X+User: eve",
    "X'User: eve",
    "X`User: eve",
    "X^User: eve",
    "X$User: eve",
    "X&User: eve",
    "X%User: eve",
    "X#User: eve",
    "X-User: eve\r\nX-User: eve",
    "X-User:\r\nX_User: eve",
    "_X-User: eve",
    "X-User_: eve",
    "-X.User-: eve",
    "X-User-Name: eve",
    "X-Caller: eve",
    "X_User.Name: eve",
    "Authorization: Bearer eve",
    "Authorization: Basic eve",
    "AUTHORIZATION: Bearer eve\r\nauthorization: Negotiate eve",
    "Proxy-Authorization: Basic eve",
    "X-User: eve\r\nConnection: X-User",
    "Connection: X-User, X-User-Name\r\nX-User-Name: eve",
];

/// What other gateways, servers and networks call who is calling, from where, and for what.
const FOREIGN: &[&str] = &[
    "_X-Real-IP_",
    "Auth-User",
    "CF-Connecting-IP",
    "Client-Cert",
    "Cookie2",
    "Cookie_",
    "Eppn",
    "Forwarded",
    "Isiwebuserid",
    "iv-creds",
    "IV-User",
    "Logon_User",
    "OAM_REMOTE_USER",
    "Proxy",
    "Remote-Addr",
    "Remote-Groups",
    "Remote-User",
    "Shib-Identity-Provider",
    "SM-Universalid",
    "SM_USER",
    "Ssl-Client-Cert",
    "SSL_CLIENT_S_DN",
    "True-Client-IP",
    "X-Auth-Request-Email",
    "X-Auth-Request-User",
    "X-Auth-User",
    "X-Azure-ClientIP",
    "X-CAS-User",
    "X-Cert",
    "X-Client-Cert",
    "X-Client-S-DN",
    "X-Cluster-Client-IP",
    "X-Consumer-Username",
    "X-Credential-Identifier",
    "X-Envoy-External-Address",
    "X-Envoy-Original-Path",
    "X-Forwarded-Client-Cert",
    "X-Forwarded-For",
    "X-Forwarded-Preferred-Username",
    "X-Forwarded-Tls-Client-Cert-Info",
    "X-Forwarded-User",
    "X-Goog-Authenticated-User-Email",
    "X-JWT-Assertion",
    "X-MS-Client-Principal-Name",
    "X-Original-URL",
    "X-Override-URL",
    "X-Proxy-User",
    "X-ProxyUser-Ip",
    "X-Real-IP",
    "X-Remote-User",
    "X-Rewrite",
    "X-Rewrite-URL",
    "X-Shib-User",
    "X-SSL-Client-CN",
    "X-SSL-Client-Verify",
    "X-SubjectDN",
    "X-Vouch-User",
    "X-WebAuth-User",
    "X_Forwarded_Proto",
];

/// Trailers over HTTP/1.1.
const TRAILERS: &[&str] = &[
    "X-User: eve",
    "X_User: eve",
    "X-User_: eve",
    "X-Caller: eve",
    "Authorization: Bearer eve",
    "Cookie: sidegate-main=eve",
    "X-User-Name: eve\r\nX-User: eve",
];

/// Fields over HTTP/2.
const FIELDS: &[&[(&str, &str)]] = &[
    &[("x-user", "eve")],
    &[("x_user", "eve")],
    &[("x.user", "eve")],
    &[("x-user", "eve"), ("x-user", "eve")],
    &[("x-user_", "eve")],
    &[("-x-user", "eve")],
    &[("x-caller", "eve")],
    &[("x-user-name", "eve")],
    &[("authorization", "Bearer eve")],
    &[("proxy-authorization", "Basic eve")],
];

/// A request that each way is tried on.
struct Bait {
    method: &'static str,
    path: String,
    media: &'static str,
    body: String,
    /// `name=value` of the session cookie.
    cookie: Option<String>,
}

impl Bait {
    /// One of each kind: by session, open with a session and without, open to all alike, past the bypass.
    fn all(house: &House, session: &str) -> [Self; 5] {
        let jws = SigningKey::p256(house.gateway.secrets()).sign(&claims(&json!({"name": "new name"})));
        let post = |path: &str, body: String, cookie: Option<&str>| Self {
            method: "POST",
            path: format!("/nevisfido/{path}"),
            media: JSON,
            body,
            cookie: cookie.map(str::to_owned),
        };
        let patch = Self {
            method: "PATCH",
            path: path(&uuid::Uuid::new_v4().to_string()),
            media: JOSE,
            body: jws,
            // It is of no use there, and may not arrive either.
            cookie: Some(session.to_owned()),
        };
        let registration = post("token/dispatch/registration", by_link("jeff").to_string(), Some(session));
        let status = |cookie| post("status", json!({"sessionId": "s"}).to_string(), cookie);
        let facets = Self { method: "GET", ..post("uaf/1.1/facets", String::new(), Some(session)) };
        [registration, status(Some(session)), status(None), facets, patch]
    }

    fn is_of_jeff(&self) -> bool {
        self.method == "POST" && self.cookie.is_some()
    }

    fn head(&self, lines: &str) -> String {
        let cookie = self.cookie.as_ref().map(|cookie| format!("Cookie: {cookie}\r\n")).unwrap_or_default();
        let Self { method, path, media, .. } = self;
        format!("{method} {path} HTTP/1.1\r\nHost: a.example\r\n{lines}\r\n{cookie}Content-Type: {media}\r\n")
    }

    fn plain(&self, lines: &str) -> Vec<u8> {
        format!("{}Content-Length: {}\r\n\r\n{}", self.head(lines), self.body.len(), self.body).into_bytes()
    }

    fn with_trailers(&self, lines: &str) -> Vec<u8> {
        let named = lines.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name).collect::<Vec<_>>();
        let head = self.head(&format!("Transfer-Encoding: chunked\r\nTrailer: {}", named.join(", ")));
        let chunk = format!("{:x}\r\n{}\r\n", self.body.len(), self.body);
        let chunk = if self.body.is_empty() { "" } else { &chunk };
        format!("{head}\r\n{chunk}0\r\n{lines}\r\n\r\n").into_bytes()
    }

    fn request(&self, address: SocketAddr, fields: &[(&str, &str)]) -> http::Request<()> {
        let mut request = http::Request::builder().method(self.method).uri(format!("http://{address}{}", self.path));
        request = request.header("content-type", self.media);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        fields.iter().fold(request, |request, (name, value)| request.header(*name, *value)).body(()).unwrap()
    }

    /// Whether what arrived is what we made of the request, and nothing else.
    fn check(&self, house: &House, ext_id: &str, before: usize, way: &str) {
        let arrived = house.arrived_since(before).unwrap_or_else(|| panic!("{way:?} did not arrive: {}", self.path));
        let all = format!("{}{}", arrived.head, arrived.trailers);
        assert!(!all.contains("eve") && !all.contains("sidegate-main"), "{way:?}: {all}");
        assert!(arrived.trailers.is_empty(), "{way:?}: {all}");
        assert_eq!(arrived.body, self.body.as_bytes(), "{way:?}");
        let of_ours = |line: &&str| {
            let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
            ["user", "authorization", "caller"].iter().any(|part| name.contains(part))
        };
        let ours: Vec<_> = arrived.head.lines().skip(1).filter(of_ours).collect();
        if self.is_of_jeff() {
            assert_eq!(ours.len(), 3, "{way:?}: {ours:?}");
            assert_eq!((arrived.values("x-user"), arrived.values("x-user-name")), (vec![ext_id], vec!["jeff"]));
            let token = arrived.values("authorization")[0].strip_prefix("Bearer ").unwrap();
            assert_eq!(token.split('.').count(), 3);
        } else {
            assert!(ours.is_empty(), "{way:?}: {ours:?}");
        }
    }
}

impl Bait {
    /// The same of a request with trailers, which stand behind a body: a GET has none, and stays here.
    fn check_behind_body(&self, house: &House, ext_id: &str, before: usize, status: u16, way: &str) {
        if self.method == "GET" {
            assert_eq!(status, 400, "{way:?}");
            assert!(house.arrived_since(before).is_none(), "{way:?}");
        } else {
            assert_eq!(status, 200, "{way:?} on {}", self.path);
            self.check(house, ext_id, before, way);
        }
    }
}

/// The status of a raw request; 0 where the connection just ends.
pub(super) async fn raw(address: SocketAddr, request: Vec<u8>) -> u16 {
    let sent = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let _ = stream.write_all(&request);
        let mut head = [0; 12];
        match stream.read_exact(&mut head) {
            Ok(()) => std::str::from_utf8(&head[9..]).unwrap().parse().unwrap(),
            Err(error) => {
                assert!(!matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "no answer");
                0
            }
        }
    });
    sent.await.unwrap()
}

pub(super) async fn over_http2(
    address: SocketAddr,
    request: http::Request<()>,
    body: &str,
    trailers: HeaderMap,
) -> u16 {
    let tcp = tokio::net::TcpStream::connect(address).await.unwrap();
    let (client, connection) = h2::client::handshake(tcp).await.unwrap();
    tokio::spawn(connection);
    let is_over = body.is_empty() && trailers.is_empty();
    let (response, mut stream) = client.ready().await.unwrap().send_request(request, is_over).unwrap();
    if !body.is_empty() {
        stream.send_data(Bytes::copy_from_slice(body.as_bytes()), trailers.is_empty()).unwrap();
    }
    if !trailers.is_empty() {
        // A request that is refused for them may be answered, and its stream reset, before they are sent.
        let _ = stream.send_trailers(trailers);
    }
    response.await.unwrap().status().as_u16()
}

#[tokio::test]
async fn of_every_way_over_http_1_only_ours_arrives() {
    let house = House::open().await;
    let jeff = house.jeff().await;
    let address = house.gateway.address("public");
    for lines in HEADS {
        for bait in Bait::all(&house, jeff.session()) {
            let before = house.upstream.received().len();
            assert_eq!(raw(address, bait.plain(lines)).await, 200, "{lines:?} on {}", bait.path);
            bait.check(&house, jeff.ext_id(), before, lines);
        }
    }
    let foreign: String = FOREIGN.iter().map(|name| format!("{name}: eve\r\n")).collect();
    for bait in Bait::all(&house, jeff.session()) {
        let before = house.upstream.received().len();
        assert_eq!(raw(address, bait.plain(foreign.trim_end())).await, 200, "{}", bait.path);
        bait.check(&house, jeff.ext_id(), before, "names of others");
    }
    for lines in TRAILERS {
        for bait in Bait::all(&house, jeff.session()) {
            let before = house.upstream.received().len();
            let status = raw(address, bait.with_trailers(lines)).await;
            bait.check_behind_body(&house, jeff.ext_id(), before, status, lines);
        }
    }
}

#[tokio::test]
async fn of_every_way_over_http_2_only_ours_arrives() {
    let house = House::open().await;
    let jeff = house.jeff().await;
    let address = house.gateway.address("public");
    for fields in FIELDS {
        for bait in Bait::all(&house, jeff.session()) {
            let before = house.upstream.received().len();
            let request = bait.request(address, fields);
            assert_eq!(over_http2(address, request, &bait.body, HeaderMap::new()).await, 200, "{fields:?}");
            bait.check(&house, jeff.ext_id(), before, &format!("{fields:?}"));
        }
    }
    let foreign: Vec<_> = FOREIGN.iter().map(|name| (*name, "eve")).collect();
    for bait in Bait::all(&house, jeff.session()) {
        let before = house.upstream.received().len();
        let request = bait.request(address, &foreign);
        assert_eq!(over_http2(address, request, &bait.body, HeaderMap::new()).await, 200, "{}", bait.path);
        bait.check(&house, jeff.ext_id(), before, "names of others");
    }
    for name in ["x-user", "x_user", "x-user_", "x-caller", "authorization", "cookie", "x-user-name"] {
        for bait in Bait::all(&house, jeff.session()) {
            let before = house.upstream.received().len();
            let trailers = HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static("eve"))]);
            let status = over_http2(address, bait.request(address, &[]), &bait.body, trailers).await;
            bait.check_behind_body(&house, jeff.ext_id(), before, status, name);
        }
    }
}
