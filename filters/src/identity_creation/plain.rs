//! What a house needs no words for: sessions and internal callers that it knows, and no login page.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;

use super::{
    Admission, CookieSession, Demand, IdentityCreationFilter, Interception, InternalAccess, InternalCallers, LoginPage,
    LoginPrompt, PassedOn, ReturnTarget, SessionDomain, Sessions, Settings,
};
use crate::clock::SystemClock;
use crate::filter::FilterError;

impl Settings {
    /// Lets in whoever has a session of this domain, and nobody else; intercepts nothing, passes nothing on.
    ///
    /// ```
    /// use sidegate_filters::SessionDomain;
    /// use sidegate_filters::identity_creation::{Admission, InternalAccess, Settings};
    ///
    /// let closed = Settings::new(SessionDomain::parse("main").unwrap());
    /// assert_eq!(closed.internal, InternalAccess::Nobody);
    /// let open = Settings { admission: Admission::Open, ..closed };
    /// assert_eq!(open.domain.as_str(), "main");
    /// ```
    #[must_use]
    pub fn new(domain: SessionDomain) -> Self {
        Self {
            domain,
            admission: Admission::Session(Demand::default()),
            internal: InternalAccess::Nobody,
            interception: Interception::Never,
            start: ReturnTarget::start(),
            passed_on: PassedOn::default(),
        }
    }
}

impl IdentityCreationFilter {
    /// A filter that lets in whoever has a session of this domain, by its cookie, and on internal listeners these callers.
    /// Everybody else gets a 401, browsers too.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use sidegate_filters::memory::{MemoryCallers, MemorySessions};
    /// use sidegate_filters::{Filter as _, IdentityCreationFilter, SessionDomain};
    ///
    /// let (sessions, callers) = (MemorySessions::new(100), MemoryCallers::from([("shop-secret", "shop")]));
    /// let domain = SessionDomain::parse("main").unwrap();
    /// let identity = IdentityCreationFilter::plain(domain, Arc::new(sessions), Arc::new(callers));
    /// assert!(identity.settings().ends_with("every internal caller; interception never"));
    /// ```
    #[must_use]
    pub fn plain(domain: SessionDomain, sessions: Arc<dyn Sessions>, callers: Arc<dyn InternalCallers>) -> Self {
        let cookie = CookieSession::new(domain.clone(), sessions);
        let settings = Settings { internal: InternalAccess::Anybody, ..Settings::new(domain) };
        Self::new(settings, vec![Arc::new(cookie)], callers, Arc::new(NoLoginPage), Arc::new(SystemClock))
    }
}

/// None at all, where nothing is intercepted. Whoever is to be shown it all the same gets a 503.
#[derive(Debug, Clone, Copy)]
pub struct NoLoginPage;

impl LoginPage for NoLoginPage {
    fn page(&self, _: &LoginPrompt<'_>) -> Result<Response<Bytes>, FilterError> {
        Err(FilterError::unavailable("the login page"))
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};
    use rstest::rstest;

    use super::*;
    use crate::exchange::{Client, Exchange};
    use crate::memory::{MemoryCallers, MemorySessions};
    use crate::testing::{fields, request, run};

    fn plain() -> IdentityCreationFilter {
        let domain = SessionDomain::parse("main").unwrap();
        let sessions = MemorySessions::of(&domain, [("good", "jeff")]);
        IdentityCreationFilter::plain(domain, Arc::new(sessions), Arc::new(MemoryCallers::from([("secret", "shop")])))
    }

    async fn status(filter: IdentityCreationFilter, internal: bool, headers: HeaderMap) -> u16 {
        let asked = request(Method::GET, "/account");
        let client = Client { internal, ..asked.client };
        run(filter, Exchange { client, headers, ..asked }, "").await.0
    }

    #[rstest]
    #[case(false, ("cookie", "__Host-sidegate-main=good"), 200)]
    #[case(false, ("cookie", "__Host-sidegate-main=bad"), 401)]
    #[case(false, ("accept", "text/html"), 401)]
    #[case(false, ("authorization", "Bearer secret"), 401)]
    #[case(true, ("authorization", "Bearer secret"), 200)]
    #[case(true, ("authorization", "Bearer bad"), 401)]
    #[tokio::test]
    async fn sessions_and_known_callers_are_let_in(
        #[case] internal: bool,
        #[case] field: (&'static str, &str),
        #[case] expected: u16,
    ) {
        assert_eq!(status(plain(), internal, fields(&[field])).await, expected);
    }

    #[tokio::test]
    async fn nobody_is_let_in_for_want_of_a_login_page() {
        let mut filter = plain();
        filter.settings.interception = Interception::Auto;
        assert_eq!(status(filter, false, fields(&[("accept", "text/html")])).await, 503);
    }
}
