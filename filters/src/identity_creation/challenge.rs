//! The answers to whoever does not pass: problem JSON for an API, the login page for a browser, never a redirect.

use http::{HeaderValue, Method, StatusCode, header};

use super::{
    Admission, Demand, Exchange, FilterError, IdentityCreationFilter, Interception, LoginPrompt, Problem, Refusal,
    Reply, ReturnTarget, accepts_html,
};
use crate::audit::Event;
use crate::identity::Session;

impl IdentityCreationFilter {
    pub(super) fn refuse(&self, exchange: &Exchange, refusal: Refusal) -> Result<Reply, FilterError> {
        let problem = Problem::new;
        Ok(match refusal {
            Refusal::Undecided(error) => return Err(error),
            Refusal::NoSession | Refusal::Stale => return self.log_in(exchange, None),
            Refusal::StepUp(session) => return self.log_in(exchange, Some(&session)),
            Refusal::NoBearer => problem(StatusCode::UNAUTHORIZED, "send the bearer of an internal caller")
                .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"internal\""))
                .into(),
            Refusal::BadBearer => problem(StatusCode::UNAUTHORIZED, "the bearer in Authorization is not known here")
                .with(
                    header::WWW_AUTHENTICATE,
                    HeaderValue::from_static("Bearer realm=\"internal\", error=\"invalid_token\""),
                )
                .into(),
            Refusal::Forbidden(name) => {
                Event::InternalCallerForbidden { caller: &name }.record();
                problem(StatusCode::FORBIDDEN, "this internal caller lacks the role that the route needs").into()
            }
            Refusal::TossedCookie => problem(
                StatusCode::BAD_REQUEST,
                "several session cookies were sent; delete this site's cookies and log in again",
            )
            .into(),
            Refusal::MissingRole => {
                problem(StatusCode::FORBIDDEN, "the user lacks the role that the route needs").into()
            }
        })
    }

    fn log_in(&self, exchange: &Exchange, session: Option<&Session>) -> Result<Reply, FilterError> {
        let open = Demand::default();
        let demand = if let Admission::Session(demand) = &self.settings.admission { demand } else { &open };
        let challenge = self.challenge(demand, session)?;
        if self.settings.interception == Interception::Never || !accepts_html(&exchange.headers) {
            let detail = match session {
                Some(_) => "the session's authentication is too weak or too old for this; authenticate again",
                None => "log in first; the session is missing or has ended",
            };
            return Ok(Problem::new(StatusCode::UNAUTHORIZED, detail).with(header::WWW_AUTHENTICATE, challenge).into());
        }
        let domain = &self.settings.domain;
        let prompt = LoginPrompt { exchange, domain, demand, session, target: self.target(exchange) };
        let mut page = self.login_page.page(&prompt)?;
        *page.status_mut() = StatusCode::UNAUTHORIZED;
        page.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        Ok(Reply::Response(page))
    }

    /// Only a GET is repeated after login: a stored POST would be replayed with the victim's full rights.
    fn target(&self, exchange: &Exchange) -> ReturnTarget {
        let repeatable = exchange.method == Method::GET || exchange.method == Method::HEAD;
        let target = if repeatable { ReturnTarget::of(exchange) } else { None };
        target.unwrap_or_else(|| self.settings.start.clone())
    }

    /// `WWW-Authenticate`: RFC 6750 3, and RFC 9470 3 when a session is there but not enough.
    fn challenge(&self, demand: &Demand, session: Option<&Session>) -> Result<HeaderValue, FilterError> {
        let realm = self.settings.domain.as_str();
        let text = match session {
            None => format!("Bearer realm=\"{realm}\""),
            Some(_) => {
                format!("Bearer realm=\"{realm}\", error=\"insufficient_user_authentication\", {}", demand.parameters())
            }
        };
        HeaderValue::from_str(&text).map_err(|_| FilterError::Internal("a realm's name fits into no header".to_owned()))
    }
}
