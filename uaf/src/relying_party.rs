//! The server's side of the ceremonies: what it is configured with, what both starts need, and the checks of serverData,
//! fcParams and their challenge, application and channel, which both finishes begin with.

use serde::{Deserialize, Serialize};

use crate::crypto::{self, sha256};
use crate::denial::Denial;
use crate::error::Error;
use crate::facets::TrustedFacets;
use crate::incoming::{Incoming, Opened};
use crate::metadata::Models;
use crate::server_data::{Binding, MAX_NAME, ServerDataKey};
use crate::transaction::TransactionError;
use crate::wire::{
    AppId, Challenge, ChannelBinding, FinalChallengeParams, Operation, OperationHeader, Outgoing, Policy,
    ServerDataText, Version, Versions,
};

/// Higher registration counters are taken for a fault: nobody registers a device so often.
pub(crate) const MAX_REGISTRATION_COUNTER: u32 = 10_000;

/// A UAF server without its store, its clock and its network.
#[derive(Debug, Clone)]
pub struct RelyingParty {
    pub(crate) app_id: Option<AppId>,
    pub(crate) facets: TrustedFacets,
    pub(crate) models: Models,
    pub(crate) key: ServerDataKey,
    versions: Versions,
}

/// One operation, as the caller begins it.
#[derive(Debug, Clone)]
pub struct Start<'a> {
    /// The caller's name for it; comes back in [`Opened::operation_id`].
    pub operation_id: &'a str,
    /// What the answer may be used for, in the caller's words; comes back in [`Opened::server_data`].
    pub purpose: &'a str,
    /// Fresh random bytes, 32 if there is no reason for another number.
    pub challenge: Challenge,
    /// End of the operation, Unix time in milliseconds.
    pub expires_at: u64,
}

/// How an answer came in. There is no default: it would let no operation end, and compare no channel.
///
/// ```compile_fail,E0599
/// let unchecked = sidegate_uaf::Arrival::default();
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// Unix time in milliseconds.
    pub now: u64,
    /// The TLS channels that the client may have seen, each as the server knows it: one has to agree. What a client says
    /// of the certificate, a channel must have; of the connection (`tlsUnique`, `cid_pubkey`) only what both sides know
    /// is compared. Without any channel nothing is.
    pub channels: &'a [ChannelBinding],
}

/// An operation cannot be started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The user name does not have 1 to 128 units of UTF-16.
    #[error("username must have 1 to 128 characters, as UTF-16 counts them: an emoji is two")]
    Username,
    /// The caller's name for the operation, or its purpose, has more than [`MAX_NAME`] bytes.
    #[error("operation id and purpose may have {MAX_NAME} bytes each")]
    Name,
    /// The transaction cannot be sent.
    #[error("transaction: {0}")]
    Transaction(#[from] TransactionError),
    /// OpenSSL failed where input cannot make it fail.
    #[error("cryptographic library failed")]
    Internal,
}

/// What both kinds of states keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Issued {
    pub(crate) app_id: Option<AppId>,
    pub(crate) server_data: ServerDataText,
    pub(crate) expires_at: u64,
    pub(crate) policy: Policy,
}

/// A response that passed the checks on the whole of it.
pub(crate) enum Admission {
    Denied(Denial),
    Asserted(Asserted),
}

/// What the checks on each assertion need of the whole.
pub(crate) struct Asserted {
    /// The hash that every assertion must hold.
    pub(crate) final_challenge_hash: [u8; 32],
    /// The version that the client chose.
    pub(crate) upv: Version,
    /// Unix time in milliseconds.
    pub(crate) now: u64,
}

impl RelyingParty {
    /// A server for one application. Without appID the facet stands for it.
    #[must_use]
    pub const fn new(app_id: Option<AppId>, facets: TrustedFacets, models: Models, key: ServerDataKey) -> Self {
        Self { app_id, facets, models, key, versions: Versions::Only1_1 }
    }

    /// Speaks these protocol versions; 1.1 alone unless it is said.
    #[must_use]
    pub fn with_versions(self, versions: Versions) -> Self {
        Self { versions, ..self }
    }

    /// The request in the versions that are spoken.
    pub(crate) const fn outgoing<T>(&self, request: T) -> Outgoing<T> {
        Outgoing::new(request, self.versions)
    }

    /// Reads `uafResponse` and `context` of a [`crate::wire::SendUafResponse`] at the endpoint for `operation`, in the
    /// versions that are spoken; verifies its serverData, and that its challenge was issued with it.
    ///
    /// # Errors
    /// Those of [`Incoming::parse`]; [`Error::ServerDataBroken`], [`Error::ServerDataOfAnotherOperation`],
    /// [`Error::FcParamsEncoding`], [`Error::FcParams`], [`Error::ChallengeMismatch`]. None of them may move any state.
    pub fn open(&self, operation: Operation, uaf_response: &str, context: Option<&str>) -> Result<Opened, Error> {
        Incoming::parse_in(self.versions, operation, uaf_response, context)?.open(&self.key)
    }

    /// The facets, to publish their list.
    #[must_use]
    pub const fn facets(&self) -> &TrustedFacets {
        &self.facets
    }

    /// Bytes of JSON that the policy of a request has before it names keys: this one, with the models that are revoked. A
    /// state that is kept has as many, besides what is the same for all and the keys.
    #[must_use]
    pub fn policy_length(&self, policy: &crate::policy::Policy) -> usize {
        let mut policy = policy.clone();
        policy.disallow_models(self.models.revoked().collect());
        serde_json::to_string(policy.as_wire()).map_or(0, |text| text.len())
    }

    pub(crate) fn header(&self, op: Operation, server_data: Option<ServerDataText>) -> OperationHeader {
        OperationHeader { upv: Version::V1_1, op, app_id: self.app_id.clone(), server_data, exts: Vec::new() }
    }

    pub(crate) fn issue(
        &self,
        operation: Operation,
        start: &Start<'_>,
        user: Option<&str>,
        policy: Policy,
    ) -> Result<Issued, StartError> {
        let binding = Binding {
            operation_id: start.operation_id,
            operation,
            purpose: start.purpose,
            user,
            challenge: &start.challenge,
            expires_at: start.expires_at,
        };
        let server_data = self.key.seal(&binding)?;
        Ok(Issued { app_id: self.app_id.clone(), server_data, expires_at: start.expires_at, policy })
    }

    /// Checks the response against what was issued to `user`, up to but not into its assertions.
    pub(crate) fn admit(
        &self,
        issued: &Issued,
        user: Option<&str>,
        opened: &Opened,
        arrival: &Arrival<'_>,
    ) -> Result<Admission, Error> {
        let response = &opened.incoming.response;
        let text = response.header.server_data.as_ref().map_or("", |text| text.as_str());
        if !crypto::equal(text.as_bytes(), issued.server_data.as_str().as_bytes()) {
            return Err(Error::ServerDataOfAnotherOperation);
        }
        if !self.key.made_for(opened.server_data(), opened.challenge(), user)? {
            return Err(Error::ServerDataOfAnotherOperation);
        }
        if arrival.now > issued.expires_at {
            return Err(Error::DeadlinePassed);
        }
        self.check_origin(issued, response.header.app_id.as_ref(), &opened.final_challenge)?;
        let seen = &opened.final_challenge.channel_binding;
        if !arrival.channels.is_empty() && !arrival.channels.iter().any(|own| seen.agrees_with(own)) {
            return Err(Error::ChannelBinding);
        }
        Ok(match opened.incoming.denial()? {
            Some(denial) => Admission::Denied(denial),
            None => Admission::Asserted(Asserted {
                final_challenge_hash: sha256(response.fc_params.as_bytes()),
                upv: response.header.upv,
                now: arrival.now,
            }),
        })
    }

    fn check_origin(
        &self,
        issued: &Issued,
        header: Option<&AppId>,
        final_challenge: &FinalChallengeParams,
    ) -> Result<(), Error> {
        let sent = issued.app_id.as_ref().map_or("", AppId::as_str);
        if header.map_or("", AppId::as_str) != sent {
            return Err(Error::HeaderAppId);
        }
        let facet = final_challenge.facet_id.as_str();
        let wanted = if sent.is_empty() { facet } else { sent };
        if final_challenge.app_id.as_str() != wanted {
            return Err(Error::AppId);
        }
        // Only clients that are forgiven have none.
        if facet.is_empty() || self.facets.trusts(facet) { Ok(()) } else { Err(Error::UntrustedFacet) }
    }
}

impl ChannelBinding {
    /// Whether `own` has what this one, as the client saw it, says of the certificate, and nothing differs that both
    /// know of the connection. Of its certificates a server knows all there is, so what it lacks is foreign; of a
    /// connection that ended before it, it may know nothing.
    fn agrees_with(&self, own: &Self) -> bool {
        fn has<T: PartialEq>(seen: &Option<T>, own: &Option<T>) -> bool {
            seen.is_none() || seen == own
        }
        fn differs<T: PartialEq>(seen: &Option<T>, own: &Option<T>) -> bool {
            matches!((seen, own), (Some(seen), Some(own)) if seen != own)
        }
        has(&self.server_end_point, &own.server_end_point)
            && has(&self.tls_server_certificate, &own.tls_server_certificate)
            && !differs(&self.tls_unique, &own.tls_unique)
            && !differs(&self.cid_pubkey, &own.cid_pubkey)
    }
}
