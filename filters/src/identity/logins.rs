//! What a session was proven by, and when.

use serde::{Deserialize, Serialize};

use crate::clock::Millis;

/// That a user was proven once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// The realm.
    pub realm: String,
    /// The authentication level that it gives (password 1, fido-uaf 2).
    pub level: u8,
    /// When it was.
    pub at: Millis,
}

/// The logins that a session rests on, of each realm the latest: at least one, and no more than there are realms. A login
/// makes nothing younger but itself, so that a weak one says nothing of when a strong one was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logins {
    /// That of the highest level; of several the latest.
    highest: Login,
    others: Vec<Login>,
}

impl From<Login> for Logins {
    fn from(first: Login) -> Self {
        Self { highest: first, others: Vec::new() }
    }
}

impl Logins {
    /// These and one more, the latest, in place of the former one of its realm.
    #[must_use]
    pub fn and(self, latest: Login) -> Self {
        let before = std::iter::once(self.highest).chain(self.others);
        let others: Vec<Login> = before.filter(|login| login.realm != latest.realm).collect();
        others.into_iter().fold(Self::from(latest), Self::beside)
    }

    /// What they are worth where `level` tells what each realm gives: that at most, and nothing where it gives none. `None`
    /// where that is so of the highest: a session ends rather than fall back to what it was before a step-up.
    #[must_use]
    pub fn worth(self, level: impl Fn(&str) -> Option<u8>) -> Option<Self> {
        let worth = |login: Login| Some(Login { level: login.level.min(level(&login.realm)?), ..login });
        let highest = worth(self.highest)?;
        Some(self.others.into_iter().filter_map(worth).fold(Self::from(highest), Self::beside))
    }

    /// One of a realm that has none here, no later than those that are there.
    fn beside(mut self, mut other: Login) -> Self {
        if other.level > self.highest.level {
            std::mem::swap(&mut self.highest, &mut other);
        }
        self.others.push(other);
        self
    }

    /// The one that gave the level.
    #[must_use]
    pub fn highest(&self) -> &Login {
        &self.highest
    }

    /// All of them, the highest first.
    pub fn iter(&self) -> impl Iterator<Item = &Login> {
        std::iter::once(&self.highest).chain(&self.others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(realm: &str, level: u8, at: i64) -> Login {
        Login { realm: realm.into(), level, at: Millis(at) }
    }

    fn logins(all: &[(&str, u8, i64)]) -> Logins {
        let mut all = all.iter().map(|(realm, level, at)| login(realm, *level, *at));
        let first = Logins::from(all.next().unwrap());
        all.fold(first, Logins::and)
    }

    fn shown(logins: &Logins) -> Vec<(&str, u8, i64)> {
        logins.iter().map(|login| (login.realm.as_str(), login.level, login.at.0)).collect()
    }

    #[test]
    fn the_highest_is_first_and_a_weaker_one_makes_it_no_younger() {
        let both = logins(&[("password", 1, 10), ("fido-uaf", 2, 20)]);
        assert_eq!(shown(&both), [("fido-uaf", 2, 20), ("password", 1, 10)]);
        assert_eq!(shown(&both.and(login("password", 1, 30))), [("fido-uaf", 2, 20), ("password", 1, 30)]);
    }

    #[test]
    fn each_realm_has_its_latest_however_often_somebody_logs_in() {
        let mut all = logins(&[("password", 1, 0)]);
        for at in 1..100 {
            all = all.and(login("fido-uaf", 2, at)).and(login("oob", 2, at)).and(login("password", 1, at));
        }
        assert_eq!(all.highest(), &login("oob", 2, 99), "of equals the later");
        let mut each = shown(&all);
        each.sort_unstable();
        assert_eq!(each, [("fido-uaf", 2, 99), ("oob", 2, 99), ("password", 1, 99)]);
        let back = all.and(login("oob", 2, 5));
        assert_eq!(back.highest().at, Millis(5), "the later one, whatever the clock says");
    }

    #[test]
    fn a_realm_that_gives_less_than_before_is_not_the_highest_any_more() {
        let all = logins(&[("fido-uaf", 3, 10), ("oob", 2, 20), ("fido-uaf", 1, 30)]);
        assert_eq!(shown(&all), [("oob", 2, 20), ("fido-uaf", 1, 30)]);
    }

    #[test]
    fn they_are_worth_what_their_realms_give_and_never_more() {
        let all = || logins(&[("password", 1, 10), ("oob", 2, 20), ("fido-uaf", 3, 30)]);
        let worth = |levels: &'static [(&str, u8)]| {
            all().worth(|realm| levels.iter().find(|(name, _)| *name == realm).map(|(_, level)| *level))
        };
        let same = worth(&[("password", 9), ("oob", 9), ("fido-uaf", 9)]).unwrap();
        assert_eq!(shown(&same), [("fido-uaf", 3, 30), ("oob", 2, 20), ("password", 1, 10)]);
        let less = worth(&[("password", 0), ("oob", 2), ("fido-uaf", 1)]).unwrap();
        assert_eq!(shown(&less), [("oob", 2, 20), ("fido-uaf", 1, 30), ("password", 0, 10)]);
        let fewer = worth(&[("password", 1), ("fido-uaf", 3)]).unwrap();
        assert_eq!(shown(&fewer), [("fido-uaf", 3, 30), ("password", 1, 10)]);
        assert_eq!(worth(&[("password", 1), ("oob", 2)]), None, "it does not fall back");
    }
}
