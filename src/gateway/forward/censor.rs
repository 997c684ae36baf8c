//! What an upstream may not say in the head of its answer: only we hand out sessions, and only we take them back.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use pingora::http::ResponseHeader;
use pingora::{Error, ErrorType};
use sidegate_filters::delegation::fold;
use sidegate_filters::identity_creation::sets_session_cookie;

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");
/// In the spelling that clients know each is looked into; in any other, which something in between may fold, it goes.
const LOOKED_INTO: &[&str] = &["set-cookie", "clear-site-data"];
/// RFC 2965 set cookies by it; browsers have forgotten it, and nobody else needs it.
const OBSOLETE: &str = "set-cookie2";

/// Makes an upstream's head into one that a client may get.
pub(super) fn censor(head: &mut ResponseHeader) -> pingora::Result<()> {
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        // No request of ours asks for it, so its answer is still to come or never will.
        return Err(Error::explain(ErrorType::InvalidHTTPHeader, "an upgrade that nobody asked for").into_up());
    }
    let gone: Vec<HeaderName> = head.headers.keys().filter(|name| goes(name)).cloned().collect();
    for name in gone {
        head.remove_header(&name);
    }
    keep(head, header::SET_COOKIE, |field| Some(field.clone()).filter(|field| !sets_session_cookie(field)))?;
    keep(head, CLEAR_SITE_DATA, clears_no_cookies)
}

fn goes(name: &HeaderName) -> bool {
    let folded = fold(name.as_str());
    folded == OBSOLETE || (folded != name.as_str() && LOOKED_INTO.contains(&folded.as_str()))
}

/// Leaves of the fields of one name what `left` does.
fn keep(
    head: &mut ResponseHeader,
    name: HeaderName,
    left: impl Fn(&HeaderValue) -> Option<HeaderValue>,
) -> pingora::Result<()> {
    let fields = values(&head.headers, &name);
    let kept: Vec<HeaderValue> = fields.iter().filter_map(left).collect();
    if kept != fields {
        head.remove_header(&name);
        for field in kept {
            head.append_header(name.clone(), field)?;
        }
    }
    Ok(())
}

fn values(headers: &HeaderMap, name: &HeaderName) -> Vec<HeaderValue> {
    headers.get_all(name).iter().cloned().collect()
}

/// The kinds of data of a `Clear-Site-Data` without our cookie's: cookies, and everything at once.
fn clears_no_cookies(field: &HeaderValue) -> Option<HeaderValue> {
    let text = field.to_str().ok()?;
    let kinds = text.split(',').map(str::trim);
    let kept: Vec<&str> = kinds.filter(|kind| !kind.contains('*') && !fold(kind).contains("cookies")).collect();
    HeaderValue::from_str(&kept.join(", ")).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn censored(fields: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut head = ResponseHeader::build(200, None).unwrap();
        for (name, value) in fields {
            head.append_header((*name).to_owned(), *value).unwrap();
        }
        censor(&mut head).unwrap();
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
    }

    #[rstest]
    #[case("Set-Cookie", "sidegate-main=x")]
    #[case("Set-Cookie", "a=b, sidegate-main=x")]
    #[case("Set-Cookie2", "a=b")]
    #[case("Set_Cookie2", "a=b")]
    #[case("Set_Cookie", "a=b")]
    #[case("set.cookie", "a=b")]
    #[case("Clear_Site_Data", "\"cache\"")]
    #[case("Clear-Site-Data", "\"cookies\"")]
    #[case("Clear-Site-Data", "\"*\"")]
    #[case("Clear-Site-Data", "*")]
    #[case("Clear-Site-Data", "\"COOKIES\", \"*\"")]
    fn stays_here(#[case] name: &str, #[case] value: &str) {
        assert_eq!(censored(&[(name, value)]), []);
    }

    #[rstest]
    #[case("set-cookie", "theme=dark; Path=/; Expires=Wed, 21 Oct 2099 07:28:00 GMT")]
    #[case("clear-site-data", "\"cache\", \"storage\"")]
    #[case("x-set-cookie", "sidegate-main=x")]
    #[case("vary", "*")]
    fn goes_on(#[case] name: &str, #[case] value: &str) {
        assert_eq!(censored(&[(name, value)]), [(name.to_owned(), value.to_owned())]);
    }

    #[test]
    fn what_is_left_keeps_its_order() {
        let fields = [("set-cookie", "a=1"), ("set-cookie", "sidegate-main=x"), ("set-cookie", "b=2")];
        let left = [("set-cookie", "a=1"), ("set-cookie", "b=2")].map(|(name, value)| (name.into(), value.into()));
        assert_eq!(censored(&fields), left);
        let left = [("clear-site-data".to_owned(), "\"cache\", \"storage\"".to_owned())];
        assert_eq!(censored(&[("clear-site-data", "\"cache\", \"cookies\",\"storage\"")]), left);
    }

    #[test]
    fn an_upgrade_is_the_upstreams_fault() {
        let error = censor(&mut ResponseHeader::build(101, None).unwrap()).unwrap_err();
        assert_eq!(*error.esource(), pingora::ErrorSource::Upstream);
    }
}
