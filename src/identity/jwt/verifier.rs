//! Whose tokens are good: each is looked at whole once, and remembered until it ends or its key leaves the issuer's key set.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use sidegate_filters::clock::Clock;
use sidegate_filters::identity_creation::BadToken;
use sidegate_filters::jws::{Algorithm, CompactJws, JwsError, Thumbprint, UnverifiedJws, json};
use sidegate_filters::recent::Recent;
use sidegate_filters::{Client, FilterError};

use super::claims::{Claim, Said};
use super::issuer_keys::IssuerKeys;
use super::key_set::NoKey;
use crate::jose::sha256;

/// The longest token, in bytes.
const LONGEST: usize = 8 * 1024;
/// The longest `kid` that is logged, in bytes.
const LONGEST_KID: usize = 64;
/// Verified tokens that are remembered, about 1 KiB each.
const REMEMBERED: usize = 20_000;

/// Whose tokens are taken, and how they are read.
pub struct Issuer {
    /// `iss`, byte for byte.
    pub issuer: String,
    /// What `aud` has to hold.
    pub audience: String,
    /// The algorithms that it may sign with.
    pub algorithms: Vec<Algorithm>,
    /// `typ` of its tokens; `None`: `JWT`, `at+jwt` or none at all.
    pub typ: Option<String>,
    /// The claim that names the user.
    pub user: Claim,
    /// The claim with the login name; `None`: the same.
    pub name: Option<Claim>,
    /// The claim with the user's roles; `None`: nobody asks for any.
    pub roles: Option<Claim>,
    /// Values of `acr` that are worth another level than the realm's.
    pub levels: Vec<(String, u8)>,
    /// Texts that claims of its tokens must have: of others of its tokens it is none.
    pub bound: Vec<(Claim, String)>,
    /// Its keys.
    pub keys: IssuerKeys,
}

/// The one judge of tokens: of those that users show, and of those of internal callers.
pub struct Verifier {
    pub(super) issuers: Vec<Issuer>,
    /// How far an issuer's clock may be ahead.
    clock_skew: Duration,
    verified: Mutex<Recent<[u8; 32], Arc<Verified>>>,
    clock: Arc<dyn Clock>,
}

/// What came of a token.
pub(in crate::identity) struct Verified {
    pub(in crate::identity) said: Said,
    /// The SHA-256 of what is signed in it. Of one text there may be several good signatures, and whoever has one can make
    /// another (ECDSA).
    pub(in crate::identity) signed: [u8; 32],
    /// Which of the issuers vouches for it.
    pub(in crate::identity) issuer: usize,
    key: Thumbprint,
}

/// What a token names, for the log.
#[derive(Default)]
pub(in crate::identity) struct Named {
    /// Which of the issuers.
    pub(super) issuer: Option<usize>,
    pub(super) kid: Option<String>,
}

/// Whether a name of a key may stand in the log: whoever sends it chooses it.
fn is_plain(kid: &str) -> bool {
    kid.len() <= LONGEST_KID && kid.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/+=".contains(&byte))
}

/// Why a token is not taken.
pub(in crate::identity) enum Refusal {
    Bad(BadToken),
    Undecided(FilterError),
}

impl From<BadToken> for Refusal {
    fn from(bad: BadToken) -> Self {
        Self::Bad(bad)
    }
}

impl From<FilterError> for Refusal {
    fn from(error: FilterError) -> Self {
        Self::Undecided(error)
    }
}

impl Verifier {
    /// One that has seen no token yet. Of several entries of one issuer that counts whose `bound` fits a token first.
    #[must_use]
    pub fn new(issuers: Vec<Issuer>, clock_skew: Duration, clock: Arc<dyn Clock>) -> Self {
        Self { issuers, clock_skew, verified: Mutex::new(Recent::new(REMEMBERED)), clock }
    }

    /// A good token, and whether it is new here.
    pub(in crate::identity) async fn judge(
        &self,
        token: &str,
        client: &Client,
        named: &mut Named,
    ) -> Result<(Arc<Verified>, bool), Refusal> {
        let digest = sha256(token.as_bytes());
        let (known, is_new) = match self.remembered(&digest).await {
            Some(known) => (known, false),
            None => (Arc::new(self.look_at(token, named).await?), true),
        };
        named.issuer = Some(known.issuer);
        let bound_to = known.said.bound_to;
        if bound_to.is_some() && bound_to != client.certificate.map(|certificate| certificate.0) {
            return Err(BadToken("it is bound to a certificate that was not shown").into());
        }
        if is_new {
            self.verified().insert(digest, known.clone());
        }
        Ok((known, is_new))
    }

    /// A token that was found good before, is not over, and whose key its issuer still has, or had when it could last be
    /// asked.
    async fn remembered(&self, digest: &[u8; 32]) -> Option<Arc<Verified>> {
        let known = self.verified().get(digest)?;
        let issuer = self.issuers.get(known.issuer)?;
        if issuer.keys.has(&known.key).await && self.clock.now() < known.said.expires {
            return Some(known);
        }
        self.verified().remove(digest);
        None
    }

    async fn look_at(&self, token: &str, shown: &mut Named) -> Result<Verified, Refusal> {
        let jws = CompactJws::parse(token.as_bytes(), LONGEST).map_err(|error| bad(&error))?;
        let claims = json::object(jws.unverified_payload()).map_err(|_| BadToken("its claims are no strict JSON"))?;
        let claims = Value::Object(claims);
        let (index, issuer) = self.issuer_of(&claims)?;
        shown.issuer = Some(index);
        let jws = jws.admit(&issuer.algorithms).map_err(|error| bad(&error))?;
        shown.kid = jws.header().kid().filter(|kid| is_plain(kid)).map(str::to_owned);
        issuer.check_typ(&jws)?;
        // Before any key is looked for: a token that is no good anyhow has none fetched.
        let said = issuer.judge(&claims, self.clock.now(), self.clock_skew)?;
        let key = issuer.keys.choose(jws.header().kid(), jws.algorithm()).await?;
        let key = key.map_err(|reason| match reason {
            NoKey::Unknown => BadToken("its issuer has no key that fits it"),
            NoKey::Several => BadToken("several keys of its issuer fit it, and kid names none of them"),
        })?;
        jws.verify(&key).map_err(|_| BadToken("its signature is wrong"))?;
        let (signed, _) = token.rsplit_once('.').unwrap_or((token, ""));
        Ok(Verified { said, signed: sha256(signed.as_bytes()), issuer: index, key: *key.thumbprint() })
    }

    /// The entry that a token is one of, by what it says itself.
    fn issuer_of(&self, claims: &Value) -> Result<(usize, &Issuer), BadToken> {
        let named = claims.get("iss").and_then(Value::as_str).ok_or(BadToken("iss is missing or no text"))?;
        let mut of_issuer = self.issuers.iter().enumerate().filter(|(_, issuer)| issuer.issuer == named).peekable();
        if of_issuer.peek().is_none() {
            return Err(BadToken("its issuer is not trusted here"));
        }
        of_issuer
            .find(|(_, issuer)| issuer.is_bound(claims))
            .ok_or(BadToken("its issuer names nobody who is known here"))
    }

    fn verified(&self) -> MutexGuard<'_, Recent<[u8; 32], Arc<Verified>>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Issuer {
    /// Another kind of token of the same issuer is no access token (RFC 8725 3.11).
    fn check_typ(&self, jws: &UnverifiedJws<'_>) -> Result<(), BadToken> {
        let typ = jws.header().typ().map(|typ| {
            let typ = typ.to_ascii_lowercase();
            typ.strip_prefix("application/").map(str::to_owned).unwrap_or(typ)
        });
        let fits = match (&self.typ, typ.as_deref()) {
            (None, typ) => matches!(typ, None | Some("jwt" | "at+jwt")),
            (Some(wanted), typ) => typ.is_some_and(|typ| typ.eq_ignore_ascii_case(wanted)),
        };
        if fits { Ok(()) } else { Err(BadToken("its typ is not the one that is wanted here")) }
    }
}

/// What is wrong with the form, in words that repeat nothing of it.
fn bad(error: &JwsError) -> BadToken {
    BadToken(match error {
        JwsError::TooLong(_) => "it is longer than 8 KiB",
        JwsError::Parts => "it has not three parts",
        JwsError::Encoding(_) => "a part of it is no canonical base64url",
        JwsError::HeaderJson(_) => "its header is no strict JSON",
        JwsError::HeaderMember(_) => "a member of its header has the wrong type",
        JwsError::Algorithm => "its alg is none that is taken from this issuer",
        JwsError::RefusedMember(_) => "its header has a member that is never taken, such as crit, jwk, jku or x5u",
        JwsError::Signature(_) => "its signature is wrong",
    })
}
