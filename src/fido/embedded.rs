//! The UAF server inside: crate `uaf` for the protocol, the stores for what it remembers.

mod answer;
mod request;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sidegate_filters::clock::{Clock, Millis};
use sidegate_uaf::authentication::AuthenticationState;
use sidegate_uaf::registration::RegistrationState;
use sidegate_uaf::wire::ChannelBinding;
use sidegate_uaf::{Decoys, Error, Folding, RelyingParty, StatusCode};

use super::{
    Arrival, Ask, Commission, ContextFault, Fido, FidoError, Policies, Received, Scope, Subject, USUAL_STATE,
    UafRequest, credential, internal,
};
use crate::store::operation::{ChallengeState, Room};
use crate::store::{Credentials, Eras, Operations, SourceNetwork, StoreError, Users};

/// How the server behaves.
#[derive(Debug, Clone, Copy)]
pub struct EmbeddedSettings {
    /// From handing out a request until its answer must be there.
    pub answer: Duration,
    /// Whether 1480 to 1497 are told apart (`fold-content-codes`).
    pub folding: Folding,
}

/// The UAF server inside.
pub struct Embedded {
    /// The protocol.
    pub relying_party: RelyingParty,
    /// The policies that requests may name.
    pub policies: Policies,
    /// What strangers are shown of users who do not exist or have no key (`hide-users`); `None`: the truth.
    pub decoys: Option<Decoys>,
    /// Where operations are kept.
    pub operations: Arc<dyn Operations>,
    /// Where credentials are kept.
    pub credentials: Arc<dyn Credentials>,
    /// Who exists.
    pub users: Arc<dyn Users>,
    /// Whether what their sessions began still holds.
    pub eras: Eras,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The TLS channels that phones may have seen; none: not compared ([`super::channel_of`]).
    pub channels: Vec<ChannelBinding>,
    /// How it behaves.
    pub settings: EmbeddedSettings,
}

/// What an operation keeps from request to answer.
#[derive(Serialize, Deserialize)]
enum Kept {
    Registration(RegistrationState),
    Authentication(AuthenticationState),
}

impl Kept {
    fn write(&self) -> Result<ChallengeState, FidoError> {
        serde_json::to_vec(self).map(|text| ChallengeState(text.into())).map_err(|error| internal(&error))
    }

    fn read(state: &ChallengeState) -> Result<Self, FidoError> {
        serde_json::from_slice(&state.0).map_err(|error| internal(&error))
    }
}

impl Embedded {
    /// The code for the client; the log gets the check that failed.
    fn refuse(&self, error: &Error) -> FidoError {
        tracing::info!(reason = %error, "a UAF answer is refused");
        FidoError::Refused(self.settings.folding.apply(error.status()))
    }
}

#[async_trait]
impl Fido for Embedded {
    fn check(&self, ask: &Ask) -> Result<(), ContextFault> {
        match ask.policy() {
            Some(name) if self.policies.get(name).is_none() => {
                Err(ContextFault { member: "context.policy", reason: "there is no policy of this name" })
            }
            _ => Ok(()),
        }
    }

    fn is_elsewhere(&self) -> bool {
        false
    }

    async fn guards(&self, user: &Subject) -> Result<bool, StoreError> {
        self.has_key(user).await
    }

    async fn request(&self, commission: &Commission<'_>) -> Result<(UafRequest, ChallengeState), FidoError> {
        match (commission.ask, &commission.user) {
            (Ask::Registration { policy }, Some(user)) => self.registration(commission, user, policy).await,
            (Ask::Authentication { policy, transaction }, _) => {
                self.authentication(commission, policy, transaction).await
            }
            (Ask::Registration { .. }, None) => Err(FidoError::Refused(StatusCode::UNAUTHORIZED)),
            (Ask::Deregistration(_), _) => Err(internal(&"a deregistration has no challenge")),
        }
    }

    fn room(&self, ask: &Ask) -> Room {
        let Some(policy) = ask.policy().and_then(|name| self.policies.get(name)) else { return Room::default() };
        let written = self.relying_party.policy_length(policy) + ask.kept_of_transaction();
        Room { challenge: USUAL_STATE + written, beside: 0 }
    }

    async fn withdraw(&self, _: &ChallengeState) {}

    async fn deregister(
        &self,
        user: &Subject,
        scope: &Scope,
        _: Option<SourceNetwork>,
    ) -> Result<UafRequest, FidoError> {
        self.deregistration(user, scope).await
    }

    fn open(&self, arrival: &Arrival<'_>) -> Box<dyn Received + '_> {
        Box::new(self.read(arrival))
    }
}

/// Unix time as crate `uaf` counts it.
fn unix(moment: Millis) -> u64 {
    u64::try_from(moment.0).unwrap_or(0)
}
