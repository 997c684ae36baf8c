//! The only place of this crate that knows OpenSSL: hashes, MACs, public keys and signatures of uaf.md A6, and the
//! private keys of the software authenticator.

mod elliptic;
mod mac;
mod private;
mod rsa;
mod verify;

pub(crate) use mac::MacKey;
pub use private::{PrivateKey, PrivateKeyError};
pub use verify::{KeyError, VerificationKey};

/// SHA-256, the hash of every algorithm that is served.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    openssl::sha::sha256(bytes)
}

/// Compares without telling by time where the difference is.
pub(crate) fn equal(left: &[u8], right: &[u8]) -> bool {
    use subtle::ConstantTimeEq as _;
    left.ct_eq(right).into()
}
