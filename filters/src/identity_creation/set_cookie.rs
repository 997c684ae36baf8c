//! The one builder of `Set-Cookie` (`gateway.md` 3.2).

use std::time::Duration;

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
        field(&self.cookie_name(secure), secure, value, "")
    }

    /// Makes the browser forget the session.
    ///
    /// # Errors
    /// Never for a domain that was parsed.
    pub fn clear_cookie(&self, secure: bool) -> Result<HeaderValue, InvalidHeaderValue> {
        field(&self.cookie_name(secure), secure, "", "; Max-Age=0")
    }

    /// Has the browser show that it began the login of this cookie's value, for as long as that may take.
    ///
    /// # Errors
    /// When the value fits into no header.
    pub fn set_login_cookie(
        &self,
        secure: bool,
        value: &str,
        age: Duration,
    ) -> Result<HeaderValue, InvalidHeaderValue> {
        field(&self.login_cookie_name(secure), secure, value, &format!("; Max-Age={}", age.as_secs()))
    }

    /// Makes the browser forget the login that it began.
    ///
    /// # Errors
    /// Never for a domain that was parsed.
    pub fn clear_login_cookie(&self, secure: bool) -> Result<HeaderValue, InvalidHeaderValue> {
        field(&self.login_cookie_name(secure), secure, "", "; Max-Age=0")
    }
}

fn field(name: &str, secure: bool, value: &str, age: &str) -> Result<HeaderValue, InvalidHeaderValue> {
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
        let field = SessionDomain::parse("main").unwrap().set_cookie(true, "value").unwrap();
        assert_eq!(field.to_str().unwrap(), "__Host-sidegate-main=value; Path=/; Secure; HttpOnly; SameSite=Lax");
        assert!(field.is_sensitive());
    }

    #[test]
    fn a_login_under_way_has_a_cookie_of_its_own() {
        let main = SessionDomain::parse("main").unwrap();
        let field = main.set_login_cookie(true, "value", Duration::from_secs(600)).unwrap();
        let expected = "__Host-sidegate-main.login=value; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax";
        assert_eq!(field.to_str().unwrap(), expected);
        assert!(field.is_sensitive() && SessionDomain::parse("main.login").is_err());
        let cleared = main.clear_login_cookie(false).unwrap();
        assert_eq!(cleared.to_str().unwrap(), "sidegate-main.login=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    }

    #[test]
    fn on_plain_loopback_it_is_not_secure() {
        let field = SessionDomain::parse("main").unwrap().clear_cookie(false).unwrap();
        assert_eq!(field.to_str().unwrap(), "sidegate-main=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    }
}
