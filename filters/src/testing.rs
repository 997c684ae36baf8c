//! Callers and requests for tests of filters.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};

use crate::chain::Chain;
use crate::clock::Millis;
use crate::exchange::{Client, Exchange};
use crate::filter::{Filter, Verdict};
use crate::identity::{
    AuthenticatedSession, Caller, CarriedBy, Carrier, InternalCaller, KnownCaller, Login, Role, Session,
};
use crate::path::CanonicalPath;
use crate::reply::Reply;

/// A session by password.
pub(crate) fn jeff() -> Caller {
    jeff_with(&[])
}

/// The same of a user with these roles.
pub(crate) fn jeff_with(roles: &[&str]) -> Caller {
    let session = Session {
        sid: "sid".into(),
        domain: "main".into(),
        ext_id: "ext-1".into(),
        name: "jeff".into(),
        logins: Login { realm: "password".into(), level: 1, at: Millis(0) }.into(),
        roles: roles.iter().map(ToString::to_string).collect(),
        generation: 0,
    };
    Caller::User(AuthenticatedSession::granted(session, Some(Carrier::new(CarriedBy::Cookie, "cookie".into()))))
}

pub(crate) fn service(roles: &[Role]) -> Caller {
    Caller::Internal(InternalCaller::proven(KnownCaller { name: "shop".into(), roles: roles.to_vec() }))
}

/// A request of nobody, without header fields, over TLS from this machine.
pub(crate) fn request(method: Method, path: &str) -> Exchange {
    let client = Client::new([127, 0, 0, 1].into(), "https://gate.example");
    Exchange::new("r".into(), method, CanonicalPath::parse(path).unwrap(), HeaderMap::new(), client)
}

/// Header fields, in their order.
pub(crate) fn fields<V: AsRef<[u8]>>(fields: &[(&'static str, V)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in fields {
        map.append(*name, HeaderValue::from_bytes(value.as_ref()).unwrap());
    }
    map
}

/// A POST of JSON.
pub(crate) fn exchange(caller: Caller) -> Exchange {
    let headers = fields(&[("content-type", "application/json")]);
    Exchange { headers, caller, ..request(Method::POST, "/x") }
}

/// `None` where the request passes.
pub(crate) async fn reply(filter: impl Filter + 'static, mut exchange: Exchange, body: &[u8]) -> Option<Reply> {
    let chain = Chain::new(vec![std::sync::Arc::new(filter)]);
    match chain.request(&mut exchange, &mut Bytes::copy_from_slice(body)).await {
        Verdict::Pass => None,
        Verdict::Answer(reply) => Some(reply),
    }
}

/// 200 where the request passes, else status and detail of the problem.
pub(crate) async fn run(filter: impl Filter + 'static, exchange: Exchange, body: &str) -> (u16, String) {
    match reply(filter, exchange, body.as_bytes()).await {
        None => (200, String::new()),
        Some(Reply::Problem(problem)) => (problem.status.as_u16(), problem.detail),
        Some(Reply::Response(response)) => panic!("an answer in place of a problem: {response:?}"),
    }
}
