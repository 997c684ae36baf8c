//! A client that speaks the contract: it keeps no cookies by itself, follows nothing, and registers each secret that
//! passes through it.

use std::cell::OnceCell;
use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method};
use native_tls::TlsConnector;
use serde_json::Value;

use super::secrets::Secrets;

pub(crate) const JSON: &str = "application/json";
pub(crate) const UAF: &str = "application/fido+uaf";
pub(crate) const JOSE: &str = "application/jose;charset=UTF-8";

/// Members of answers and requests that nobody may find in a log.
const SECRET_MEMBERS: [&str; 5] = ["token", "sessionId", "target", "value", "d"];

/// What a target's push token says when its user wants no push.
const OPTED_OUT: [&str; 2] = ["user_disabled", "user-disabled"];

/// A caller: where to, and as whom.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    credential: HeaderMap,
    secrets: Secrets,
}

/// What takes any certificate and speaks one protocol. Making it reads the system's authorities, which is slow: it is made
/// once for all tests.
static HTTP1: LazyLock<TlsConnector> = LazyLock::new(|| connector("http/1.1"));
static HTTP2: LazyLock<TlsConnector> = LazyLock::new(|| connector("h2"));

fn connector(protocol: &str) -> TlsConnector {
    TlsConnector::builder().danger_accept_invalid_certs(true).request_alpns(&[protocol]).build().unwrap()
}

/// The two protocols; the copies of a client share its connections.
#[derive(Default)]
pub(crate) struct Protocols {
    http1: OnceCell<reqwest::Client>,
    http2: OnceCell<reqwest::Client>,
}

impl Protocols {
    /// HTTP/1.1.
    pub(crate) fn http1(&self) -> reqwest::Client {
        self.http1.get_or_init(|| make(reqwest::Client::builder().http1_only(), &HTTP1)).clone()
    }

    /// HTTP/2: with prior knowledge on a plain listener, by ALPN on a TLS one.
    pub(crate) fn http2(&self) -> reqwest::Client {
        self.http2.get_or_init(|| make(reqwest::Client::builder().http2_prior_knowledge(), &HTTP2)).clone()
    }
}

fn make(builder: reqwest::ClientBuilder, tls: &TlsConnector) -> reqwest::Client {
    let builder = builder.no_proxy().redirect(reqwest::redirect::Policy::none());
    builder.tls_backend_preconfigured(tls.clone()).build().unwrap()
}

impl Client {
    /// The same with connections of its own, over HTTP/1.1. It leaves what was idle for half a second to the gateway to close,
    /// which while it is taken over answers on connections like these for a second.
    pub(crate) fn alone(self) -> Self {
        let http = reqwest::Client::builder().http1_only().pool_idle_timeout(Duration::from_millis(500));
        Self { http: make(http, &HTTP1), ..self }
    }

    /// The same with a connection of its own, over HTTP/2.
    pub(crate) fn alone_over_http2(self) -> Self {
        Self { http: Protocols::default().http2(), ..self }
    }

    /// As nobody.
    pub(crate) fn new(http: reqwest::Client, base: String, secrets: &Secrets) -> Self {
        Self { http, base, credential: HeaderMap::new(), secrets: secrets.clone() }
    }

    /// The same client with this session cookie (`name=value`).
    pub(crate) fn cookie(&self, cookie: &str) -> Self {
        let mut client = self.clone();
        client.credential.insert(COOKIE, HeaderValue::from_str(cookie).unwrap());
        client
    }

    /// The same client as an internal caller.
    pub(crate) fn bearer(&self, token: &str) -> Self {
        self.secrets.add("bearer", token);
        let mut client = self.clone();
        client.credential.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
        client
    }

    /// The same client from another address of this machine, which to the gateway is another network.
    pub(crate) fn elsewhere(&self) -> Self {
        self.in_network(2)
    }

    /// The same from one of many addresses of this machine.
    pub(crate) fn in_network(&self, number: u8) -> Self {
        let address = IpAddr::from([127, 0, 0, number]);
        Self { http: make(reqwest::Client::builder().http1_only().local_address(address), &HTTP1), ..self.clone() }
    }

    /// Where it calls: scheme and authority.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    pub(crate) fn get(&self, path: &str) -> Request {
        self.call(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> Request {
        self.call(Method::POST, path)
    }

    /// POST of a JSON body.
    pub(crate) async fn json(&self, path: &str, body: &Value) -> Answer {
        self.post(path).json(body).send().await
    }

    /// POST of a UAF transport body.
    pub(crate) async fn uaf(&self, path: &str, body: &Value) -> Answer {
        self.post(path).uaf(body).send().await
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Request {
        let http = self.http.request(method, format!("{}{path}", self.base)).headers(self.credential.clone());
        Request { http, secrets: self.secrets.clone() }
    }
}

/// A request in the making.
pub(crate) struct Request {
    http: reqwest::RequestBuilder,
    secrets: Secrets,
}

impl Request {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.http = self.http.header(name, value);
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        harvest(body, &self.secrets);
        self.header("content-type", JSON).body(body.to_string())
    }

    pub(crate) fn uaf(self, body: &Value) -> Self {
        self.header("content-type", UAF).header("accept", UAF).body(body.to_string())
    }

    pub(crate) fn jose(self, jws: &str) -> Self {
        self.header("content-type", JOSE).body(jws.to_owned())
    }

    pub(crate) fn form(mut self, fields: &[(&str, &str)]) -> Self {
        self.http = self.http.form(fields);
        self
    }

    pub(crate) fn body(mut self, body: impl Into<reqwest::Body>) -> Self {
        self.http = self.http.body(body);
        self
    }

    pub(crate) async fn send(self) -> Answer {
        self.try_send().await.unwrap()
    }

    /// For requests that the gateway may cut.
    pub(crate) async fn try_send(self) -> Result<Answer, reqwest::Error> {
        let response = self.http.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let answer = Answer { status, headers, body: response.bytes().await?.to_vec() };
        answer.harvest(&self.secrets);
        Ok(answer)
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    fn harvest(&self, secrets: &Secrets) {
        for cookie in self.headers.get_all(SET_COOKIE) {
            let value = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap().1;
            if !value.is_empty() {
                secrets.add("session cookie", value);
            }
        }
        if let Ok(body) = serde_json::from_slice(&self.body) {
            harvest(&body, secrets);
        }
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.text()))
    }

    /// A header's text, or nothing.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn media_type(&self) -> &str {
        self.header(CONTENT_TYPE.as_str()).unwrap_or("")
    }

    /// Asserts the status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// Asserts a problem answer of the contract (`http-api.md` 0.1) and gives its detail.
    #[track_caller]
    pub(crate) fn problem(self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.media_type(), "application/problem+json", "{}", self.text());
        let body = self.json();
        assert_eq!(body["status"], status);
        assert!(body["title"].as_str().is_some_and(|title| !title.is_empty()), "{body}");
        assert_eq!(body["instance"].as_str(), self.header("x-request-id"), "{body}");
        assert!(body["instance"].as_str().is_some_and(|id| !id.is_empty()), "{body}");
        body["detail"].as_str().unwrap_or_default().to_owned()
    }

    /// Asserts an answer of the UAF transport, HTTP 200 with this code inside, and gives it.
    #[track_caller]
    pub(crate) fn uaf_code(self, code: u64) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        assert_eq!(self.media_type(), "application/fido+uaf;charset=UTF-8");
        let body = self.json();
        assert_eq!(body["statusCode"], code, "{body}");
        body
    }

    /// The session cookie that the answer sets, as `name=value`.
    #[track_caller]
    pub(crate) fn session(&self) -> String {
        self.set_cookie().unwrap_or_else(|| panic!("no session cookie: {} {}", self.status, self.text()))
    }

    /// The cookie that the answer sets, as `name=value`; an answer never sets two.
    pub(crate) fn set_cookie(&self) -> Option<String> {
        let cookies: Vec<_> = self.headers.get_all(SET_COOKIE).iter().collect();
        assert!(cookies.len() <= 1, "{cookies:?}");
        cookies.first().map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap().to_owned())
    }
}

fn harvest(body: &Value, secrets: &Secrets) {
    match body {
        Value::Array(items) => items.iter().for_each(|item| harvest(item, secrets)),
        Value::Object(members) => members.iter().for_each(|(name, value)| harvest_member(name, value, secrets)),
        _ => {}
    }
}

fn harvest_member(name: &str, value: &Value, secrets: &Secrets) {
    let Some(text) = value.as_str() else { return harvest(value, secrets) };
    if let Some((_, payload)) = text.split_once("dispatchTokenResponse=") {
        secrets.add("link", payload);
    } else if SECRET_MEMBERS.contains(&name) && text.len() >= 8 && !OPTED_OUT.contains(&text) {
        secrets.add(name, text);
    }
}

/// `Accept` of a browser.
pub(crate) const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
