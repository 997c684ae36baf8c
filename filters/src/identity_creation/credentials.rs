//! What a client says about itself in its headers: an internal caller's bearer, and whether it is a browser.

use http::{HeaderMap, header};

use crate::media;

/// What stands in `Authorization`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Bearer {
    /// Nothing, or another scheme than `Bearer`.
    Absent,
    /// A `Bearer` that is none: empty, with foreign characters, or not the only field.
    Malformed,
    /// One token (RFC 6750 2.1, `b64token`).
    Token(String),
}

impl Bearer {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut fields = headers.get_all(header::AUTHORIZATION).iter().map(|value| bearer(value.as_bytes()));
        match (fields.next(), fields.next()) {
            (None, _) => Self::Absent,
            (Some(only), None) => only,
            _ => Self::Malformed,
        }
    }
}

fn bearer(field: &[u8]) -> Bearer {
    let field = field.trim_ascii();
    let end = field.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(field.len());
    let Some((scheme, rest)) = field.split_at_checked(end) else { return Bearer::Malformed };
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Bearer::Absent;
    }
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
    let token = rest.trim_ascii_start();
    if token.is_empty() || token.len() == rest.len() || !token.iter().all(fits) {
        return Bearer::Malformed;
    }
    std::str::from_utf8(token).map_or(Bearer::Malformed, |token| Bearer::Token(token.to_owned()))
}

/// Whether `Authorization` may hold an internal caller's bearer: on an internal listener no upstream learns it. One field
/// of another scheme is none.
#[must_use]
pub fn shows_bearer(headers: &HeaderMap) -> bool {
    Bearer::of(headers) != Bearer::Absent
}

/// Whether the client asks for a page: `Accept` names `text/html` with a quality above zero. `*/*` is not asking.
#[must_use]
pub fn accepts_html(headers: &HeaderMap) -> bool {
    media::accepts(headers, |range| range == "text/html")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&[], Bearer::Absent)]
    #[case(&["Basic YTpi"], Bearer::Absent)]
    #[case(&["Bearer abc-._~+/="], Bearer::Token("abc-._~+/=".into()))]
    #[case(&["bEARER   abc"], Bearer::Token("abc".into()))]
    #[case(&["Bearer"], Bearer::Malformed)]
    #[case(&["Bearer "], Bearer::Malformed)]
    #[case(&["Bearer a b"], Bearer::Malformed)]
    #[case(&["Bearer\ta"], Bearer::Token("a".into()))]
    #[case(&["Bearer,a"], Bearer::Malformed)]
    #[case(&["Bearerabc"], Bearer::Absent)]
    #[case(&["Bearer a", "Bearer a"], Bearer::Malformed)]
    #[case(&["Basic YTpi", "Bearer a"], Bearer::Malformed)]
    fn one_well_formed_bearer_is_taken(#[case] fields: &[&str], #[case] expected: Bearer) {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(header::AUTHORIZATION, HeaderValue::from_str(field).unwrap());
        }
        assert_eq!(Bearer::of(&headers), expected);
    }

    #[rstest]
    #[case(&[], false)]
    #[case(&["*/*"], false)]
    #[case(&["application/json"], false)]
    #[case(&["text/html"], true)]
    #[case(&["application/xhtml+xml, TEXT/HTML;q=0.9, */*;q=0.8"], true)]
    #[case(&["text/html;q=0"], false)]
    #[case(&["text/html;q=0.000"], false)]
    #[case(&["text/html;level=1;q=0.1"], true)]
    #[case(&["image/png", "text/html"], true)]
    #[case(&["text/htmlx"], false)]
    fn a_browser_is_known_by_text_html(#[case] fields: &[&str], #[case] expected: bool) {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(header::ACCEPT, HeaderValue::from_str(field).unwrap());
        }
        assert_eq!(accepts_html(&headers), expected);
    }
}
