//! Where a request names its user.

use std::fmt;

use crate::reply::Problem;
use crate::uaf_body::Asked;

/// Where a body has the name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Place {
    /// `username` in `context`, a string that holds JSON: UAF requests and created tokens.
    #[default]
    Context,
    /// The same below `getUafRequest`: dispatched tokens.
    GetUafRequest,
    /// The member `username`: dispatch targets. Without it the server behind takes the user whom it is told of.
    Username,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Context => "context.username",
            Self::GetUafRequest => "getUafRequest.context.username",
            Self::Username => "username",
        })
    }
}

impl Place {
    /// Whether a request has to name its user.
    pub(super) fn is_mandatory(self) -> bool {
        self != Self::Username
    }

    /// The name; `None` where there is none. In another place there may be the same name only, lest the server look there.
    pub(super) fn read(self, body: &[u8]) -> Result<Option<String>, Problem> {
        let asked = Asked::read(body)?;
        let names = asked.usernames()?;
        let place = self.to_string();
        let named = names.iter().find(|name| name.path == place).map(|name| name.text);
        match names.iter().find(|name| Some(name.text) != named) {
            Some(other) => Err(Problem::bad_request(format!(
                "{}: the user is named in {place}, and nowhere otherwise",
                other.path
            ))),
            None => Ok(named.map(str::to_owned)),
        }
    }
}
