//! Headers of a client that no upstream gets, and that no rule may set, in any spelling that a careless backend folds
//! into them ([`fold`]; `gateway.md` 2.3).

use http::HeaderName;

use super::removed::fold;

/// Where a request came from, and what it asks for, is ours to say: from the socket, and by the path that was checked.
/// A trace goes on with a place of ours in it.
/// `Proxy` becomes `HTTP_PROXY` in CGI programs. `Cookie2` is a cookie that nobody looked through.
const OURS: &[&str] = &[
    "base-url",
    "client-ip",
    "cluster-client-ip",
    "cookie2",
    "forwarded",
    "forwarded-for",
    "front-end-https",
    "proxy",
    "real-ip",
    "remote-addr",
    "remote-host",
    "remote-ip",
    "remote-port",
    "request-uri",
    "traceparent",
    "tracestate",
    "true-client-ip",
    "x-appengine-user-ip",
    "x-azure-socketip",
    "x-cluster-client-ip",
    "x-cluster-clientip",
    "x-forwarded",
    "x-host",
    "x-http-destinationurl",
    "x-http-host-override",
    "x-originating-ip",
    "x-override-url",
    "x-proto",
    "x-proxy-url",
    "x-proxyuser-ip",
    "x-real-ip",
    "x-remote-addr",
    "x-remote-host",
    "x-remote-ip",
    "x-replaced-path",
    "x-request-id",
    "x-rewrite",
    "x-scheme",
    "x-true-client-ip",
    "x-url-scheme",
];
const OURS_PREFIXES: &[&str] = &["x-envoy-", "x-forwarded-", "x-original-", "x-rewrite-"];
/// Content networks call the client's address so: `CF-Connecting-IP`, `X-Azure-ClientIP`.
const OURS_SUFFIXES: &[&str] = &["-client-ip", "-clientip", "-connecting-ip", "-connecting-ipv6"];

/// What servers, gateways and single sign-on in front of an application call the user or the client's certificate: a rule
/// may set it, a client never says it.
const IDENTITY: &[&str] = &[
    "auth-type",
    "auth-user",
    "authenticated-user",
    "cas-user",
    "cert-subject",
    "client-cert",
    "client-cert-chain",
    "eppn",
    "isiwebuserid",
    "logon-user",
    "x-arr-clientcert",
    "x-auth-user",
    "x-cas-user",
    "x-cert",
    "x-client-s-dn",
    "x-jwt-assertion",
    "x-proxy-user",
    "x-subjectdn",
    "x-userinfo",
];
const IDENTITY_PREFIXES: &[&str] = &[
    "cf-access-",
    "iv-",
    "oam-",
    "remote-",
    "shib-",
    "sm-",
    "ssl-client-",
    "tailscale-user-",
    "x-amzn-mtls-",
    "x-amzn-oidc-",
    "x-auth-request-",
    "x-authenticated-",
    "x-authentik-",
    "x-client-cert",
    "x-client-dn",
    "x-client-verify",
    "x-consumer-",
    "x-credential-",
    "x-goog-authenticated-user-",
    "x-goog-iap-",
    "x-ms-client-principal",
    "x-pomerium-",
    "x-remote-",
    "x-shib-",
    "x-ssl-",
    "x-tls-client-",
    "x-vouch-",
    "x-webauth-",
];

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
pub(crate) fn is_kept_from_upstreams(name: &HeaderName) -> bool {
    is_kept(name, &fold(name.as_str()))
}

/// The same of a name that was folded.
pub(super) fn is_kept(name: &HeaderName, folded: &str) -> bool {
    is_ours(folded) || is_identity(folded) || is_misspelt(name, folded)
}

/// Whether a header is for the gateway alone to set on the way to an upstream, or to take out.
#[must_use]
pub fn is_reserved(name: &HeaderName) -> bool {
    let folded = fold(name.as_str());
    is_ours(&folded) || is_in(FRAMING, &folded) || is_in(REWRITTEN, &folded)
}

/// Whether a message or its connection hangs on headers of this name, folded.
pub(crate) fn is_of_message(folded: &str) -> bool {
    is_in(FRAMING, folded) || is_in(HOP_BY_HOP, folded)
}

fn is_ours(folded: &str) -> bool {
    is_in(OURS, folded)
        || is_in(HOP_BY_HOP, folded)
        || OURS_PREFIXES.iter().any(|prefix| folded.starts_with(prefix))
        || OURS_SUFFIXES.iter().any(|suffix| folded.ends_with(suffix))
}

fn is_identity(folded: &str) -> bool {
    is_in(IDENTITY, folded) || IDENTITY_PREFIXES.iter().any(|prefix| folded.starts_with(prefix))
}

fn is_misspelt(name: &HeaderName, folded: &str) -> bool {
    (is_in(FRAMING, folded) || is_in(REWRITTEN, folded)) && folded != name.as_str()
}

fn is_in(names: &[&str], folded: &str) -> bool {
    names.contains(&folded)
}

#[cfg(test)]
mod tests;
