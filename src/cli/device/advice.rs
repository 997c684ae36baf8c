//! What mends a failure, as far as the flags and the data folder of this machine tell.

use std::net::SocketAddr;
use std::path::Path;

use reqwest::Url;
use serde::Deserialize;

use super::error::{LOGIN_REQUEST, PASSWORD_LOGIN};
use super::flags::PasswordLogin;
use super::{Device, PhoneError, error};
use crate::cli::arguments::DataFlags;
use crate::config::Environment;
use crate::gateway::ADDRESSES;

/// A line of `addresses.json`.
#[derive(Deserialize)]
struct Bound {
    class: String,
    address: SocketAddr,
    tls: bool,
}

impl Device {
    /// The failure with what mends it, where anything here tells.
    pub(super) fn advised(&self, why: PhoneError) -> PhoneError {
        match (why, self.action.login()) {
            (PhoneError::Network(why), _) if !error::is_of_certificate(&why) => {
                PhoneError::Unreached { gateway: self.gateway.clone(), known: self.known(), why }
            }
            (why @ PhoneError::Refused { what: PASSWORD_LOGIN | LOGIN_REQUEST, status: 404 | 405, .. }, _) => {
                PhoneError::Elsewhere { gateway: self.gateway.clone(), known: self.known(), why: Box::new(why) }
            }
            (why @ PhoneError::Refused { what: PASSWORD_LOGIN, status: 401, .. }, Some(login)) => {
                let known = if login.password_stdin { String::new() } else { self.known() };
                if known.is_empty() {
                    return login.refused(why);
                }
                PhoneError::Stranger { gateway: self.gateway.clone(), known, why: Box::new(why) }
            }
            (why, _) => why,
        }
    }

    /// Where the data folder says that the gateway was started, if it is somewhere else.
    fn known(&self) -> String {
        let flags = self.action.login().map_or_else(DataFlags::default, PasswordLogin::data_flags);
        let folder = flags.path(&Environment::of_process()).ok();
        folder.and_then(|folder| others(&folder.join(ADDRESSES), &self.gateway)).unwrap_or_default()
    }
}

/// The public addresses of this file, if `gateway` is none of them.
fn others(file: &Path, gateway: &str) -> Option<String> {
    let bound: Vec<Bound> = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    let public = bound.iter().filter(|bound| bound.class == "public");
    let urls: Vec<_> = public.map(|bound| format!("{}://{}", scheme(bound.tls), bound.address)).collect();
    let tried = Url::parse(gateway).ok()?;
    let is_tried = |url: &String| Url::parse(url).is_ok_and(|url| url.origin() == tried.origin());
    let other = !urls.is_empty() && !urls.iter().any(is_tried);
    other.then(|| format!("; {} names {}", file.display(), urls.join(", ")))
}

fn scheme(tls: bool) -> &'static str {
    if tls { "https" } else { "http" }
}
