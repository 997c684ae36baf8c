//! Session tokens: signed carriers of sessions for clients without cookies (`http-api.md` 7).

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use sidegate_filters::SessionDomain;
use sidegate_filters::clock::Millis;
use sidegate_filters::identity_creation::SESSION_TOKEN_TYP;
use sidegate_filters::jws::{Algorithm, CompactJws, JwkError, VerificationKey, base64url};
use sidegate_filters::recent::Recent;
use zeroize::Zeroizing;

use super::LoggedIn;
use crate::identity::key_file::{self, KeyFileError};
use crate::jose::{self, CryptoError, SigningKey};
use crate::store::{DataFolder, SessionKey};

const FILE: &str = "session-token.pem";
/// Ours have about 400 bytes.
const LONGEST: usize = 1024;
/// Tokens that are known to be good, about 200 bytes each: a signature costs more than all else of such a request.
const VERIFIED: usize = 20_000;

/// Makes session tokens and reads them, with a key of their own: nothing else that is signed here is one.
pub struct SessionTokens {
    signing: SigningKey,
    verifying: VerificationKey,
    /// By the hash of the whole token. Whether its session is alive is asked at each use all the same.
    verified: Mutex<Recent<[u8; 32], Verified>>,
}

/// What a good token says.
#[derive(Clone)]
struct Verified {
    domain: String,
    key: SessionKey,
    ends: i64,
}

/// The claims. A token says nothing of the user: it leads to where the session is kept, where all of that is looked up,
/// and is worthless without the signature.
#[derive(Serialize, Deserialize)]
struct Claims {
    aud: String,
    sid: String,
    iat: i64,
    exp: i64,
}

impl SessionTokens {
    /// Tokens by the key of the data folder; it is made where it is missing.
    ///
    /// # Errors
    /// When the file can't be read, written, or holds something else.
    pub fn read_or_make(folder: &DataFolder) -> Result<Self, KeyFileError> {
        Self::new(key_file::read_or_make(folder, FILE)?)
            .map_err(|error| KeyFileError::Key(folder.file(FILE).display().to_string(), error.into()))
    }

    fn new(signing: SigningKey) -> Result<Self, JwkError> {
        let verified = Mutex::new(Recent::new(VERIFIED));
        Ok(Self { verifying: signing.verification_key()?, signing, verified })
    }

    pub(super) fn issue(
        &self,
        domain: &SessionDomain,
        of: &LoggedIn,
        now: Millis,
    ) -> Result<Zeroizing<String>, CryptoError> {
        let (aud, sid) = (domain.as_str().to_owned(), base64url::encode(of.key.0));
        let claims = Claims { aud, sid, iat: now.seconds(), exp: of.ends.seconds() };
        self.signing.sign_as(SESSION_TOKEN_TYP, &claims).map(Zeroizing::new)
    }

    /// Where the session of a token is kept; `None` for whatever was not signed here for this domain.
    pub(super) fn read(&self, domain: &SessionDomain, token: &str, now: Millis) -> Option<SessionKey> {
        let digest = jose::sha256(token.as_bytes());
        let known = self.verified().get(&digest);
        let Verified { domain: of, key, ends } = known.or_else(|| self.verify(token, digest))?;
        (of == domain.as_str() && now.seconds() < ends).then_some(key)
    }

    fn verify(&self, token: &str, digest: [u8; 32]) -> Option<Verified> {
        let jws = CompactJws::parse(token.as_bytes(), LONGEST).ok()?.admit(&[Algorithm::Es256]).ok()?;
        let jws =
            Some(jws).filter(|jws| jws.header().typ() == Some(SESSION_TOKEN_TYP))?.verify(&self.verifying).ok()?;
        let Claims { aud: domain, sid, exp: ends, .. } = serde_json::from_slice(jws.payload()).ok()?;
        let key = SessionKey(base64url::decode(sid).ok()?.as_slice().try_into().ok()?);
        let verified = Verified { domain, key, ends };
        self.verified().insert(digest, verified.clone());
        Some(verified)
    }

    fn verified(&self) -> MutexGuard<'_, Recent<[u8; 32], Verified>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sidegate_filters::identity::{Login, Session};

    use super::*;

    const NOW: Millis = Millis(1_000_000_000);

    fn domain(name: &str) -> SessionDomain {
        SessionDomain::parse(name).unwrap()
    }

    fn tokens() -> SessionTokens {
        SessionTokens::new(SigningKey::generate().unwrap()).unwrap()
    }

    fn logged_in() -> LoggedIn {
        let session = Session {
            sid: "s".into(),
            domain: "main".into(),
            ext_id: "e".into(),
            name: "jeff".into(),
            logins: Login { realm: "fido-uaf".into(), level: 2, at: NOW }.into(),
            roles: Vec::new(),
            generation: 0,
        };
        let ends = NOW.after(Duration::from_secs(60));
        LoggedIn { session, set_cookie: None, step_up: false, key: SessionKey([7; 32]), ends }
    }

    #[test]
    fn a_token_leads_to_its_session_until_that_ends() {
        let tokens = tokens();
        let token = tokens.issue(&domain("main"), &logged_in(), NOW).unwrap();
        for _ in 0..2 {
            assert_eq!(tokens.read(&domain("main"), &token, NOW), Some(SessionKey([7; 32])));
            assert_eq!(tokens.read(&domain("other"), &token, NOW), None, "of another domain");
            assert_eq!(tokens.verified().len(), 1, "verified once");
        }
        assert_eq!(tokens.read(&domain("main"), &token, NOW.after(Duration::from_secs(60))), None);
        assert!(!token.contains(&base64url::encode("jeff")), "it says nothing of the user");
    }

    #[test]
    fn nothing_else_is_one() {
        let (tokens, others) = (tokens(), tokens());
        let token = tokens.issue(&domain("main"), &logged_in(), NOW).unwrap();
        assert_eq!(others.read(&domain("main"), &token, NOW), None, "by another key");
        let claims = Claims { aud: "main".into(), sid: base64url::encode([7; 32]), iat: 0, exp: i64::MAX };
        let sec_token = tokens.signing.sign(&claims).unwrap();
        assert_eq!(tokens.read(&domain("main"), &sec_token, NOW), None, "of another type");
        for sid in ["", "AAAA", "."] {
            let short = Claims { aud: "main".into(), sid: sid.into(), iat: 0, exp: i64::MAX };
            let token = tokens.signing.sign_as(SESSION_TOKEN_TYP, &short).unwrap();
            assert_eq!(tokens.read(&domain("main"), &token, NOW), None, "{sid:?}");
        }
        let (head, rest) = token.split_once('.').unwrap();
        let (claims, signature) = rest.split_once('.').unwrap();
        let unsigned = base64url::encode(format!("{{\"typ\":\"{SESSION_TOKEN_TYP}\",\"alg\":\"none\"}}"));
        for bad in [format!("{unsigned}.{claims}."), format!("{head}.{claims}.{head}"), format!("{head}.{claims}")] {
            assert_eq!(tokens.read(&domain("main"), &bad, NOW), None, "{bad}");
        }
        assert!(tokens.verified().is_empty(), "nothing of it is kept");
        assert!(tokens.read(&domain("main"), &format!("{head}.{claims}.{signature}"), NOW).is_some());
    }

    #[test]
    fn filters_know_it_by_how_it_begins() {
        let token = tokens().issue(&domain("main"), &logged_in(), NOW).unwrap();
        let mut headers = http::HeaderMap::new();
        headers.insert("authorization", format!("Bearer {}", token.as_str()).parse().unwrap());
        assert!(sidegate_filters::identity_creation::shows_session_token(&headers));
    }
}
