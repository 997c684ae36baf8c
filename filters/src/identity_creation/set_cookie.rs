//! The one builder of `Set-Cookie` (`gateway.md` 3.2).

use http::HeaderValue;
use http::header::InvalidHeaderValue;
use zeroize::Zeroizing;

use super::SessionDomain;

impl SessionDomain {
    /// Hands the session of this cookie's value to the browser, for as long as it runs.
    ///
    /// # Errors
    /// When the value fits into no header.
    pub fn set_cookie(&self, secure: bool, value: &str) -> Result<HeaderValue, InvalidHeaderValue> {
        self.field(secure, value, "")
    }

    /// Makes the browser forget the session.
    ///
    /// # Errors
    /// Never for a domain that was parsed.
    pub fn clear_cookie(&self, secure: bool) -> Result<HeaderValue, InvalidHeaderValue> {
        self.field(secure, "", "; Max-Age=0")
    }

    fn field(&self, secure: bool, value: &str, age: &str) -> Result<HeaderValue, InvalidHeaderValue> {
        let name = self.cookie_name(secure);
        let secure = if secure { "; Secure" } else { "" };
        let text = Zeroizing::new(format!("{name}={value}; Path=/{age}{secure}; HttpOnly; SameSite=Lax"));
        let mut field = HeaderValue::from_str(&text)?;
        field.set_sensitive(true);
        Ok(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_tls_the_cookie_is_bound_to_the_host() {
        let field = SessionDomain::parse("main").unwrap().set_cookie(true, "value").unwrap();
        assert_eq!(field.to_str().unwrap(), "__Host-sidegate-main=value; Path=/; Secure; HttpOnly; SameSite=Lax");
        assert!(field.is_sensitive());
    }

    #[test]
    fn on_plain_loopback_it_is_not_secure() {
        let field = SessionDomain::parse("main").unwrap().clear_cookie(false).unwrap();
        assert_eq!(field.to_str().unwrap(), "sidegate-main=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    }
}
