//! What an operator should know about certificates and keys before browsers, phones and upstreams meet them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use sidegate_filters::clock::Millis;

use crate::config::{Config, ListenerTls, Notice};
use crate::jose::certificate_claims::CertificateClaims;
use crate::routes::ListenerClass;

/// What clients will hold against the certificates of listeners, and keys that others may read. None of it keeps a gateway from
/// serving. Files that can't be read are left to [`super::misfits`].
pub(in crate::cli) fn notes(config: &Config, now: Millis) -> Vec<Notice> {
    let mut found = Vec::new();
    for (index, listener) in config.listeners.iter().enumerate() {
        let Some(tls) = &listener.tls else { continue };
        let host = Some(config.public_url.host()).filter(|_| listener.class == ListenerClass::Public);
        let mut note = |key: &str, text: Option<String>| {
            found.extend(text.map(|text| Notice { key: format!("listeners[{index}].tls.{key}"), text }));
        };
        for text in of_certificate(tls, host, now) {
            note("certificate", Some(text));
        }
        note("key", of_key(&tls.key));
    }
    for upstream in &config.upstreams {
        let client = upstream.tls.as_ref().and_then(|tls| tls.client.as_ref());
        let text = client.and_then(|files| of_key(&files.key));
        found.extend(text.map(|text| Notice { key: format!("upstreams.{}.tls.client-key", upstream.name), text }));
    }
    found
}

fn of_certificate(tls: &ListenerTls, host: Option<&str>, now: Millis) -> Vec<String> {
    let Ok(certificate) = CertificateClaims::read(&tls.certificate) else { return Vec::new() };
    let file = tls.certificate.display();
    let doubt = certificate.doubt(now).map(|doubt| format!("{file} {doubt}: clients refuse it; get a new one"));
    let foreign = host.filter(|host| !certificate.names(host)).map(|host| {
        format!("{file} does not name {host}, the host of public-url: clients refuse it; get one that does")
    });
    doubt.into_iter().chain(foreign).collect()
}

fn of_key(path: &Path) -> Option<String> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    let open = mode & 0o077 != 0;
    open.then(|| {
        let file = path.display();
        format!("{file} has mode {mode:03o}: whoever else may read it can stand in for the gateway; chmod 600")
    })
}
