//! What an authentication service says in the headers of its answer.

use http::{HeaderMap, HeaderName};
use sidegate_filters::clock::Millis;
use sidegate_filters::identity::{Login, Session};
use sidegate_filters::jws::base64url;

use super::Settings;
use crate::jose::sha256;
use crate::store::users::are_roles;

/// The longest text that names a user, in bytes.
const LONGEST: usize = 256;

/// Whom an answer names. One that names nobody in a way that can be read denies.
pub(super) fn session(settings: &Settings, answer: &HeaderMap) -> Option<Session> {
    let Settings { realm, domain, level, terms } = settings;
    let user = text(answer, &terms.user)?;
    let name = terms.name.as_ref().map_or_else(|| Some(user.clone()), |name| text(answer, name))?;
    let roles = terms.roles.as_ref().map_or_else(|| Some(Vec::new()), |name| roles(answer, name))?;
    // Of what the service says alone: a client could make itself as many sessions as it likes with what it shows.
    let own = terms.session.as_ref().map_or_else(|| Some(String::new()), |name| text(answer, name))?;
    let sid = sha256(&[b"sid of a service", realm.as_bytes(), user.as_bytes(), own.as_bytes()].join(&0));
    Some(Session {
        sid: base64url::encode(sid.get(..16).unwrap_or(&sid)),
        domain: domain.clone(),
        ext_id: user,
        name,
        // It does not say when its user was last there.
        logins: Login { realm: realm.clone(), level: *level, at: Millis(0) }.into(),
        roles,
        generation: 0,
    })
}

/// The only value of a header, if it is plain text.
fn text(answer: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut values = answer.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let value = std::str::from_utf8(value.as_bytes()).ok()?;
    let plain =
        !value.is_empty() && value.len() <= LONGEST && value.trim() == value && !value.contains(char::is_control);
    plain.then(|| value.to_owned())
}

/// Texts with commas between them, in any number of fields; none where there is no field.
fn roles(answer: &HeaderMap, name: &HeaderName) -> Option<Vec<String>> {
    let mut roles = Vec::new();
    for value in answer.get_all(name) {
        let value = std::str::from_utf8(value.as_bytes()).ok().filter(|value| !value.contains(char::is_control))?;
        roles.extend(value.split(',').map(str::trim).filter(|role| !role.is_empty()).map(str::to_owned));
    }
    are_roles(&roles).then_some(roles)
}
