//! `internal-callers`: relying parties and authentication services that call on internal listeners.

use std::path::PathBuf;

use sidegate_filters::Role;

use super::field::Field;
use super::files;
use super::section::Section;

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

/// The callers; `asked` is whether an internal listener asks clients for certificates.
pub(super) fn read(field: &Field<'_>, asked: bool) -> Vec<InternalCaller> {
    field.named(|name, section| Some(caller(name, section, asked)))
}

fn caller(name: &str, section: &Section<'_>, asked: bool) -> InternalCaller {
    let right =
        "name a readable file that holds the bearer only, or remove the key for one that is made in the data folder";
    let token = section.field("token-file");
    let token_file = token.existing(right, files::readable);
    let certificate = section.field("client-certificate");
    if certificate.is_written() && token.is_written() {
        certificate.fault("a caller proves itself in one way", "keep token-file or client-certificate");
    } else if certificate.is_written() && !asked {
        certificate.fault(
            "no internal listener asks for certificates, so nobody could show this one",
            "write tls with client-ca at a listener with class internal, or leave this key: then a bearer proves it",
        );
    }
    let right = "name a readable PEM file with the certificate that it shows";
    let client_certificate = certificate.existing(right, files::readable);
    let granted = section.field("roles");
    let mut roles = granted.each(|role| role.choice(ROLES));
    let all_known = granted.is_all(roles.len());
    roles.dedup();
    let provision = section.field("provision");
    if provision.or(false) {
        if all_known && !roles.contains(&Role::ActFor) {
            let right = "write the role act-for, or leave provision";
            granted.fault("who may not name users can't have them made, as provision: true says", right);
        }
        provision.notice("true: users whom this caller names for a registration are made where they do not exist");
        roles.push(Role::Provision);
    }
    InternalCaller { name: name.to_owned(), token_file, client_certificate, roles }
}
