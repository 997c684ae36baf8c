//! What an authentication service says in the headers of its answer.

use http::{HeaderMap, HeaderName};
use sidegate_filters::clock::Millis;
use sidegate_filters::identity::{Login, Session};

use super::super::of_request::Basis;
use super::Settings;
use crate::store::users::{are_roles, is_plain};

/// Whom an answer names. One that names nobody in a way that can be read denies.
pub(super) fn session(settings: &Settings, answer: &HeaderMap) -> Option<Session> {
    let Settings { realm, domain, level, terms, .. } = settings;
    let user = text(answer, &terms.user)?;
    let name = terms.name.as_ref().map_or_else(|| Some(user.clone()), |name| text(answer, name))?;
    let roles = terms.roles.as_ref().map_or_else(|| Some(Vec::new()), |name| roles(answer, name))?;
    // Of what the service says alone: a client could make itself as many sessions as it likes with what it shows.
    let own = terms.session.as_ref().map_or_else(|| Some(String::new()), |name| text(answer, name))?;
    Some(Session {
        sid: Basis::Service(&user, &own).sid(realm),
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
    std::str::from_utf8(value.as_bytes()).ok().filter(|value| is_plain(value)).map(str::to_owned)
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

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::super::Terms;
    use super::*;

    fn settings() -> Settings {
        let terms = Terms {
            headers: Vec::new(),
            body: None,
            user: HeaderName::from_static("x-user"),
            name: None,
            roles: None,
            session: Some(HeaderName::from_static("x-session")),
            cache: None,
        };
        Settings { realm: "apps".into(), domain: "main".into(), upstream: "verifier".into(), level: 1, terms }
    }

    fn answer(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        fields.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    /// Whoever upgrades keeps the sids that applications know.
    #[test]
    fn the_sid_is_always_the_same_one() {
        let mut settings = settings();
        let answer = answer(&[("x-user", "e-1"), ("x-session", "tab-7")]);
        assert_eq!(session(&settings, &answer).unwrap().sid, "5f3RcYrPa_PTrMlpH_YsZw");
        settings.terms.session = None;
        assert_eq!(session(&settings, &answer).unwrap().sid, "98BOlc_Wd7_dUd2sr2wIlQ", "a user has one");
    }
}
