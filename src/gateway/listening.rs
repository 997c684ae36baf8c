//! A listening service on sockets that were bound before.

use std::net::TcpListener;
use std::os::fd::IntoRawFd;

use async_trait::async_trait;
use pingora::apps::ServerApp;
use pingora::server::{ListenFds, ShutdownWatch};
use pingora::services::Service;
use pingora::services::listening::Service as Listening;

/// Pingora binds late and panics when it cannot, and it does not tell the port it got. So the socket is bound before,
/// and handed over in the table that Pingora keeps for upgrades.
pub(super) struct Prebound<A> {
    inner: Listening<A>,
    address: String,
    socket: Option<TcpListener>,
}

impl<A> Prebound<A> {
    pub(super) fn new(name: String, app: A, socket: TcpListener, address: String) -> Self {
        let mut inner = Listening::new(name, app);
        inner.add_tcp(&address);
        Self { inner, address, socket: Some(socket) }
    }
}

#[async_trait]
impl<A: ServerApp + Send + Sync + 'static> Service for Prebound<A> {
    async fn start_service(&mut self, fds: Option<ListenFds>, shutdown: ShutdownWatch, listeners_per_fd: usize) {
        if let (Some(fds), Some(socket)) = (&fds, self.socket.take()) {
            fds.lock().add(self.address.clone(), socket.into_raw_fd());
        }
        self.inner.start_service(fds, shutdown, listeners_per_fd).await;
    }

    fn name(&self) -> &str {
        self.inner.name()
    }

    fn threads(&self) -> Option<usize> {
        self.inner.threads
    }

    fn listen_addresses(&self) -> Option<Vec<String>> {
        Some(vec![self.address.clone()])
    }
}
