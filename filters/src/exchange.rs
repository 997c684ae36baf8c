//! One request on its way through the filters.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method};

use crate::headers::Change;
use crate::identity::Caller;
use crate::path::{CanonicalPath, Params, PathTemplate};

/// A certificate that a client showed: the SHA-256 of its DER form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CertificateDigest(pub [u8; 32]);

/// What a certificate calls its owner. Each text is compared as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CertificateNames {
    /// The subject, as RFC 2253 writes it: `CN=jeff,O=Bank,C=CH`.
    pub subject: String,
    /// Mail addresses among the alternative names.
    pub emails: Vec<String>,
    /// Names of hosts among them.
    pub hosts: Vec<String>,
    /// URIs among them.
    pub uris: Vec<String>,
}

/// Where a request came from, as the listener saw it.
#[derive(Debug, Clone)]
pub struct Client {
    /// The client's address as far as it is believed: the peer's, or what a proxy that is trusted says.
    pub address: IpAddr,
    /// Its connection, by a number that no other connection of this process has.
    pub connection: u64,
    /// Whether the client reached us over TLS, or a proxy before us that is believed: then its cookies are for TLS alone. What
    /// such a proxy says never makes them less.
    pub secure: bool,
    /// Whether the listener is an internal one: only there internal callers are believed.
    pub internal: bool,
    /// The certificate that it showed, signed by an authority that the listener trusts.
    pub certificate: Option<CertificateDigest>,
    /// Whom that certificate names; `None` where it has none that can be read.
    pub names: Option<Arc<CertificateNames>>,
    /// `scheme://host[:port]` as the client addressed us: what a same-origin check compares with.
    pub origin: String,
}

impl Client {
    /// One that is known by its address alone, and addressed us as this origin: over TLS where that is `https`, and on no
    /// internal listener.
    ///
    /// ```
    /// use sidegate_filters::Client;
    ///
    /// let client = Client::new([192, 0, 2, 1].into(), "https://gate.example");
    /// assert!(client.secure && !client.internal && client.certificate.is_none());
    /// let server = Client { internal: true, ..Client::new([10, 0, 0, 7].into(), "http://10.0.0.1:8080") };
    /// assert!(server.internal && !server.secure);
    /// ```
    #[must_use]
    pub fn new(address: IpAddr, origin: impl Into<String>) -> Self {
        let origin = origin.into();
        Self {
            address,
            connection: 0,
            secure: origin.starts_with("https://"),
            internal: false,
            certificate: None,
            names: None,
            origin,
        }
    }

    /// By which scheme the client addressed us, or the proxy before us that it connected to: `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.origin.split_once("://").map_or("http", |(scheme, _)| scheme)
    }
}

/// Who was recognised, and turned away all the same: for the log, and no proof of anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TurnedAway {
    /// A user, by extId, whose session does not do here.
    User(String),
    /// An internal caller.
    Internal,
}

/// A request as filters see and change it. The head is the client's, already checked and canonical.
#[derive(Clone)]
pub struct Exchange {
    /// Names the request in the answer, the log and the audit.
    pub request_id: String,
    /// The method.
    pub method: Method,
    /// The canonical path: what was matched is what is forwarded.
    pub path: CanonicalPath,
    /// The query, raw, without `?`.
    pub query: Option<String>,
    /// The client's headers; a filter may remove some.
    pub headers: HeaderMap,
    /// Path parameters of the route.
    pub params: Params,
    /// Where it came from.
    pub client: Client,
    /// The body, once something asked for it.
    pub body: Option<Bytes>,
    /// Who is calling; set by the identity-creation filter.
    pub caller: Caller,
    /// What filters verified for the destination, by its type, such as [`crate::jws_bypass::VerifiedModify`].
    pub proofs: Extensions,
    /// Headers for the upstream, set after every look-alike of the client was removed.
    pub upstream_headers: Vec<(HeaderName, HeaderValue)>,
    /// The answer is for a caller who is known, so that no cache but the caller's own may keep it, and an answer of the
    /// gateway's own none at all.
    pub personal: bool,
    /// What is changed in an upstream's answer on its way to the client, in this order and before caches are told what they
    /// may keep. In an answer of the gateway's own only what is set counts, where that says nothing itself.
    pub answer_changes: Vec<Change>,
    /// `Set-Cookie` that clears a cookie which names no living session. The gateway adds it to a 401, whoever gives that,
    /// and to no other answer: an open page may be cached, and a login sets a cookie of its own.
    pub dead_cookie: Option<HeaderValue>,
    /// Which filter refused the request, as the chain calls it.
    pub refused_by: Option<Arc<str>>,
    /// Whom that filter knew, where nobody became the caller.
    pub turned_away: Option<TurnedAway>,
    /// Why it is judged.
    pub occasion: Occasion,
}

/// Why filters look at a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// It came.
    Arrival,
    /// It was let pass some time ago, and the connection is still open that began with it. Nobody did anything just now:
    /// what keeps awake whatever is used must not count that.
    Review,
}

impl Exchange {
    /// A request at the door: nobody has looked at it yet. Whoever mounts filters puts query and parameters in.
    #[must_use]
    pub fn new(request_id: String, method: Method, path: CanonicalPath, headers: HeaderMap, client: Client) -> Self {
        Self {
            request_id,
            method,
            path,
            query: None,
            headers,
            params: Params::default(),
            client,
            body: None,
            caller: Caller::Anonymous,
            proofs: Extensions::new(),
            upstream_headers: Vec::new(),
            personal: false,
            answer_changes: Vec::new(),
            dead_cookie: None,
            refused_by: None,
            turned_away: None,
            occasion: Occasion::Arrival,
        }
    }
}

impl Exchange {
    /// Whether it is a request by this method for a path of this kind, whose parameters it has from then on.
    ///
    /// ```
    /// use http::{Method, Request};
    /// use sidegate_filters::{Client, Exchange, PathTemplate};
    ///
    /// let head = Request::patch("/targets/phone-1").body(()).unwrap().into_parts().0;
    /// let client = Client::new([192, 0, 2, 1].into(), "https://gate.example");
    /// let mut exchange = Exchange::receive("r-1", &head, client).unwrap();
    /// let targets = PathTemplate::parse("/targets/{id}").unwrap();
    /// assert!(!exchange.asks_for(&Method::GET, &targets) && exchange.params.get("id").is_none());
    /// assert!(exchange.asks_for(&Method::PATCH, &targets));
    /// assert_eq!(exchange.params.get("id"), Some("phone-1"));
    /// ```
    pub fn asks_for(&mut self, method: &Method, path: &PathTemplate) -> bool {
        let params = path.matches(&self.path).filter(|_| self.method == *method);
        params.map(|params| self.params = params).is_some()
    }
}

/// Headers, query and body hold cookies, tokens and passwords: none of them is shown.
impl std::fmt::Debug for Exchange {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Exchange")
            .field("request_id", &self.request_id)
            .field("method", &self.method)
            .field("path", &self.path.as_str())
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
