//! `serverData`: what the server sends along with a request and finds again in the answer. It is authenticated with
//! HMAC-SHA256 and bound to one operation, its kind and purpose, its user, its challenge and its end, so that the
//! operation can be looked up from an answer alone and an answer cannot be moved to another operation. Whoever sees it
//! learns none of that: it is enciphered by AES-256 in counter mode from the first half of its MAC on (as RFC 5297 has
//! it with another MAC), which differs wherever the text does.
//!
//! ```
//! use sidegate_uaf::server_data::{Binding, ServerDataKey};
//! use sidegate_uaf::wire::{Challenge, Operation};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (key, challenge) = (ServerDataKey::new(&[7; 32])?, Challenge::new([1; 32])?); // both random
//! let (operation_id, operation, purpose) = ("operation-1", Operation::Auth, "login");
//! let text = key.seal(&Binding {
//!     operation_id,
//!     operation,
//!     purpose,
//!     user: None,
//!     challenge: &challenge,
//!     expires_at: 120_000,
//! })?;
//! assert_eq!(key.open(&text)?.operation_id(), "operation-1");
//! assert!(ServerDataKey::new(&[8; 32])?.open(&text).is_err());
//! # Ok(())
//! # }
//! ```

use std::fmt;

use crate::crypto::{self, CipherKey, MacKey};
use crate::encoding::{self, Text};
use crate::error::Error;
use crate::relying_party::StartError;
use crate::wire::{Challenge, Operation, ServerDataText};

const DOMAIN: &[u8] = b"UAF serverData 2\0";
const USER_DOMAIN: &[u8] = b"UAF serverData 2 user\0";
const CIPHER_DOMAIN: &[u8] = b"UAF serverData 2 cipher\0";
const MAC_SIZE: usize = 32;
const TAG_SIZE: usize = 16;

/// The longest operation id and the longest purpose, in bytes.
pub const MAX_NAME: usize = 64;

/// The server's key for serverData. It does not print and is wiped when dropped.
#[derive(Clone)]
pub struct ServerDataKey {
    mac: MacKey,
    cipher: CipherKey,
}

impl fmt::Debug for ServerDataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerDataKey")
    }
}

/// What serverData is bound to.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// The caller's name for the operation, at most [`MAX_NAME`] bytes.
    pub operation_id: &'a str,
    /// `Reg` or `Auth`.
    pub operation: Operation,
    /// What the answer may be used for, in the caller's words, at most [`MAX_NAME`] bytes.
    pub purpose: &'a str,
    /// The user, where the operation has one. Only a keyed hash of it travels.
    pub user: Option<&'a str>,
    /// The nonce that goes with it.
    pub challenge: &'a Challenge,
    /// End of the operation, Unix time in milliseconds.
    pub expires_at: u64,
}

/// serverData whose MAC was verified: only [`ServerDataKey::open`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerData {
    operation_id: String,
    operation: u8,
    purpose: String,
    expires_at: u64,
    challenge: [u8; TAG_SIZE],
    user: [u8; TAG_SIZE],
}

impl ServerDataKey {
    /// A key out of 32 random bytes, the same ones at every node and after every restart.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub fn new(secret: &[u8; 32]) -> Result<Self, Error> {
        let mac = MacKey::new(secret).map_err(|_| Error::Internal)?;
        let cipher = CipherKey::new(mac.mac(&[CIPHER_DOMAIN]).map_err(|_| Error::Internal)?);
        Ok(Self { mac, cipher })
    }

    fn mac(&self, parts: &[&[u8]]) -> Result<[u8; MAC_SIZE], Error> {
        self.mac.mac(parts).map_err(|_| Error::Internal)
    }

    /// Makes the text for a request.
    ///
    /// # Errors
    /// [`StartError::Name`], [`StartError::Internal`].
    pub fn seal(&self, binding: &Binding<'_>) -> Result<ServerDataText, StartError> {
        let mut body = vec![operation_byte(binding.operation)];
        body.extend_from_slice(&binding.expires_at.to_be_bytes());
        body.extend_from_slice(&challenge_tag(binding.challenge));
        body.extend_from_slice(&self.user_tag(binding.challenge, binding.user).map_err(|_| StartError::Internal)?);
        for name in [binding.operation_id, binding.purpose] {
            let length = u8::try_from(name.len()).map_err(|_| StartError::Name)?;
            if name.len() > MAX_NAME {
                return Err(StartError::Name);
            }
            body.push(length);
            body.extend_from_slice(name.as_bytes());
        }
        self.close(&body).map_err(|_| StartError::Internal)
    }

    fn close(&self, body: &[u8]) -> Result<ServerDataText, Error> {
        let mac = self.mac(&[DOMAIN, body])?;
        let mut text = self.cipher.apply(&first_bytes(mac), body).map_err(|_| Error::Internal)?;
        text.extend_from_slice(&mac);
        Text::new(encoding::encode(&text)).map_err(|_| Error::Internal)
    }

    /// Says for whom a challenge is without saying who it is.
    fn user_tag(&self, challenge: &Challenge, user: Option<&str>) -> Result<[u8; TAG_SIZE], Error> {
        let user = user.map_or(&[][..], str::as_bytes);
        Ok(first_bytes(self.mac(&[USER_DOMAIN, challenge.as_bytes(), user])?))
    }

    /// Whether serverData was made for this user and this challenge.
    pub(crate) fn made_for(&self, data: &ServerData, challenge: &Challenge, user: Option<&str>) -> Result<bool, Error> {
        Ok(crypto::equal(&data.user, &self.user_tag(challenge, user)?))
    }

    /// Verifies a text that came back.
    ///
    /// # Errors
    /// [`Error::ServerDataBroken`] unless this key made it.
    pub fn open(&self, text: &ServerDataText) -> Result<ServerData, Error> {
        let bytes = encoding::decode(text.as_str()).map_err(|_| Error::ServerDataBroken)?;
        let (hidden, mac) = bytes.split_last_chunk::<MAC_SIZE>().ok_or(Error::ServerDataBroken)?;
        let body = self.cipher.apply(&first_bytes(*mac), hidden).map_err(|_| Error::Internal)?;
        if !crypto::equal(&self.mac(&[DOMAIN, &body])?, mac) {
            return Err(Error::ServerDataBroken);
        }
        ServerData::read(&body).ok_or(Error::ServerDataBroken)
    }
}

impl ServerData {
    fn read(body: &[u8]) -> Option<Self> {
        let (operation, rest) = body.split_first()?;
        let (expires_at, rest) = rest.split_first_chunk::<8>()?;
        let (challenge, rest) = rest.split_first_chunk::<TAG_SIZE>()?;
        let (user, rest) = rest.split_first_chunk::<TAG_SIZE>()?;
        let (operation_id, rest) = read_name(rest)?;
        let (purpose, rest) = read_name(rest)?;
        rest.is_empty().then(|| Self {
            operation_id,
            operation: *operation,
            purpose,
            expires_at: u64::from_be_bytes(*expires_at),
            challenge: *challenge,
            user: *user,
        })
    }

    /// The caller's name for the operation.
    #[must_use]
    pub fn operation_id(&self) -> &str {
        &self.operation_id
    }

    /// What the answer may be used for.
    #[must_use]
    pub fn purpose(&self) -> &str {
        &self.purpose
    }

    /// End of the operation, Unix time in milliseconds.
    #[must_use]
    pub const fn expires_at(&self) -> u64 {
        self.expires_at
    }

    pub(crate) fn is_for(&self, operation: Operation) -> bool {
        self.operation == operation_byte(operation)
    }

    pub(crate) fn issued_with(&self, challenge: &Challenge) -> bool {
        crypto::equal(&self.challenge, &challenge_tag(challenge))
    }
}

fn read_name(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((std::str::from_utf8(name).ok()?.to_owned(), rest))
}

fn challenge_tag(challenge: &Challenge) -> [u8; TAG_SIZE] {
    first_bytes(crypto::sha256(challenge.as_bytes()))
}

fn first_bytes(long: [u8; MAC_SIZE]) -> [u8; TAG_SIZE] {
    let mut tag = [0; TAG_SIZE];
    tag.iter_mut().zip(long).for_each(|(to, from)| *to = from);
    tag
}

const fn operation_byte(operation: Operation) -> u8 {
    match operation {
        Operation::Reg => 1,
        Operation::Auth => 2,
        Operation::Dereg => 3,
    }
}

#[cfg(test)]
mod tests;
