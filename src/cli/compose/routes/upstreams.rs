//! The servers behind the gateway, as rows lead to them.

use std::sync::Arc;

use sidegate_filters::delegation::{RemovedHeaders, Rule};

use super::super::ComposeError;
use super::super::lasting::Lasting;
use super::named;
use crate::config::{self, Config, FilterKind, Joined, LeadsTo, ServerUrl};
use crate::jose::UpstreamTls;
use crate::jose::certificates::Authorities;
use crate::jose::client_certificate::ClientCertificate;
use crate::routes::{Address, Server, Servers, Upstream};

/// One for all rows that lead there: they share its connections.
pub(super) fn upstream(
    config: &Config,
    wanted: &config::Upstream,
    lasting: &Lasting,
) -> Result<Upstream, ComposeError> {
    let tls = wanted.tls.as_ref().map(upstream_tls).transpose()?;
    // Connections that were made by other certificates, or in another protocol, are not gone on with.
    let same = |before: &Arc<Upstream>| before.tls == tls && before.protocol == wanted.protocol;
    let before = lasting.upstream(&wanted.name).filter(same);
    let server = |url: &ServerUrl| Server {
        address: Address::new(url.address()),
        name: wanted.tls.as_ref().map_or_else(String::new, |tls| tls.name_of(url).to_owned()),
    };
    Ok(Upstream {
        name: wanted.name.clone(),
        servers: Servers::after(
            before.as_ref().map(|before| &before.servers),
            wanted.servers.iter().map(server).collect(),
        ),
        balance: wanted.balance,
        health_check: wanted.health_check.clone(),
        tls,
        protocol: wanted.protocol,
        connect_timeout: wanted.connect_timeout,
        read_timeout: wanted.read_timeout.unwrap_or(config::READ_TIMEOUT),
        write_timeout: wanted.write_timeout,
        idle_timeout: wanted.idle_timeout,
        close_after_body: wanted.close_after_body,
        identity_headers: removed(config, &Joined::of(wanted, &config.upstreams)),
    })
}

/// What any rule on the way to a server may set, whichever row the rule stands on (`gateway.md` 2.3), and what no client
/// may say there by `remove-headers`, whatever the server is called there.
fn removed(config: &Config, joined: &Joined<'_>) -> RemovedHeaders {
    let own = config.routes.iter().filter_map(|row| match &row.leads_to {
        LeadsTo::Upstream { name, filters } if joined.includes(name) => Some(filters),
        _ => None,
    });
    let fronting = config.fronting.as_ref().filter(|fronting| joined.includes(&fronting.upstream));
    let filters = own.flatten().chain(fronting.map(|fronting| &fronting.delegation));
    let rules = filters.filter_map(|name| match &named(config, name)?.kind {
        FilterKind::Delegation(rules) => Some(rules),
        _ => None,
    });
    let same = config.upstreams.iter().filter(|upstream| joined.includes(&upstream.name));
    let written = same.flat_map(|upstream| &upstream.remove_headers);
    rules.flatten().map(|rule: &Rule| rule.header()).chain(written).collect()
}

/// What is written, read from its files.
pub(in crate::cli::compose) fn upstream_tls(tls: &config::WrittenTls) -> Result<UpstreamTls, ComposeError> {
    let authorities = tls.ca.as_deref().map(Authorities::read).transpose()?;
    let client =
        tls.client.as_ref().map(|files| ClientCertificate::read(&files.certificate, &files.key)).transpose()?;
    Ok(UpstreamTls { authorities, verify: tls.verify, client })
}
