//! How an upstream says where its answer ends: in one way, which every reader takes alike (RFC 9112 6). Whoever could say
//! it in two would answer the client's next request, and whatever path of ours that names.

use std::str::from_utf8;

use http::{HeaderMap, HeaderValue, StatusCode, Version, header};
use pingora::http::ResponseHeader;
use pingora::{Error, ErrorType};

/// Between the upstream and us (RFC 9110 7.6.1); what the client's connection is to be is ours to say.
const HOP_BY_HOP: &[&str] = &["connection", "http2-settings", "keep-alive", "proxy-connection", "te", "upgrade"];
/// In another spelling, something in between may fold it into this one.
const FRAMING: &[&str] = &["content-length", "transfer-encoding"];

/// Leaves in a head one word at most of where the answer ends.
pub(super) fn settle(head: &mut ResponseHeader) -> pingora::Result<()> {
    if head.status.is_informational() || matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        // Nothing follows, whatever length is named (RFC 9110 8.6, RFC 9112 6.1): no client shall wait for it.
        head.remove_header(&header::CONTENT_LENGTH);
        head.remove_header(&header::TRANSFER_ENCODING);
    }
    check_coding(head)?;
    if let Some(length) = length(&head.headers)? {
        head.insert_header(header::CONTENT_LENGTH, length)?;
    }
    if head.version < Version::HTTP_11 {
        // We speak for ourselves (RFC 9110 6.2), and an older version has no chunks.
        head.set_version(Version::HTTP_11);
    }
    Ok(())
}

/// Whether this field is about the upstream's own connection, or about where the answer ends in a spelling of its own.
pub(super) fn is_misleading(name: &str, folded: &str) -> bool {
    HOP_BY_HOP.contains(&folded) || (folded != name && FRAMING.contains(&folded))
}

/// The proxy decodes a body that is chunked and nothing else, and passes any other on as it came.
fn check_coding(head: &ResponseHeader) -> pingora::Result<()> {
    let mut codings = head.headers.get_all(header::TRANSFER_ENCODING).iter().map(HeaderValue::as_bytes);
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(coding), None) if coding.eq_ignore_ascii_case(b"chunked") && head.version == Version::HTTP_11 => Ok(()),
        _ => Err(broken("a transfer coding that is not chunked alone")),
    }
}

/// The one length that is named, as every reader reads it; it may be named more than once (RFC 9110 8.6).
fn length(fields: &HeaderMap) -> pingora::Result<Option<u64>> {
    let fields = fields.get_all(header::CONTENT_LENGTH).iter();
    let mut lengths = fields.flat_map(|field| field.as_bytes().split(|&byte| byte == b',')).map(number);
    match lengths.next() {
        None => Ok(None),
        Some(Some(first)) if lengths.all(|length| length == Some(first)) => Ok(Some(first)),
        Some(_) => Err(broken("a length that is none, or more than one")),
    }
}

fn number(text: &[u8]) -> Option<u64> {
    let digits = from_utf8(text.trim_ascii()).ok()?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

fn broken(what: &'static str) -> Box<Error> {
    Error::explain(ErrorType::InvalidHTTPHeader, what).into_up()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::gateway::forward::censor;

    const CODING: &str = "transfer-encoding";
    const LENGTH: &str = "content-length";

    fn head(status: u16, version: Version, fields: &[(&'static str, &str)]) -> ResponseHeader {
        let mut head = ResponseHeader::build(status, None).unwrap();
        head.set_version(version);
        for (name, value) in fields {
            head.append_header(*name, *value).unwrap();
        }
        head
    }

    fn left(head: &ResponseHeader) -> Vec<(&str, &str)> {
        head.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect()
    }

    #[rstest]
    #[case(&[(CODING, "chunked"), (CODING, "identity")])]
    #[case(&[(CODING, "chunked"), (CODING, "chunked")])]
    #[case(&[(CODING, "chunked, identity")])]
    #[case(&[(CODING, "gzip, chunked")])]
    #[case(&[(CODING, "chunked,")])]
    #[case(&[(CODING, "\"chunked\"")])]
    #[case(&[(CODING, "chunked;a=b")])]
    #[case(&[(CODING, "xchunked")])]
    #[case(&[(CODING, "identity")])]
    #[case(&[(CODING, ""), (LENGTH, "2")])]
    #[case(&[(LENGTH, "2, 6")])]
    #[case(&[(LENGTH, "2"), (LENGTH, "6")])]
    #[case(&[(LENGTH, "2,")])]
    #[case(&[(LENGTH, "")])]
    #[case(&[(LENGTH, "+2")])]
    #[case(&[(LENGTH, "0x2")])]
    #[case(&[(LENGTH, "2 6")])]
    #[case(&[(LENGTH, "99999999999999999999")])]
    fn an_end_that_two_readers_may_see_in_two_places_is_the_upstreams_fault(#[case] fields: &[(&'static str, &str)]) {
        let error = settle(&mut head(200, Version::HTTP_11, fields)).unwrap_err();
        assert_eq!(*error.esource(), pingora::ErrorSource::Upstream);
    }

    #[rstest]
    #[case(Version::HTTP_10)]
    #[case(Version::HTTP_2)]
    fn only_http_1_1_has_chunks(#[case] version: Version) {
        assert!(settle(&mut head(200, version, &[(CODING, "chunked")])).is_err());
    }

    #[rstest]
    #[case(&[(CODING, "Chunked")], &[(CODING, "Chunked")])]
    #[case(&[(LENGTH, "2")], &[(LENGTH, "2")])]
    #[case(&[(LENGTH, "2, 2")], &[(LENGTH, "2")])]
    #[case(&[(LENGTH, "02"), (LENGTH, "2")], &[(LENGTH, "2")])]
    #[case(&[("content_length", "6"), ("transfer.encoding", "chunked")], &[])]
    #[case(&[("connection", "close"), ("keep-alive", "timeout=5"), ("proxy_connection", "a"), ("te", "b"), ("upgrade", "h2c")], &[])]
    #[case(&[("vary", "*"), ("trailer", "x-checksum")], &[("vary", "*"), ("trailer", "x-checksum")])]
    fn what_is_left_says_it_once(#[case] fields: &[(&'static str, &str)], #[case] expected: &[(&str, &str)]) {
        let mut head = head(200, Version::HTTP_10, &[]);
        head.set_version(Version::HTTP_11);
        for (name, value) in fields {
            head.append_header(*name, *value).unwrap();
        }
        censor::head(&mut head, None).unwrap();
        assert_eq!(left(&head), expected);
    }

    #[rstest]
    #[case(103)]
    #[case(204)]
    #[case(304)]
    fn what_has_no_body_has_no_end_of_it(#[case] status: u16) {
        let mut head = head(status, Version::HTTP_11, &[(LENGTH, "40"), (CODING, "identity")]);
        settle(&mut head).unwrap();
        assert_eq!(left(&head), []);
    }

    #[test]
    fn an_old_upstreams_answer_is_passed_on_in_our_version() {
        let mut head = head(200, Version::HTTP_10, &[(LENGTH, "2")]);
        settle(&mut head).unwrap();
        assert_eq!(head.version, Version::HTTP_11);
    }
}
