//! The answers to whoever does not pass: problem JSON for an API, the login page for a browser, never a redirect.

use http::{Method, StatusCode, header};

use super::credential::BEARER;
use super::{
    Admission, Challenge, Demand, Exchange, FilterError, IdentityCreationFilter, Interception, LoginPrompt, Problem,
    Reason, Refusal, Reply, ReturnTarget, accepts_html,
};
use crate::audit::Event;
use crate::identity::{AuthenticatedSession, Session};

impl IdentityCreationFilter {
    pub(super) fn refuse(&self, exchange: &Exchange, refusal: Refusal) -> Result<Reply, FilterError> {
        Ok(match refusal {
            Refusal::Undecided(error) => return Err(error),
            Refusal::NoSession(reason) => return self.log_in(exchange, None, None, reason),
            Refusal::StepUp(session, words, reason) => {
                return self.log_in(exchange, Some(&session), words.as_deref(), reason);
            }
            Refusal::NoBearer => {
                let detail = "send the bearer of an internal caller";
                Problem::unauthorized(detail, Challenge::InternalCaller.value()).because(Reason::NoCaller).into()
            }
            Refusal::BadBearer => {
                let detail = "the bearer in Authorization is not known here";
                let problem = Problem::unauthorized(detail, Challenge::OtherInternalCaller.value());
                problem.because(Reason::UnknownCaller).into()
            }
            Refusal::Forbidden(name) => {
                Event::InternalCallerForbidden { caller: &name }.record();
                let detail = "this internal caller lacks the role that the route needs";
                Problem::new(StatusCode::FORBIDDEN, detail).because(Reason::CallerRole).into()
            }
            Refusal::Credential(problem) => (*problem).into(),
            Refusal::MissingRole => {
                let detail = "the user lacks the role that the route needs";
                Problem::new(StatusCode::FORBIDDEN, detail).because(Reason::Role).into()
            }
        })
    }

    fn log_in(
        &self,
        exchange: &Exchange,
        session: Option<&AuthenticatedSession>,
        words: Option<&[String]>,
        reason: Reason,
    ) -> Result<Reply, FilterError> {
        let open = Demand::default();
        let demand = if let Admission::Session(demand) = &self.settings.admission { demand } else { &open };
        let domain = &self.settings.domain;
        let other = self.other_scheme();
        let challenge = match (other, session) {
            (Some(scheme), _) => Challenge::Other(scheme, domain),
            (None, Some(_)) => Challenge::StepUp(domain, demand, words),
            (None, None) => Challenge::Session(domain),
        };
        let challenge = challenge.value();
        if self.settings.interception == Interception::Never || !accepts_html(&exchange.headers) {
            let detail = detail(exchange, session.is_some(), other.is_some(), reason);
            return Ok(Problem::unauthorized(detail, challenge).because(reason).into());
        }
        // What is of this request alone can't be raised: whoever logs in begins a session, as any user.
        let session: Option<&Session> = session.filter(|session| session.carrier().is_some()).map(|session| &**session);
        let prompt = LoginPrompt { exchange, domain, demand, session, target: self.target(exchange) };
        let mut page = self.login_page.page(&prompt)?;
        *page.status_mut() = StatusCode::UNAUTHORIZED;
        page.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        Ok(Reply::refusal(page, reason))
    }

    /// The scheme of the first credential where no session or token would do.
    fn other_scheme(&self) -> Option<&'static str> {
        let mut schemes = self.credentials.iter().map(|credential| credential.scheme());
        let first = schemes.next().filter(|scheme| *scheme != BEARER)?;
        schemes.all(|scheme| scheme != BEARER).then_some(first)
    }

    /// Only a GET is repeated after login: a stored POST would be replayed with the victim's full rights.
    fn target(&self, exchange: &Exchange) -> ReturnTarget {
        let repeatable = exchange.method == Method::GET || exchange.method == Method::HEAD;
        let target = if repeatable { ReturnTarget::of(exchange) } else { None };
        target.unwrap_or_else(|| self.settings.start.clone())
    }
}

/// Why a client that reads no page has to authenticate: somebody is `known` whose authentication does not do, or nobody;
/// `other`: neither session nor token would.
fn detail(exchange: &Exchange, known: bool, other: bool, reason: Reason) -> &'static str {
    match (known, other, reason) {
        (true, false, _) => "the session's authentication is too weak or too old for this; authenticate again",
        (true, true, _) => "what was shown is no authentication that is strong or new enough for this",
        (false, _, Reason::Certificate) => "the client certificate that was shown names nobody here",
        (false, _, Reason::Service) => "the authentication service does not know whoever sent this",
        (false, _, Reason::OtherSite) => "a client certificate does not count where another site's page asks",
        (false, true, _) => "nothing was shown that tells who is calling",
        (false, false, _) if exchange.client.internal => {
            "neither the bearer, token or certificate of an internal caller was shown, nor a session"
        }
        (false, false, _) => "log in first; the session is missing or has ended",
    }
}
