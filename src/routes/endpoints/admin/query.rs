//! The query of an administrative call. A parameter that is not known is refused: a removal whose limits are misspelt must
//! not remove more.

use sidegate_filters::{Exchange, Problem};

use crate::oob::administration::MOST_USERS;

/// So many users a page has where nothing is asked.
const PAGE: usize = 100;

/// The parameters that are there, each once.
pub(super) struct Query(Vec<(&'static str, String)>);

impl Query {
    /// Reads a query that may have these parameters.
    pub(super) fn parse(exchange: &Exchange, known: &[&'static str]) -> Result<Self, Problem> {
        let mut found: Vec<(&'static str, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(exchange.query.as_deref().unwrap_or_default().as_bytes()) {
            let unknown = || format!("the query has another parameter than {}", known.join(", "));
            let member = known.iter().find(|member| **member == name).ok_or_else(|| Problem::bad_request(unknown()))?;
            if found.iter().any(|(other, _)| other == member) {
                return Err(Problem::bad_request(format!("{member}: twice in the query")));
            }
            // What is no UTF-8 was replaced by that character.
            if value.is_empty() || value.contains(|letter: char| letter.is_control() || letter == '\u{FFFD}') {
                return Err(Problem::bad_request(format!("{member}: empty, or no text")));
            }
            found.push((member, value.into_owned()));
        }
        Ok(Self(found))
    }

    pub(super) fn get(&self, member: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| *name == member).map(|(_, value)| value.as_str())
    }

    /// A parameter that has to be there.
    pub(super) fn required(&self, member: &'static str) -> Result<&str, Problem> {
        self.get(member).ok_or_else(|| Problem::bad_request(format!("{member}: missing in the query")))
    }

    /// How many users a page shall have.
    pub(super) fn limit(&self) -> Result<usize, Problem> {
        let Some(text) = self.get("limit") else { return Ok(PAGE) };
        let limit = text.parse().ok().filter(|limit| (1..=MOST_USERS).contains(limit));
        limit.ok_or_else(|| Problem::bad_request(format!("limit: not a number from 1 to {MOST_USERS}")))
    }
}
