//! What an operator should know about certificates, keys and policies before browsers, phones and upstreams meet them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use sidegate_filters::clock::Millis;
use sidegate_uaf::policy::Policy;

use crate::config::{CertificateName, CertificateUser, Config, FidoUaf, ListenerTls, Notice, RealmKind, is_reversed};
use crate::fido::Policies;
use crate::jose::server_certificate::ServerCertificate;
use crate::routes::ListenerClass;

/// What clients will hold against the certificates of listeners, keys that others may read, and policies that nobody can
/// meet. None of it keeps a gateway from serving. Files that can't be read are left to [`super::misfits`].
pub(in crate::cli) fn notes(config: &Config, now: Millis) -> Vec<Notice> {
    let mut found = Vec::new();
    let mut note = |key: String, texts: Vec<String>| {
        found.extend(texts.into_iter().map(|text| Notice { key: key.clone(), text }));
    };
    // A server behind compares nothing with certificates of ours.
    let judge = config.fido_uaf.as_ref().filter(|fido_uaf| fido_uaf.upstream.is_none());
    for (index, listener) in config.listeners.iter().enumerate() {
        let Some(tls) = &listener.tls else { continue };
        let public = listener.class == ListenerClass::Public;
        let host = public.then(|| config.public_url.host());
        let mut texts = of_certificate(tls, host, now);
        texts.extend(judge.filter(|_| public).and_then(|_| of_end_point(&tls.certificate)));
        note(format!("listeners[{index}].tls.certificate"), texts);
        note(format!("listeners[{index}].tls.key"), of_key(&tls.key).into_iter().collect());
    }
    for (index, file) in judge.map_or(&[][..], |fido_uaf| &fido_uaf.tls_certificates).iter().enumerate() {
        note(format!("fido-uaf.tls-certificates[{index}]"), of_end_point(file).into_iter().collect());
    }
    for realm in &config.realms {
        let RealmKind::Mtls(users) = &realm.kind else { continue };
        note(format!("realms.{}.users", realm.name), of_subjects(users));
    }
    for upstream in &config.upstreams {
        let client = upstream.tls.as_ref().and_then(|tls| tls.client.as_ref());
        let texts = client.and_then(|files| of_key(&files.key)).into_iter().collect();
        note(format!("upstreams.{}.tls.client-key", upstream.name), texts);
    }
    found.extend(judge.into_iter().flat_map(of_policies));
    found
}

/// Users whose subjects are written the wrong way round.
fn of_subjects(users: &[CertificateUser]) -> Vec<String> {
    let is_reversed = |user: &&CertificateUser| user.kind == CertificateName::Subject && is_reversed(&user.value);
    let text = |user: &CertificateUser| {
        format!(
            "{} begins with what certificates begin with, and RFC 2253 writes that last: see what `openssl x509 \
             -noout -subject -nameopt RFC2253` says of the certificate",
            user.value
        )
    };
    users.iter().filter(is_reversed).map(text).collect()
}

/// Policies that no key can meet, so that nobody registers or logs in by them.
fn of_policies(fido_uaf: &FidoUaf) -> Vec<Notice> {
    let policies = fido_uaf.policies.as_ref().map_or_else(|| Ok(Policies::built_in()), |folder| Policies::load(folder));
    let (Ok(policies), Ok(models)) = (policies, super::services::models(&fido_uaf.metadata)) else { return Vec::new() };
    if !Policy::any().may_be_met(&models) {
        let text = "no model of authenticators is known, so nobody can register a key: name their statements \
                    (statements), or write unknown-models: surrogate to try things out";
        return vec![Notice { key: "fido-uaf.metadata".to_owned(), text: text.to_owned() }];
    }
    let unmet = policies.iter().filter(|(_, policy)| !policy.may_be_met(&models));
    let note = |(name, _): (&str, _)| Notice {
        key: "fido-uaf.policies".to_owned(),
        text: format!(
            "no key can meet the policy {name}: of the models that are known and not revoked none has what its \
             alternatives want, or what it disallows is left of none; change it, or add a statement of such a model"
        ),
    };
    unmet.map(note).collect()
}

fn of_certificate(tls: &ListenerTls, host: Option<&str>, now: Millis) -> Vec<String> {
    let Ok(certificate) = ServerCertificate::read(&tls.certificate) else { return Vec::new() };
    let file = tls.certificate.display();
    let doubt = certificate.doubt(now).map(|doubt| format!("{file} {doubt}: clients refuse it; get a new one"));
    let foreign = host.filter(|host| !certificate.names(host)).map(|host| {
        format!("{file} does not name {host}, the host of public-url: clients refuse it; get one that does")
    });
    doubt.into_iter().chain(foreign).collect()
}

/// A phone may send a hash of the certificate that it saw, for which there is no rule here.
fn of_end_point(path: &Path) -> Option<String> {
    let certificate = ServerCertificate::read(path).ok()?;
    certificate.end_point().is_none().then(|| {
        let file = path.display();
        format!(
            "{file} is signed with Ed25519 or RSASSA-PSS, for which no serverEndPoint is defined: answers of phones \
             that send one are refused (1490); get one signed with ECDSA or RSA PKCS #1"
        )
    })
}

fn of_key(path: &Path) -> Option<String> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    let open = mode & 0o077 != 0;
    open.then(|| {
        let file = path.display();
        format!("{file} has mode {mode:03o}: whoever else may read it can stand in for the gateway; chmod 600")
    })
}
