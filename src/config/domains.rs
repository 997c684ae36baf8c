//! `domains`: realms that share one session and one cookie, and where one logs in to them.

use std::time::Duration;

use sidegate_filters::identity_creation::{ReturnTarget, SessionDomain};

use super::field::Field;
use super::realms::{Realm, RealmKind};
use super::scalar::Prefix;
use super::section::{Section, is_name};
use crate::identity::login_page::LOGINS;
use crate::routes::is_alias;
use crate::routes::rows::ROWS;

/// A session domain (`gateway.md` 3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Domain {
    /// Its name: part of the cookie's name.
    pub name: String,
    /// Below this path are the rows by which one logs in; `None` where no realm of the domain makes sessions.
    pub path: Option<String>,
    /// A session that is not used for so long ends.
    pub idle: Duration,
    /// A session ends after so long, used or not.
    pub absolute: Duration,
    /// The path that a login leads to when it can't lead back.
    pub start_page: ReturnTarget,
    /// A login form leads back to its page for so long; later it is refused, and shown anew.
    pub login_form: Duration,
}

/// What domains are for.
pub(super) struct Known<'a> {
    pub(super) realms: &'a [Realm],
    /// Whether no realm is at fault and missing here: else nothing is said of paths.
    pub(super) complete: bool,
    /// The domain of the services.
    pub(super) own: Option<&'a str>,
}

/// The domain whose sessions the services take, and whose logins are where apps look for them: that of the realm of type
/// fido-uaf, else that of the first realm with logins, else of the first realm, else the first one.
pub(super) fn own<'a>(realms: &'a [Realm], names: &[&'a str]) -> Option<&'a str> {
    let first = |fits: fn(&Realm) -> bool| realms.iter().find(|realm| fits(realm));
    let realm = first(|realm| realm.kind == RealmKind::FidoUaf)
        .or_else(|| first(|realm| realm.kind.makes_sessions()))
        .or_else(|| realms.first());
    realm.map(|realm| realm.domain.as_str()).or_else(|| names.first().copied())
}

pub(super) fn read(field: &Field<'_>, known: &Known<'_>) -> Vec<Domain> {
    let mut domains: Vec<Domain> = Vec::new();
    field.named(|name, section| {
        let domain = domain(name, section, known, &domains);
        domains.push(domain);
        Some(())
    });
    domains
}

fn domain(name: &str, section: &Section<'_>, known: &Known<'_>, others: &[Domain]) -> Domain {
    if is_name(name) && SessionDomain::parse(name).is_err() {
        section.fault("the name is too long for a cookie", "write at most 32 characters");
    }
    let idle = section.field("idle").or(Duration::from_secs(30 * 60));
    let absolute = section.field("absolute").or(Duration::from_secs(8 * 3600));
    if idle > absolute {
        section.field("idle").fault("a session ends before it can be idle so long", "write at most what absolute says");
    }
    let start_page = section.field("start-page").or(ReturnTarget::start());
    let login_form = section.field("login-form").or(Duration::from_secs(30 * 60));
    let path = path(name, &section.field("path"), known, others);
    Domain { name: name.to_owned(), path, idle, absolute, start_page, login_form }
}

/// Where one logs in.
fn path(name: &str, field: &Field<'_>, known: &Known<'_>, others: &[Domain]) -> Option<String> {
    let written = field.optional::<Prefix>().map(|Prefix(path)| path);
    let logs_in = |realm: &Realm| realm.domain == name && realm.kind.makes_sessions();
    if !known.realms.iter().any(logs_in) {
        if written.is_some() && known.complete {
            field.fault("no realm of this domain has logins", "take this key away, or add a realm of type password");
        }
        return None;
    }
    if known.own.is_none_or(|own| own == name) {
        if written.is_some_and(|path| path != LOGINS) && known.complete {
            let wrong = format!("logins of this domain are at {LOGINS}, where apps look for them");
            field.fault(wrong, "take this key away");
        }
        return Some(LOGINS.to_owned());
    }
    let path = written.unwrap_or_else(|| format!("{LOGINS}/{name}"));
    if let Some(wrong) = taken(&path, others).filter(|_| known.complete) {
        field.fault(wrong, format!("write a path that nothing else is below, such as {LOGINS}/to-{name}"));
    }
    Some(path)
}

/// What else is at a path, above or below it.
fn taken(path: &str, others: &[Domain]) -> Option<String> {
    let meets = |other: &str| is_below(path, other) || is_below(other, path);
    let domain = others.iter().find(|other| other.path.as_deref().is_some_and(|other| other != LOGINS && meets(other)));
    let row = || ROWS.iter().find(|row| meets(row.path)).map(|row| format!("the default row {}", row.name));
    let found = domain.map(|other| format!("logins of the domain {}", other.name)).or_else(row);
    match found {
        Some(found) => Some(format!("{found} and logins at {path} would get in each other's way")),
        None => is_alias(&format!("{path}/login")).then(|| format!("requests below {path} are taken for others")),
    }
}

fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
