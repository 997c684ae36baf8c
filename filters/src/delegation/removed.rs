//! The headers that only the gateway may set on the way to an upstream, in every spelling (`gateway.md` 2.3).

use std::collections::HashSet;

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// A header's name as a careless backend may read it: `X_User`, `x.user` and `X-User` are all `x-user`.
#[must_use]
pub fn fold(name: &str) -> String {
    name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' }).collect()
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

    /// Takes the set out of a client's headers or trailers: the fields themselves, and their names in `Connection` (a
    /// proxy would drop the nominated header of ours as hop-by-hop) and in `Trailer`.
    pub fn strip(&self, headers: &mut HeaderMap) {
        let covered: Vec<HeaderName> = headers.keys().filter(|name| self.covers(name.as_str())).cloned().collect();
        for name in covered {
            headers.remove(name);
        }
        self.strip_nominations(headers, header::CONNECTION);
        self.strip_nominations(headers, header::TRAILER);
    }

    fn strip_nominations(&self, headers: &mut HeaderMap, list: HeaderName) {
        let nominates = |value: &HeaderValue| tokens(value).any(|token| self.covers_bytes(token));
        if !headers.get_all(&list).iter().any(nominates) {
            return;
        }
        let kept: Vec<Vec<u8>> = headers
            .get_all(&list)
            .iter()
            .flat_map(tokens)
            .filter(|token| !token.is_empty() && !self.covers_bytes(token))
            .map(<[u8]>::to_vec)
            .collect();
        headers.remove(&list);
        if let Ok(value) = HeaderValue::from_bytes(&kept.join(&b", "[..]))
            && !value.is_empty()
        {
            headers.insert(list, value);
        }
    }

    fn covers_bytes(&self, token: &[u8]) -> bool {
        self.covers(&String::from_utf8_lossy(token))
    }
}

fn tokens(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn removed() -> RemovedHeaders {
        [HeaderName::from_static("x-user"), header::AUTHORIZATION].iter().collect()
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
    #[case("AUTHORIZATION")]
    fn every_spelling_goes(#[case] name: &str) {
        let mut headers = HeaderMap::new();
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_static("root"));
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_static("again"));
        headers.append("accept", HeaderValue::from_static("a"));
        removed().strip(&mut headers);
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["accept"]);
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

    #[rstest]
    #[case(&["X-User"], None)]
    #[case(&["close, x_user"], Some("close"))]
    #[case(&["close", "X.User , keep-alive"], Some("close, keep-alive"))]
    #[case(&["close, x-other"], Some("close, x-other"))]
    #[case(&[",, x-user ,"], None)]
    fn nominations_of_ours_go(#[case] fields: &[&str], #[case] left: Option<&str>) {
        for list in [header::CONNECTION, header::TRAILER] {
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append(list.clone(), HeaderValue::from_str(field).unwrap());
            }
            removed().strip(&mut headers);
            assert_eq!(headers.get(list).map(|value| value.to_str().unwrap()), left);
        }
    }

    proptest! {
        #[test]
        fn nothing_that_folds_into_ours_is_left(name in "[xX][-_.!~*'|^+$&#%][uU][sS][eE][rR]") {
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_static("root"));
            removed().strip(&mut headers);
            prop_assert!(headers.is_empty());
        }
    }
}
