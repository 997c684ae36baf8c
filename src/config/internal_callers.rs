//! `internal-callers`: relying parties and authentication services that call on internal listeners.

use std::path::PathBuf;

use sidegate_filters::Role;

use super::field::Field;
use super::files;
use super::realms::{KeyPace, Realm, RealmKind, TokenIssuer, read_issuer, read_pace};
use super::section::Section;

/// One that may call on internal listeners (`gateway.md` 2.4).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InternalCaller {
    /// Its name, for audit lines.
    pub name: String,
    /// How it proves who it is.
    pub proof: CallerProof,
    /// What it may do.
    pub roles: Vec<Role>,
}

/// How an internal caller proves who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallerProof {
    /// By the bearer in `<name>.token` in the data folder, made where it is missing.
    MadeBearer,
    /// By the bearer in this file.
    Bearer(PathBuf),
    /// By one of the certificates in this PEM file.
    Certificates(PathBuf),
    /// By a token.
    Token(Box<CallerToken>),
}

/// Tokens that prove an internal caller.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallerToken {
    /// Whose they are.
    pub issuer: TokenIssuer,
    /// `sub` of the caller's.
    pub subject: String,
    /// A claim, and the text that it must have, too.
    pub claim: Option<(String, String)>,
    /// How often keys are read.
    pub keys: KeyPace,
}

impl InternalCaller {
    /// Whether it proves itself by a bearer that the gateway makes.
    #[must_use]
    pub fn has_made_bearer(&self) -> bool {
        self.proof == CallerProof::MadeBearer
    }

    /// The file in the data folder with the bearer that the gateway makes.
    #[must_use]
    pub fn made_bearer(&self) -> String {
        format!("{}.token", self.name)
    }

    /// The tokens that prove it, where it has them.
    #[must_use]
    pub fn token(&self) -> Option<&CallerToken> {
        if let CallerProof::Token(token) = &self.proof { Some(token) } else { None }
    }
}

impl CallerToken {
    /// Whether a token could be this caller's and the other's. An issuer means one of its clients by a subject.
    fn is_shared_with(&self, other: &Self) -> bool {
        let are_told_apart = match (&self.claim, &other.claim) {
            (Some((claim, text)), Some((others, other))) => claim == others && text != other,
            _ => false,
        };
        self.issuer.issuer == other.issuer.issuer && self.subject == other.subject && !are_told_apart
    }
}

const ROLES: &[(&str, Role)] = &[("act-for", Role::ActFor), ("admin", Role::Admin)];

/// The callers; `asked` is whether an internal listener asks clients for certificates.
pub(super) fn read(field: &Field<'_>, realms: &[Realm], asked: bool) -> Vec<InternalCaller> {
    let mut callers: Vec<InternalCaller> = Vec::new();
    field.named(|name, section| {
        let caller = InternalCaller { name: name.to_owned(), proof: proof(section, asked)?, roles: roles(section) };
        if let Some(token) = caller.token() {
            fit(&section.field("jwt"), token, realms, &callers);
        }
        callers.push(caller);
        Some(())
    });
    callers
}

/// A caller's token must be no user's and no other caller's.
fn fit(field: &Field<'_>, token: &CallerToken, realms: &[Realm], callers: &[InternalCaller]) {
    let is_taken =
        |issuer: &TokenIssuer| issuer.issuer == token.issuer.issuer && issuer.audience == token.issuer.audience;
    let of_users = realms.iter().find(
        |realm| matches!(&realm.kind, RealmKind::Jwt(jwt) if jwt.issuers.iter().any(|issuer| is_taken(&issuer.tokens))),
    );
    if let Some(realm) = of_users {
        field.fault(
            format!("realm {} takes tokens of this issuer and audience as users'", realm.name),
            "have the issuer make those of callers for an audience of their own, and write that",
        );
    }
    let same = |other: &&InternalCaller| other.token().is_some_and(|other| other.is_shared_with(token));
    if let Some(other) = callers.iter().find(same) {
        field.fault(
            format!("a token could prove {} too", other.name),
            "write another subject, or for both the same claim with another value",
        );
    }
}

fn proof(section: &Section<'_>, asked: bool) -> Option<CallerProof> {
    let right =
        "name a readable file that holds the bearer only, or remove the key for one that is made in the data folder";
    let (token, certificate, jwt) =
        (section.field("token-file"), section.field("client-certificate"), section.field("jwt"));
    let token_file = token.existing(right, files::readable);
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
    if jwt.is_written() {
        if certificate.is_written() || token.is_written() {
            jwt.fault("a caller proves itself in one way", "keep jwt, token-file or client-certificate");
        }
        return jwt.section(caller_token).flatten().map(|token| CallerProof::Token(Box::new(token)));
    }
    Some(match (client_certificate, token_file) {
        (Some(path), _) => CallerProof::Certificates(path),
        (None, Some(path)) => CallerProof::Bearer(path),
        (None, None) => CallerProof::MadeBearer,
    })
}

fn caller_token(section: &Section<'_>) -> Option<CallerToken> {
    let subject = section.field("subject").demanded("write what the caller's tokens have as sub").optional();
    let (claim, value) = (section.field("claim"), section.field("value"));
    if claim.is_written() != value.is_written() {
        let right = "write both, such as claim: azp and value: shop, or neither";
        claim.fault("claim and value belong together", right);
    }
    let claim = claim.optional().zip(value.optional());
    let (issuer, keys) = (read_issuer(section), section.field("keys").section(read_pace));
    Some(CallerToken { issuer: issuer?, subject: subject?, claim, keys: keys? })
}

fn roles(section: &Section<'_>) -> Vec<Role> {
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
    roles
}
