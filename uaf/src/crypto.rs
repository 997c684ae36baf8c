//! The only place of this crate that knows OpenSSL: hashes, MACs, public keys, signatures and certificates, and the
//! private keys and certificates of the software authenticator.

mod cipher;
mod der;
mod elliptic;
#[cfg(feature = "authenticator")]
mod issue;
mod mac;
mod path;
mod private;
mod rsa;
mod verify;

pub(crate) use cipher::CipherKey;
#[cfg(feature = "authenticator")]
pub use issue::{CertificateDigest, CertificateExtension, CertificateFields};
pub(crate) use mac::MacKey;
pub use path::CertificateError;
pub(crate) use path::{Aging, Leaf, TrustAnchors};
pub use private::{PrivateKey, PrivateKeyError};
pub use verify::{KeyError, VerificationKey};

/// What OpenSSL says of its errors stays on the thread even where a call returns no error, and the next TLS connection
/// there would take it for its own: whoever holds this leaves nothing there, however they end.
struct Leftovers;

impl Drop for Leftovers {
    fn drop(&mut self) {
        drop(openssl::error::ErrorStack::get());
    }
}

/// SHA-256, the hash of every algorithm that is served.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    openssl::sha::sha256(bytes)
}

/// SHA-1, which nothing here believes: for clients that misbehave.
#[cfg(feature = "authenticator")]
pub(crate) fn sha1(bytes: &[u8]) -> [u8; 20] {
    openssl::sha::sha1(bytes)
}

/// Compares without telling by time where the difference is.
pub(crate) fn equal(left: &[u8], right: &[u8]) -> bool {
    use subtle::ConstantTimeEq as _;
    left.ct_eq(right).into()
}
