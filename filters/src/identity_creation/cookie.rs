//! The session cookie's name, and reading it strictly: whoever can plant a second one must not choose the session.

use http::{HeaderMap, HeaderValue, header};

const SECURE_PREFIX: &str = "__Host-sidegate-";
const PLAIN_PREFIX: &str = "sidegate-";
const LOGIN_SUFFIX: &str = ".login";

/// Realms that share one session and one cookie (`gateway.md` 3.1): 1 to 32 of `a-z`, `0-9` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionDomain(String);

/// The text cannot name a session domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a session domain is 1 to 32 characters of a-z, 0-9 and -")]
pub struct BadDomain;

impl SessionDomain {
    /// Takes `name` as a domain.
    ///
    /// # Errors
    /// When it is empty, too long or holds another character.
    pub fn parse(name: &str) -> Result<Self, BadDomain> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=32).contains(&name.len()) && name.bytes().all(fits) {
            Ok(Self(name.to_owned()))
        } else {
            Err(BadDomain)
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The cookie's name: with the `__Host-` prefix (RFC 6265bis 4.1.3) for clients who come by https, be it that a believed
    /// proxy says so; without it for those by plain http, where browsers would refuse it.
    #[must_use]
    pub fn cookie_name(&self, secure: bool) -> String {
        let prefix = if secure { SECURE_PREFIX } else { PLAIN_PREFIX };
        format!("{prefix}{}", self.0)
    }

    /// The name of the cookie of a login that is under way elsewhere. No domain can be called so.
    #[must_use]
    pub fn login_cookie_name(&self, secure: bool) -> String {
        format!("{}{LOGIN_SUFFIX}", self.cookie_name(secure))
    }
}

/// What the client sent under a cookie name of ours.
#[derive(Debug, PartialEq, Eq)]
pub enum SessionCookie {
    /// No such cookie.
    Absent,
    /// Exactly one.
    One(String),
    /// More than one: somebody else's may be among them (cookie tossing).
    Several,
}

/// Reads the domain's session cookie out of all `Cookie` fields (HTTP/2 may split them).
#[must_use]
pub fn session_cookie(headers: &HeaderMap, domain: &SessionDomain, secure: bool) -> SessionCookie {
    only(headers, &domain.cookie_name(secure))
}

/// Reads the cookie of a login that is under way in the domain, as strictly.
#[must_use]
pub fn login_cookie(headers: &HeaderMap, domain: &SessionDomain, secure: bool) -> SessionCookie {
    only(headers, &domain.login_cookie_name(secure))
}

fn only(headers: &HeaderMap, name: &str) -> SessionCookie {
    let mut found = SessionCookie::Absent;
    for pair in headers.get_all(header::COOKIE).iter().flat_map(pairs) {
        let Some(value) = named(pair, name) else { continue };
        if found != SessionCookie::Absent {
            return SessionCookie::Several;
        }
        // A value that is no text can't be one of ours; it still counts as a cookie of our name.
        found = SessionCookie::One(std::str::from_utf8(value).unwrap_or_default().to_owned());
    }
    found
}

/// The client's cookies, in one field, without any that may carry a session of ours, of whatever domain: no upstream
/// learns it.
#[must_use]
pub fn foreign_cookies(headers: &HeaderMap) -> Option<HeaderValue> {
    let kept: Vec<Vec<u8>> = headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(pairs)
        .filter(|pair| !pair.is_empty() && !is_ours(pair))
        .map(<[u8]>::to_vec)
        .collect();
    HeaderValue::from_bytes(&kept.join(&b"; "[..])).ok().filter(|value| !value.is_empty())
}

fn pairs(field: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    field.as_bytes().split(|byte| *byte == b';').map(<[u8]>::trim_ascii)
}

fn named<'a>(pair: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let equals = pair.iter().position(|byte| *byte == b'=')?;
    let (key, value) = pair.split_at_checked(equals)?;
    (key.trim_ascii() == name.as_bytes()).then(|| value.get(1..).unwrap_or_default().trim_ascii())
}

/// Whether a `Set-Cookie` field sets, or clears, a cookie that may be a session of ours, of whatever domain: nobody but
/// us does that. What stands behind a comma or a semicolon counts as well: others may split the field there, and no
/// upstream has an attribute of our name.
#[must_use]
pub fn sets_session_cookie(field: &HeaderValue) -> bool {
    field.as_bytes().split(|byte| matches!(byte, b';' | b',')).any(is_ours)
}

/// Case is ignored, and what stands before the name: others fold it, and a browser takes `=name=value` for a cookie
/// without a name and sends it back as `name=value` (RFC 6265bis 5.6). Some take a name in quotes for the name.
fn is_ours(pair: &[u8]) -> bool {
    let start = pair.iter().position(|byte| *byte > b' ' && !matches!(byte, b'=' | b'"')).unwrap_or(pair.len());
    let name = pair.get(start..).unwrap_or_default();
    let begins =
        |prefix: &str| name.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix.as_bytes()));
    begins(PLAIN_PREFIX) || begins(SECURE_PREFIX)
}

#[cfg(test)]
mod tests;
