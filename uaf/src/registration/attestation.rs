//! What proves the model of a new key (UAF protocol 1.1, "Registration Response Processing Rules for FIDO Server",
//! on attestations).

use crate::algorithm::{Algorithm, AttestationType};
use crate::assertion::RegistrationAssertion;
use crate::crypto::VerificationKey;
use crate::error::Error;
use crate::metadata::{Model, Models};

/// Whether the model proves itself by this type. A model with roots that presents a surrogate has been downgraded, and
/// one without roots cannot prove itself by certificates.
pub(super) fn check_type(kind: AttestationType, model: &Model) -> Result<(), Error> {
    use AttestationType::{BasicFull, BasicSurrogate};
    match (kind, model.attestation) {
        (BasicFull, BasicFull) | (BasicSurrogate, BasicSurrogate) => Ok(()),
        (BasicFull, BasicSurrogate) => Err(Error::AttestationWithoutRoots),
        (BasicSurrogate, BasicFull) => Err(Error::AttestationDowngrade),
        _ => Err(Error::AttestationType),
    }
}

/// Under what an attestation is verified.
pub(super) struct Circumstances<'a> {
    pub(super) algorithm: Algorithm,
    /// All models, of which others may have the same roots.
    pub(super) models: &'a Models,
    /// Unix time in milliseconds.
    pub(super) now: u64,
}

/// Verifies the attestation signature: of a surrogate with the new key itself, else with the key of a leaf that leads
/// to a root of the model and is for no other model.
pub(super) fn verify(
    read: &RegistrationAssertion<'_>,
    new_key: VerificationKey,
    model: &Model,
    circumstances: &Circumstances<'_>,
) -> Result<(), Error> {
    let attesting = if read.attestation.kind == AttestationType::BasicFull {
        let (aaid, models) = (read.common.aaid, circumstances.models);
        let leaf = model.roots.validate(&read.attestation.certificates, circumstances.now, models.aging(aaid))?;
        models.attribute(&leaf, aaid)?;
        leaf.key(circumstances.algorithm)?
    } else {
        new_key
    };
    let good = attesting.verifies(read.common.signed, read.common.signature);
    if good { Ok(()) } else { Err(Error::AttestationSignature) }
}
