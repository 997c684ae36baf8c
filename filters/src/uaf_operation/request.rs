//! Requests for UAF requests, created and dispatched tokens.

use http::StatusCode;

use super::Operation;
use crate::audit::Event;
use crate::identity::{Caller, Role};
use crate::identity_creation::{Challenge, SessionDomain};
use crate::reason::Reason;
use crate::reply::{Problem, Reply};
use crate::uaf_body::{Asked, BodyFilter};
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
}

impl Strangers {
    /// Whether the caller may say what stands at `place`. Rows of other operations are protected, and compare names.
    fn check(&self, operation: Operation, caller: &Caller, asked: &Asked, place: &str) -> Result<(), Problem> {
        if operation == Operation::Auth {
            self.check_name(caller, asked, place)?;
        }
        match (asked.target()?, caller) {
            (None, _) => Ok(()),
            (Some(_), Caller::Internal(internal)) if internal.may(Role::ActFor) => Ok(()),
            // Whose target it is, only the server behind knows; who names himself may name another's target.
            (Some(target), _) => {
                let detail = format!("{place}: beside {target} it takes an internal caller with the role act-for");
                Err(Problem::new(StatusCode::FORBIDDEN, detail).because(Reason::Stranger))
            }
        }
    }

    /// Whether the caller may say something to the user who is named.
    fn check_name(&self, caller: &Caller, asked: &Asked, place: &str) -> Result<(), Problem> {
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
                let detail = "this internal caller may not act for users";
                Err(Problem::new(StatusCode::FORBIDDEN, detail).because(Reason::CallerRole))
            }
            (Caller::User(_) | Caller::Anonymous, _) => {
                let detail = format!("{place}: only a session of the user who is named may say something to that user");
                let challenge = Challenge::Session(&self.domain).value();
                Err(Problem::unauthorized(detail, challenge).because(Reason::Stranger))
            }
        }
    }
}

impl BodyFilter for UafRequestFilter {
    const NAME: &'static str = "uaf-request";

    fn settings(&self) -> String {
        let words = if self.strangers.is_some() { ", no words of strangers" } else { "" };
        format!("op {}{words}", self.operation)
    }

    fn check(&self, caller: &Caller, body: &[u8]) -> Result<(), Reply> {
        let asked = Asked::read(body)?;
        if let Some(other) = asked.operations()?.iter().find(|op| !self.operation.is(op.text)) {
            let detail = format!("{}: another operation than the path's", other.path);
            return Err(Problem::bad_request(detail).because(Reason::OtherOperation).into());
        }
        asked.check_places()?;
        if let (Some(strangers), Some(place)) = (&self.strangers, asked.words()?) {
            strangers.check(self.operation, caller, &asked, &place)?;
        }
        Ok(())
    }
}
