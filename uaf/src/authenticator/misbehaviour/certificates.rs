//! Certificates that a vendor should not have issued, or that a device should not have sent so.

use super::Misbehaviour;
use crate::authenticator::vendor::Vendor;
use crate::authenticator::{AuthenticatorError, CertificateExtension, CertificateFields};
use crate::crypto::PrivateKey;

/// The end of 2021, Unix time.
const LONG_AGO: i64 = 1_640_995_199;
/// DER of the AAID of a model that nobody makes.
const OTHER_MODEL: &[u8] = b"\x04\x09FFFF#FFFF";

/// Whether this is about certificates.
pub(super) const fn concerns(how: Misbehaviour) -> bool {
    use Misbehaviour as M;
    matches!(
        how,
        M::NoCertificate
            | M::ReversedCertificates
            | M::MissingIssuer
            | M::IssuerNoAuthority
            | M::ExpiredCertificate
            | M::ConstrainedName
            | M::CertificateOfOther
            | M::ForgedCertificate
            | M::LongPath
            | M::TwentyCertificates
            | M::GarbageCertificate
    )
}

/// The certificates of this key, wrong in one respect.
pub(super) fn spoiled(
    how: Misbehaviour,
    vendor: &Vendor,
    key: &PrivateKey,
) -> Result<Vec<Vec<u8>>, AuthenticatorError> {
    let (mut leaf, mut authority) = (vendor.leaf(), Vendor::authority());
    match how {
        Misbehaviour::IssuerNoAuthority => {
            authority.extensions = vec![CertificateExtension::basic_constraints(false, None)];
        }
        Misbehaviour::ConstrainedName => authority.extensions.push(CertificateExtension::permitted_name("other")),
        Misbehaviour::ExpiredCertificate => leaf.not_after = LONG_AGO,
        Misbehaviour::CertificateOfOther => {
            let names = leaf.extensions.iter_mut().filter(|extension| !extension.critical);
            names.for_each(|extension| extension.value = OTHER_MODEL.to_vec());
        }
        Misbehaviour::LongPath => return vendor.issue(key, &leaf, &authorities(9)),
        Misbehaviour::TwentyCertificates => return vendor.issue(key, &leaf, &authorities(19)),
        _ => {}
    }
    let issue = || vendor.issue(key, &leaf, std::slice::from_ref(&authority));
    let mut path = issue()?;
    match how {
        Misbehaviour::NoCertificate => path.clear(),
        Misbehaviour::ReversedCertificates => path.reverse(),
        Misbehaviour::MissingIssuer => path.truncate(1),
        // Its issuer has the right name, and a key of its own.
        Misbehaviour::ForgedCertificate => {
            path = issue()?.into_iter().take(1).chain(path.into_iter().skip(1)).collect()
        }
        Misbehaviour::GarbageCertificate => path.iter_mut().take(1).for_each(|leaf| *leaf = vec![0]),
        _ => {}
    }
    Ok(path)
}

/// Authorities below each other, with names as short as an assertion wants them.
fn authorities(count: usize) -> Vec<CertificateFields> {
    (0..count).map(|number| CertificateFields::authority(&number.to_string(), None)).collect()
}
