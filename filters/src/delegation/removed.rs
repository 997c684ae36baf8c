//! The headers that only the gateway may set on the way to an upstream, in every spelling (`gateway.md` 2.3).

use std::collections::HashSet;

use http::HeaderName;

use super::reserved;

/// A header's name as a careless backend may read it: `X_User`, `x.user`, `_X-User` and `X-User` are all `x-user`.
#[must_use]
pub fn fold(name: &str) -> String {
    let inner = name.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
    inner.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' }).collect()
}

/// Names that are taken out of every client's request to one upstream before ours are set, on open routes too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RemovedHeaders(HashSet<String>);

impl<'a> FromIterator<&'a HeaderName> for RemovedHeaders {
    fn from_iter<I: IntoIterator<Item = &'a HeaderName>>(names: I) -> Self {
        Self(names.into_iter().map(|name| fold(name.as_str())).collect())
    }
}

impl RemovedHeaders {
    /// Whether this spelling of a name belongs to the set.
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        self.0.contains(&fold(name))
    }

    /// Whether a client's header is kept from this upstream: it is one of these, or no word that anything is to be done by
    /// anywhere.
    #[must_use]
    pub fn keep_back(&self, name: &HeaderName) -> bool {
        let folded = fold(name.as_str());
        self.0.contains(&folded) || reserved::is_kept(name, &folded)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn removed() -> RemovedHeaders {
        [HeaderName::from_static("x-user"), http::header::AUTHORIZATION].iter().collect()
    }

    #[rstest]
    #[case("X-User")]
    #[case("x-user")]
    #[case("X_User")]
    #[case("X_USER")]
    #[case("x.user")]
    #[case("x~user")]
    #[case("x!user")]
    #[case("x|user")]
    #[case("_x-user")]
    #[case("x-user-")]
    #[case("-x_user__")]
    #[case("AUTHORIZATION")]
    fn every_spelling_goes(#[case] name: &str) {
        assert!(removed().covers(name));
    }

    #[rstest]
    #[case("xuser")]
    #[case("x--user")]
    #[case("x-user-2")]
    #[case("my-x-user")]
    #[case("proxy-authorization")]
    fn other_names_stay(#[case] name: &str) {
        assert!(!removed().covers(name));
    }

    proptest! {
        #[test]
        fn nothing_that_folds_into_ours_is_left(name in "[xX][-_.!~*'|^+$&#%][uU][sS][eE][rR]") {
            prop_assert!(removed().covers(&name));
        }
    }
}
