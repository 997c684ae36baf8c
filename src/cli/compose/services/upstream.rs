//! The UAF server behind.

use std::sync::Arc;

use sidegate_filters::clock::Clock;

use super::super::{ComposeError, Stores};
use super::limits;
use crate::config::{self, Config, FidoUaf, ServerUrl, UafUpstream};
use crate::fido::{Bounds, Endpoint, Upstream, UpstreamSettings, UpstreamTls};
use crate::jose::certificates::Authorities;

/// Questions to the server behind at once.
const PARALLEL: usize = 256;

/// How many questions to a server behind may be open at once, each with a connection of its own; none without one.
pub(in crate::cli) fn questions(config: &Config) -> usize {
    let behind = config.fido_uaf.as_ref().and_then(|fido_uaf| fido_uaf.upstream.as_ref());
    behind.map_or(0, |_| PARALLEL)
}

pub(super) fn server(
    config: &Config,
    fido_uaf: &FidoUaf,
    behind: &UafUpstream,
    stores: &Stores,
    clock: &Arc<dyn Clock>,
) -> Result<Upstream, ComposeError> {
    let missing = || ComposeError::unfit("fido-uaf.upstream", format!("no upstream {:?} is configured", behind.name));
    let found = config.upstreams.iter().find(|upstream| upstream.name == behind.name).ok_or_else(missing)?;
    let limits = limits(fido_uaf);
    Ok(Upstream {
        endpoint: endpoint(found, &behind.path)?,
        operations: stores.operations.clone(),
        challenges: stores.challenges.clone(),
        credentials: stores.credentials.clone(),
        users: stores.users.clone(),
        clock: clock.clone(),
        settings: UpstreamSettings {
            username: fido_uaf.username_mapper,
            answer: limits.answer,
            remembered: limits.lease.saturating_add(limits.answer).saturating_add(limits.retention),
        },
    })
}

fn endpoint(upstream: &config::Upstream, path: &str) -> Result<Endpoint, ComposeError> {
    let bounds = Bounds {
        connect: upstream.connect_timeout,
        total: upstream.connect_timeout.saturating_add(upstream.read_timeout),
        idle: upstream.idle_timeout,
        parallel: PARALLEL,
    };
    let several = || ComposeError::unfit("fido-uaf.upstream", "the UAF server behind must be one server");
    let [url] = &upstream.servers[..] else { return Err(several()) };
    let tls = upstream.tls.as_ref().map(|written| tls(written, url)).transpose()?;
    Ok(Endpoint::new(url.text(), path, bounds, tls.as_ref())?)
}

fn tls(tls: &config::UpstreamTls, url: &ServerUrl) -> Result<UpstreamTls, ComposeError> {
    Ok(UpstreamTls {
        server_name: tls.name_of(url).to_owned(),
        authorities: tls.ca.as_deref().map(Authorities::read).transpose()?,
        verify: tls.verify,
        identity: tls.client.as_ref().map(|client| (client.certificate.clone(), client.key.clone())),
    })
}
