//! What a body asks of a FIDO server behind is what its row is for (`http-api.md` 0.3): else an open row would carry what
//! a protected one keeps back, to a server that goes by the member `op`.
//!
//! The filters read the body as strictly as it can be read, and leave it as it is.

mod answer;
mod request;
#[cfg(test)]
mod tests;

use std::fmt;

pub use answer::UafAnswerFilter;
pub use request::{Strangers, UafRequestFilter};

/// What a row is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Registration.
    Reg,
    /// Authentication.
    Auth,
    /// Deregistration.
    Dereg,
}

/// The word of UAF messages.
impl fmt::Display for Operation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Reg => "Reg",
            Self::Auth => "Auth",
            Self::Dereg => "Dereg",
        })
    }
}

impl Operation {
    /// Whether a message says this operation.
    fn is(self, word: &str) -> bool {
        word == self.to_string()
    }
}
