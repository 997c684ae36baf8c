//! Headers of a client that no upstream gets, and that no rule may set, in any spelling that a careless backend folds
//! into them ([`fold`]; `gateway.md` 2.3).

use http::HeaderName;

use super::removed::fold;

/// Where a request came from, and what it asks for, is ours to say: from the socket, and by the path that was checked.
/// `Proxy` becomes `HTTP_PROXY` in CGI programs.
const OURS: &[&str] = &[
    "base-url",
    "cf-connecting-ip",
    "client-ip",
    "cluster-client-ip",
    "fastly-client-ip",
    "forwarded",
    "forwarded-for",
    "front-end-https",
    "proxy",
    "request-uri",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-forwarded",
    "x-host",
    "x-http-destinationurl",
    "x-http-host-override",
    "x-original-forwarded-for",
    "x-original-host",
    "x-original-method",
    "x-original-uri",
    "x-original-url",
    "x-originating-ip",
    "x-proto",
    "x-real-ip",
    "x-remote-addr",
    "x-remote-ip",
    "x-request-id",
    "x-rewrite-url",
    "x-scheme",
    "x-url-scheme",
];
const OURS_PREFIX: &str = "x-forwarded-";

/// Between two neighbours only, or gone by now where it stood: whatever is left was meant to get past us.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "expect",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "trailers",
    "upgrade",
];

/// Where a message ends and what it is: right in their own spelling, which was checked, and in no other.
const FRAMING: &[&str] = &["content-encoding", "content-length", "content-type", "transfer-encoding"];

/// Written anew for the upstream, from what was checked.
const REWRITTEN: &[&str] = &["cookie", "host"];

/// Whether a client's header is kept from upstreams: it is no word that anything is to be done by.
#[must_use]
pub fn is_kept_from_upstreams(name: &HeaderName) -> bool {
    let folded = fold(name.as_str());
    is_ours(&folded) || (is_in(FRAMING, &folded) && folded != name.as_str())
}

/// Whether a header is for the gateway alone to set on the way to an upstream.
pub(super) fn is_reserved(name: &HeaderName) -> bool {
    let folded = fold(name.as_str());
    is_ours(&folded) || is_in(FRAMING, &folded) || is_in(REWRITTEN, &folded)
}

fn is_ours(folded: &str) -> bool {
    is_in(OURS, folded) || folded.starts_with(OURS_PREFIX) || is_in(HOP_BY_HOP, folded)
}

fn is_in(names: &[&str], folded: &str) -> bool {
    names.contains(&folded)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("content_length")]
    #[case("transfer.encoding")]
    #[case("transfer_encoding")]
    #[case("content_type")]
    #[case("x_forwarded_for")]
    #[case("x-forwarded-anything")]
    #[case("x_forwarded")]
    #[case("forwarded")]
    #[case("x_original_url")]
    #[case("x-rewrite-url")]
    #[case("x_host")]
    #[case("proxy")]
    #[case("proxy_connection")]
    #[case("keep_alive")]
    #[case("te")]
    fn stays_here(#[case] name: &'static str) {
        let name = HeaderName::from_static(name);
        assert!(is_kept_from_upstreams(&name) && is_reserved(&name));
    }

    #[rstest]
    #[case("accept")]
    #[case("x_custom")]
    #[case("x-forwardedness")]
    #[case("via")]
    fn goes_on(#[case] name: &'static str) {
        let name = HeaderName::from_static(name);
        assert!(!is_kept_from_upstreams(&name) && !is_reserved(&name));
    }

    #[rstest]
    #[case("content-length")]
    #[case("transfer-encoding")]
    #[case("content-type")]
    #[case("content-encoding")]
    #[case("cookie")]
    #[case("host")]
    fn goes_on_as_it_was_checked_and_no_rule_sets_it(#[case] name: &'static str) {
        let name = HeaderName::from_static(name);
        assert!(!is_kept_from_upstreams(&name) && is_reserved(&name));
    }
}
