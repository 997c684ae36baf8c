//! The UAF server behind.

use std::sync::Arc;
use std::time::Duration;

use super::super::routes::upstream_tls;
use super::super::{Base, ComposeError};
use super::limits;
use crate::config::{self, Config, FidoUaf, UafUpstream};
use crate::fido::{Bounds, Endpoint, EndpointFault, UafServer, Upstream, UpstreamSettings};
use crate::jose::UpstreamTls;
use crate::telemetry::Metrics;

/// Questions at once to the server behind, or to an authentication service.
pub(in crate::cli::compose) const PARALLEL: usize = 256;

/// Which server is asked, and how.
#[derive(PartialEq)]
pub(in crate::cli::compose) struct Asked {
    name: String,
    origin: String,
    path: String,
    bounds: Bounds,
    /// With the name that its certificate must bear.
    tls: Option<(String, UpstreamTls)>,
}

impl Asked {
    fn endpoint(&self, metrics: &Arc<Metrics>) -> Result<Endpoint, EndpointFault> {
        let server = UafServer { name: &self.name, origin: &self.origin, path: &self.path };
        let tls = self.tls.as_ref().map(|(name, tls)| (name.as_str(), tls));
        Endpoint::new(&server, self.bounds, tls, metrics.clone())
    }
}

/// How many questions to servers behind may be open at once, each with a connection of its own; none without such.
pub(in crate::cli) fn questions(config: &Config) -> usize {
    let behind = config.fido_uaf.as_ref().and_then(|fido_uaf| fido_uaf.upstream.as_ref()).is_some();
    let services = config.realms.iter().filter(|realm| matches!(realm.kind, config::RealmKind::Forward(_))).count();
    PARALLEL.saturating_mul(services.saturating_add(usize::from(behind)))
}

pub(super) fn server(base: &Base<'_>, fido_uaf: &FidoUaf, behind: &UafUpstream) -> Result<Upstream, ComposeError> {
    let (config, stores) = (base.config, base.stores);
    let missing = || ComposeError::unfit("fido-uaf.upstream", format!("no upstream {:?} is configured", behind.name));
    let found = config.upstreams.iter().find(|upstream| upstream.name == behind.name).ok_or_else(missing)?;
    let limits = limits(fido_uaf);
    Ok(Upstream {
        endpoint: stores
            .lasting
            .endpoint(asked(found, &behind.path, limits.lease, config.limits.connections_share)?, |asked| {
                asked.endpoint(base.metrics)
            })?,
        operations: stores.operations.clone(),
        challenges: stores.challenges.clone(),
        keys: stores.keys_behind.clone(),
        named: stores.lasting.named.clone(),
        standing: Arc::default(),
        users: stores.users.clone(),
        eras: stores.eras(),
        clock: base.clock.clone(),
        settings: UpstreamSettings {
            username: fido_uaf.username_mapper,
            answer: limits.answer,
            remembered: limits.lease.saturating_add(limits.answer).saturating_add(limits.retention),
        },
    })
}

fn asked(upstream: &config::Upstream, path: &str, lease: Duration, share: u8) -> Result<Asked, ComposeError> {
    let several = || ComposeError::unfit("fido-uaf.upstream", "the UAF server behind must be one server");
    let [url] = &upstream.servers[..] else { return Err(several()) };
    let tls = upstream.tls.as_ref();
    let tls = tls.map(|written| Ok::<_, ComposeError>((written.name_of(url).to_owned(), upstream_tls(written)?)));
    Ok(Asked {
        name: upstream.name.clone(),
        origin: url.text().to_owned(),
        path: path.to_owned(),
        bounds: Bounds {
            connect: upstream.connect_timeout,
            // What comes after the lease is lost, so nobody waits for it.
            total: upstream.read_timeout.map_or(lease, |read| upstream.connect_timeout.saturating_add(read)),
            idle: upstream.idle_timeout,
            parallel: PARALLEL,
            share,
        },
        tls: tls.transpose()?,
    })
}
