//! Faults against what is stated of a model: how it attests, by which certificates, and in which algorithm and version.

use super::signed::{ALGORITHM, VERSION, patch};
use super::{Misbehaviour, certificates};
use crate::authenticator::{AuthenticatorError, DeviceKey, Draft, Hierarchy};
use crate::crypto::PrivateKey;
use crate::tlv::tag;

/// Makes the draft wrong, if this is about what is stated; who signs it.
pub(super) fn spoil(how: Misbehaviour, draft: &mut Draft, key: &DeviceKey) -> Result<PrivateKey, AuthenticatorError> {
    match how {
        Misbehaviour::UncalledForFull => {
            let hierarchy = Hierarchy::of_model(key.aaid, key.private_key().algorithm())?;
            draft.attest_by(Some(hierarchy.attester));
        }
        Misbehaviour::SurrogateForFull => {
            draft.attest_by(None);
            patch(draft, ALGORITHM, &u16::from(key.private_key().algorithm()).to_le_bytes());
        }
        Misbehaviour::EcdaaAttestation => draft.attestation = Some(tag::ECDAA),
        Misbehaviour::OldVersion => patch(draft, VERSION, &[0, 0]),
        _ => {}
    }
    let Some(attester) = &draft.attester else { return Ok(key.private_key().clone()) };
    let signer = attester.key().clone();
    if certificates::concerns(how) {
        let vendor = attester.vendor().ok_or(AuthenticatorError::Misbehaviour(how))?;
        draft.certificates = certificates::spoiled(how, vendor, &signer)?;
    }
    Ok(signer)
}
