//! The realm `mtls`: users whose client certificate a listener verified (`gateway.md` 3.1). A certificate is somebody's
//! because one of its names is written for a user, letter for letter: never by a part of it.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use sidegate_filters::clock::Millis;
use sidegate_filters::identity::{Login, Session};
use sidegate_filters::identity_creation::Certificates;
use sidegate_filters::recent::Recent;
use sidegate_filters::{CertificateDigest, CertificateNames, FilterError};

use super::of_request::Basis;
use crate::telemetry::audit::Event;

/// Connections whose certificate was told of.
const REMEMBERED: usize = 20_000;
/// The most of a subject that is logged, in characters.
const LONGEST: usize = 200;

/// What a certificate has to say to be a user's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// Its whole subject.
    Subject(String),
    /// One of its mail addresses.
    Email(String),
    /// One of its hosts.
    Host(String),
    /// One of its URIs.
    Uri(String),
}

impl Named {
    fn fits(&self, names: &CertificateNames) -> bool {
        match self {
            Self::Subject(subject) => names.subject == *subject,
            Self::Email(email) => names.emails.contains(email),
            Self::Host(host) => names.hosts.contains(host),
            Self::Uri(uri) => names.uris.contains(uri),
        }
    }
}

/// A user.
#[derive(Debug, Clone)]
pub struct Owner {
    /// What is written for the user.
    pub named: Named,
    /// The extId.
    pub user: String,
    /// The login name.
    pub name: String,
    /// The roles.
    pub roles: Vec<String>,
}

/// The realm.
pub struct MtlsRealm {
    realm: String,
    domain: String,
    level: u8,
    owners: Vec<Owner>,
    told: Mutex<Recent<u64, ()>>,
}

impl MtlsRealm {
    /// The realm of this name, as SecTokens show it, whose certificates the routes of the domain take, with the level that
    /// they are worth.
    #[must_use]
    pub fn new(realm: String, domain: String, level: u8, owners: Vec<Owner>) -> Self {
        Self { realm, domain, level, owners, told: Mutex::new(Recent::new(REMEMBERED)) }
    }

    /// Whether the log has yet to learn of a connection: once is enough.
    fn is_news(&self, connection: u64) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let news = told.get(&connection).is_none();
        if news {
            told.insert(connection, ());
        }
        news
    }

    /// The one user whom a certificate names. Whose names are those of two users is nobody's.
    fn owner(&self, names: &CertificateNames, connection: u64) -> Option<&Owner> {
        let mut fitting = self.owners.iter().filter(|owner| owner.named.fits(names));
        let (first, news) = (fitting.next(), self.is_news(connection));
        let subject = names.subject.char_indices().nth(LONGEST).and_then(|(end, _)| names.subject.get(..end));
        let (realm, subject) = (&self.realm, subject.unwrap_or(&names.subject));
        let Some(owner) = first else {
            if news {
                tracing::info!(realm, subject, "a client certificate names nobody");
            }
            return None;
        };
        if fitting.any(|other| other.user != owner.user) {
            if news {
                tracing::warn!(realm, subject, "a client certificate names two users");
            }
            return None;
        }
        if news {
            Event::Login { realm, user: &owner.user }.record();
        }
        Some(owner)
    }
}

#[async_trait]
impl Certificates for MtlsRealm {
    fn name(&self) -> String {
        format!("mtls {}", self.realm)
    }

    async fn find(
        &self,
        digest: &CertificateDigest,
        names: &CertificateNames,
        connection: u64,
    ) -> Result<Option<Session>, FilterError> {
        let Some(owner) = self.owner(names, connection) else { return Ok(None) };
        let Owner { user, name, roles, .. } = owner.clone();
        Ok(Some(Session {
            sid: Basis::Certificate(digest, &user).sid(&self.realm),
            domain: self.domain.clone(),
            ext_id: user,
            name,
            // A certificate does not tell when its owner was last there.
            logins: Login { realm: self.realm.clone(), level: self.level, at: Millis(0) }.into(),
            roles,
            generation: 0,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn realm() -> MtlsRealm {
        let owner = |named, user: &str| Owner { named, user: user.into(), name: user.into(), roles: vec!["r".into()] };
        let owners = vec![
            owner(Named::Subject("CN=jeff,O=Bank".into()), "jeff"),
            owner(Named::Email("jeff@bank.example".into()), "jeff"),
            owner(Named::Host("eve.bank.example".into()), "eve"),
            owner(Named::Uri("spiffe://bank/pay".into()), "pay"),
        ];
        MtlsRealm::new("staff".into(), "main".into(), 1, owners)
    }

    fn names(subject: &str, emails: &[&str], hosts: &[&str], uris: &[&str]) -> CertificateNames {
        let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        CertificateNames { subject: subject.into(), emails: list(emails), hosts: list(hosts), uris: list(uris) }
    }

    async fn user(names: &CertificateNames) -> Option<String> {
        let found = realm().find(&CertificateDigest([7; 32]), names, 0).await.unwrap();
        found.map(|session| session.ext_id)
    }

    /// Whoever upgrades keeps the sids that applications know.
    #[tokio::test]
    async fn the_sid_is_always_the_same_one() {
        let names = names("CN=jeff,O=Bank", &[], &[], &[]);
        let session = realm().find(&CertificateDigest([7; 32]), &names, 0).await.unwrap().unwrap();
        assert_eq!(session.sid, "-DTRE9fvaruKdNVxvOnigQ");
    }

    #[tokio::test]
    async fn a_certificate_is_its_users_by_a_whole_name() {
        for (names, expected) in [
            (names("CN=jeff,O=Bank", &[], &[], &[]), Some("jeff")),
            (names("CN=other", &["x@y", "jeff@bank.example"], &[], &[]), Some("jeff")),
            (names("CN=jeff,O=Bank", &["jeff@bank.example"], &[], &[]), Some("jeff")),
            (names("", &[], &["eve.bank.example"], &[]), Some("eve")),
            (names("", &[], &[], &["spiffe://bank/pay"]), Some("pay")),
            (names("CN=jeff,O=Bank", &[], &["eve.bank.example"], &[]), None),
            (names("CN=jeff,O=Bank,C=CH", &[], &[], &[]), None),
            (names("CN=jeff", &[], &[], &[]), None),
            (names("CN=Jeff,O=Bank", &[], &[], &[]), None),
            (names("O=Bank,CN=jeff", &[], &[], &[]), None),
            (names("jeff@bank.example", &["eve.bank.example"], &["spiffe://bank/pay"], &["CN=jeff,O=Bank"]), None),
            (names("", &["jeff@bank.example.evil"], &["x.eve.bank.example"], &["spiffe://bank/pay/"]), None),
            (names("", &["JEFF@bank.example"], &["eve.bank.example."], &["spiffe://bank/pay#"]), None),
            (names("", &[], &[], &[]), None),
        ] {
            assert_eq!(user(&names).await.as_deref(), expected, "{names:?}");
        }
    }
}
