//! The one builder of `Set-Cookie` (`gateway.md` 3.2).

use http::HeaderValue;
use http::header::InvalidHeaderValue;
use sidegate_filters::SessionDomain;
use zeroize::Zeroizing;

use super::session_id::SessionId;

/// Hands a session to the browser, for as long as it runs.
pub(super) fn set(domain: &SessionDomain, secure: bool, id: &SessionId) -> Result<HeaderValue, InvalidHeaderValue> {
    field(domain, secure, &id.text(), "")
}

/// Takes it away.
pub(super) fn clear(domain: &SessionDomain, secure: bool) -> Result<HeaderValue, InvalidHeaderValue> {
    field(domain, secure, "", "; Max-Age=0")
}

fn field(domain: &SessionDomain, secure: bool, value: &str, age: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let name = domain.cookie_name(secure);
    let secure = if secure { "; Secure" } else { "" };
    let text = Zeroizing::new(format!("{name}={value}; Path=/{age}{secure}; HttpOnly; SameSite=Lax"));
    let mut field = HeaderValue::from_str(&text)?;
    field.set_sensitive(true);
    Ok(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_tls_the_cookie_is_bound_to_the_host() {
        let domain = SessionDomain::parse("main").unwrap();
        let id = SessionId::parse(&"A".repeat(43)).unwrap();
        let expected = format!("__Host-sidegate-main={}; Path=/; Secure; HttpOnly; SameSite=Lax", "A".repeat(43));
        let field = set(&domain, true, &id).unwrap();
        assert_eq!(field.to_str().unwrap(), expected);
        assert!(field.is_sensitive());
    }

    #[test]
    fn on_plain_loopback_it_is_not_secure() {
        let domain = SessionDomain::parse("main").unwrap();
        let expected = "sidegate-main=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax";
        assert_eq!(clear(&domain, false).unwrap().to_str().unwrap(), expected);
    }
}
