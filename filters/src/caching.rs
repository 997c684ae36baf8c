//! What caches may keep of an answer to a caller who is known (RFC 9111).

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::delegation::fold;

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// By what a caller is known: two who share a browser are shown nothing that was kept for the other.
const CALLER: HeaderValue = HeaderValue::from_static("Cookie, Authorization");

/// What else is said to caches that others share, and to those who heed no `Cache-Control` (RFC 9213, Surrogates).
const OF_SHARED_CACHES: &[&str] = &["surrogate-control", "edge-control", "x-accel-expires", "expires", "pragma"];
/// Each cache has a name to put before it (RFC 9213 2), such as `cdn` or `x-litespeed`.
const OF_SHARED_CACHES_SUFFIX: &str = "-cache-control";

/// Has an answer kept by no cache but the caller's own, and by that only where its server says for how long: else Back after
/// a logout would show it.
pub fn keep_personal(headers: &mut HeaderMap) {
    let own = of_caller(headers);
    let shared: Vec<HeaderName> = headers.keys().filter(|name| overrides_control(name)).cloned().collect();
    for name in shared {
        headers.remove(name);
    }
    if own.is_some() {
        headers.append(header::VARY, CALLER);
    }
    headers.insert(header::CACHE_CONTROL, own.unwrap_or(NO_STORE));
}

/// Whether some cache heeds this header before `Cache-Control`, or in its place, in whatever spelling somebody on the way
/// may fold.
#[must_use]
pub fn overrides_control(name: &HeaderName) -> bool {
    let folded = fold(name.as_str());
    let is_other_spelling = *name != header::CACHE_CONTROL && folded == header::CACHE_CONTROL.as_str();
    is_other_spelling || OF_SHARED_CACHES.contains(&folded.as_str()) || folded.ends_with(OF_SHARED_CACHES_SUFFIX)
}

/// `private` and what the server says for such a cache; `None` where it does not let one keep the answer for a time.
fn of_caller(headers: &HeaderMap) -> Option<HeaderValue> {
    let fields = headers.get_all(header::CACHE_CONTROL).iter().map(HeaderValue::to_str);
    let text = fields.collect::<Result<Vec<_>, _>>().ok()?.join(",").to_ascii_lowercase();
    // A list within quotes names headers, which is nothing to keep an answer by.
    if text.contains('"') {
        return None;
    }
    let (mut ages, mut kept) = (Vec::new(), vec!["private"]);
    for directive in text.split(',').map(str::trim) {
        match directive.split_once('=').map_or((directive, None), |(name, value)| (name, Some(value))) {
            ("no-store" | "no-cache", _) => return None,
            ("max-age", age) => ages.push(age.filter(|age| is_number(age))?),
            ("immutable" | "must-revalidate" | "no-transform", None) => kept.push(directive),
            ("stale-while-revalidate" | "stale-if-error", Some(time)) if is_number(time) => kept.push(directive),
            _ => {}
        }
    }
    let [age] = ages[..] else { return None };
    if age.bytes().all(|digit| digit == b'0') {
        return None;
    }
    let age = format!("max-age={age}");
    kept.insert(1, &age);
    HeaderValue::from_str(&kept.join(", ")).ok()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn kept(fields: &[(&'static str, &str)]) -> Vec<(String, String)> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        keep_personal(&mut headers);
        headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
    }

    #[rstest]
    #[case(&[], "no-store")]
    #[case(&["public"], "no-store")]
    #[case(&["public, max-age=600, s-maxage=900"], "private, max-age=600")]
    #[case(&["PUBLIC, Max-Age=31536000, Immutable"], "private, max-age=31536000, immutable")]
    #[case(&["private", "max-age=60, must-revalidate"], "private, max-age=60, must-revalidate")]
    #[case(&["max-age=60, stale-while-revalidate=30, proxy-revalidate, x-else"], "private, max-age=60, stale-while-revalidate=30")]
    #[case(&["s-maxage=900"], "no-store")]
    #[case(&["max-age=0, must-revalidate"], "no-store")]
    #[case(&["max-age=00"], "no-store")]
    #[case(&["max-age=60, no-cache"], "no-store")]
    #[case(&["max-age=60", "no-store"], "no-store")]
    #[case(&["max-age=60, max-age=61"], "no-store")]
    #[case(&["max-age=-1"], "no-store")]
    #[case(&["max-age"], "no-store")]
    #[case(&["max-age=\"60\""], "no-store")]
    #[case(&["private=\"x, max-age=60\""], "no-store")]
    #[case(&["immutable"], "no-store")]
    fn what_its_server_lets_a_browser_keep_only_the_callers_keeps(#[case] fields: &[&str], #[case] expected: &str) {
        let fields: Vec<_> = fields.iter().map(|field| ("cache-control", *field)).collect();
        let (control, vary): (Vec<_>, Vec<_>) =
            kept(&fields).into_iter().partition(|(name, _)| name == "cache-control");
        assert_eq!(control, [("cache-control".to_owned(), expected.to_owned())]);
        let caller = [("vary".to_owned(), "Cookie, Authorization".to_owned())];
        assert_eq!(vary, if expected == "no-store" { &[][..] } else { &caller[..] });
    }

    #[test]
    fn what_else_an_answer_hangs_on_is_still_said() {
        let said = kept(&[("vary", "Accept-Encoding"), ("cache-control", "max-age=9")]);
        let vary: Vec<_> = said.iter().filter(|(name, _)| name == "vary").map(|(_, value)| value.as_str()).collect();
        assert_eq!(vary, ["Accept-Encoding", "Cookie, Authorization"]);
    }

    #[test]
    fn shared_caches_are_told_nothing_else() {
        let said = [
            ("cdn-cache-control", "max-age=60"),
            ("cloudflare-cdn-cache-control", "max-age=60"),
            ("x-litespeed-cache-control", "public, max-age=60"),
            ("cdn_cache_control", "max-age=60"),
            ("cache_control", "max-age=60"),
            ("x_accel_expires", "60"),
            ("surrogate-control", "max-age=60"),
            ("expires", "Thu, 01 Dec 2033 16:00:00 GMT"),
            ("etag", "\"a\""),
        ];
        let expected = [("etag", "\"a\""), ("cache-control", "no-store")];
        assert_eq!(kept(&said), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    proptest! {
        #[test]
        fn no_other_cache_may_keep_it_whatever_is_said(said in "[a-z=\", 0-9-]{0,24}(public|max-age=9|s-maxage=9|,){0,5}") {
            let kept = kept(&[("cache-control", &said)]);
            let mut fields = kept.iter().filter(|(name, _)| name == "cache-control");
            let (Some((_, value)), None) = (fields.next(), fields.next()) else { return Err(TestCaseError::fail("one field")) };
            prop_assert!(value == "no-store" || value.starts_with("private, max-age="), "{}", value);
        }
    }
}
