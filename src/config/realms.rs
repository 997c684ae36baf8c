//! `realms`: the ways to log in.

use super::field::Field;
use super::section::Section;

/// A way to log in (`gateway.md` 3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Realm {
    /// Its name, as sessions and SecTokens show it.
    pub name: String,
    /// The domain whose sessions it makes; one of the configured ones.
    pub domain: String,
    /// The authentication level that it gives.
    pub level: u8,
    /// Whether a step-up through it gives the session a new id.
    pub renew: bool,
    /// What kind it is.
    pub kind: RealmKind,
}

/// The kinds of realms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RealmKind {
    /// Name and password.
    Password,
    /// An in-band FIDO UAF login (`http-api.md` 7).
    FidoUaf,
}

const KINDS: &[(&str, RealmKind)] = &[("password", RealmKind::Password), ("fido-uaf", RealmKind::FidoUaf)];

pub(super) fn read(field: &Field<'_>, domains: &[&str]) -> Vec<Realm> {
    let mut realms: Vec<Realm> = Vec::new();
    field.named(|name, section| {
        let realm = realm(name, section, domains)?;
        realms.iter().for_each(|other| fit(section, &realm, other));
        realms.push(realm);
        Some(())
    });
    for (kind, _) in KINDS {
        let same = realms.iter().filter(|realm| realm.kind.word() == *kind).count();
        if same > 1 {
            field.fault(format!("there are {same} realms of type {kind}"), "keep one: /auth serves one of each type");
        }
    }
    realms
}

/// A password must never do where a key is asked for, and a key can raise only sessions of its own domain.
fn fit(section: &Section<'_>, realm: &Realm, other: &Realm) {
    let (password, fido_uaf) = match (realm.kind, other.kind) {
        (RealmKind::Password, RealmKind::FidoUaf) => (realm, other),
        (RealmKind::FidoUaf, RealmKind::Password) => (other, realm),
        _ => return,
    };
    if password.domain != fido_uaf.domain {
        section.field("domain").fault(
            format!("realm {} has another domain: a session of one realm could not step up to the other", other.name),
            format!("write {}", other.domain),
        );
    } else if fido_uaf.level <= password.level {
        section.field("level").fault(
            "a login by password would do where one by FIDO UAF is asked for",
            format!("write a level for {} that is above {}", fido_uaf.name, password.level),
        );
    }
}

impl RealmKind {
    /// The word of the key `type`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::FidoUaf => "fido-uaf",
        }
    }
}

fn realm(name: &str, section: &Section<'_>, domains: &[&str]) -> Option<Realm> {
    let kind = section.field("type").demanded("write password or fido-uaf");
    let kind = kind.choice(KINDS);
    let domain = section.field("domain").demanded("write the name of one of the domains");
    let domain = domain.reference("domain", domains);
    let level = section.field("level");
    let default_level = if kind == Some(RealmKind::FidoUaf) { 2 } else { 1 };
    let level_value = level.or(default_level);
    if level_value == 0 {
        level.fault("level 0 is what nobody has", "write 1 or more");
    }
    let renew = section.field("renew").or(true);
    Some(Realm { name: name.to_owned(), domain: domain?, level: level_value, renew, kind: kind? })
}
