//! What `Connection` names belongs to this one connection (RFC 9110 7.6.1): the proxy takes it out on the way to a server
//! behind, so nothing here may decide by it either. What was checked is what is sent.

use http::{HeaderMap, HeaderName, header};

use crate::reply::Problem;

/// What a request is, where it goes and who sent it, is for all who get it: no sender may call it a matter of one
/// connection, and who does wants it read here and not behind.
const FOR_ALL: &[&str] = &[
    "accept",
    "authorization",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "origin",
    "traceparent",
    "tracestate",
    "transfer-encoding",
];
const FOR_ALL_PREFIXES: &[&str] = &["content-", "sec-", "x-forwarded-"];
/// So many names and no more: beyond it the proxy fails on the way to a server behind, and each row is to say the same.
const MOST: usize = 9;

/// Takes out the fields that `Connection` names, or refuses it for what it names.
pub(super) fn take_nominated(headers: &mut HeaderMap) -> Result<(), Problem> {
    let mut nominated = Vec::new();
    let fields = headers.get_all(header::CONNECTION).iter();
    let options = fields.flat_map(|field| field.as_bytes().split(|&byte| byte == b',')).map(<[u8]>::trim_ascii);
    for option in options.filter(|option| !option.is_empty()) {
        let name = HeaderName::from_bytes(option).ok().filter(|_| !option.contains(&b'"'));
        let name = name.ok_or_else(|| Problem::bad_request("Connection must be a list of plain names"))?;
        if is_for_all(name.as_str()) {
            return Err(Problem::bad_request(format!("Connection must not name {name}, which is for all on the way")));
        }
        nominated.push(name);
        if nominated.len() > MOST {
            return Err(Problem::bad_request(format!("Connection must not name more than {MOST} fields")));
        }
    }
    for name in nominated {
        headers.remove(name);
    }
    Ok(())
}

fn is_for_all(name: &str) -> bool {
    FOR_ALL.contains(&name) || FOR_ALL_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use rstest::rstest;

    use super::*;

    fn fields(connection: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for name in ["content-type", "x-hop", "x-kept"] {
            headers.insert(name, HeaderValue::from_static("a"));
        }
        for field in connection {
            headers.append(header::CONNECTION, HeaderValue::from_static(field));
        }
        headers
    }

    #[rstest]
    #[case(&["content-type"])]
    #[case(&["close, Content-Type"])]
    #[case(&["close,\tcontent-type"])]
    #[case(&["close", "content-type"])]
    #[case(&["x-hop,,content-encoding,"])]
    #[case(&["CONTENT-LENGTH"])]
    #[case(&["transfer-encoding"])]
    #[case(&["host"])]
    #[case(&["cookie"])]
    #[case(&["Authorization"])]
    #[case(&["origin"])]
    #[case(&["sec-fetch-site"])]
    #[case(&["close, X-Forwarded-For"])]
    #[case(&["x-forwarded-prefix"])]
    #[case(&["Forwarded"])]
    #[case(&["traceparent"])]
    #[case(&["close, TraceState"])]
    #[case(&["\"x-hop\""])]
    #[case(&["a, b, c, d, e", "f, g, h, i, j"])]
    #[case(&["close content-type"])]
    #[case(&[":authority"])]
    fn what_is_for_all_is_not_named(#[case] connection: &[&'static str]) {
        assert!(take_nominated(&mut fields(connection)).is_err());
    }

    #[rstest]
    #[case(&[], true)]
    #[case(&["close"], true)]
    #[case(&["keep-alive, TE, Upgrade, HTTP2-Settings"], true)]
    #[case(&["close, X-Hop"], false)]
    #[case(&["a, b, c, d", "e, f, g, h, x-hop"], false)]
    #[case(&["", ", close", "\tx-hop ,"], false)]
    fn the_others_are_taken_out(#[case] connection: &[&'static str], #[case] stays: bool) {
        let mut headers = fields(connection);
        take_nominated(&mut headers).unwrap();
        assert_eq!(headers.contains_key("x-hop"), stays);
        assert!(headers.contains_key("content-type") && headers.contains_key("x-kept"));
    }
}
