//! Password hashes: argon2id in the PHC string format.

use argon2::password_hash::{PasswordHashString, SaltString};
use argon2::{Argon2, PasswordHash as Phc, PasswordHasher, PasswordVerifier};
use serde::{Deserialize, Serialize};

use crate::jose;

/// An argon2id hash. Making and verifying one takes tens of milliseconds of CPU and 19 MiB (the crate's defaults,
/// OWASP's first recommendation): run it where blocking is allowed.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    phc: PasswordHashString,
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

/// A text that is no argon2id hash, or a password that can't be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an argon2id hash in PHC format")]
pub struct NoHash;

impl PasswordHash {
    /// Hashes a password with a new salt.
    ///
    /// # Errors
    /// Only for a password longer than 4 GiB.
    pub fn of(password: &[u8]) -> Result<Self, NoHash> {
        let salt = SaltString::encode_b64(uuid::Uuid::new_v4().as_bytes()).map_err(|_| NoHash)?;
        let phc = Argon2::default().hash_password(password, &salt).map_err(|_| NoHash)?;
        Ok(Self::stamped(phc.serialize()))
    }

    fn stamped(phc: PasswordHashString) -> Self {
        let stamp = PasswordStamp(jose::sha256(phc.as_bytes()));
        Self { phc, stamp }
    }

    /// Reads a PHC string.
    ///
    /// # Errors
    /// If it is not argon2id, or not complete.
    pub fn parse(text: &str) -> Result<Self, NoHash> {
        let phc = Phc::new(text).map_err(|_| NoHash)?;
        let complete = phc.algorithm == argon2::ARGON2ID_IDENT && phc.salt.is_some() && phc.hash.is_some();
        if complete { Ok(Self::stamped(phc.serialize())) } else { Err(NoHash) }
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
        for text in
            ["", "plain", "$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA", "$argon2id$v=19"]
        {
            assert_eq!(PasswordHash::parse(text), Err(NoHash), "{text}");
        }
    }

    #[test]
    fn never_printed() {
        let hash = PasswordHash::of(b"x").unwrap();
        assert_eq!(format!("{hash:?}"), "PasswordHash(…)");
    }
}
