//! Where the gateway is reached: listeners, the public URL, and what trying out allows.

use crate::config::field::Field;
use crate::config::listeners::{self, first_public};
use crate::config::{Listener, Overrides, PublicUrl};

use super::Assembly;

/// Where it listens.
pub(super) struct Listeners {
    pub(super) all: Vec<Listener>,
    /// Whether no listener is at fault and missing here.
    complete: bool,
    certificates_asked: bool,
}

impl Listeners {
    /// Whether clients of internal listeners are asked for certificates; said of faulty ones, too.
    pub(super) fn ask_for_certificates(&self) -> bool {
        !self.complete || self.certificates_asked
    }
}

impl Assembly<'_, '_> {
    /// Whether this is for trying out, and the listeners.
    pub(super) fn listeners(&self) -> (bool, Listeners) {
        let key = self.field("try-out");
        let wanted = key.optional();
        let field = self.field("listeners");
        let (all, certificates_asked) = listeners::read(&field, self.overrides);
        if wanted == Some(true) {
            self.keep_at_home(&key, &all);
        }
        let complete = field.is_written() && field.is_all(all.len());
        // Where the value is at fault, nothing is said of keys that are mandatory without it.
        (wanted.unwrap_or(key.is_written()), Listeners { all, complete, certificates_asked })
    }

    /// What is for trying out is for this machine alone. A plain listener that others could reach is a fault already; if a
    /// flag put it there, nothing in the file is to be mended.
    fn keep_at_home(&self, try_out: &Field<'_>, listeners: &[Listener]) {
        let outside = listeners.iter().filter(|listener| !listener.address.ip().is_loopback());
        let (given, written): (Vec<_>, Vec<_>) =
            outside.partition(|listener| self.overrides.address(listener.class) == Some(listener.address));
        if !written.is_empty() {
            try_out.fault("a listener can be reached from elsewhere", "remove this key, or listen on 127.0.0.1 only");
        }
        for listener in given.iter().filter(|listener| listener.tls.is_some()) {
            try_out.fault_of_flag(
                Overrides::flag(listener.class),
                "it can be reached from elsewhere, and this configuration is for trying out",
                "give an address on 127.0.0.1, or a configuration without try-out",
            );
        }
    }

    pub(super) fn public_url(&self, try_out: bool, listeners: &Listeners) -> Option<PublicUrl> {
        let field = self.field("public-url");
        let is_told = try_out && !field.is_written();
        let url = if is_told { url_of_listeners(&field, listeners) } else { field.required() };
        if let Some(url) = url.as_ref().filter(|url| !url.is_https()) {
            let secured = listeners
                .all
                .iter()
                .any(|listener| listener.tls.is_some() && url.port() == Some(listener.address.port()));
            let why = if secured { "the listener at its port speaks TLS" } else { "a real phone needs https" };
            field.notice(format!("{} is plain http: {why}", url.text()));
        }
        url
    }
}

/// The URL of the first public listener; nothing more is said where a listener is at fault.
fn url_of_listeners(field: &Field<'_>, listeners: &Listeners) -> Option<PublicUrl> {
    let Some(first) = first_public(&listeners.all) else {
        return if listeners.complete { field.required() } else { None };
    };
    match PublicUrl::of_listener(first.address, first.tls.is_some()) {
        Ok(url) => Some(url),
        // A fault of its address was found already.
        Err(_) if !first.address.ip().is_loopback() => None,
        Err(wrong) => {
            field.fault(wrong, "write the URL that phones and browsers use");
            None
        }
    }
}
