//! `internal-callers`: relying parties and authentication services that call on internal listeners.

use std::path::PathBuf;

use sidegate_filters::Role;

use super::files;
use super::section::{Field, Section};

/// One that proves who it is with a static bearer or a client certificate (`gateway.md` 2.4).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InternalCaller {
    /// Its name, for audit lines.
    pub name: String,
    /// The file with its bearer; `None`: `<name>.token` in the data folder, made where it is missing.
    pub token_file: Option<PathBuf>,
    /// PEM: the certificates that prove it, in place of a bearer.
    pub client_certificate: Option<PathBuf>,
    /// What it may do.
    pub roles: Vec<Role>,
}

impl InternalCaller {
    /// Whether it proves itself by a bearer that the gateway makes.
    #[must_use]
    pub fn has_made_bearer(&self) -> bool {
        self.token_file.is_none() && self.client_certificate.is_none()
    }

    /// The file in the data folder with the bearer that the gateway makes.
    #[must_use]
    pub fn made_bearer(&self) -> String {
        format!("{}.token", self.name)
    }
}

const ROLES: &[(&str, Role)] = &[("act-for", Role::ActFor), ("admin", Role::Admin)];

pub(super) fn read(field: &Field<'_>) -> Vec<InternalCaller> {
    field.named(|name, section| Some(caller(name, section)))
}

fn caller(name: &str, section: &Section<'_>) -> InternalCaller {
    let right =
        "name a readable file that holds the bearer only, or remove the key for one that is made in the data folder";
    let token_file = section.field("token-file").existing(right, files::readable);
    let certificate = section.field("client-certificate");
    if certificate.is_written() && section.field("token-file").is_written() {
        certificate.fault("a caller proves itself in one way", "keep token-file or client-certificate");
    }
    let right = "name a readable PEM file with the certificate that it shows";
    let client_certificate = certificate.existing(right, files::readable);
    let mut roles = section.field("roles").each(|role| role.choice(ROLES));
    roles.dedup();
    let provision = section.field("provision");
    if provision.or(false) {
        if !roles.contains(&Role::ActFor) {
            provision.fault("who may not name users can't have them made", "add the role act-for, or leave this key");
        }
        provision.notice("true: users whom this caller names for a registration are made where they do not exist");
        roles.push(Role::Provision);
    }
    InternalCaller { name: name.to_owned(), token_file, client_certificate, roles }
}
