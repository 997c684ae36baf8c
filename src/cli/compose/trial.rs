//! What a configuration that reads well may still fail at: the files that it names, and whether its parts fit together.
//! The functions are those of a start, so that what passes here starts.

use std::fmt::Display;

use super::dry_run;
use crate::cli::Failure;
use crate::cli::serve::settings;
use crate::config::{CallerProof, Config, JwkSet, RealmKind};
use crate::fido::{Policies, statements};
use crate::gateway::{self, TlsError};
use crate::identity::internal_callers::BearerHash;
use crate::identity::jwt::try_file;
use crate::jose::certificates::Authorities;
use crate::jose::client_certificate::ClientCertificate;
use crate::jose::server_certificate::ServerCertificate;

/// Something that would stop the start.
#[derive(Debug)]
pub(in crate::cli) struct Misfit {
    /// The key at fault, with its path; empty where no key is.
    pub(in crate::cli) key: String,
    /// What is wrong; names the file.
    pub(in crate::cli) wrong: String,
    /// What would be right.
    pub(in crate::cli) right: &'static str,
}

/// Everything that would stop the start, but for what only the moment tells: the data folder's content, and whether
/// the addresses are free.
///
/// # Errors
/// When no trial could be made.
pub(in crate::cli) fn misfits(config: &Config) -> Result<Vec<Misfit>, Failure> {
    let files = [
        certificates(config),
        authorities(config),
        shown(config),
        bearers(config),
        metadata(config),
        policies(config),
        seen(config),
        key_sets(config),
    ];
    let mut found: Vec<Misfit> = files.into_iter().flatten().collect();
    if found.is_empty() {
        found.extend(dry_run(config)?.err().map(|error| Misfit {
            key: error.key().to_owned(),
            wrong: error.to_string(),
            right: error.right(),
        }));
    }
    Ok(found)
}

fn misfit<T, E: Display>(tried: Result<T, E>, key: impl FnOnce() -> String, right: &'static str) -> Option<Misfit> {
    tried.err().map(|error| Misfit { key: key(), wrong: error.to_string(), right })
}

fn certificates(config: &Config) -> Vec<Misfit> {
    let listeners = settings(config, &config.data).listeners;
    let right = "name PEM files: a certificate with its chain, the key that belongs to it, authorities of clients";
    let tried = listeners.iter().map(gateway::try_certificate).enumerate();
    let faulty = tried.filter_map(|(index, tried)| Some((index, tried.err()?)));
    let key = |index, error: &TlsError| {
        let below = error.key().map(|key| format!(".{key}")).unwrap_or_default();
        format!("listeners[{index}].tls{below}")
    };
    faulty.map(|(index, error)| Misfit { key: key(index, &error), wrong: error.to_string(), right }).collect()
}

fn authorities(config: &Config) -> Vec<Misfit> {
    let named =
        config.upstreams.iter().filter_map(|upstream| Some((&upstream.name, upstream.tls.as_ref()?.ca.as_ref()?)));
    let right = "name a PEM file with the authorities to trust";
    named.filter_map(|(name, ca)| misfit(Authorities::read(ca), || format!("upstreams.{name}.tls.ca"), right)).collect()
}

/// What is shown to upstreams.
fn shown(config: &Config) -> Vec<Misfit> {
    let named =
        config.upstreams.iter().filter_map(|upstream| Some((&upstream.name, upstream.tls.as_ref()?.client.as_ref()?)));
    let right = "name PEM files: a certificate with its chain, and the key that belongs to it, without a password";
    let key = |name: &str| format!("upstreams.{name}.tls.client-certificate");
    let tried = named.map(|(name, files)| (name, ClientCertificate::read(&files.certificate, &files.key)));
    tried.filter_map(|(name, tried)| misfit(tried, || key(name), right)).collect()
}

fn bearers(config: &Config) -> Vec<Misfit> {
    let named = config.internal_callers.iter().filter_map(|caller| match &caller.proof {
        CallerProof::Bearer(file) => Some((&caller.name, file)),
        CallerProof::MadeBearer | CallerProof::Certificates(_) | CallerProof::Token(_) => None,
    });
    let right = "name a file that only its owner may read, with a bearer of 32 characters or more in it";
    let key = |name: &str| format!("internal-callers.{name}.token-file");
    named.filter_map(|(name, file)| misfit(BearerHash::read(file), || key(name), right)).collect()
}

fn metadata(config: &Config) -> Vec<Misfit> {
    let folder = config.fido_uaf.as_ref().and_then(|fido_uaf| fido_uaf.metadata.statements.as_ref());
    let right = "every .json file of the folder is a metadata statement for UAF, version 2 or 3, each of another model";
    let faults = folder.and_then(|folder| statements(folder).err()).into_iter().flatten();
    let key = || "fido-uaf.metadata.statements".to_owned();
    faults.filter_map(|fault| misfit(Err::<(), _>(fault), key, right)).collect()
}

fn policies(config: &Config) -> Vec<Misfit> {
    let folder = config.fido_uaf.as_ref().and_then(|fido_uaf| fido_uaf.policies.as_ref());
    let right = "every .json file of the folder is a policy, default.json is one of them";
    let faults = folder.and_then(|folder| Policies::load(folder).err()).into_iter().flatten();
    let key = || "fido-uaf.policies".to_owned();
    faults.filter_map(|fault| misfit(Err::<(), _>(fault), key, right)).collect()
}

/// The keys of token issuers that are in files.
fn key_sets(config: &Config) -> Vec<Misfit> {
    let right = "name a file with a JWK set: an object with the list `keys`";
    let mut issuers = Vec::new();
    for realm in &config.realms {
        let RealmKind::Jwt(jwt) = &realm.kind else { continue };
        for (index, issuer) in jwt.issuers.iter().enumerate() {
            issuers.push((format!("realms.{}.issuers[{index}].jwks", realm.name), &issuer.tokens));
        }
    }
    let of_callers = config.internal_callers.iter().filter_map(|caller| Some((caller, caller.token()?)));
    issuers.extend(
        of_callers.map(|(caller, token)| (format!("internal-callers.{}.jwt.jwks", caller.name), &token.issuer)),
    );
    let files = issuers.into_iter().filter_map(|(key, issuer)| match &issuer.jwks {
        JwkSet::File(path) => Some((key, path)),
        JwkSet::Url(..) => None,
    });
    files.filter_map(|(key, path)| misfit(try_file(path), || key, right)).collect()
}

/// The certificates that phones see of whoever ends TLS in front.
fn seen(config: &Config) -> Vec<Misfit> {
    let files = config.fido_uaf.iter().flat_map(|fido_uaf| &fido_uaf.tls_certificates).enumerate();
    let right = "name PEM files, each with the certificate of a server that ends TLS before the gateway";
    let key = |index| format!("fido-uaf.tls-certificates[{index}]");
    files.filter_map(|(index, file)| misfit(ServerCertificate::read(file), || key(index), right)).collect()
}
