//! Requests for UAF requests, created and dispatched tokens.

use async_trait::async_trait;
use http::StatusCode;

use super::Operation;
use crate::audit::Event;
use crate::exchange::Exchange;
use crate::filter::{Filter, FilterError, Verdict};
use crate::identity::{Caller, Role};
use crate::identity_creation::{Challenge, SessionDomain};
use crate::reply::Problem;
use crate::uaf_body::{self, Asked};
use crate::user_binding::UsernameMapper;

/// Who may put words before a user's eyes: nobody but that user and internal callers with the role `act-for`.
#[derive(Debug, Clone)]
pub struct Strangers {
    /// Where sessions are of, for the challenge.
    pub domain: SessionDomain,
    /// How the user is named; `None`: the server behind compares, and a session of any user will do here.
    pub username: Option<UsernameMapper>,
}

/// The filter `uaf-request`. Mount it behind one that finds out who is calling.
#[derive(Debug, Clone)]
pub struct UafRequestFilter {
    operation: Operation,
    strangers: Option<Strangers>,
}

impl UafRequestFilter {
    /// For a row of this operation. With `strangers` nobody but they may ask for a transaction, or tell a dispatcher
    /// something.
    #[must_use]
    pub fn new(operation: Operation, strangers: Option<Strangers>) -> Self {
        Self { operation, strangers }
    }

    fn check(&self, caller: &Caller, body: &[u8]) -> Result<(), Problem> {
        let asked = Asked::read(body)?;
        if let Some(other) = asked.operations()?.iter().find(|op| !self.operation.is(op.text)) {
            return Err(Problem::bad_request(format!("{}: another operation than the path's", other.path)));
        }
        match (&self.strangers, asked.words()?) {
            (Some(strangers), Some(place)) => strangers.check(caller, &asked, &place),
            _ => Ok(()),
        }
    }
}

impl Strangers {
    /// Whether the caller may say what stands at `place` to the user who is named.
    fn check(&self, caller: &Caller, asked: &Asked, place: &str) -> Result<(), Problem> {
        let names = asked.usernames()?;
        match (caller, self.username) {
            (Caller::User(_), None) => Ok(()),
            (Caller::User(session), Some(mapper))
                if !names.is_empty() && names.iter().all(|name| name.text == mapper.of(session)) =>
            {
                Ok(())
            }
            (Caller::Internal(internal), _) if internal.may(Role::ActFor) => {
                Event::UserNamed { caller: &internal.name }.record();
                Ok(())
            }
            (Caller::Internal(_), _) => {
                Err(Problem::new(StatusCode::FORBIDDEN, "this internal caller may not act for users"))
            }
            (Caller::User(_) | Caller::Anonymous, _) => {
                let detail = format!("{place}: only a session of the user who is named may say something to that user");
                Err(Problem::unauthorized(detail, Challenge::Session(&self.domain).value()))
            }
        }
    }
}

#[async_trait]
impl Filter for UafRequestFilter {
    fn name(&self) -> &'static str {
        "uaf-request"
    }

    fn settings(&self) -> String {
        let words = if self.strangers.is_some() { ", no words of strangers" } else { "" };
        format!("op {}{words}", self.operation)
    }

    fn body_limit(&self) -> Option<usize> {
        Some(uaf_body::LIMIT)
    }

    fn before_body(&self, exchange: &Exchange) -> Verdict {
        uaf_body::check_head(exchange).map_or_else(|problem| Verdict::Answer(problem.into()), |()| Verdict::Pass)
    }

    async fn request(&self, exchange: &mut Exchange) -> Result<Verdict, FilterError> {
        let body = exchange.body.as_deref();
        let body = body.ok_or_else(|| FilterError::Internal("uaf-request was given no body".to_owned()))?;
        let checked = self.check(&exchange.caller, body);
        Ok(checked.map_or_else(|problem| Verdict::Answer(problem.into()), |()| Verdict::Pass))
    }
}
