//! What mends a failure, as far as the flags and the data folder of this machine tell.

use std::path::Path;

use reqwest::Url;

use super::error::PASSWORD_LOGIN;
use super::flags::PasswordLogin;
use super::{Device, PhoneError, error};
use crate::cli::arguments::DataFlags;
use crate::config::Environment;
use crate::gateway;
use crate::routes::ListenerClass;

impl Device {
    /// The failure with what mends it, where anything here tells.
    pub(super) fn advised(&self, why: PhoneError) -> PhoneError {
        let Some(gateway) = self.action.at().map(|at| at.url.clone()) else { return why };
        let known = self.known(&gateway);
        match (why, self.action.login()) {
            (PhoneError::Network(why), _) if !error::is_of_certificate(&why) => {
                PhoneError::Unreached { gateway, known, why }
            }
            (why, _) if why.is_of_a_stranger() => PhoneError::Elsewhere { gateway, known, why: Box::new(why) },
            (why @ PhoneError::Refused { what: PASSWORD_LOGIN, status: 401, .. }, Some(login)) => {
                if login.password_stdin || known.is_empty() {
                    return login.refused(why);
                }
                PhoneError::Stranger { gateway, known, why: Box::new(why) }
            }
            (why, _) => why,
        }
    }

    /// Where the data folder says that the gateway was started, if it is somewhere else.
    fn known(&self, gateway: &str) -> String {
        let flags = self.action.login().map_or_else(DataFlags::default, PasswordLogin::data_flags);
        let folder = flags.path(&Environment::of_process()).ok();
        folder.and_then(|folder| others(&folder, gateway)).unwrap_or_default()
    }
}

/// The public addresses in `addresses.json` of this folder, if `tried` is none of them.
fn others(folder: &Path, tried: &str) -> Option<String> {
    let bound = gateway::last_bound(folder);
    let public = bound.iter().filter(|bound| bound.class == ListenerClass::Public);
    let urls: Vec<_> = public.map(|bound| format!("{}://{}", scheme(bound.tls), bound.address)).collect();
    let tried = Url::parse(tried).ok()?;
    let is_tried = |url: &String| Url::parse(url).is_ok_and(|url| url.origin() == tried.origin());
    let other = !urls.is_empty() && !urls.iter().any(is_tried);
    other.then(|| format!("; {} names {}", folder.join(gateway::ADDRESSES).display(), urls.join(", ")))
}

fn scheme(tls: bool) -> &'static str {
    if tls { "https" } else { "http" }
}
