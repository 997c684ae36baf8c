//! One rule, `<source>:<name>:<header>[:encoding]` (`gateway.md` 3.3).

use std::fmt;

use http::HeaderName;

use super::reserved::{is_kept_from_upstreams, is_reserved};

/// What a rule may take from the authenticated user, apart from the SecToken: the names after `user.auth.`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UserAttribute {
    UserId,
    LoginId,
    AuthLevel,
    Roles,
    Realm,
}

/// What a rule may take from the session. Its id is the public one, never the cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SessionAttribute {
    Sid,
    Domain,
    AuthenticatedAt,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    SecToken,
    Auth(UserAttribute),
    Session(SessionAttribute),
    /// The configured name of an internal caller (`gateway.md` 2.4).
    CallerName,
    /// `CONST`, and `ENV` as it was at the start.
    Fixed(String),
    Header(HeaderName),
}

/// How a value is written into its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    None,
    Base64,
    UrlEncode,
    /// As the password of HTTP's Basic scheme (RFC 7617), the login name being the user's.
    Basic,
}

/// A parsed rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub(super) source: Source,
    pub(super) header: HeaderName,
    pub(super) encoding: Encoding,
    shown: String,
}

/// Where the value of a rule may come from.
pub const SOURCES: &str = "AUTH, CALLER, CONST, ENV, HEADER, SESSION";

/// Why a rule is no rule; the texts are for whoever wrote the configuration, and quote no part that may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// Not three or four parts.
    #[error("it has not three parts, or four with an encoding")]
    Shape,
    /// A constant has a colon, which parts the rule.
    #[error("a constant with a colon comes through ENV")]
    Colon,
    /// A blank stands in a part where it can't belong.
    #[error("a blank is in it, and none belongs around its colons")]
    Blank,
    /// The source is unknown.
    #[error("the source is one of {SOURCES}")]
    Source,
    /// The source has no such name.
    #[error("{of} has no such name; it knows {known}")]
    Name {
        /// The source, as a rule writes it.
        of: &'static str,
        /// The name, as it is written.
        name: String,
        /// The names that it has.
        known: &'static str,
    },
    /// The environment variable is not set.
    #[error("the environment has no variable of this name")]
    Unset,
    /// The constant or environment value holds control characters.
    #[error("the value holds control characters")]
    Value,
    /// No header's name.
    #[error("the name of its header is none that HTTP allows")]
    Header,
    /// The header belongs to the connection or to the gateway.
    #[error("`{0}` is the gateway's own business and no rule may set it")]
    Reserved(String),
    /// The encoding is unknown.
    #[error("the encoding is none, base64, urlencode or basic")]
    Encoding,
    /// `basic` where there can be no user with a password.
    #[error(
        "basic is for Authorization, of AUTH or SESSION, whose value is the password, or of ENV with user:password"
    )]
    Basic,
    /// Two rules set one header.
    #[error("two rules set the header `{0}`")]
    Twice(String),
    /// A HEADER rule reads what is removed from the client's request, or may be.
    #[error("`{0}` is removed from requests on their way to the upstream and can't be a source")]
    Removed(String),
}

impl Rule {
    /// Parses a rule; `env` looks environment variables up, once.
    ///
    /// # Errors
    /// What is wrong with the rule.
    pub fn parse(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, RuleError> {
        let parts: Vec<&str> = text.split(':').collect();
        let (source, name, header, encoding) = match parts[..] {
            [source, name, header] => (source, name, header, "none"),
            [source, name, header, encoding] => (source, name, header, encoding),
            ["CONST", _, _, _, _, ..] => return Err(RuleError::Colon),
            _ => return Err(RuleError::Shape),
        };
        let parts = [source, if source == "CONST" { "" } else { name }, header, encoding];
        if parts.iter().any(|part| part.contains(char::is_whitespace)) {
            return Err(RuleError::Blank);
        }
        // A constant may be a secret the upstream asks for: it is not shown.
        let coding = if encoding == "none" { String::new() } else { format!(":{encoding}") };
        let shown = format!("{source}:{}:{header}{coding}", if source == "CONST" { "…" } else { name });
        let (source, header, encoding) =
            (self::source(source, name, env)?, self::header(header)?, self::encoding(encoding)?);
        if encoding == Encoding::Basic && !may_be_basic(&source, &header) {
            return Err(RuleError::Basic);
        }
        Ok(Self { source, header, encoding, shown })
    }

    /// Whether the rule says who is calling: before anybody has found that out it sets nothing.
    #[must_use]
    pub fn tells_caller(&self) -> bool {
        self.tells_user() || self.source == Source::CallerName
    }

    /// Whether the rule says which user is calling.
    #[must_use]
    pub fn tells_user(&self) -> bool {
        matches!(self.source, Source::SecToken | Source::Auth(_) | Source::Session(_))
    }

    /// The header that the rule sets.
    #[must_use]
    pub fn header(&self) -> &HeaderName {
        &self.header
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

fn source(source: &str, name: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Source, RuleError> {
    match source {
        "AUTH" if name == "user.auth.SecToken" => Ok(Source::SecToken),
        "AUTH" => user_attribute(name).map(Source::Auth),
        "SESSION" => session_attribute(name).map(Source::Session),
        "CALLER" if name == "name" => Ok(Source::CallerName),
        "CALLER" => Err(unknown("CALLER", name, "name")),
        "CONST" => fixed(name.to_owned()),
        "ENV" => fixed(env(name).ok_or(RuleError::Unset)?),
        "HEADER" => match HeaderName::from_bytes(name.as_bytes()) {
            // They may carry our session, and the bearer of an internal caller.
            Ok(name @ (http::header::COOKIE | http::header::AUTHORIZATION)) => {
                Err(RuleError::Removed(name.to_string()))
            }
            // What a client says of itself here must not become a word of ours under another name.
            Ok(name) if is_kept_from_upstreams(&name) => Err(RuleError::Removed(name.to_string())),
            Ok(name) => Ok(Source::Header(name)),
            Err(_) => Err(RuleError::Header),
        },
        _ => Err(RuleError::Source),
    }
}

fn unknown(of: &'static str, name: &str, known: &'static str) -> RuleError {
    RuleError::Name { of, name: name.to_owned(), known }
}

fn may_be_basic(source: &Source, header: &HeaderName) -> bool {
    let has_user = match source {
        Source::SecToken | Source::Auth(_) | Source::Session(_) => true,
        Source::Fixed(value) => value.contains(':'),
        Source::CallerName | Source::Header(_) => false,
    };
    has_user && *header == http::header::AUTHORIZATION
}

fn fixed(value: String) -> Result<Source, RuleError> {
    if value.chars().any(char::is_control) { Err(RuleError::Value) } else { Ok(Source::Fixed(value)) }
}

fn user_attribute(name: &str) -> Result<UserAttribute, RuleError> {
    Ok(match name {
        "user.auth.UserId" => UserAttribute::UserId,
        "user.auth.LoginId" => UserAttribute::LoginId,
        "user.auth.AuthLevel" => UserAttribute::AuthLevel,
        "user.auth.Roles" => UserAttribute::Roles,
        "user.auth.Realm" => UserAttribute::Realm,
        _ => {
            let known = "user.auth.SecToken, .UserId, .LoginId, .AuthLevel, .Roles, .Realm";
            return Err(unknown("AUTH", name, known));
        }
    })
}

fn session_attribute(name: &str) -> Result<SessionAttribute, RuleError> {
    Ok(match name {
        "sid" => SessionAttribute::Sid,
        "domain" => SessionAttribute::Domain,
        "authenticated-at" => SessionAttribute::AuthenticatedAt,
        _ => return Err(unknown("SESSION", name, "sid, domain, authenticated-at")),
    })
}

fn header(name: &str) -> Result<HeaderName, RuleError> {
    let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| RuleError::Header)?;
    if is_reserved(&header) { Err(RuleError::Reserved(name.to_owned())) } else { Ok(header) }
}

fn encoding(name: &str) -> Result<Encoding, RuleError> {
    Ok(match name {
        "none" => Encoding::None,
        "base64" => Encoding::Base64,
        "urlencode" => Encoding::UrlEncode,
        "basic" => Encoding::Basic,
        _ => return Err(RuleError::Encoding),
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn env(name: &str) -> Option<String> {
        match name {
            "SET" => Some("value".to_owned()),
            "ACCOUNT" => Some("gate:s3cret".to_owned()),
            "BROKEN" => Some("a\nb".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn the_documented_rules_parse() {
        let rule = Rule::parse("AUTH:user.auth.SecToken:Authorization", &env).unwrap();
        assert_eq!((rule.source, rule.encoding), (Source::SecToken, Encoding::None));
        assert_eq!(rule.header, http::header::AUTHORIZATION);
        let rule = Rule::parse("AUTH:user.auth.UserId:X-User:base64", &env).unwrap();
        assert_eq!((rule.source, rule.encoding), (Source::Auth(UserAttribute::UserId), Encoding::Base64));
        assert_eq!(Rule::parse("ENV:SET:X-A:urlencode", &env).unwrap().source, Source::Fixed("value".into()));
        let rule = Rule::parse("AUTH:user.auth.SecToken:Authorization:basic", &env).unwrap();
        assert_eq!((rule.source, rule.encoding), (Source::SecToken, Encoding::Basic));
        assert_eq!(Rule::parse("ENV:ACCOUNT:authorization:basic", &env).unwrap().encoding, Encoding::Basic);
    }

    #[rstest]
    #[case("AUTH:user.auth.UserId", RuleError::Shape)]
    #[case("CONST:https://a:X-A:none", RuleError::Colon)]
    #[case("AUTH:user.auth.UserId:X-A:none:more", RuleError::Shape)]
    #[case("auth:user.auth.UserId:X-A", RuleError::Source)]
    #[case(
        "AUTH:user.auth.Nothing:X-A",
        unknown("AUTH", "user.auth.Nothing", "user.auth.SecToken, .UserId, .LoginId, .AuthLevel, .Roles, .Realm")
    )]
    #[case("SESSION:id:X-A", unknown("SESSION", "id", "sid, domain, authenticated-at"))]
    #[case("CALLER:id:X-A", unknown("CALLER", "id", "name"))]
    #[case("ENV:MISSING:X-A", RuleError::Unset)]
    #[case("ENV:BROKEN:X-A", RuleError::Value)]
    #[case("CONST:a\tb:X-A", RuleError::Value)]
    #[case("CONST:a:X,A", RuleError::Header)]
    #[case("CONST:a b:X A", RuleError::Blank)]
    #[case("AUTH:user.auth.Roles: X-Roles", RuleError::Blank)]
    #[case("AUTH: user.auth.Roles:X-Roles", RuleError::Blank)]
    #[case("CONST:a:Content_Length", RuleError::Reserved("Content_Length".into()))]
    #[case("CONST:a:X-Forwarded-For", RuleError::Reserved("X-Forwarded-For".into()))]
    #[case("CONST:a:X-Real-IP", RuleError::Reserved("X-Real-IP".into()))]
    #[case("CONST:a:X_Original.URL", RuleError::Reserved("X_Original.URL".into()))]
    #[case("CONST:a:Proxy", RuleError::Reserved("Proxy".into()))]
    #[case("CONST:a:Content-Encoding", RuleError::Reserved("Content-Encoding".into()))]
    #[case("CONST:a:X-A:hex", RuleError::Encoding)]
    #[case("AUTH:user.auth.SecToken:X-A:basic", RuleError::Basic)]
    #[case("ENV:SET:Authorization:basic", RuleError::Basic)]
    #[case("CALLER:name:Authorization:basic", RuleError::Basic)]
    #[case("HEADER:X-B:Authorization:basic", RuleError::Basic)]
    #[case("HEADER:Cookie:X-A", RuleError::Removed("cookie".into()))]
    #[case("HEADER:X-Forwarded-For:X-A", RuleError::Removed("x-forwarded-for".into()))]
    #[case("HEADER:X_Real_IP:X-A", RuleError::Removed("x_real_ip".into()))]
    #[case("HEADER:Authorization:X-A", RuleError::Removed("authorization".into()))]
    fn what_is_wrong_is_said(#[case] text: &str, #[case] expected: RuleError) {
        assert_eq!(Rule::parse(text, &env).unwrap_err(), expected);
    }

    #[test]
    fn a_constant_is_not_shown() {
        assert_eq!(Rule::parse("CONST:s3cret:X-Key", &env).unwrap().to_string(), "CONST:…:X-Key");
    }
}
