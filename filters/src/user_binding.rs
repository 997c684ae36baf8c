//! User binding: whom a request names is who sends it (`http-api.md` 0.3), for a server behind that takes the name at its
//! word.
//!
//! The filter reads the body as strictly as it can be read, so that no server reads another name out of it, and leaves it
//! as it is. A user's session may name that user alone; an internal caller with the role `act-for` may name anybody.

mod place;
#[cfg(test)]
mod tests;

use http::StatusCode;

use crate::audit::Event;
use crate::identity::{AuthenticatedSession, Caller, Role};
use crate::reason::Reason;
use crate::reply::{Problem, Reply};
use crate::uaf_body::BodyFilter;

pub use self::place::Place;

/// What `username` in a request means (`http-api.md` 0.2), in those that come in and those that go to an upstream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UsernameMapper {
    /// The login name.
    #[default]
    Name,
    /// The extId.
    ExtId,
}

impl UsernameMapper {
    pub(crate) fn of(self, session: &AuthenticatedSession) -> &str {
        match self {
            Self::Name => &session.name,
            Self::ExtId => &session.ext_id,
        }
    }
}

/// The filter `user-binding`. Mount it behind one that finds out who is calling.
#[derive(Debug, Clone, Copy)]
pub struct UserBindingFilter {
    username: UsernameMapper,
    place: Place,
}

impl UserBindingFilter {
    /// The filter for a row whose requests name the user in this place.
    #[must_use]
    pub fn new(username: UsernameMapper, place: Place) -> Self {
        Self { username, place }
    }

    fn compare(self, caller: &Caller, named: Option<&str>) -> Result<(), Problem> {
        match caller {
            Caller::User(session) => match named {
                Some(name) if name == self.username.of(session) => Ok(()),
                None if !self.place.is_mandatory() => Ok(()),
                None => Err(self.unnamed()),
                Some(_) => {
                    Event::OtherUserNamed { user: &session.ext_id }.record();
                    Err(forbidden(Reason::OtherUser, "the session belongs to another user than the request names"))
                }
            },
            Caller::Internal(internal) if internal.may(Role::ActFor) => {
                named.ok_or_else(|| self.unnamed())?;
                Event::UserNamed { caller: &internal.name }.record();
                Ok(())
            }
            Caller::Internal(_) => Err(forbidden(Reason::CallerRole, "this internal caller may not act for users")),
            Caller::Anonymous => {
                Err(forbidden(Reason::NoCredential, "the request names a user, and nobody is logged in"))
            }
        }
    }

    fn unnamed(self) -> Problem {
        Problem::bad_request(format!("{} is missing: name the user", self.place)).because(Reason::Unnamed)
    }
}

fn forbidden(reason: Reason, detail: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, detail).because(reason)
}

impl BodyFilter for UserBindingFilter {
    const NAME: &'static str = "user-binding";

    fn settings(&self) -> String {
        let whose = match self.username {
            UsernameMapper::Name => "login name",
            UsernameMapper::ExtId => "extId",
        };
        format!("{} is the session's {whose}", self.place)
    }

    fn check(&self, caller: &Caller, body: &[u8]) -> Result<(), Reply> {
        let named = self.place.read(body)?;
        Ok(self.compare(caller, named.as_deref())?)
    }
}
