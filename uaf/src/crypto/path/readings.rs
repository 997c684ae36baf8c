//! Certificates out of their DER. OpenSSL takes twice as long to read one as to check its signature, and all devices of a
//! batch attest with the same ones: those that have proved a model are kept as they were read.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use openssl::error::ErrorStack;
use openssl::x509::X509;

use super::CertificateError;

/// More than the batches that a model is delivered in; devices with a leaf each gain nothing.
const MOST: usize = 64;

/// A certificate in its one right form: what OpenSSL would write is what was received.
pub(super) fn read(der: &[u8]) -> Result<X509, CertificateError> {
    let read = || -> Result<_, ErrorStack> {
        let certificate = X509::from_der(der)?;
        Ok((certificate.to_der()? == der).then_some(certificate))
    };
    read().ok().flatten().ok_or(CertificateError::Malformed)
}

/// What was read before, by its DER. It spares reading alone: every path is validated anew.
#[derive(Clone, Default)]
pub(super) struct Readings(Arc<RwLock<HashMap<Vec<u8>, X509>>>);

impl Readings {
    /// The certificate, read or remembered.
    pub(super) fn read(&self, der: &[u8]) -> Result<X509, CertificateError> {
        let known = self.0.read().ok().and_then(|known| known.get(der).cloned());
        known.map_or_else(|| read(der), Ok)
    }

    /// Keeps a path that was found good: nobody but the vendor can fill this.
    pub(super) fn keep(&self, ders: &[&[u8]], certificates: &[X509]) {
        let all_known = |known: &HashMap<Vec<u8>, X509>| ders.iter().all(|der| known.contains_key(*der));
        if self.0.read().is_ok_and(|known| all_known(&known)) {
            return;
        }
        if let Ok(mut known) = self.0.write() {
            if known.len() + ders.len() > MOST {
                known.clear();
            }
            known.extend(ders.iter().map(|der| der.to_vec()).zip(certificates.iter().cloned()));
        }
    }
}

/// What is remembered makes no difference.
impl PartialEq for Readings {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Readings {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::Algorithm;
    use crate::authenticator::Hierarchy;

    fn certificate() -> Vec<u8> {
        Hierarchy::of_model("D0D0#0001".parse().unwrap(), Algorithm::P256Raw).unwrap().root
    }

    #[test]
    fn what_is_kept_is_found_by_all_its_bytes() {
        let (readings, der) = (Readings::default(), certificate());
        let first = readings.read(&der).unwrap();
        readings.keep(&[&der], std::slice::from_ref(&first));
        assert_eq!(readings.0.read().unwrap().len(), 1);
        assert_eq!(readings.read(&der).unwrap().to_der().unwrap(), der);
        for other in [&der[..der.len() - 1], &[&der[..], &[0]].concat()] {
            assert_eq!(readings.read(other).unwrap_err(), CertificateError::Malformed);
        }
    }

    #[test]
    fn no_more_is_kept_than_is_said() {
        let (readings, der) = (Readings::default(), certificate());
        let certificate = read(&der).unwrap();
        for number in 0..=u8::try_from(MOST).unwrap() {
            readings.keep(&[&[number]], std::slice::from_ref(&certificate));
        }
        assert_eq!(readings.0.read().unwrap().len(), 1);
    }
}
