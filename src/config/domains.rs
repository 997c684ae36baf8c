//! `domains`: realms that share one session and one cookie.

use std::time::Duration;

use sidegate_filters::identity_creation::{ReturnTarget, SessionDomain};

use super::field::Field;
use super::section::{Section, is_name};

/// A session domain (`gateway.md` 3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Domain {
    /// Its name: part of the cookie's name.
    pub name: String,
    /// A session that is not used for so long ends.
    pub idle: Duration,
    /// A session ends after so long, used or not.
    pub absolute: Duration,
    /// The path that a login leads to when it can't lead back.
    pub start_page: ReturnTarget,
    /// A login form leads back to its page for so long; later it is refused, and shown anew.
    pub login_form: Duration,
}

pub(super) fn read(field: &Field<'_>) -> Vec<Domain> {
    field.named(|name, section| Some(domain(name, section)))
}

fn domain(name: &str, section: &Section<'_>) -> Domain {
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
    Domain { name: name.to_owned(), idle, absolute, start_page, login_form }
}
