//! The phone's side of HTTP: one gateway, one session cookie.

use std::path::Path;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, RETRY_AFTER, SET_COOKIE};
use reqwest::{Certificate, Client, ClientBuilder, Method, Response, Url};
use serde_json::Value;
use sidegate_uaf::StatusCode;
use sidegate_uaf::wire::{Operation, ReturnUafRequest};

use super::PhoneError;
use super::error::NO_DETAIL;

/// Media type of UAF messages (UAF HTTP transport, section 2).
const FIDO_UAF: &str = "application/fido+uaf;charset=UTF-8";
/// The SDK allows a network call one minute (`http-api.md` 7).
const CALL_LIMIT: Duration = Duration::from_secs(60);

/// Which gateway to call, and whom to believe that it is the one.
pub(super) struct Gateway {
    base: Url,
    /// Besides the authorities that the system trusts.
    authorities: Vec<Certificate>,
}

impl Gateway {
    /// The gateway at `base` (`http://host:port` or `https://…`), with a PEM file of authorities.
    pub(super) fn new(base: &str, ca: Option<&Path>) -> Result<Self, PhoneError> {
        let usage = |flag: &str, why: String| PhoneError::Usage(format!("--{flag}: {why}"));
        let url = Url::parse(base).ok().filter(is_origin);
        let base = url.ok_or_else(|| {
            usage("gateway", format!("{base:?} is not scheme, host and port; write http://host:port or https://host"))
        })?;
        let Some(ca) = ca else { return Ok(Self { base, authorities: Vec::new() }) };
        let no_certificate = || usage("ca", format!("{} holds no PEM certificate", ca.display()));
        let pem = super::read_file(ca)?;
        let authorities = Certificate::from_pem_bundle(pem.as_bytes()).map_err(|_| no_certificate())?;
        if authorities.is_empty() { Err(no_certificate()) } else { Ok(Self { base, authorities }) }
    }
}

/// Whether a URL is scheme, host and port: nothing else of it would be used.
fn is_origin(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && (url.path(), url.query(), url.fragment()) == ("/", None, None)
        && url.username().is_empty()
        && url.password().is_none()
}

/// A connection to one gateway with the session that it gave.
pub(super) struct Connection {
    client: Client,
    base: Url,
    cookie: Option<String>,
}

/// An answer of the gateway: its status and its body, JSON where there is any.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
    /// `Retry-After`: seconds, or a date.
    pub(super) retry_after: Option<String>,
}

impl Connection {
    /// Will call this gateway.
    pub(super) fn new(gateway: &Gateway) -> Result<Self, PhoneError> {
        let builder = Client::builder().timeout(CALL_LIMIT).redirect(reqwest::redirect::Policy::none());
        let client = gateway.authorities.iter().cloned().fold(builder, ClientBuilder::add_root_certificate).build()?;
        Ok(Self { client, base: gateway.base.clone(), cookie: None })
    }

    /// Whether the gateway is spoken to by TLS.
    pub(super) fn is_tls(&self) -> bool {
        self.base.scheme() == "https"
    }

    /// Forgets the session.
    pub(super) fn forget(&mut self) {
        self.cookie = None;
    }

    /// Posts JSON to a path of the gateway.
    pub(super) async fn post_json(&mut self, path: &str, body: &Value) -> Result<Answer, PhoneError> {
        self.send(Method::POST, self.at(path)?, "application/json", "application/json", body.to_string()).await
    }

    /// Posts JSON and asks for a UAF message in return.
    pub(super) async fn post_for_uaf(&mut self, url: Url, body: &Value) -> Result<Answer, PhoneError> {
        self.send(Method::POST, url, "application/json", FIDO_UAF, body.to_string()).await
    }

    /// Posts a UAF message.
    pub(super) async fn post_uaf(&mut self, path: &str, body: &Value) -> Result<Answer, PhoneError> {
        self.send(Method::POST, self.at(path)?, FIDO_UAF, FIDO_UAF, body.to_string()).await
    }

    /// Posts a login form.
    pub(super) async fn post_form(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<Answer, PhoneError> {
        let request = self.client.post(self.at(path)?).header(ACCEPT, "application/json").form(fields);
        self.finish(request).await
    }

    /// Sends a signed modify request.
    pub(super) async fn patch_jws(&mut self, path: &str, jws: String) -> Result<Answer, PhoneError> {
        self.send(Method::PATCH, self.at(path)?, "application/jose;charset=UTF-8", "*/*", jws).await
    }

    /// Deletes what is at a path.
    pub(super) async fn delete(&mut self, path: &str) -> Result<Answer, PhoneError> {
        let request = self.client.delete(self.at(path)?);
        self.finish(request).await
    }

    /// A URL that a message named. It must be this gateway's: a phone sends its tokens nowhere else.
    pub(super) fn own_url(&self, text: &str) -> Result<Url, PhoneError> {
        let url =
            Url::parse(text).map_err(|_| PhoneError::Message("the redeem URL of the message is no URL".into()))?;
        if url.origin() == self.base.origin() {
            Ok(url)
        } else {
            Err(PhoneError::Message(format!(
                "the message wants its token sent to {}, which is not the gateway {}: use --gateway with the gateway's \
                 public-url",
                url.origin().ascii_serialization(),
                self.base.origin().ascii_serialization(),
            )))
        }
    }

    /// The URL of a path of the gateway.
    pub(super) fn at(&self, path: &str) -> Result<Url, PhoneError> {
        self.base.join(path).map_err(|_| PhoneError::Message(format!("{path:?} is no path")))
    }

    async fn send(
        &mut self,
        method: Method,
        url: Url,
        content: &str,
        accept: &str,
        body: String,
    ) -> Result<Answer, PhoneError> {
        let request = self.client.request(method, url).header(CONTENT_TYPE, content).header(ACCEPT, accept).body(body);
        self.finish(request).await
    }

    async fn finish(&mut self, mut request: reqwest::RequestBuilder) -> Result<Answer, PhoneError> {
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        let response = request.send().await?;
        self.remember_session(&response);
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = serde_json::from_slice(&response.bytes().await?).unwrap_or(Value::Null);
        Ok(Answer { status, body, retry_after })
    }

    fn remember_session(&mut self, response: &Response) {
        let set = response.headers().get(SET_COOKIE).and_then(|value| value.to_str().ok());
        if let Some(pair) = set.and_then(|text| text.split(';').next()) {
            self.cookie = Some(pair.to_owned());
        }
    }
}

impl Answer {
    /// The answer if its HTTP status is the expected one.
    pub(super) fn expect(self, status: u16, what: &'static str) -> Result<Value, PhoneError> {
        if self.status == status {
            return Ok(self.body);
        }
        let detail = match (self.body.get("detail").and_then(Value::as_str), self.retry_after) {
            (None, _) => NO_DETAIL.to_owned(),
            (Some(detail), None) => detail.to_owned(),
            (Some(detail), Some(when)) => format!("{detail} (Retry-After: {when})"),
        };
        Err(PhoneError::Refused { what, status: self.status, detail })
    }

    /// The UAF request inside and its operation, if the UAF code is 1200.
    pub(super) fn uaf_request(self, what: &'static str) -> Result<(Operation, String), PhoneError> {
        let body = self.expect(200, what)?;
        let envelope = serde_json::from_value::<ReturnUafRequest>(body)
            .map_err(|_| PhoneError::Message(format!("{what}: the answer is no ReturnUAFRequest")))?;
        match (envelope.status_code, envelope.op, envelope.uaf_request) {
            (StatusCode::OK, Some(operation), Some(request)) => Ok((operation, request)),
            (code, ..) => Err(PhoneError::Uaf { what, code }),
        }
    }

    /// Checks the UAF code of a server response.
    pub(super) fn expect_uaf(self, code: StatusCode, what: &'static str) -> Result<(), PhoneError> {
        let body = self.expect(200, what)?;
        let found = body.get("statusCode").and_then(|found| serde_json::from_value(found.clone()).ok());
        match found {
            Some(found) if found == code => Ok(()),
            Some(found) => Err(PhoneError::Uaf { what, code: found }),
            None => Err(PhoneError::Message(format!("{what}: the answer has no UAF status code"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_scheme_host_and_port() {
        let refused = |base: &str| matches!(Gateway::new(base, None), Err(PhoneError::Usage(_)));
        for good in ["https://gate.example", "https://gate.example/", "http://127.0.0.1:8080", "http://[::1]:1"] {
            assert!(!refused(good), "{good}");
        }
        for bad in
            ["gate.example", "http://h:80800", "ftp://h", "http://h/app", "http://h?x", "http://h#x", "http://me@h"]
        {
            assert!(refused(bad), "{bad}");
        }
    }

    #[test]
    fn a_refusal_says_when_to_try_again() {
        let told = |body, retry_after: Option<&str>| {
            let answer = Answer { status: 429, body, retry_after: retry_after.map(str::to_owned) };
            answer.expect(200, "password login").unwrap_err().to_string()
        };
        let detail = || serde_json::json!({"detail": "too many"});
        assert_eq!(told(detail(), Some("7")), "password login: HTTP 429: too many (Retry-After: 7)");
        assert_eq!(told(detail(), None), "password login: HTTP 429: too many");
        assert_eq!(told(Value::Null, Some("7")), "password login: HTTP 429: no detail");
    }

    #[test]
    fn a_token_goes_to_this_gateway_only() {
        let connection = Connection::new(&Gateway::new("https://gate.example", None).unwrap()).unwrap();
        for own in ["https://gate.example/redeem", "https://gate.example:443/x?y", "HTTPS://GATE.example/"] {
            assert!(connection.own_url(own).is_ok(), "{own}");
        }
        for foreign in [
            "http://gate.example/redeem",
            "https://gate.example:8443/redeem",
            "https://evil.example/redeem",
            "https://gate.example.evil.example/",
            "https://gate.example@evil.example/",
            "//gate.example/redeem",
            "data:gate.example",
        ] {
            assert!(matches!(connection.own_url(foreign), Err(PhoneError::Message(_))), "{foreign}");
        }
        let told = connection.own_url("http://localhost/").unwrap_err().to_string();
        assert!(told.contains("gate.example: use --gateway with the gateway's public-url"), "{told}");
    }
}
