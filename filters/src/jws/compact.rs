//! A compact JWS on its way from bytes to something signed (RFC 7515, section 7.1).

use openssl::sha::sha256;

use super::base64url;
use super::json::{self, JsonError};
use super::{Algorithm, Header, SignatureError, VerificationKey};

/// Why a message is refused.
#[derive(Debug, thiserror::Error)]
pub enum JwsError {
    /// Longer than the caller takes.
    #[error("the JWS is longer than {0} bytes")]
    TooLong(usize),
    /// Not three parts with two dots between them, or a part is empty.
    #[error("a compact JWS has three parts, none empty")]
    Parts,
    /// A part is not canonical base64url.
    #[error("a part of the JWS is {0}")]
    Encoding(#[from] base64url::Base64UrlError),
    /// The header is no strict JSON object.
    #[error("the header of the JWS is {0}")]
    HeaderJson(#[source] JsonError),
    /// A header member that has the wrong type.
    #[error("{0} in the header of the JWS must be a string")]
    HeaderMember(&'static str),
    /// `alg` is missing or not one of those that the caller takes.
    #[error("alg of the JWS is none of the accepted ones")]
    Algorithm,
    /// A header member that is never accepted.
    #[error("{0} in the header of the JWS is not accepted")]
    RefusedMember(&'static str),
    /// The key did not sign this.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

/// A well-formed compact JWS. Nobody vouches for what it says.
#[derive(Debug)]
pub struct CompactJws<'a> {
    signing_input: &'a [u8],
    header: Header,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> CompactJws<'a> {
    /// Takes a message of at most `limit` bytes apart.
    ///
    /// # Errors
    /// When it is too long or malformed.
    pub fn parse(compact: &'a [u8], limit: usize) -> Result<Self, JwsError> {
        if compact.len() > limit {
            return Err(JwsError::TooLong(limit));
        }
        let mut parts = compact.split(|byte| *byte == b'.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(JwsError::Parts);
        };
        if header.is_empty() || payload.is_empty() || signature.is_empty() {
            return Err(JwsError::Parts);
        }
        let signing_input = compact.get(..header.len() + 1 + payload.len()).ok_or(JwsError::Parts)?;
        let (header, payload, signature) =
            (base64url::decode(header)?, base64url::decode(payload)?, base64url::decode(signature)?);
        let members = json::object(&header).map_err(JwsError::HeaderJson)?;
        Ok(Self { signing_input, header: Header::from_members(&members)?, payload, signature })
    }

    /// What the message claims; for checks that may only refuse.
    #[must_use]
    pub fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }

    /// Applies the header rules: `alg` is one of `allowed`, and no member is there that brings a key of its own or
    /// changes the meaning (`crit`, `jwk`, `jku`, `x5c`, `x5u`, `b64`).
    ///
    /// # Errors
    /// [`JwsError::Algorithm`], then [`JwsError::RefusedMember`].
    pub fn admit(self, allowed: &[Algorithm]) -> Result<UnverifiedJws<'a>, JwsError> {
        let named = self.header.alg().and_then(Algorithm::from_name);
        let algorithm = named.filter(|algorithm| allowed.contains(algorithm)).ok_or(JwsError::Algorithm)?;
        match self.header.refused() {
            Some(member) => Err(JwsError::RefusedMember(member)),
            None => Ok(UnverifiedJws { jws: self, algorithm }),
        }
    }
}

/// A message whose header obeys the rules and which may therefore meet a key.
#[derive(Debug)]
pub struct UnverifiedJws<'a> {
    jws: CompactJws<'a>,
    algorithm: Algorithm,
}

impl UnverifiedJws<'_> {
    /// The header, to choose a key by `kid`.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.jws.header
    }

    /// The algorithm that the header names, one of those that were allowed.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What the message claims; for checks that may only refuse.
    #[must_use]
    pub fn unverified_payload(&self) -> &[u8] {
        self.jws.unverified_payload()
    }

    /// SHA-256 of what is signed, header and payload: whoever has no key can't give it another value.
    #[must_use]
    pub fn signing_digest(&self) -> [u8; 32] {
        sha256(self.jws.signing_input)
    }

    /// Verifies the signature.
    ///
    /// # Errors
    /// When the algorithm does not fit the key, or the key did not sign these bytes.
    pub fn verify(self, key: &VerificationKey) -> Result<VerifiedJws, SignatureError> {
        key.verify(self.algorithm, self.jws.signing_input, &self.jws.signature)?;
        Ok(VerifiedJws { header: self.jws.header, payload: self.jws.payload })
    }
}

/// A message that the key has signed.
#[derive(Debug)]
pub struct VerifiedJws {
    header: Header,
    payload: Vec<u8>,
}

impl VerifiedJws {
    /// The signed header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The signed bytes.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The signed bytes, owned.
    #[must_use]
    pub fn into_payload(self) -> Vec<u8> {
        self.payload
    }
}
