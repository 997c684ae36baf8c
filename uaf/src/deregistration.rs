//! Deregistration: a message to the client, no answer. The server deletes its own record when it sends the message
//! (UAF protocol 1.1, section 3.6).
//!
//! ```
//! use sidegate_uaf::deregistration::Deregistration;
//! # use std::collections::BTreeSet;
//! # use sidegate_uaf::{RelyingParty, facets::TrustedFacets, server_data::ServerDataKey};
//! # use sidegate_uaf::metadata::{Models, UnknownModels};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let models = Models::new(UnknownModels::Surrogate(BTreeSet::new()));
//! # let server = RelyingParty::new(None, TrustedFacets::new([]), models, ServerDataKey::new(&[7; 32])?);
//! let request = server.deregistration(&Deregistration::Model("D0D0#0001".parse()?));
//! let message: serde_json::Value = serde_json::from_str(&request.to_message())?;
//! assert_eq!(message[0]["authenticators"][0]["aaid"], "D0D0#0001");
//! # Ok(())
//! # }
//! ```

use crate::aaid::{Aaid, KeyRef};
use crate::relying_party::RelyingParty;
use crate::wire::{DeregisterAuthenticator, DeregistrationRequest, Operation, OperationHeader, Outgoing};

/// What the client is to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deregistration {
    /// These keys: at least the first.
    Keys(KeyRef, Vec<KeyRef>),
    /// All keys of a model for this appID.
    Model(Aaid),
    /// Everything for this appID.
    Everything,
}

impl Deregistration {
    pub(crate) fn to_request(&self, header: OperationHeader) -> DeregistrationRequest {
        let authenticators = match self {
            Self::Keys(first, others) => {
                std::iter::once(first).chain(others).cloned().map(DeregisterAuthenticator::Key).collect()
            }
            Self::Model(aaid) => vec![DeregisterAuthenticator::Model(*aaid)],
            Self::Everything => vec![DeregisterAuthenticator::Everything],
        };
        DeregistrationRequest { header, authenticators }
    }
}

impl RelyingParty {
    /// Makes the message. It needs neither challenge nor serverData, as nothing comes back.
    #[must_use]
    pub fn deregistration(&self, what: &Deregistration) -> Outgoing<DeregistrationRequest> {
        self.outgoing(what.to_request(self.header(Operation::Dereg, None)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{key_ref, relying_party};
    use serde_json::json;

    #[test]
    fn the_three_modes_on_the_wire() {
        let key = key_ref("D0D0#0001", 7);
        let key_id = key.key_id.to_base64url();
        for (what, authenticators) in [
            (Deregistration::Keys(key.clone(), vec![]), json!([{"aaid": "D0D0#0001", "keyID": key_id}])),
            (
                Deregistration::Keys(key.clone(), vec![key_ref("D0D0#0002", 8)]),
                json!([{"aaid": "D0D0#0001", "keyID": key_id},
                       {"aaid": "D0D0#0002", "keyID": key_ref("D0D0#0002", 8).key_id.to_base64url()}]),
            ),
            (Deregistration::Model(key.aaid), json!([{"aaid": "D0D0#0001", "keyID": ""}])),
            (Deregistration::Everything, json!([{"aaid": "", "keyID": ""}])),
        ] {
            let message: serde_json::Value =
                serde_json::from_str(&relying_party().deregistration(&what).to_message()).unwrap();
            let header = json!({"upv": {"major": 1, "minor": 1}, "op": "Dereg", "appID": "https://uaf.example/facets"});
            assert_eq!(message, json!([{"header": header, "authenticators": authenticators}]));
        }
    }
}
