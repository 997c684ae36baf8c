//! The permit that services ask for.

use crate::fido::Subject;
use crate::store::operation::Warrant;

/// The permit: this caller may do this for that user. None of a user only for user-less authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActingFor {
    pub(super) user: Option<Subject>,
    pub(super) hidden: Option<Hidden>,
    pub(super) warrant: Option<Warrant>,
}

/// A user whom a stranger named, and is not to learn of whether there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hidden {
    pub(super) name: String,
    pub(super) exists: bool,
}

impl ActingFor {
    /// The user whom it is for; where users are hidden there may be none of this extId.
    #[must_use]
    pub fn user(&self) -> Option<&Subject> {
        self.user.as_ref()
    }

    /// What a stranger called the user, who is not to learn whether there is one; `None`: nothing is hidden.
    #[must_use]
    pub fn stranger(&self) -> Option<&str> {
        self.hidden.as_ref().map(|hidden| hidden.name.as_str())
    }

    /// The session behind a registration or deregistration of the user's own.
    #[must_use]
    pub fn warrant(&self) -> Option<Warrant> {
        self.warrant.clone()
    }

    /// The user, for the log: one who exists.
    #[must_use]
    pub fn audited(&self) -> Option<&str> {
        let exists = self.hidden.as_ref().is_none_or(|hidden| hidden.exists);
        self.user().filter(|_| exists).map(|user| user.ext_id.as_str())
    }
}

impl From<Option<Subject>> for ActingFor {
    fn from(user: Option<Subject>) -> Self {
        Self { user, hidden: None, warrant: None }
    }
}
