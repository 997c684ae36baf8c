//! Password hashes: argon2id in the PHC string format.

mod cost;

use argon2::password_hash::{PasswordHashString, SaltString};
use argon2::{Argon2, MIN_SALT_LEN, PasswordHash as Phc, PasswordHasher, PasswordVerifier};
use serde::{Deserialize, Serialize};

use crate::jose;
pub use cost::{Cost, Costs, TooManyKinds};

/// An argon2id hash. Making one takes tens of milliseconds of CPU and 19 MiB, verifying one what its [`Cost`] says: run it
/// where blocking is allowed.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    phc: PasswordHashString,
    cost: Cost,
    stamp: PasswordStamp,
}

/// Tells one password of a user from the next without telling anything about either: SHA-256 of the hash with its salt.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordStamp(pub [u8; 32]);

impl std::fmt::Debug for PasswordStamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordStamp(…)")
    }
}

/// A text that is no hash to check passwords with, or a password that can't be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadHash {
    /// Not of argon2id, not complete, or with parameters that argon2id does not have.
    #[error("the hash is not argon2id in PHC format, or its version, parameters or salt are none that argon2id has")]
    Malformed,
    /// It asks for more than whoever names its user may have this machine do.
    #[error(
        "checking the hash takes too much: memory may be m={} at most (KiB), m times t {}, and p={}",
        Cost::MEMORY,
        Cost::WORK,
        Cost::LANES
    )]
    TooDear,
}

impl PasswordHash {
    /// Hashes a password with a new salt.
    ///
    /// # Errors
    /// Only for a password longer than 4 GiB.
    pub fn of(password: &[u8]) -> Result<Self, BadHash> {
        let salt = SaltString::encode_b64(uuid::Uuid::new_v4().as_bytes()).map_err(|_| BadHash::Malformed)?;
        let phc = Argon2::default().hash_password(password, &salt).map_err(|_| BadHash::Malformed)?;
        Self::checked(&phc)
    }

    /// What fails while a password is verified would show, by the time that it does not take, whose hash it is.
    fn checked(phc: &Phc<'_>) -> Result<Self, BadHash> {
        let salt = phc.salt.ok_or(BadHash::Malformed)?;
        let has_salt = salt.decode_b64(&mut [0; 64]).is_ok_and(|salt| salt.len() >= MIN_SALT_LEN);
        if phc.algorithm != argon2::ARGON2ID_IDENT || phc.hash.is_none() || !has_salt {
            return Err(BadHash::Malformed);
        }
        let (cost, phc) = (Cost::of(phc)?, phc.serialize());
        let stamp = PasswordStamp(jose::sha256(phc.as_bytes()));
        Ok(Self { phc, cost, stamp })
    }

    /// Reads a PHC string.
    ///
    /// # Errors
    /// If it is not argon2id, not complete, or too dear.
    pub fn parse(text: &str) -> Result<Self, BadHash> {
        Self::checked(&Phc::new(text).map_err(|_| BadHash::Malformed)?)
    }

    /// What it costs to verify a password.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// Whether this is the password's hash; compared in constant time.
    #[must_use]
    pub fn verify(&self, password: &[u8]) -> bool {
        Argon2::default().verify_password(password, &self.phc.password_hash()).is_ok()
    }

    /// The PHC string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.phc.as_str()
    }

    /// The stamp: another one after each change of the password.
    #[must_use]
    pub fn stamp(&self) -> PasswordStamp {
        self.stamp
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_verifies() {
        let hash = PasswordHash::of(b"correct horse").unwrap();
        assert!(hash.as_str().starts_with("$argon2id$"));
        assert!(hash.verify(b"correct horse"));
        assert!(!hash.verify(b"correct hors"));
        assert_eq!(PasswordHash::parse(hash.as_str()).unwrap(), hash);
        assert_ne!(PasswordHash::of(b"correct horse").unwrap(), hash, "each hash has a salt of its own");
    }

    #[test]
    fn other_hashes_are_refused() {
        for text in [
            "",
            "plain",
            "$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA",
            "$argon2id$v=19",
            "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaGhhc2hoYXNoaGFzaA",
            "$argon2id$v=19$m=19456,t=2,p=1$salt.salt.salt$aGFzaGhhc2hoYXNoaGFzaA",
        ] {
            assert_eq!(PasswordHash::parse(text), Err(BadHash::Malformed), "{text}");
        }
    }

    #[test]
    fn never_printed() {
        let hash = PasswordHash::of(b"x").unwrap();
        assert_eq!(format!("{hash:?}"), "PasswordHash(…)");
    }
}
