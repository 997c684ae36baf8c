//! The content of a users file.

use std::collections::{BTreeSet, HashMap};

use crate::store::ExtId;
use crate::store::users::{Costs, PasswordHash, User, are_roles};

/// Begins the line that a removed user leaves: the extId follows.
const REMOVED: &str = "#removed:";

/// The users of a file, and its text.
#[derive(Default)]
pub(super) struct Listing {
    lines: Vec<Line>,
    users: Vec<User>,
    by_name: HashMap<String, usize>,
    by_ext_id: HashMap<ExtId, usize>,
    removed: BTreeSet<ExtId>,
    costs: Costs,
}

struct Line {
    text: String,
    name: Option<String>,
}

/// A line that is neither a user nor a comment. Its content is not repeated: it holds a hash.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {reason}")]
pub(super) struct BadLine {
    line: usize,
    reason: String,
}

impl Listing {
    pub(super) fn parse(text: &str) -> Result<Self, BadLine> {
        let mut listing = Self::default();
        for (line, text) in (1..).zip(text.lines()) {
            listing.push(text).map_err(|reason| BadLine { line, reason })?;
        }
        Ok(listing)
    }

    fn push(&mut self, text: &str) -> Result<(), String> {
        let mut name = None;
        self.removed.extend(text.strip_prefix(REMOVED).map(|ext_id| ExtId::from(ext_id.trim())));
        if !text.trim().is_empty() && !text.starts_with('#') {
            let user = parse_user(text)?;
            let place = self.users.len();
            if self.by_name.insert(user.name.clone(), place).is_some() {
                return Err("the name stands twice in the file".into());
            }
            if self.by_ext_id.insert(user.ext_id.clone(), place).is_some() {
                return Err("the extId stands twice in the file".into());
            }
            self.costs.add(user.password.cost()).map_err(|error| error.to_string())?;
            name = Some(user.name.clone());
            self.users.push(user);
        }
        self.lines.push(Line { text: text.to_owned(), name });
        Ok(())
    }

    pub(super) fn users(&self) -> &[User] {
        &self.users
    }

    pub(super) fn by_name(&self, name: &str) -> Option<&User> {
        self.by_name.get(name).and_then(|place| self.users.get(*place))
    }

    pub(super) fn by_ext_id(&self, ext_id: &ExtId) -> Option<&User> {
        self.by_ext_id.get(ext_id).and_then(|place| self.users.get(*place))
    }

    /// The extIds of users who were removed.
    pub(super) fn removed(&self) -> &BTreeSet<ExtId> {
        &self.removed
    }

    /// What the users' hashes cost.
    pub(super) fn costs(&self) -> &Costs {
        &self.costs
    }

    /// The file's text, comments included.
    pub(super) fn text(&self) -> String {
        self.lines.iter().flat_map(|line| [line.text.as_str(), "\n"]).collect()
    }

    /// The file's text with another line for this user.
    pub(super) fn text_with(&self, name: &str, line: &str) -> String {
        let lines = self.lines.iter().map(|kept| {
            let is_changed = kept.name.as_deref() == Some(name);
            if is_changed { line } else { kept.text.as_str() }
        });
        lines.flat_map(|line| [line, "\n"]).collect()
    }
}

fn parse_user(line: &str) -> Result<User, String> {
    let mut parts = line.splitn(4, ':');
    let (Some(name), Some(ext_id), Some(hash)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("it must be name:extId:hash or name:extId:hash:role,role".into());
    };
    if !super::is_readable(name) {
        return Err("the name is empty, too long, or has white space at an end or a control character".into());
    }
    if ext_id.is_empty() || ext_id.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("the extId is empty or has white space".into());
    }
    let password = PasswordHash::parse(hash).map_err(|error| error.to_string())?;
    let roles: Vec<String> = parts.next().map(|all| all.split(',').map(str::to_owned).collect()).unwrap_or_default();
    if !are_roles(&roles) {
        let wrong =
            "a role is empty, too long, or has white space at an end or a control character; or they are too many";
        return Err(wrong.into());
    }
    Ok(User { name: name.to_owned(), ext_id: ext_id.into(), password, roles })
}

/// A user as a line of the file.
pub(super) fn user_line(user: &User) -> String {
    let roles = if user.roles.is_empty() { String::new() } else { format!(":{}", user.roles.join(",")) };
    format!("{}:{}:{}{roles}", user.name, user.ext_id, user.password.as_str())
}

/// What stays of a user who was removed: without it nobody could tell that from a line that got lost.
pub(super) fn removed_line(user: &User) -> String {
    format!("{REMOVED}{}", user.ext_id)
}
