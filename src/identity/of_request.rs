//! Sessions that are of one request alone: made of what it shows, and kept nowhere.

use sidegate_filters::CertificateDigest;
use sidegate_filters::jws::base64url;

use crate::jose::sha256;

/// What tells such a session from others of its realm.
pub(super) enum Basis<'a> {
    /// The SHA-256 of what is signed in a bearer token.
    Bearer(&'a [u8; 32]),
    /// A certificate, and its user.
    Certificate(&'a CertificateDigest, &'a str),
    /// The user, and what names the session over there, as a service says them: plain texts, which hold no zero byte.
    Service(&'a str, &'a str),
}

impl Basis<'_> {
    /// The session's id. Applications know it: what it is made of stays as it is.
    pub(super) fn sid(&self, realm: &str) -> String {
        let (kind, own) = match self {
            Self::Bearer(signed) => ("bearer", signed.to_vec()),
            Self::Certificate(digest, user) => ("certificate", [&digest.0[..], user.as_bytes()].concat()),
            Self::Service(user, session) => ("service", format!("{user}\0{session}").into_bytes()),
        };
        let sid = sha256(&[format!("sid of a {kind}\0{realm}\0").as_bytes(), &own].concat());
        base64url::encode(sid.get(..16).unwrap_or(&sid))
    }
}
