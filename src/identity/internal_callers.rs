//! Internal callers: each proves who it is by a static bearer, kept in a file of mode 0600, by a client certificate, or by
//! a token of an issuer that is trusted (`gateway.md` 2.4).

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sidegate_filters::clock::Clock;
use sidegate_filters::identity_creation::{BadToken, InternalCallers};
use sidegate_filters::jws::base64url;
use sidegate_filters::{CertificateDigest, Client, FilterError, KnownCaller};
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use super::jwt::{Issuer, Named, Refusal, Verifier};
use crate::jose;
use crate::store::{DataFolder, FolderError, private_file};

const SHORTEST: usize = 32;
/// How far the clock of an issuer of callers' tokens may be ahead.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// A bearer as it is kept: nothing but its SHA-256, which also makes all of one length.
#[derive(Clone, PartialEq, Eq)]
pub struct BearerHash([u8; 32]);

/// A bearer's file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum BearerError {
    /// The file system said no, or others may read the file.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file is not there.
    #[error("{0} is missing")]
    Missing(String),
    /// The content is no bearer.
    #[error("{0} must hold a bearer of at least 32 characters of A-Z a-z 0-9 - . _ ~ + / =, and nothing else")]
    Content(String),
    /// The data folder failed.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Two callers prove themselves by the same.
    #[error(
        "two internal callers have the same bearer or certificate, `{0}` and `{1}`; make a new one for one of them"
    )]
    Shared(String, String),
}

impl BearerHash {
    /// Reads the bearer of a file.
    ///
    /// # Errors
    /// When it is missing, readable for others, or holds something else.
    pub fn read(path: &Path) -> Result<Self, BearerError> {
        let shown = path.display().to_string();
        let content = private_file::read(path)?.ok_or_else(|| BearerError::Missing(shown.clone()))?;
        Self::of(&content).ok_or(BearerError::Content(shown))
    }

    /// Reads this file of the data folder, made with a random bearer where it is missing.
    ///
    /// # Errors
    /// As [`BearerHash::read`].
    pub fn read_or_make(folder: &DataFolder, file: &str) -> Result<Self, BearerError> {
        let content = folder.read_or_make(file, || {
            let bytes = Zeroizing::new(jose::random::<32>()?);
            Ok::<_, jose::CryptoError>(Zeroizing::new(
                format!("{}\n", base64url::encode(bytes.as_slice())).into_bytes(),
            ))
        })?;
        Self::of(&content).ok_or_else(|| BearerError::Content(folder.file(file).display().to_string()))
    }

    pub(super) fn of(content: &[u8]) -> Option<Self> {
        let bearer = content.trim_ascii();
        let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
        (bearer.len() >= SHORTEST && bearer.iter().all(fits)).then(|| Self(jose::sha256(bearer)))
    }
}

/// What proves a caller that shows the same each time.
#[derive(Clone, PartialEq, Eq)]
pub enum Proof {
    /// A bearer.
    Bearer(BearerHash),
    /// One of these certificates.
    Certificates(Vec<CertificateDigest>),
}

impl Proof {
    fn is_shared_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bearer(one), Self::Bearer(other)) => one == other,
            (Self::Certificates(ones), Self::Certificates(others)) => ones.iter().any(|one| others.contains(one)),
            _ => false,
        }
    }
}

/// The configured callers.
pub struct ConfiguredCallers {
    proven: Vec<(KnownCaller, Proof)>,
    /// Those with tokens, in the order of the verifier's issuers, each of which is bound to one of them.
    named: Vec<KnownCaller>,
    tokens: Verifier,
}

impl ConfiguredCallers {
    /// These callers, and those with tokens, each with the issuer that names it alone.
    ///
    /// # Errors
    /// When two of them could not be told apart.
    pub fn new(
        callers: Vec<(KnownCaller, Proof)>,
        with_tokens: Vec<(KnownCaller, Issuer)>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BearerError> {
        for (index, (caller, proof)) in callers.iter().enumerate() {
            let same = |(_, other): &&(KnownCaller, Proof)| other.is_shared_with(proof);
            if let Some((other, _)) = callers.iter().skip(index + 1).find(same) {
                return Err(BearerError::Shared(caller.name.clone(), other.name.clone()));
            }
        }
        let (named, issuers) = with_tokens.into_iter().unzip();
        Ok(Self { proven: callers, named, tokens: Verifier::new(issuers, CLOCK_SKEW, clock) })
    }

    /// Looks at every caller, so that the time tells nothing about which one fits.
    fn with_bearer(&self, bearer: &str) -> Option<KnownCaller> {
        let shown = jose::sha256(bearer.as_bytes());
        let mut found = None;
        for (caller, proof) in &self.proven {
            let Proof::Bearer(BearerHash(hash)) = proof else { continue };
            let same: Choice = hash.ct_eq(&shown);
            if same.into() {
                found = Some(caller.clone());
            }
        }
        found
    }

    async fn with_token(&self, token: &str, client: &Client) -> Result<KnownCaller, Refusal> {
        let (verified, _) = self.tokens.judge(token, client, &mut Named::default()).await?;
        let caller = self.named.get(verified.issuer).cloned();
        caller.ok_or_else(|| FilterError::Internal("an issuer of tokens names no internal caller".to_owned()).into())
    }
}

#[async_trait]
impl InternalCallers for ConfiguredCallers {
    async fn find(&self, bearer: &str, client: &Client) -> Result<Result<KnownCaller, BadToken>, FilterError> {
        if let Some(caller) = self.with_bearer(bearer) {
            return Ok(Ok(caller));
        }
        if self.named.is_empty() || !bearer.contains('.') {
            return Ok(Err(BadToken("it is no caller's bearer")));
        }
        match self.with_token(bearer, client).await {
            Ok(caller) => Ok(Ok(caller)),
            Err(Refusal::Bad(bad)) => Ok(Err(bad)),
            Err(Refusal::Undecided(error)) => Err(error),
        }
    }

    async fn of_certificate(&self, shown: &CertificateDigest) -> Result<Option<KnownCaller>, FilterError> {
        let is_it =
            |(_, proof): &&(KnownCaller, Proof)| matches!(proof, Proof::Certificates(known) if known.contains(shown));
        Ok(self.proven.iter().find(is_it).map(|(caller, _)| caller.clone()))
    }
}

#[cfg(test)]
mod tests;
