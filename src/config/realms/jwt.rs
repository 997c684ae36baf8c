//! Realms of type `jwt`: whose tokens are taken, and where their keys are.

use std::path::PathBuf;
use std::time::Duration;

use sidegate_filters::jws::Algorithm;

use crate::config::field::Field;
use crate::config::files;
use crate::config::section::Section;
use crate::config::suggest::listed;
use crate::config::url::WebUrl;

/// Bearer tokens of other issuers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Jwt {
    /// Whose tokens are taken.
    pub issuers: Vec<UserIssuer>,
    /// How far an issuer's clock may be ahead.
    pub clock_skew: Duration,
    /// How often keys are read.
    pub keys: KeyPace,
}

/// How often key sets are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyPace {
    /// A set of this age is read anew.
    pub refresh: Duration,
    /// Without success it is good for so long.
    pub keep: Duration,
    /// Between two tries.
    pub retry: Duration,
    /// For one try, connecting included.
    pub timeout: Duration,
}

/// An issuer that is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenIssuer {
    /// `iss` of its tokens.
    pub issuer: String,
    /// What `aud` of its tokens has to hold.
    pub audience: String,
    /// What it may sign with; never empty.
    pub algorithms: Vec<Algorithm>,
    /// `typ` of its tokens, if it is to be one only.
    pub typ: Option<String>,
    /// Where its keys are.
    pub jwks: JwkSet,
}

/// An issuer whose tokens name users.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserIssuer {
    /// Which one.
    pub tokens: TokenIssuer,
    /// The claim that names the user.
    pub user: String,
    /// The claim with the login name; `None`: the same.
    pub name: Option<String>,
    /// The claim with the roles.
    pub roles: String,
    /// Values of `acr` that are worth another level than the realm's.
    pub levels: Vec<(String, u8)>,
}

/// Where a JWK set is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JwkSet {
    /// In a file that can be read.
    File(PathBuf),
    /// At a URL, `https` or on this machine; over TLS with a certificate of these authorities, or of the system's.
    Url(WebUrl, Option<PathBuf>),
}

pub(super) fn read(section: &Section<'_>) -> Jwt {
    let issuers =
        section.field("issuers").demanded("list the issuers, each with issuer, audience, algorithms and jwks");
    let mut seen: Vec<String> = Vec::new();
    let listed = issuers.each(|item| item.section(|section| issuer(section, &mut seen)).flatten());
    if issuers.is_written() && listed.is_empty() && issuers.is_all(0) {
        issuers.fault("no issuer is listed", "list at least one with issuer, audience, algorithms and jwks");
    }
    let keys = section.field("keys").section(read_pace).unwrap_or(PACE);
    Jwt { issuers: listed, clock_skew: section.field("clock-skew").or(Duration::from_secs(60)), keys }
}

const PACE: KeyPace = KeyPace {
    refresh: Duration::from_secs(5 * 60),
    keep: Duration::from_secs(24 * 3600),
    retry: Duration::from_secs(10),
    timeout: Duration::from_secs(5),
};

pub(in crate::config) fn read_pace(section: &Section<'_>) -> KeyPace {
    let read = KeyPace {
        refresh: section.field("refresh").or(PACE.refresh),
        keep: section.field("keep").or(PACE.keep),
        retry: section.field("retry").or(PACE.retry),
        timeout: section.field("timeout").or(PACE.timeout),
    };
    if read.keep < read.refresh {
        section
            .field("keep")
            .fault("a set would be given up before it is read anew", "write at least what refresh says");
    }
    read
}

fn issuer(section: &Section<'_>, seen: &mut Vec<String>) -> Option<UserIssuer> {
    let tokens = read_issuer(section);
    if let Some(TokenIssuer { issuer, .. }) = &tokens {
        if seen.contains(issuer) {
            section.field("issuer").fault("this issuer is listed twice", "keep one of them");
        }
        seen.push(issuer.clone());
    }
    let claim = |key| section.field(key).optional::<String>();
    let (user, name, roles) = (claim("user"), claim("name"), claim("roles"));
    for (key, claim) in [("user", &user), ("name", &name), ("roles", &roles)] {
        let is_lost_slash = |claim: &&String| claim.contains('/') && !claim.starts_with('/') && !claim.contains("://");
        if claim.as_ref().filter(is_lost_slash).is_some() {
            section
                .field(key)
                .notice("this is one claim with a slash in its name; a way into claims begins with a slash");
        }
    }
    let levels = section.field("levels").each(|item| item.section(level).flatten());
    Some(UserIssuer {
        tokens: tokens?,
        user: user.unwrap_or_else(|| "sub".to_owned()),
        name,
        roles: roles.unwrap_or_else(|| "roles".to_owned()),
        levels,
    })
}

/// `issuer`, `audience`, `algorithms`, `typ`, `jwks` and `ca`.
pub(in crate::config) fn read_issuer(section: &Section<'_>) -> Option<TokenIssuer> {
    let issuer = letter_by_letter(section.field("issuer").demanded("write what its tokens have as iss"));
    let audience = section.field("audience").demanded("write what its tokens for this gateway have in aud");
    let audience = letter_by_letter(audience);
    let algorithms = algorithms(&section.field("algorithms"));
    let typ = section.field("typ").optional();
    let jwks = jwks(section);
    Some(TokenIssuer { issuer: issuer?, audience: audience?, algorithms: algorithms?, typ, jwks: jwks? })
}

/// A text that no token has with a blank around it.
fn letter_by_letter(field: Field<'_>) -> Option<String> {
    let text: String = field.optional()?;
    if text.trim() != text {
        field.fault("it begins or ends with a blank, and tokens are compared with it letter by letter", "take it away");
    }
    Some(text)
}

/// A value of `acr`, as it stands in lists with blanks between them and in quotes.
fn level(section: &Section<'_>) -> Option<(String, u8)> {
    let (acr, level) = (section.field("acr"), section.field("level"));
    let (value, worth): (Option<String>, Option<u8>) = (acr.required(), level.required());
    let fits = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    if value.as_ref().is_some_and(|value| !value.bytes().all(fits)) {
        acr.fault(
            "it holds a blank, a quote or another character that no such value has",
            "write it as its tokens have it",
        );
    }
    if worth == Some(0) {
        level.fault("level 0 is what nobody has", "write 1 or more");
    }
    Some((value?, worth?))
}

/// What other gateways take.
const HMAC: [&str; 3] = ["HS256", "HS384", "HS512"];

/// Only such whose verifier knows no secret: else whoever verifies could sign.
fn algorithms(field: &Field<'_>) -> Option<Vec<Algorithm>> {
    field.demand("list what it signs with, such as [ES256]");
    let known = Algorithm::ALL.map(|algorithm| (algorithm.name(), algorithm));
    let algorithms = field.each(|item| {
        let word = item.single();
        if word.is_some_and(|word| HMAC.iter().any(|hmac| word.eq_ignore_ascii_case(hmac))) {
            let names = listed(known.iter().map(|(name, _)| *name));
            item.fault("HMAC is refused: whoever verifies its tokens could make them", format!("write one of {names}"));
            return None;
        }
        item.choice(&known)
    });
    if field.is_written() && field.is_all(0) {
        field.fault("no algorithm is listed", "list what it signs with, such as [ES256]");
    }
    (!algorithms.is_empty()).then_some(algorithms)
}

fn jwks(section: &Section<'_>) -> Option<JwkSet> {
    const RIGHT: &str = "write the https URL of its JWK set, or the path of a file with it";
    let (field, ca) = (section.field("jwks").demanded(RIGHT), section.field("ca"));
    let authorities = ca.existing("name a readable PEM file with the authorities to trust", files::readable);
    let text: String = field.optional()?;
    if !text.contains("://") {
        if ca.is_written() {
            ca.fault("the key set is a file", "leave this key");
        }
        return field.consulted(RIGHT, files::readable).map(JwkSet::File);
    }
    let url: WebUrl = field.optional()?;
    if !url.is_https() && !url.is_loopback() {
        field.fault("plain http: everybody on the way could put keys of his own in", "write an https URL");
        return None;
    }
    if !url.is_https() && ca.is_written() {
        ca.fault("the URL is plain http", "write an https URL, or leave this key");
    }
    Some(JwkSet::Url(url, authorities))
}
