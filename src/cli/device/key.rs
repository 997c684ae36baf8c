//! What the phone's UAF keys are made of.

use clap::ValueEnum;
use sidegate_uaf::authenticator::Authenticator;
use sidegate_uaf::{Algorithm, KeyFormat};

/// A kind of key, with the encoding of its signatures and of itself.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(super) enum UafKey {
    /// P-256, raw
    #[default]
    P256,
    /// P-256, in DER
    P256Der,
    /// RSA of 2048 bits, signing with PSS, raw
    RsaPss,
    /// RSA of 2048 bits, signing with PSS, in DER
    RsaPssDer,
}

impl UafKey {
    /// The authenticator, making keys of this kind.
    pub(super) fn of(self, authenticator: Authenticator) -> Authenticator {
        let (algorithm, format) = match self {
            Self::P256 => (Algorithm::P256Raw, KeyFormat::EcRaw),
            Self::P256Der => (Algorithm::P256Der, KeyFormat::EcDer),
            Self::RsaPss => (Algorithm::PssRaw, KeyFormat::RsaRaw),
            Self::RsaPssDer => (Algorithm::PssDer, KeyFormat::RsaDer),
        };
        authenticator.with_algorithm(algorithm, format)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sidegate_uaf::authenticator::SOFTWARE_MODEL;
    use sidegate_uaf::encoding::Text;
    use sidegate_uaf::facets::{SOFTWARE_FACET, TrustedFacets};
    use sidegate_uaf::metadata::{Models, UnknownModels};
    use sidegate_uaf::policy::Policy;
    use sidegate_uaf::registration::{NewRegistration, RegistrationOutcome};
    use sidegate_uaf::server_data::ServerDataKey;
    use sidegate_uaf::wire::{Challenge, Operation};
    use sidegate_uaf::{Arrival, RelyingParty, Start};

    use super::*;

    /// Whoever tries statements out begins with this phone.
    #[test]
    fn the_statement_to_copy_is_this_phones_with_whatever_key() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conf/metadata");
        let statements = crate::fido::statements(&folder).unwrap();
        let models = statements.into_iter().fold(Models::new(UnknownModels::Refuse), Models::with_statement);
        let app_id = Some(Text::new("https://gate.example/facets").unwrap());
        let facets = TrustedFacets::new([Text::new(SOFTWARE_FACET).unwrap()]);
        let server = RelyingParty::new(app_id, facets, models, ServerDataKey::new(&[7; 32]).unwrap());
        for kind in UafKey::value_variants() {
            let challenge = Challenge::new([1; 32]).unwrap();
            let start = Start { operation_id: "o", purpose: "p", challenge, expires_at: 10_000 };
            let policy = Policy::any();
            let new = NewRegistration { start, user: "eve", username: "eve", policy, registered: &[] };
            let (request, state) = server.start_registration(new).unwrap();
            let phone = kind.of(Authenticator::new(SOFTWARE_MODEL.parse().unwrap()));
            let (response, _) = phone.register(&request, &[]).unwrap();
            let opened = server.open(Operation::Reg, &response.to_message(), None).unwrap();
            let outcome = server.finish_registration(&state, &opened, &[], &Arrival { now: 1, channels: &[] });
            assert!(matches!(outcome, Ok(RegistrationOutcome::Registered { .. })), "{kind:?}: {outcome:?}");
        }
    }
}
