//! The three filters in a bare Pingora proxy before an application on port 8080, which learns who calls. To 6188 come users
//! (cookie `sidegate-main=jeffs-session`) and phones with signed changes, to 6189 servers (`Bearer shop-secret`). The proxy
//! is this file; `house` sets the filters up, and `translate` stands between their types and Pingora's.

mod house;
#[cfg(test)]
mod tests;
mod translate;

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::prelude::{HttpPeer, ProxyHttp, Server, Session, http_proxy_service};
use sidegate_filters::filter::Verdict;
use sidegate_filters::memory::MemoryTargetKeys;
use sidegate_filters::{Exchange, Reply};

struct Proxy {
    doors: house::Doors,
    internal: bool,
    application: SocketAddr,
}

impl Proxy {
    /// The request that goes to the application now, or our answer.
    async fn admit(&self, session: &mut Session) -> Result<Exchange, Reply> {
        let mut exchange = translate::receive(session, self.internal)?;
        let door = self.doors.find(&mut exchange);
        let mut verdict = door.request(&mut exchange, &mut translate::Body(session)).await;
        if matches!(verdict, Verdict::Pass) {
            verdict = door.commit(&mut exchange).await;
        }
        match verdict {
            Verdict::Pass => Ok(exchange),
            Verdict::Answer(reply) => Err(reply),
        }
    }
}

#[async_trait]
impl ProxyHttp for Proxy {
    type CTX = Option<Exchange>;

    fn new_ctx(&self) -> Self::CTX {
        None
    }

    async fn request_filter(&self, session: &mut Session, admitted: &mut Self::CTX) -> pingora::Result<bool> {
        match self.admit(session).await {
            Ok(exchange) => *admitted = Some(exchange),
            Err(reply) => translate::answer(session, reply.into_response("request")).await?,
        }
        Ok(admitted.is_none())
    }

    async fn upstream_peer(&self, _: &mut Session, _: &mut Self::CTX) -> pingora::Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(self.application, false, String::new())))
    }

    async fn upstream_request_filter(
        &self,
        _: &mut Session,
        head: &mut RequestHeader,
        admitted: &mut Self::CTX,
    ) -> pingora::Result<()> {
        let exchange = admitted.as_ref().ok_or_else(|| pingora::Error::new(pingora::InternalError))?;
        translate::forward(head, exchange, &self.doors.removed)
    }

    async fn response_filter(
        &self,
        _: &mut Session,
        head: &mut ResponseHeader,
        admitted: &mut Self::CTX,
    ) -> pingora::Result<()> {
        let exchange = admitted.as_mut().ok_or_else(|| pingora::Error::new(pingora::InternalError))?;
        self.doors.find(exchange).response(exchange, head.status).await;
        translate::keep_personal(head, exchange)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut server = Server::new(None)?;
    server.bootstrap();
    for (address, internal) in [("127.0.0.1:6188", false), ("127.0.0.1:6189", true)] {
        let doors = house::Doors::new(Arc::new(MemoryTargetKeys::new(1_000)))?;
        let proxy = Proxy { doors, internal, application: "127.0.0.1:8080".parse()? };
        let mut service = http_proxy_service(&server.configuration, proxy);
        service.add_tcp(address);
        server.add_service(service);
    }
    server.run_forever()
}
