//! `realms`: the ways to prove who one is.

mod forward;
mod jwt;
mod mtls;
mod oob;
mod subject;

use std::collections::BTreeSet;
use std::path::Path;

use super::field::Field;
use super::section::Section;

pub use forward::Forward;
pub use jwt::{JwkSet, Jwt, KeyPace, TokenIssuer, UserIssuer};
pub(super) use jwt::{read_issuer, read_pace};
pub use mtls::{CertificateName, CertificateUser};
pub use oob::Oob;
pub(crate) use subject::is_reversed;

/// A way to prove who one is (`gateway.md` 3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Realm {
    /// Its name, as sessions and SecTokens show it.
    pub name: String,
    /// The domain whose sessions it makes, or whose routes take its credentials; one of the configured ones.
    pub domain: String,
    /// The authentication level that it gives.
    pub level: u8,
    /// Whether a step-up through it gives the session a new id; of no meaning where it makes none.
    pub renew: bool,
    /// What kind it is.
    pub kind: RealmKind,
}

/// The kinds of realms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RealmKind {
    /// Name and password.
    Password,
    /// An in-band FIDO UAF login (`http-api.md` 7).
    FidoUaf,
    /// A login of a browser that the phone approves.
    Oob(Oob),
    /// Bearer tokens of other issuers.
    Jwt(Jwt),
    /// Client certificates of these users.
    Mtls(Vec<CertificateUser>),
    /// Whatever an authentication service knows its users by.
    Forward(Forward),
}

#[derive(Clone, Copy)]
enum Type {
    Password,
    FidoUaf,
    Oob,
    Jwt,
    Mtls,
    Forward,
}

const TYPES: &[(&str, Type)] = &[
    ("password", Type::Password),
    ("fido-uaf", Type::FidoUaf),
    ("oob", Type::Oob),
    ("jwt", Type::Jwt),
    ("mtls", Type::Mtls),
    ("forward", Type::Forward),
];

/// What realms give, for whoever wants more.
pub(super) const LEVELS: &str = "fido-uaf and oob give 2, other types 1, or what their level says";

/// What realms refer to.
pub(super) struct Known<'a> {
    pub(super) domains: &'a [&'a str],
    /// The authorities by which listeners ask clients for certificates.
    pub(super) client_ca: &'a BTreeSet<&'a Path>,
    pub(super) upstreams: &'a [&'a str],
}

pub(super) fn read(field: &Field<'_>, known: &Known<'_>) -> Vec<Realm> {
    let mut realms: Vec<Realm> = Vec::new();
    field.named(|name, section| {
        let realm = realm(name, section, known)?;
        realms.iter().for_each(|other| fit(section, &realm, other));
        realms.push(realm);
        Some(())
    });
    realms
}

/// A password must never do where a key is asked for: of one domain, since a login raises sessions of its own alone.
fn fit(section: &Section<'_>, realm: &Realm, other: &Realm) {
    let same = realm.kind.word() == other.kind.word();
    if same && realm.domain == other.domain {
        let wrong = format!("realm {} of the same domain has this type too", other.name);
        let right = if realm.kind.makes_sessions() { "keep one" } else { "keep one, which may take what both are for" };
        section.field("type").fault(wrong, right);
        return;
    }
    if same && realm.kind == RealmKind::FidoUaf {
        let wrong = format!("realm {} of the domain {} has this type too", other.name, other.domain);
        section
            .field("type")
            .fault(wrong, "keep one: apps log in by key in one domain; browsers do by type: oob in each");
    }
    if realm.domain != other.domain || !realm.kind.makes_sessions() || !other.kind.makes_sessions() {
        return;
    }
    let (password, by_key) = match (&realm.kind, &other.kind) {
        (RealmKind::Password, _) => (Some(realm), other),
        (_, RealmKind::Password) => (Some(other), realm),
        _ => (None, realm),
    };
    if let Some(password) = password.filter(|password| by_key.level <= password.level) {
        section.field("level").fault(
            "a login by password would do where one by FIDO UAF is asked for",
            format!("write a level for {} that is above {}", by_key.name, password.level),
        );
    }
}

impl RealmKind {
    /// The word of the key `type`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::FidoUaf => "fido-uaf",
            Self::Oob(_) => "oob",
            Self::Jwt(_) => "jwt",
            Self::Mtls(_) => "mtls",
            Self::Forward(_) => "forward",
        }
    }

    /// Whether a login through it makes a session with a cookie; else each request shows its credential.
    #[must_use]
    pub fn makes_sessions(&self) -> bool {
        matches!(self, Self::Password | Self::FidoUaf | Self::Oob(_))
    }

    /// The highest level that it gives.
    #[must_use]
    pub fn highest(&self, level: u8) -> u8 {
        match self {
            Self::Jwt(jwt) => {
                jwt.issuers.iter().flat_map(|issuer| &issuer.levels).map(|(_, level)| *level).fold(level, u8::max)
            }
            Self::Password | Self::FidoUaf | Self::Oob(_) | Self::Mtls(_) | Self::Forward(_) => level,
        }
    }

    /// Whether it can tell when its user was last there, as a `max-age` asks.
    #[must_use]
    pub fn tells_age(&self) -> bool {
        !matches!(self, Self::Mtls(_) | Self::Forward(_))
    }

    /// The client's headers that it has judged by somebody else.
    #[must_use]
    pub fn judged(&self) -> &[http::HeaderName] {
        match self {
            Self::Forward(forward) => &forward.terms.headers,
            Self::Password | Self::FidoUaf | Self::Oob(_) | Self::Jwt(_) | Self::Mtls(_) => &[],
        }
    }
}

fn realm(name: &str, section: &Section<'_>, known: &Known<'_>) -> Option<Realm> {
    let kind = section.field("type").demanded("write password, fido-uaf, oob, jwt, mtls or forward");
    let kind = kind.choice(TYPES);
    let domain = section.field("domain").demanded("write the name of one of the domains");
    let domain = domain.reference("domain", known.domains);
    let level = section.field("level");
    let default_level = if matches!(kind, Some(Type::FidoUaf | Type::Oob)) { 2 } else { 1 };
    let level_value = level.or(default_level);
    if level_value == 0 {
        level.fault("level 0 is what nobody has", "write 1 or more");
    }
    let has_sessions = matches!(kind, Some(Type::Password | Type::FidoUaf | Type::Oob) | None);
    if !has_sessions {
        section.belong_elsewhere(
            &["renew"],
            "take it away: it is for realms that make sessions, of type password, fido-uaf or oob",
        );
    }
    let renew = !has_sessions || section.field("renew").or(true);
    let kind = match kind {
        Some(Type::Password) => Some(RealmKind::Password),
        Some(Type::FidoUaf) => Some(RealmKind::FidoUaf),
        Some(Type::Oob) => Some(RealmKind::Oob(oob::read(section))),
        Some(Type::Jwt) => Some(RealmKind::Jwt(jwt::read(section))),
        Some(Type::Mtls) => Some(RealmKind::Mtls(mtls::read(section, known.client_ca))),
        Some(Type::Forward) => forward::read(section, known.upstreams).map(RealmKind::Forward),
        None => {
            section.leave_unread();
            None
        }
    };
    Some(Realm { name: name.to_owned(), domain: domain?, level: level_value, renew, kind: kind? })
}
