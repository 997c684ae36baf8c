//! A request at the door: which fields of its head the filters may decide by (`gateway.md` 2.1, 2.2). What was checked is
//! what goes on, so nothing may be decided by what others do not get to see.

mod connection;

use http::request::Parts;
use http::{HeaderMap, HeaderName};

use crate::delegation::fold;
use crate::exchange::{Client, Exchange};
use crate::headers::is_method_override;
use crate::path::{CanonicalPath, PathError, PathRules};
use crate::reply::Problem;

/// The client's fields without those that belong to its connection alone, and without any by which it asks for another
/// method than the one that is checked.
///
/// # Errors
/// When `Connection` names what is for all on the way, or no names.
///
/// ```
/// use http::HeaderMap;
/// use sidegate_filters::arrival::plain_headers;
///
/// let fields = [("connection", "x-hop"), ("x-hop", "1"), ("x-http-method-override", "DELETE"), ("accept", "*/*")];
/// let mut headers: HeaderMap =
///     fields.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).into_iter().collect();
/// let plain = plain_headers(&headers).unwrap();
/// assert!(!plain.contains_key("x-hop") && !plain.contains_key("x-http-method-override"));
/// assert!(plain.contains_key("accept"));
/// headers.insert("connection", "authorization".parse().unwrap());
/// assert!(plain_headers(&headers).is_err());
/// ```
pub fn plain_headers(headers: &HeaderMap) -> Result<HeaderMap, Problem> {
    let mut plain = headers.clone();
    let overrides: Vec<HeaderName> =
        headers.keys().filter(|name| is_method_override(&fold(name.as_str()))).cloned().collect();
    for name in overrides {
        plain.remove(name);
    }
    connection::take_nominated(&mut plain)?;
    Ok(plain)
}

impl Exchange {
    /// A request as a proxy received it from this client, whose path is spelt in no unusual way.
    ///
    /// # Errors
    /// The answer to give instead: its path could be read as another one, or its `Connection` names what is for all.
    ///
    /// ```
    /// use http::Request;
    /// use sidegate_filters::{Client, Exchange};
    ///
    /// let client = || Client::new([127, 0, 0, 1].into(), "http://gate.example");
    /// let head = |target: &str| Request::get(target).body(()).unwrap().into_parts().0;
    /// let exchange = Exchange::receive("r-1", &head("/%61ccount?x=1"), client()).unwrap();
    /// assert_eq!((exchange.path.as_str(), exchange.query.as_deref()), ("/account", Some("x=1")));
    /// assert_eq!(Exchange::receive("r-2", &head("/a%2Fb"), client()).unwrap_err().status, 400);
    /// ```
    pub fn receive(request_id: &str, head: &Parts, client: Client) -> Result<Self, Problem> {
        let path = CanonicalPath::parse(head.uri.path())?;
        if !PathRules::default().allow(path.unusual()) {
            return Err(PathError::Unusual.into());
        }
        let (headers, method) = (plain_headers(&head.headers)?, head.method.clone());
        let query = head.uri.query().map(str::to_owned);
        Ok(Self { query, ..Self::new(request_id.to_owned(), method, path, headers, client) })
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use rstest::rstest;

    use super::*;
    use crate::reason::Reason;

    fn receive(target: &str, fields: &[(&str, &str)]) -> Result<Exchange, Problem> {
        let head = fields.iter().fold(Request::patch(target), |head, (name, value)| head.header(*name, *value));
        let client = Client::new([192, 0, 2, 1].into(), "https://gate.example");
        Exchange::receive("r-1", &head.body(()).unwrap().into_parts().0, client)
    }

    #[test]
    fn a_request_is_what_its_head_says() {
        let exchange = receive("https://gate.example/a%7eb?q=%41", &[("x-a", "1"), ("x-a", "2")]).unwrap();
        assert_eq!((exchange.request_id.as_str(), exchange.method.as_str()), ("r-1", "PATCH"));
        assert_eq!(exchange.path.with_query(exchange.query.as_deref()), "/a~b?q=%41");
        assert_eq!(exchange.headers.get_all("x-a").iter().collect::<Vec<_>>(), ["1", "2"]);
        assert!(exchange.client.secure && !exchange.client.internal);
    }

    #[rstest]
    #[case("/a/../b")]
    #[case("/a//b")]
    #[case("/a%2Fb")]
    #[case("/a%252Fb")]
    #[case("/a;v=1")]
    #[case("/a%00")]
    fn a_path_that_others_may_read_otherwise_is_refused(#[case] target: &str) {
        let problem = receive(target, &[]).unwrap_err();
        assert_eq!((problem.status.as_u16(), problem.reason), (400, Reason::PathSpelling));
    }

    #[test]
    fn what_is_of_its_connection_alone_or_asks_for_another_method_is_not_there() {
        let fields = [("connection", "close, x-hop"), ("x-hop", "1"), ("X_Http_Method", "DELETE"), ("x-kept", "1")];
        let exchange = receive("/", &fields).unwrap();
        assert_eq!(exchange.headers.keys().collect::<Vec<_>>(), ["connection", "x-kept"]);
        assert_eq!(receive("/", &[("connection", "cookie")]).unwrap_err().status, 400);
    }
}
