//! Client certificates.

use std::sync::Arc;

use async_trait::async_trait;
use http::Method;

use super::super::Certificates;
use super::{Credential, Shown};
use crate::body::BodySource;
use crate::exchange::Exchange;
use crate::filter::FilterError;
use crate::reason::Reason;
use crate::sender::Sender;

/// The certificate that the client showed when it connected. One that names nobody here is no credential, nor is one that
/// another site's page made the browser show: what else is shown decides.
pub struct ClientCertificate(Arc<dyn Certificates>);

impl ClientCertificate {
    /// Certificates whose users `certificates` knows.
    #[must_use]
    pub fn new(certificates: Arc<dyn Certificates>) -> Self {
        Self(certificates)
    }
}

#[async_trait]
impl Credential for ClientCertificate {
    fn name(&self) -> String {
        self.0.name()
    }

    fn scheme(&self) -> &'static str {
        "ClientCertificate"
    }

    async fn find(&self, exchange: &mut Exchange, _: &mut dyn BodySource) -> Result<Shown, FilterError> {
        let Some(digest) = &exchange.client.certificate else { return Ok(Shown::Nothing) };
        if is_of_another_site(exchange) {
            return Ok(Shown::Nobody(Reason::OtherSite));
        }
        let Some(names) = &exchange.client.names else { return Ok(Shown::Nobody(Reason::Certificate)) };
        let found = self.0.find(digest, names, exchange.client.connection).await?;
        Ok(found.map_or(Shown::Nobody(Reason::Certificate), |session| Shown::User(Box::new(session), None)))
    }
}

/// Whether another site's page had a browser send the request, which shows a certificate by itself: it counts where a
/// cookie with `SameSite=Lax` would be sent, and nowhere else: not in a frame. Programs have no such header, and pages can't
/// set it.
fn is_of_another_site(exchange: &Exchange) -> bool {
    let says = |name: &str, what: &str| exchange.headers.get_all(name).iter().any(|field| field == what);
    let visit = matches!(exchange.method, Method::GET | Method::HEAD)
        && says("sec-fetch-mode", "navigate")
        && says("sec-fetch-dest", "document");
    Sender::of(&exchange.headers, &exchange.client.origin) == Sender::OtherSite && !visit
}
