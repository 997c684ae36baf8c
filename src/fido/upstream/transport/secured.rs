//! TLS to a server behind, with the name that it must prove.

use std::sync::Arc;

use reqwest::{Certificate, ClientBuilder, Identity, Url, dns};

use super::EndpointFault;
use crate::jose::UpstreamTls;

/// A client that speaks TLS alone, to a server that proves this name; `base` becomes what is then to be asked for.
///
/// # Errors
/// What can't be used.
pub(crate) fn secured(
    mut builder: ClientBuilder,
    name: &str,
    tls: &UpstreamTls,
    base: &mut Url,
) -> Result<ClientBuilder, EndpointFault> {
    builder = builder.https_only(true);
    if let Some(authorities) = &tls.authorities {
        let certificates =
            authorities.to_der()?.iter().map(|der| Certificate::from_der(der)).collect::<Result<Vec<_>, _>>()?;
        builder = builder.tls_certs_only(certificates);
    }
    if let Some(client) = &tls.client {
        let (certificates, key) = client.to_pem()?;
        builder = builder.identity(Identity::from_pkcs8_pem(&certificates, &key)?);
    }
    if !tls.verify {
        builder = builder.tls_danger_accept_invalid_certs(true);
    }
    let host = base.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    if name != host {
        // The name that is sent and verified stands in the URL; where it leads is told apart.
        base.set_host(Some(name)).map_err(|error| EndpointFault::Url(error.to_string()))?;
        if base.domain().is_none() {
            // An address needs no resolving: it would decide where to connect.
            return Err(EndpointFault::Url("the name that its certificate must bear is an address".to_owned()));
        }
        builder = builder.dns_resolver(Arc::new(LedTo(host)));
    }
    Ok(builder)
}

/// Every name leads to this host.
struct LedTo(String);

impl dns::Resolve for LedTo {
    fn resolve(&self, _: dns::Name) -> dns::Resolving {
        let host = self.0.clone();
        Box::pin(async move {
            // The port is that of the URL.
            let found: Vec<_> = tokio::net::lookup_host((host, 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as dns::Addrs)
        })
    }
}
