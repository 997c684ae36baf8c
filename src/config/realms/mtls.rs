//! Realms of type `mtls`: whose certificate is whose.

use std::collections::BTreeSet;
use std::path::Path;

use super::subject;
use crate::config::field::Field;
use crate::config::section::Section;
use crate::identity::is_role;

/// A user by the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateUser {
    /// Which of the certificate's names is compared.
    pub kind: CertificateName,
    /// What it has to be, as a whole.
    pub value: String,
    /// The user's extId.
    pub user: String,
    /// The login name.
    pub name: String,
    /// The roles.
    pub roles: Vec<String>,
}

/// The names of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateName {
    /// The whole subject, as RFC 2253 writes it.
    Subject,
    /// A mail address.
    Email,
    /// The name of a host.
    Host,
    /// A URI.
    Uri,
}

const KINDS: [(&str, CertificateName); 4] = [
    ("subject", CertificateName::Subject),
    ("email", CertificateName::Email),
    ("host", CertificateName::Host),
    ("uri", CertificateName::Uri),
];

const RIGHT: &str = "list users, each with subject, email, host or uri of the certificate, and user";

/// The users; `client_ca` are the authorities by which listeners ask clients for certificates.
pub(super) fn read(section: &Section<'_>, client_ca: &BTreeSet<&Path>) -> Vec<CertificateUser> {
    let kind = section.field("type");
    match client_ca.len() {
        0 => kind.fault(
            "no listener asks for certificates, so nobody could show one",
            "write tls with client-ca at a listener whose class is public or internal",
        ),
        1 => {}
        _ => kind.notice("listeners have different files in client-ca: the authorities of each of them can name all users of this realm"),
    }
    let users = section.field("users").demanded(RIGHT);
    let mut seen: Vec<(CertificateName, String)> = Vec::new();
    let listed = users.each(|item| item.section(|section| user(section, &mut seen)).flatten());
    if users.is_written() && users.is_all(0) {
        users.fault("no user is listed", RIGHT);
    }
    listed
}

fn user(section: &Section<'_>, seen: &mut Vec<(CertificateName, String)>) -> Option<CertificateUser> {
    let written: Vec<(Field<'_>, CertificateName)> = KINDS
        .map(|(key, kind)| (section.field(key), kind))
        .into_iter()
        .filter(|(field, _)| field.is_written())
        .collect();
    let user = section.field("user").demanded("write what the user is called to upstreams").optional::<String>();
    let name: Option<String> = section.field("name").optional();
    let roles = section.field("roles").each(|item| {
        let role: String = item.optional()?;
        if !is_role(&role) {
            item.fault(
                "upstreams are told roles with commas between, in a header",
                "write text without commas and without blanks at its ends",
            );
        }
        Some(role)
    });
    let [(field, kind)] = &written[..] else {
        section.fault("a user is known by one name of the certificate", "write one of subject, email, host and uri");
        return None;
    };
    let value: String = field.optional()?;
    if let Some(wrong) = subject::fault(&value).filter(|_| *kind == CertificateName::Subject) {
        field.fault(
            format!("no certificate has such a subject: {wrong}"),
            "write it as `openssl x509 -noout -subject -nameopt RFC2253` does, such as CN=jeff,O=Bank,C=CH",
        );
    }
    if seen.contains(&(*kind, value.clone())) {
        field.fault("this name is written for two users", "keep one of them");
    }
    seen.push((*kind, value.clone()));
    let user = user?;
    Some(CertificateUser { kind: *kind, value, name: name.unwrap_or_else(|| user.clone()), user, roles })
}
