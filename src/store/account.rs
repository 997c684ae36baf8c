//! Accounts of the operating system, as an operator names them.

use std::fmt;

/// Where names of accounts are looked up. One that only a directory service knows is shown by its number.
const NAMES: &str = "/etc/passwd";

/// An account: shown as sudo's `-u` takes it, by its name or as `#1234`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    uid: u32,
    name: Option<String>,
}

impl Account {
    /// The administrator, who may write everywhere.
    pub(crate) const ROOT: u32 = 0;

    /// The account that this process acts as.
    #[must_use]
    pub fn of_process() -> Self {
        Self::of(rustix::process::geteuid().as_raw())
    }

    /// The account of this number.
    #[must_use]
    pub fn of(uid: u32) -> Self {
        Self { uid, name: std::fs::read_to_string(NAMES).ok().and_then(|text| named(&text, uid)) }
    }

    /// Its number.
    #[must_use]
    pub fn uid(&self) -> u32 {
        self.uid
    }
}

/// The name in a text of lines `name:password:uid:…`.
fn named(text: &str, uid: u32) -> Option<String> {
    text.lines().find_map(|line| {
        let mut parts = line.split(':');
        let name = parts.next()?;
        (parts.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

impl fmt::Display for Account {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => out.write_str(name),
            None => write!(out, "#{}", self.uid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_shown_by_its_name_where_it_has_one() {
        assert_eq!(named("root:x:0:0::/root:/bin/sh\nwww:x:33:33::/:/bin/sh\n", 33).as_deref(), Some("www"));
        assert_eq!(named("root:x:0:0::/root:/bin/sh\nbroken\n:::\n", 33), None);
        assert_eq!(Account::of(0).to_string(), "root");
        assert_eq!(Account { uid: 77, name: None }.to_string(), "#77");
    }
}
