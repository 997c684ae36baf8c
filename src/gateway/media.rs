//! Media types of a request, before its endpoint runs: 415, then 406 (`http-api.md` 0.1). Messages of UAF are not for web
//! pages of others, which show by a preflight's field or by a type that needs none (`uaf.md` A4).

use http::{HeaderMap, StatusCode, header};
use sidegate_filters::media::{self, BadType, content_type};
use sidegate_filters::{Problem, Reason};

use crate::routes::{Media, Medium};

/// Checks `Content-Type`, where there is a body, and `Accept`.
pub(super) fn check(media: Media, headers: &HeaderMap, has_body: bool) -> Result<(), Problem> {
    let preflight = headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if preflight && [media.takes, media.gives].concat().contains(&Medium::FidoUaf) {
        let problem = Problem::new(StatusCode::FORBIDDEN, "requests across origins are not served here");
        return Err(problem.because(Reason::OtherSite));
    }
    if !media.takes.is_empty() && (has_body || headers.contains_key(header::CONTENT_TYPE)) {
        check_type(media.takes, headers)?;
    }
    if media.gives.is_empty() || accepts(media.gives, headers) {
        return Ok(());
    }
    let detail = format!("Accept must name {} or leave the choice open", names(media.gives));
    Err(Problem::new(StatusCode::NOT_ACCEPTABLE, detail))
}

fn check_type(takes: &[Medium], headers: &HeaderMap) -> Result<(), Problem> {
    let types: Vec<_> = takes.iter().map(|medium| medium.essence()).collect();
    let Err(bad) = content_type(headers, &types) else { return Ok(()) };
    if bad == BadType::Parameter {
        let detail = "the body must be in UTF-8: Content-Type may say charset=UTF-8 and no more";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let detail = format!("Content-Type must be {}", names(takes));
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail))
}

fn accepts(gives: &[Medium], headers: &HeaderMap) -> bool {
    let is_given = |range: &str| gives.iter().any(|medium| covers(range, medium.essence()));
    !headers.contains_key(header::ACCEPT) || media::accepts(headers, is_given)
}

fn covers(range: &str, essence: &str) -> bool {
    range == "*/*"
        || range.eq_ignore_ascii_case(essence)
        || range.strip_suffix("/*").is_some_and(|kind| {
            essence.split_once('/').is_some_and(|(essence_kind, _)| kind.eq_ignore_ascii_case(essence_kind))
        })
}

fn names(media: &[Medium]) -> String {
    media.iter().map(|medium| medium.essence()).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use rstest::rstest;

    use super::*;

    const JSON_TO_UAF: Media = Media { takes: &[Medium::Json], gives: &[Medium::FidoUaf] };

    fn outcome(content_type: &[&str], accept: &[&str]) -> Option<u16> {
        let mut headers = HeaderMap::new();
        for value in content_type {
            headers.append(header::CONTENT_TYPE, HeaderValue::from_str(value).unwrap());
        }
        for value in accept {
            headers.append(header::ACCEPT, HeaderValue::from_str(value).unwrap());
        }
        check(JSON_TO_UAF, &headers, true).err().map(|problem| problem.status.as_u16())
    }

    #[rstest]
    #[case(&["application/json"], None)]
    #[case(&["Application/JSON; charset=UTF-8"], None)]
    #[case(&["application/json;charset=\"utf-8\""], None)]
    #[case(&["application/json;charset=utf-16"], Some(415))]
    #[case(&["application/json;version=2"], Some(415))]
    #[case(&["application/jsonx"], Some(415))]
    #[case(&["application/fido+uaf"], Some(415))]
    #[case(&["application/json", "application/json"], Some(415))]
    #[case(&[], Some(415))]
    fn content_types(#[case] values: &[&str], #[case] status: Option<u16>) {
        assert_eq!(outcome(values, &[]), status);
    }

    #[rstest]
    #[case(&[], None)]
    #[case(&["*/*"], None)]
    #[case(&["application/*"], None)]
    #[case(&["application/fido+uaf;charset=UTF-8"], None)]
    #[case(&["text/html, application/fido+uaf;q=0.5"], None)]
    #[case(&["text/html", "application/fido+uaf"], None)]
    #[case(&["application/json"], Some(406))]
    #[case(&["text/*"], Some(406))]
    #[case(&["*/*;q=0"], Some(406))]
    #[case(&[""], Some(406))]
    fn accepted_types(#[case] values: &[&str], #[case] status: Option<u16>) {
        assert_eq!(outcome(&["application/json"], values), status);
    }

    #[test]
    fn a_preflight_gets_no_message_of_uaf() {
        let headers = HeaderMap::from_iter([
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (header::ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("POST")),
        ]);
        let status = |media| check(media, &headers, true).err().map(|problem| problem.status.as_u16());
        assert_eq!(status(JSON_TO_UAF), Some(403));
        assert_eq!(status(Media { takes: &[Medium::Json], gives: &[Medium::Json] }), None);
    }

    #[test]
    fn a_request_without_a_body_needs_no_content_type_and_415_comes_before_406() {
        assert!(check(JSON_TO_UAF, &HeaderMap::new(), false).is_ok());
        assert_eq!(outcome(&["text/plain"], &["text/plain"]), Some(415));
    }
}
