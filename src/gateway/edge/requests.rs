//! The requests of a connection, each watched until it ends.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;

use async_trait::async_trait;
use pingora::apps::{HttpServerApp, HttpServerOptions, ReusedHttpStream};
use pingora::protocols::http::ServerSession;
use pingora::protocols::http::v2::server::H2Options;
use pingora::proxy::HttpProxy;
use pingora::server::ShutdownWatch;
use tokio::sync::watch;

use super::Ending;
use crate::gateway::connection::Connection;
use crate::gateway::proxy::Front;
use crate::gateway::settings::Limits;
use crate::gateway::watch::{BodyWatch, WATCH};
use crate::routes::ListenerClass;
use crate::seats::{Seat, Seats};
use crate::telemetry::Metrics;

/// Takes requests.
pub(super) struct Http {
    pub(super) proxy: Arc<HttpProxy<Front>>,
    pub(super) limits: Arc<Limits>,
    pub(super) class: ListenerClass,
    /// Of requests over HTTP/2: over HTTP/1 a connection has one, which its seat counts.
    pub(super) seats: Arc<Seats>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) ending: watch::Receiver<Ending>,
}

impl Http {
    /// The seat of a request over HTTP/2. One without is told that nothing was done for it (RFC 9113 8.7), before it costs
    /// memory: an answer could be kept from going out by the client's window.
    fn seat(&self, session: &mut ServerSession) -> Option<Seat> {
        let client = Connection::of(session).and_then(|connection| connection.counted(&session.req_header().headers));
        match self.seats.take(client) {
            Ok(seat) => Some(seat),
            Err(reason) => {
                self.metrics.refused_request(self.class.name(), reason.name());
                session.shutdown_with_reason(h2::Reason::REFUSED_STREAM);
                None
            }
        }
    }
}

#[async_trait]
impl HttpServerApp for Http {
    async fn process_new_http(
        self: &Arc<Self>,
        mut session: ServerSession,
        shutdown: &ShutdownWatch,
    ) -> Option<ReusedHttpStream> {
        let _seat = if session.is_http2() { Some(self.seat(&mut session)?) } else { None };
        let http1 = if session.is_http2() { None } else { Connection::of(&session) };
        if let Some(connection) = &http1 {
            connection.expect_head();
        }
        let watch = BodyWatch::new(&self.limits);
        let mut request = pin!(WATCH.scope(watch.clone(), self.proxy.process_new_http(session, shutdown)));
        let mut stalled = false;
        loop {
            tokio::select! {
                biased;
                done = &mut request => return done,
                () = watch.stalled(), if !stalled => {
                    // Over HTTP/1 the read under way fails and the request is answered with 408; over HTTP/2 letting go
                    // of the request resets its stream.
                    http1.as_ref()?.stall();
                    stalled = true;
                }
                () = watch.ended() => return None,
                // Letting go of the request writes its line.
                () = tunnels_end(self.ending.clone(), http1.as_deref()) => return None,
                () = reached(self.ending.clone(), Ending::All) => return None,
            }
        }
    }

    fn h2_options(&self) -> Option<H2Options> {
        self.proxy.h2_options()
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        self.proxy.server_options()
    }

    async fn http_cleanup(&self) {
        self.proxy.http_cleanup().await;
    }
}

/// Comes back when WebSockets end and the connection is one, be it that a server opens it only then.
async fn tunnels_end(ending: watch::Receiver<Ending>, connection: Option<&Connection>) {
    let Some(connection) = connection else { return pending().await };
    connection.tunnel_opened().await;
    reached(ending, Ending::Tunnels).await;
}

/// Comes back when that much ends.
pub(super) async fn reached(mut ending: watch::Receiver<Ending>, what: Ending) {
    let _ = ending.wait_for(|now| *now >= what).await;
}
