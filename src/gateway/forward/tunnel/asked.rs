//! The request that opened a WebSocket, judged anew once another configuration is served: who may not open it any more
//! does not keep it either.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, header};
use sidegate_filters::{Caller, CanonicalPath, Exchange};

use crate::gateway::connection::Connection;
use crate::gateway::snapshot::{Served, Snapshot};
use crate::routes::{Destination, ListenerClass, Route, Server, WebSocket};

/// What asked for a WebSocket, as it came: no filter has seen it.
pub(in crate::gateway) struct Asked {
    pub(in crate::gateway) exchange: Exchange,
    pub(in crate::gateway) connection: Arc<Connection>,
    pub(in crate::gateway) class: ListenerClass,
    pub(in crate::gateway) served: Served,
    /// What it was judged by last.
    pub(in crate::gateway) snapshot: Arc<Snapshot>,
}

/// A WebSocket that is open.
pub(in crate::gateway::forward) struct Open {
    pub(in crate::gateway::forward) route: Arc<Route>,
    pub(in crate::gateway::forward) caller: Caller,
    /// The path there, where it is another than the one that was matched.
    pub(in crate::gateway::forward) path: Option<CanonicalPath>,
    pub(in crate::gateway::forward) server: Arc<Server>,
}

impl Open {
    /// How long it may be open.
    pub(super) fn lifetime(&self) -> Duration {
        self.route.websocket.as_ref().map_or(Duration::ZERO, |terms| terms.lifetime)
    }
}

impl Asked {
    /// Whether it may stay open by what is served now; `open` then says how.
    pub(super) async fn stands(&mut self, open: &mut Open) -> bool {
        let now = self.served.now();
        if Arc::ptr_eq(&now, &self.snapshot) {
            return true;
        }
        self.snapshot = now;
        let Some((route, mut exchange)) = self.found(open) else { return false };
        if !route.filters.again(&mut exchange).await || !is_same(&open.caller, &exchange.caller) {
            return false;
        }
        (open.route, open.caller) = (route, exchange.caller);
        true
    }

    /// The row that it meets now, if that leads where it led and is for pages such as the one that asked.
    fn found(&self, open: &Open) -> Option<(Arc<Route>, Exchange)> {
        let asked = &self.exchange;
        let found = self.snapshot.router.find(self.class, &asked.method, &asked.path).ok()?;
        let Destination::Upstream(upstream) = &found.route.destination else { return None };
        let origin = asked.headers.get(header::ORIGIN).map(HeaderValue::as_bytes);
        let may = self.served.admits(&self.snapshot, &self.connection)
            && found.route.websocket.as_ref().is_some_and(|terms: &WebSocket| terms.admits(origin))
            && upstream.servers.keep(&open.server)
            && found.forwarded == open.path;
        let exchange = Exchange { path: found.path, params: found.params, ..asked.clone() };
        may.then(|| (found.route.clone(), exchange))
    }
}

/// The server was told who is there when it was opened, and what that is worth: it may be nobody else, and worth as much.
fn is_same(before: &Caller, now: &Caller) -> bool {
    match (before, now) {
        (Caller::Anonymous, Caller::Anonymous) => true,
        (Caller::User(before), Caller::User(now)) => {
            (&before.domain, &before.ext_id) == (&now.domain, &now.ext_id)
                && now.level() >= before.level()
                && before.roles.iter().all(|role| now.roles.contains(role))
        }
        (Caller::Internal(before), Caller::Internal(now)) => before.name == now.name,
        _ => false,
    }
}
