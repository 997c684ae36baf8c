//! A credential as the protocol has it, as it is stored, and as a status shows it.

use sidegate_filters::clock::Millis;
use sidegate_uaf::encoding::Octets;
use sidegate_uaf::relay::Issue;
use sidegate_uaf::wire::Reply;
use sidegate_uaf::{Algorithm, Credential, Error, KeyFormat, KeyId, KeyRef, StatusCode};

use super::{FidoError, Scope, Subject, internal};
use crate::store::operation::Authenticator;
use crate::store::{self, CredentialError, CredentialKey, ExtId, KeyBehind, Removal, Standing};

/// The records that a deregistration ends.
impl From<&Scope> for Removal {
    fn from(scope: &Scope) -> Self {
        match scope {
            Scope::User => Self::All,
            Scope::Model(aaid) => Self::Model(aaid.as_str().to_owned()),
            Scope::Key(key) => Self::Key(record_key(key)),
        }
    }
}

/// The record of a new credential, with what the phone says of itself.
pub(super) fn to_record(credential: &Credential, reply: &Reply, now: Millis) -> store::Credential {
    let pictures = &credential.png_characteristics;
    store::Credential {
        key: CredentialKey::new(credential.aaid.as_str(), credential.key_id.as_bytes()),
        ext_id: ExtId::random().to_string(),
        owner: credential.user.as_str().into(),
        public_key: credential.public_key.as_bytes().to_vec(),
        key_format: credential.key_format.into(),
        algorithm: credential.algorithm.into(),
        sign_counter: credential.sign_counter,
        registration_counter: credential.registration_counter,
        authenticator_version: credential.authenticator_version,
        device_id: reply.device_id.clone(),
        device_name: reply.device_name.clone(),
        // Numbers always have a JSON form.
        pictures: (!pictures.is_empty()).then(|| serde_json::to_string(pictures).unwrap_or_default()),
        created: now,
        last_used: None,
    }
}

/// The record of a key that an upstream has: whose it is, what the phone says of itself, and the request that it answered.
pub(super) fn of_upstream(
    key: &KeyRef,
    user: &Subject,
    reply: &Reply,
    issue: &Issue,
    standing: Standing,
    now: Millis,
) -> KeyBehind {
    KeyBehind {
        key: record_key(key),
        ext_id: ExtId::random().to_string(),
        owner: user.ext_id.clone(),
        device_id: reply.device_id.clone(),
        device_name: reply.device_name.clone(),
        created: now,
        app_id: issue.app_id().map(|app_id| app_id.as_str().to_owned()),
        standing,
    }
}

/// The credential of a record.
pub(super) fn from_record(record: &store::Credential) -> Result<Credential, FidoError> {
    let KeyRef { aaid, key_id } = protocol_key(&record.key)?;
    Ok(Credential {
        user: record.owner.to_string(),
        aaid,
        key_id,
        authenticator_version: record.authenticator_version,
        algorithm: Algorithm::try_from(record.algorithm).map_err(|error| internal(&error))?,
        key_format: KeyFormat::try_from(record.key_format).map_err(|error| internal(&error))?,
        public_key: Octets::new(record.public_key.as_slice()).map_err(|error| internal(&error))?,
        sign_counter: record.sign_counter,
        registration_counter: record.registration_counter,
        png_characteristics: match &record.pictures {
            Some(kinds) => serde_json::from_str(kinds).map_err(|error| internal(&error))?,
            None => Vec::new(),
        },
    })
}

/// How the status names a key.
pub(super) fn shown(key: &CredentialKey, ext_id: &str) -> Authenticator {
    Authenticator {
        aaid: key.aaid().to_owned(),
        key_id: sidegate_uaf::encoding::encode(key.key_id()),
        ext_id: ext_id.to_owned(),
    }
}

/// What a key is stored under.
pub(super) fn record_key(key: &KeyRef) -> CredentialKey {
    CredentialKey::new(key.aaid.as_str(), key.key_id.as_bytes())
}

/// What a key of a server behind is called in requests.
///
/// # Errors
/// Our own fault: what was stored is no key of UAF.
pub fn key_ref(record: &KeyBehind) -> Result<KeyRef, FidoError> {
    protocol_key(&record.key)
}

/// A stored key as the protocol has it.
pub(super) fn protocol_key(key: &CredentialKey) -> Result<KeyRef, FidoError> {
    let aaid = key.aaid().parse().map_err(|error| internal(&error))?;
    Ok(KeyRef { aaid, key_id: KeyId::new(key.key_id()).map_err(|error| internal(&error))? })
}

/// Keys that are not kept can't be registered; the log gets the reason.
pub(super) fn refuse_unkept(error: CredentialError) -> FidoError {
    let code = match error {
        CredentialError::Registered => Error::AlreadyRegistered.status(),
        CredentialError::TooMany => StatusCode::FORBIDDEN,
        CredentialError::NotFirst => Error::UserNotAuthenticated.status(),
        CredentialError::Store(error) => return FidoError::Store(error),
    };
    tracing::info!(reason = %error, "a UAF registration is refused");
    FidoError::Refused(code)
}
