//! Where an upstream has what a row serves (`gateway.md` 4): one prefix in place of another, found before any filter
//! decides.

use sidegate_filters::CanonicalPath;

/// `/shop/*` here is `/app/*` there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamPath {
    here: String,
    there: String,
}

impl UpstreamPath {
    /// Two patterns that end in `/*` and name no segments. `None`: one of them does not.
    #[must_use]
    pub fn new(here: &str, there: &str) -> Option<Self> {
        let prefix = |pattern: &str| {
            let prefix = pattern.strip_suffix("/*")?;
            (!prefix.contains('{')).then(|| prefix.to_owned())
        };
        Some(Self { here: prefix(here)?, there: prefix(there)? })
    }

    /// The path there of what matched here. What follows the prefix is the same, byte for byte; prefixes end where a
    /// segment does, so the whole is as canonical as what was checked. `None` where it would begin with two slashes,
    /// behind which some servers look for a host.
    #[must_use]
    pub(super) fn of(&self, path: &CanonicalPath) -> Option<CanonicalPath> {
        // Whether the row takes the prefix in these letters was decided before.
        let (here, rest) = path.as_str().split_at_checked(self.here.len())?;
        if !here.eq_ignore_ascii_case(&self.here) {
            return None;
        }
        if !rest.is_empty() && !rest.starts_with('/') {
            return None;
        }
        let text = format!("{}{rest}", self.there);
        if text.starts_with("//") {
            return None;
        }
        CanonicalPath::parse(if text.is_empty() { "/" } else { &text }).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn there(here: &str, there: &str, path: &str) -> Option<String> {
        let path = CanonicalPath::parse(path).unwrap();
        UpstreamPath::new(here, there).unwrap().of(&path).map(|path| path.as_str().to_owned())
    }

    #[rstest]
    #[case("/shop/*", "/app/*", "/shop/a/b", Some("/app/a/b"))]
    #[case("/shop/*", "/app/*", "/shop", Some("/app"))]
    #[case("/shop/*", "/*", "/shop/a", Some("/a"))]
    #[case("/shop/*", "/*", "/shop/", Some("/"))]
    #[case("/shop/*", "/*", "/shop", Some("/"))]
    #[case("/*", "/app/*", "/a", Some("/app/a"))]
    #[case("/a/b/*", "/c/*", "/a/b/a/b", Some("/c/a/b"))]
    #[case("/shop/*", "/app/*", "/shop/%2F", Some("/app/%2F"))]
    #[case("/shop/*", "/app/*", "/SHOP/A", Some("/app/A"))]
    #[case("/shop/*", "/app/*", "/shopping", None)]
    #[case("/shop/*", "/app/*", "/shop//a", Some("/app//a"))]
    #[case("/shop/*", "/*", "/shop//evil.example/a", None)]
    fn one_prefix_stands_for_another(
        #[case] here: &str,
        #[case] to: &str,
        #[case] path: &str,
        #[case] expected: Option<&str>,
    ) {
        assert_eq!(there(here, to, path).as_deref(), expected);
    }

    #[rstest]
    #[case("/shop", "/*")]
    #[case("/shop/{id}/*", "/*")]
    #[case("/shop/*", "/app")]
    #[case("/shop/*", "/{id}/*")]
    fn both_end_open_and_name_nothing(#[case] here: &str, #[case] there: &str) {
        assert_eq!(UpstreamPath::new(here, there), None);
    }

    proptest! {
        /// What was checked is what is sent: the rest is untouched, and a reader of the forwarded path reads it as it is.
        #[test]
        fn the_path_there_is_canonical_and_tells_the_path_here(rest in "(/[a-z.%;*25F/]{0,12})?") {
            let Ok(path) = CanonicalPath::parse(&format!("/shop{rest}")) else { return Ok(()) };
            let rest = path.as_str().strip_prefix("/shop").unwrap();
            let sent = UpstreamPath::new("/shop/*", "/app/v1/*").unwrap().of(&path).unwrap();
            prop_assert_eq!(sent.as_str().strip_prefix("/app/v1"), Some(rest));
            prop_assert_eq!(sent.unusual(), path.unusual());
            prop_assert_eq!(CanonicalPath::parse(sent.as_str()), Ok(sent));
        }
    }
}
