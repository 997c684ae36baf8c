//! `WWW-Authenticate` of whoever has to authenticate first (RFC 6750 3, RFC 9470 3).

use http::HeaderValue;

use super::{Demand, SessionDomain};

/// What would do.
#[derive(Debug, Clone, Copy)]
pub enum Challenge<'a> {
    /// A session of this domain.
    Session(&'a SessionDomain),
    /// A session is there; it needs authentication of this kind (RFC 9470 3), in these words if there are any.
    StepUp(&'a SessionDomain, &'a Demand, Option<&'a [String]>),
    /// What is shown in another way than in `Authorization`, by the name of that.
    Other(&'static str, &'a SessionDomain),
    /// A bearer token was sent, and it is not accepted (RFC 6750 3.1).
    OtherToken(&'a SessionDomain),
    /// The bearer of an internal caller.
    InternalCaller,
    /// The same: the one that was sent is not known here (RFC 6750 3.1).
    OtherInternalCaller,
}

impl Challenge<'_> {
    /// The header's value.
    #[must_use]
    pub fn value(self) -> HeaderValue {
        let text = match self {
            Self::Session(domain) => format!("Bearer realm=\"{}\"", domain.as_str()),
            Self::StepUp(domain, demand, words) => format!(
                "Bearer realm=\"{}\", error=\"insufficient_user_authentication\", {}",
                domain.as_str(),
                demand.parameters(words)
            ),
            Self::Other(scheme, domain) => format!("{scheme} realm=\"{}\"", domain.as_str()),
            Self::OtherToken(domain) => format!("Bearer realm=\"{}\", error=\"invalid_token\"", domain.as_str()),
            Self::InternalCaller => return HeaderValue::from_static("Bearer realm=\"internal\""),
            Self::OtherInternalCaller => {
                return HeaderValue::from_static("Bearer realm=\"internal\", error=\"invalid_token\"");
            }
        };
        // A domain's name fits a cookie's, and parameters leave out what no header may hold.
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("Bearer"))
    }
}

/// A parameter's value without what would end it, or fits into no header.
pub(super) fn quoted(text: &str) -> String {
    let fits = |letter: &char| matches!(letter, ' '..='~') && !matches!(letter, '"' | '\\');
    format!("\"{}\"", text.chars().filter(fits).collect::<String>())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_says_what_would_do() {
        let domain = SessionDomain::parse("main").unwrap();
        let max_age = Some(Duration::from_secs(300));
        let demand = Demand { max_age, realms: vec!["a\"b\n\u{e9}".to_owned()], ..Demand::default() };
        for (challenge, expected) in [
            (Challenge::Session(&domain), r#"Bearer realm="main""#),
            (
                Challenge::StepUp(&domain, &demand, None),
                r#"Bearer realm="main", error="insufficient_user_authentication", acr_values="ab", max_age="300""#,
            ),
            (Challenge::Other("Forward", &domain), r#"Forward realm="main""#),
            (Challenge::OtherToken(&domain), r#"Bearer realm="main", error="invalid_token""#),
            (Challenge::InternalCaller, r#"Bearer realm="internal""#),
            (Challenge::OtherInternalCaller, r#"Bearer realm="internal", error="invalid_token""#),
        ] {
            assert_eq!(challenge.value(), expected);
        }
    }
}
