//! How TLS is spoken to a server behind the gateway, whoever speaks it.

use super::certificates::Authorities;
use super::client_certificate::ClientCertificate;

/// How certificates are shown and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct UpstreamTls {
    /// The only authorities to trust; `None`: the system's.
    pub authorities: Option<Authorities>,
    /// `false` takes any certificate.
    pub verify: bool,
    /// What is shown to a server that asks; `None`: nothing.
    pub client: Option<ClientCertificate>,
}
