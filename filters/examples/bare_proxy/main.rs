//! The three filters in a bare Pingora proxy before an application on port 8080, which learns who calls. To 6188 come users
//! (cookie `sidegate-main=jeffs-session`) and phones with signed changes, to 6189 servers (`Bearer shop-secret`).

#[cfg(test)]
mod tests;

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use pingora::prelude::*;
use sidegate_filters::memory::{MemoryCallers, MemorySecTokens, MemorySessions, MemoryTargetKeys};
use sidegate_filters::prelude::*;

struct Proxy {
    known: Chain,
    signed: Chain,
    removed: RemovedHeaders,
    targets: PathTemplate,
    internal: bool,
    application: SocketAddr,
}

impl Proxy {
    fn new(keys: MemoryTargetKeys, internal: bool, application: SocketAddr) -> Result<Self, Box<dyn Error>> {
        let domain = SessionDomain::parse("main")?;
        let sessions = MemorySessions::of(&domain, [("jeffs-session", "jeff")]);
        let callers = MemoryCallers::from([("shop-secret", "shop")]);
        let identity = IdentityCreationFilter::plain(domain, Arc::new(sessions), Arc::new(callers));
        let rules = ["AUTH:user.auth.LoginId:X-User", "CALLER:name:X-Caller"];
        let delegation = DelegationFilter::parse(&rules, "application", Arc::new(MemorySecTokens::new(1)))?;
        let removed = delegation.headers().collect();
        let known = Chain::new(vec![Arc::new(identity), Arc::new(delegation)]);
        let signed = Chain::new(vec![Arc::new(JwsBypassFilter::in_memory(Arc::new(keys)))]);
        let targets = PathTemplate::parse("/targets/{id}")?;
        Ok(Self { known, signed, removed, targets, internal, application })
    }

    async fn admit(&self, session: &mut Session) -> Result<Admitted, Reply> {
        let address = session.client_addr().and_then(|peer| peer.as_inet()).map_or([0; 4].into(), SocketAddr::ip);
        let client = Client { internal: self.internal, ..Client::new(address, "http://127.0.0.1:6188") };
        let mut exchange = Exchange::receive("request", session.req_header(), client)?;
        let chain = if exchange.asks_for(&Method::PATCH, &self.targets) { &self.signed } else { &self.known };
        let admitted = chain.admit(exchange, &mut Body(session)).await?;
        *session.req_header_mut() = admitted.forwarded(session.req_header().as_owned_parts(), &self.removed)?.into();
        Ok(admitted)
    }
}

struct Body<'a>(&'a mut Session);

impl Pieces for Body<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        self.0.as_mut().enable_retry_buffering(); // Pingora sends on what it kept.
        self.0.as_mut().read_request_body().await.map_err(|_| Problem::bad_request("the body is broken"))
    }
}

#[async_trait]
impl ProxyHttp for Proxy {
    type CTX = Option<Admitted>;
    fn new_ctx(&self) -> Self::CTX {
        None
    }

    async fn request_filter(&self, session: &mut Session, ctx: &mut Self::CTX) -> Result<bool> {
        let Err(reply) = self.admit(session).await.map(|admitted| *ctx = Some(admitted)) else { return Ok(false) };
        let (head, body) = reply.into_response("request").into_parts();
        session.set_keepalive(None);
        session.write_response_header(Box::new(head.into()), false).await?;
        session.write_response_body(Some(body), true).await?;
        Ok(true)
    }

    async fn upstream_peer(&self, _: &mut Session, _: &mut Self::CTX) -> Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(self.application, false, String::new())))
    }

    async fn response_filter(&self, _: &mut Session, head: &mut ResponseHeader, ctx: &mut Self::CTX) -> Result<()> {
        let admitted = ctx.as_ref().ok_or_else(|| pingora::Error::new(InternalError))?;
        *head = admitted.answered(head.as_owned_parts()).await.into();
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut server = Server::new(None)?;
    server.bootstrap();
    for (address, internal) in [("127.0.0.1:6188", false), ("127.0.0.1:6189", true)] {
        let proxy = Proxy::new(MemoryTargetKeys::new(1_000), internal, "127.0.0.1:8080".parse()?)?;
        let mut service = http_proxy_service(&server.configuration, proxy);
        service.add_tcp(address);
        server.add_service(service);
    }
    server.run_forever()
}
