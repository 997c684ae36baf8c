//! Other spellings of our own paths, mapped to the canonical row before matching (`http-api.md` 0.1): clients write a
//! trailing slash or leave it, and the guide names the targets without `token/`. Paths of upstreams are left alone.

use sidegate_filters::CanonicalPath;

/// Where our own services live; only there a trailing slash means nothing.
const OWN: &[&str] = &["/nevisfido/", "/auth/", "/.well-known/jwks/"];
/// Our own services elsewhere, as they are spelt with the slash.
const OWN_ALONE: &[&str] = &["/.well-known/jwks.json/", "/metrics/"];
/// A prefix that some clients use, and the one it stands for.
const PREFIXES: &[(&str, &str)] = &[("/nevisfido/dispatch/targets", "/nevisfido/token/dispatch/targets")];

/// The path to match, log and forward in place of `path`; `None` when it is canonical already. Empty segments are never
/// mended: a row would be found that does not allow them.
pub(super) fn resolve(path: &CanonicalPath) -> Option<CanonicalPath> {
    if path.unusual().empty_segments {
        return None;
    }
    CanonicalPath::parse(&canonical(path.as_str())?).ok()
}

/// Whether requests of this pattern are taken for those of another one, so that a row with it is never reached.
#[must_use]
pub fn is_alias(pattern: &str) -> bool {
    canonical(pattern).is_some()
}

/// What stands for `text`, a path or a pattern; `None` when it is canonical already.
fn canonical(text: &str) -> Option<String> {
    if !OWN.iter().any(|own| text.starts_with(own)) && !OWN_ALONE.contains(&text) {
        return None;
    }
    let bare = text.strip_suffix('/').unwrap_or(text);
    let full = PREFIXES.iter().find_map(|(alias, canonical)| {
        let rest = bare.strip_prefix(alias)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| format!("{canonical}{rest}"))
    });
    full.or_else(|| (bare.len() < text.len()).then(|| bare.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> String {
        let path = CanonicalPath::parse(text).unwrap();
        resolve(&path).unwrap_or(path).as_str().to_owned()
    }

    #[test]
    fn aliases_and_slashes_lead_to_the_canonical_row() {
        for (raw, canonical) in [
            ("/nevisfido/status", "/nevisfido/status"),
            ("/nevisfido/status/", "/nevisfido/status"),
            ("/auth/pwd/", "/auth/pwd"),
            ("/nevisfido/dispatch/targets", "/nevisfido/token/dispatch/targets"),
            ("/nevisfido/dispatch/targets/", "/nevisfido/token/dispatch/targets"),
            ("/nevisfido/dispatch/targets/abc/", "/nevisfido/token/dispatch/targets/abc"),
            ("/nevisfido/dispatch/targetsx", "/nevisfido/dispatch/targetsx"),
            ("/nevisfido/status//", "/nevisfido/status//"),
            ("/.well-known/jwks.json/", "/.well-known/jwks.json"),
            ("/.well-known/jwks/shop/", "/.well-known/jwks/shop"),
            ("/metrics/", "/metrics"),
            ("/metrics/more/", "/metrics/more/"),
            ("/.well-known/other/", "/.well-known/other/"),
            ("/.well-known/assetlinks.json/", "/.well-known/assetlinks.json/"),
            ("/app/", "/app/"),
            ("/", "/"),
        ] {
            assert_eq!(resolved(raw), canonical, "{raw}");
        }
    }
}
