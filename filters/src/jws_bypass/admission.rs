//! The rows of `http-api.md` 1.1 that a request is judged by alone, without what happened before.

use std::time::Duration;

use super::claims::ModifyClaims;
use super::refusal::{Refusal, Stop};
use super::{BODY_LIMIT, RegisteredKey, ReplayId, VerifiedModify};
use crate::clock::Millis;
use crate::jws::{Algorithm, CompactJws, UnverifiedJws};

/// The longest id of a target, in bytes: longer than any server makes.
const LONGEST_ID: usize = 256;

/// A request that is in good form, for this target, and of now (rows 1 to 7). Nothing of it is known to be signed.
pub(super) struct Aimed<'b> {
    jws: UnverifiedJws<'b>,
    request_id: String,
    /// When it was signed, as it says.
    created: Millis,
}

impl<'b> Aimed<'b> {
    pub(super) fn parse(body: &'b [u8], target_id: &str, now: Millis, skew: Duration) -> Result<Self, Refusal> {
        let jws = CompactJws::parse(body, BODY_LIMIT)?;
        let claims = ModifyClaims::parse(jws.unverified_payload()).map_err(Refusal::Claims)?;
        let jws = jws.admit(&Algorithm::ALL)?;
        if claims.target_id.as_deref().is_some_and(|named| named != target_id) {
            return Err(Refusal::OtherTarget);
        }
        let apart = Duration::from_millis(now.0.abs_diff(claims.created.0));
        if apart > skew {
            return Err(Refusal::Time);
        }
        if !is_id(target_id) {
            return Err(Refusal::UnknownTarget);
        }
        Ok(Self { jws, request_id: claims.request_id, created: claims.created })
    }

    /// For a server behind that owns the keys.
    pub(super) fn believed(self, target_id: &str) -> Admitted {
        let ids = ReplayId::believed(&self.jws.signing_digest(), target_id, &self.request_id);
        Admitted { created: self.created, subject: Subject::Believed { target_id: target_id.to_owned(), ids } }
    }

    /// Row 9.
    pub(super) fn verified(self, target_id: &str, registered: &RegisteredKey) -> Result<Admitted, Refusal> {
        let verified = self.jws.verify(&registered.key).map_err(Refusal::Signature)?;
        let claims = ModifyClaims::parse(verified.payload()).map_err(Refusal::Claims)?;
        if registered.serves_several && claims.target_id.is_none() {
            return Err(Refusal::NoTargetNamed);
        }
        let thumbprint = *registered.key.thumbprint();
        let modify = VerifiedModify { target_id: target_id.to_owned(), thumbprint, change: claims.change };
        let id = ReplayId::signed(&thumbprint, &claims.request_id);
        Ok(Admitted { created: self.created, subject: Subject::Verified { modify, id } })
    }
}

/// Whether a target can have this id: letters, digits, `-`, `_`, and dots between them. What a server might read as
/// another spelling of one (an escape, `+`, a dot at the end) is none.
fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.len() <= LONGEST_ID && text.bytes().all(plain) && !text.starts_with('.') && !text.ends_with('.')
}

/// A request that may pass, and used nothing up yet.
#[derive(Clone)]
pub(super) struct Admitted {
    /// When it was signed, as it says.
    pub(super) created: Millis,
    pub(super) subject: Subject,
}

#[derive(Clone)]
pub(super) enum Subject {
    Verified {
        modify: VerifiedModify,
        id: ReplayId,
    },
    /// With the target that the path named.
    Believed {
        target_id: String,
        ids: [ReplayId; 2],
    },
}

impl Admitted {
    pub(super) fn target_id(&self) -> &str {
        match &self.subject {
            Subject::Verified { modify, .. } => modify.target_id(),
            Subject::Believed { target_id, .. } => target_id,
        }
    }

    /// What it is remembered by.
    pub(super) fn ids(&self) -> &[ReplayId] {
        match &self.subject {
            Subject::Verified { id, .. } => std::slice::from_ref(id),
            Subject::Believed { ids, .. } => ids,
        }
    }

    /// What its rate goes by: a target only where its own key signed.
    pub(super) fn counted(&self) -> &str {
        match &self.subject {
            Subject::Verified { modify, .. } => modify.target_id(),
            Subject::Believed { ids: [message, _], .. } => message.as_str(),
        }
    }

    pub(super) fn is_verified(&self) -> bool {
        matches!(self.subject, Subject::Verified { .. })
    }

    /// Row 11.
    pub(super) fn changes_something(&self) -> Result<(), Stop> {
        match &self.subject {
            Subject::Verified { modify, .. } if modify.change().is_empty() => Err(Refusal::NothingToChange.into()),
            _ => Ok(()),
        }
    }
}
