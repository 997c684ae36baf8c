//! A gateway before a FIDO server that is there already: `conf/fronting.yml` before a server that tells what arrives.

mod binding;
mod bodies;
mod fido2;
mod log;
mod nominated;
mod operation;
mod patch;
mod rows;
mod sample;
mod smuggling;
mod trial;

use std::net::SocketAddr;

use crate::support::gateway::{Gateway, Setup};
use crate::support::phone::Phone;
use crate::support::upstream::{Received, Upstream};

/// Rows for users with a key, for which a password does here.
const ROUTES: &str = "routes:
  - {name: target-create, protection: session}
  - {name: target-delete, protection: session}
  - {name: uaf-request-deregistration, protection: session}
  - {name: dispatch-deregistration, protection: session}
  - {name: create-deregistration, protection: session}
";

/// How the sample trusts the server.
const SERVER_TLS: &str = "    tls:
      ca: certs/ca.pem
      server-name: localhost                # what its certificate is for
";

/// The gateway of the sample, with a plain public listener, and the server behind it.
struct House {
    gateway: Gateway,
    upstream: Upstream,
}

impl House {
    /// With every row open that a password can open.
    async fn open() -> Self {
        Self::with(|setup| setup.append(ROUTES)).await
    }

    async fn with(change: impl FnOnce(Setup) -> Setup) -> Self {
        let upstream = Upstream::start().await;
        let gateway = change(before(upstream.address)).user("jeff").start().await;
        Self { gateway, upstream }
    }

    /// jeff's phone, with a session by password.
    async fn jeff(&self) -> Phone {
        let mut phone = Phone::new(&self.gateway, "jeff");
        phone.login_password().await;
        phone
    }

    /// The one request that arrived since there were so many; none where none did.
    fn arrived_since(&self, before: usize) -> Option<Received> {
        let mut new = self.upstream.received().split_off(before);
        assert!(new.len() <= 1, "{new:#?}");
        new.pop()
    }
}

/// The sample before a plain server, with plain listeners.
fn before(server: SocketAddr) -> Setup {
    let tls =
        |note: &str| format!("    tls:\n      certificate: certs/server.pem{note}\n      key: certs/server.key\n");
    Setup::sample("fronting.yml")
        .replace("https://127.0.0.1:9443", format!("http://{server}"))
        .replace(SERVER_TLS, "")
        .replace(tls("         # sidegate keygen --self-signed conf/certs"), "")
        .replace(tls(""), "")
}
