//! What a route demands of a session, and what is missing.

use std::fmt;
use std::time::Duration;

use super::challenge::quoted;
use crate::clock::Millis;
use crate::identity::{Login, Logins, Session};
use crate::reason::Reason;

/// What a session needs to pass (`gateway.md` 3.1, first row): one login with this level, by one of these realms, of this
/// age. A fresh login of a lower level makes none of a higher one fresh.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demand {
    /// The lowest authentication level that it gave.
    pub level: u8,
    /// One of these roles; empty: any user.
    pub roles: Vec<String>,
    /// How long ago the login may be.
    pub max_age: Option<Duration>,
    /// It was by one of these realms; empty: any.
    pub realms: Vec<String>,
}

/// Why a session does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortfall {
    /// None of the roles: no login helps this user.
    Role,
    /// A step-up through a fitting realm helps; why it is needed.
    Authentication(Reason),
}

impl Demand {
    /// Compares a session with the demand.
    ///
    /// # Errors
    /// What is missing. A missing role comes first, since a step-up would be for nothing.
    pub fn check(&self, session: &Session, now: Millis) -> Result<(), Shortfall> {
        if !self.roles.is_empty() && !session.roles.iter().any(|role| self.roles.contains(role)) {
            return Err(Shortfall::Role);
        }
        self.lacks(&session.logins, now).map_or(Ok(()), |lacking| Err(Shortfall::Authentication(lacking)))
    }

    /// What the login lacks that comes nearest, if none is what is demanded.
    fn lacks(&self, logins: &Logins, now: Millis) -> Option<Reason> {
        let mut high = logins.iter().filter(|login| login.level >= self.level).peekable();
        if high.peek().is_none() {
            return Some(Reason::Level);
        }
        let mut fitting = high.filter(|login| self.is_by(login)).peekable();
        if fitting.peek().is_none() {
            return Some(Reason::Realm);
        }
        (!fitting.any(|login| self.is_young(login, now))).then_some(Reason::Age)
    }

    /// Whether a login was by one of the realms.
    #[must_use]
    pub fn is_by(&self, login: &Login) -> bool {
        self.realms.is_empty() || self.realms.contains(&login.realm)
    }

    /// How old one from after now is can't be told: the clock was set back.
    fn is_young(&self, login: &Login, now: Millis) -> bool {
        self.max_age.is_none_or(|max_age| login.at <= now && now.since(login.at) <= max_age)
    }

    /// The parameters `acr_values` and `max_age` of a step-up challenge (RFC 9470 3). Where the caller's credential knows
    /// no values of `acr`, they are realm names where the route names realms, else the level as a number.
    pub(super) fn parameters(&self, known: Option<&[String]>) -> String {
        let own = || if self.realms.is_empty() { self.level.to_string() } else { self.realms.join(" ") };
        let acr = known.map_or_else(own, |known| known.join(" "));
        let acr = (!acr.is_empty()).then(|| format!("acr_values={}", quoted(&acr)));
        let age = self.max_age.map(|age| format!("max_age=\"{}\"", age.as_secs()));
        acr.into_iter().chain(age).collect::<Vec<_>>().join(", ")
    }
}

/// For whoever reads what a route demands: `a session of level 2 by fido-uaf, at most 600s old`.
impl fmt::Display for Demand {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a session of level {}", self.level)?;
        if !self.realms.is_empty() {
            write!(out, " by {}", self.realms.join(" or "))?;
        }
        if !self.roles.is_empty() {
            write!(out, " with role {}", self.roles.join(" or "))?;
        }
        match self.max_age {
            Some(max_age) => write!(out, ", at most {}s old", max_age.as_secs()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn session() -> Session {
        Session {
            sid: "s".into(),
            domain: "main".into(),
            ext_id: "e".into(),
            name: "jeff".into(),
            logins: Login { realm: "password".into(), level: 1, at: Millis(1_000_000) }.into(),
            roles: vec!["staff".into()],
            generation: 0,
        }
    }

    fn demand(level: u8, role: &str, max_age: Option<u64>, realm: &str) -> Demand {
        let list = |name: &str| if name.is_empty() { Vec::new() } else { vec!["x".to_owned(), name.to_owned()] };
        Demand { level, roles: list(role), max_age: max_age.map(Duration::from_secs), realms: list(realm) }
    }

    #[rstest]
    #[case(demand(0, "", None, ""), Ok(()))]
    #[case(demand(1, "staff", Some(60), "password"), Ok(()))]
    #[case(demand(2, "", None, ""), Err(Shortfall::Authentication(Reason::Level)))]
    #[case(demand(1, "", Some(59), ""), Err(Shortfall::Authentication(Reason::Age)))]
    #[case(demand(1, "", None, "fido-uaf"), Err(Shortfall::Authentication(Reason::Realm)))]
    #[case(demand(1, "boss", None, ""), Err(Shortfall::Role))]
    #[case(demand(2, "boss", Some(1), "fido-uaf"), Err(Shortfall::Role))]
    fn a_session_is_compared_with_each_part(#[case] demand: Demand, #[case] expected: Result<(), Shortfall>) {
        assert_eq!(demand.check(&session(), Millis(1_060_000)), expected);
    }

    #[test]
    fn how_old_a_session_is_can_not_be_told_after_a_step_back() {
        let before = Millis(session().authenticated_at().0 - 1);
        assert_eq!(demand(1, "", Some(60), "").check(&session(), before), Err(Shortfall::Authentication(Reason::Age)));
        assert_eq!(demand(1, "", None, "").check(&session(), before), Ok(()));
    }

    /// With a password at 1000 s, and a key at this second.
    fn raised(at: i64) -> Session {
        let by_key = Login { realm: "fido-uaf".into(), level: 2, at: Millis(at * 1000) };
        Session { logins: session().logins.and(by_key), ..session() }
    }

    #[rstest]
    #[case::a_weak_login_makes_no_strong_one_young(demand(2, "", Some(60), ""), Some(Reason::Age))]
    #[case::nor_one_of_another_realm(demand(1, "", Some(60), "fido-uaf"), Some(Reason::Age))]
    #[case::one_alone_has_all_of_it(demand(2, "", Some(60), "password"), Some(Reason::Realm))]
    #[case::the_level_stays(demand(2, "", None, "fido-uaf"), None)]
    #[case::the_old_one_is_old_enough(demand(2, "", Some(100), "fido-uaf"), None)]
    #[case::the_weak_one_is_young(demand(1, "", Some(60), ""), None)]
    #[case::by_its_realm(demand(1, "", Some(60), "password"), None)]
    fn each_login_answers_for_itself(#[case] demand: Demand, #[case] lacks: Option<Reason>) {
        let expected = lacks.map_or(Ok(()), |lacks| Err(Shortfall::Authentication(lacks)));
        assert_eq!(demand.check(&raised(960), Millis(1_060_000)), expected);
    }

    #[test]
    fn a_strong_login_is_one_of_each_lower_level_too() {
        assert_eq!(demand(1, "", Some(10), "").check(&raised(1_050), Millis(1_060_000)), Ok(()));
        // That one came from after a step back of the clock does not make the others unknown.
        assert_eq!(demand(1, "", Some(60), "").check(&raised(2_000), Millis(1_060_000)), Ok(()));
        let of_the_strong_one = demand(2, "", Some(60), "").check(&raised(2_000), Millis(1_060_000));
        assert_eq!(of_the_strong_one, Err(Shortfall::Authentication(Reason::Age)));
    }

    #[rstest]
    #[case(demand(2, "", None, ""), "a session of level 2")]
    #[case(
        demand(2, "boss", Some(300), "fido-uaf"),
        "a session of level 2 by x or fido-uaf with role x or boss, at most 300s old"
    )]
    fn it_is_told_in_plain_words(#[case] demand: Demand, #[case] expected: &str) {
        assert_eq!(demand.to_string(), expected);
    }

    #[rstest]
    #[case(demand(2, "", None, ""), "acr_values=\"2\"")]
    #[case(demand(2, "", Some(300), "fido-uaf"), "acr_values=\"x fido-uaf\", max_age=\"300\"")]
    #[case(demand(2, "", None, "a\"b"), "acr_values=\"x ab\"")]
    fn the_challenge_names_what_would_do(#[case] demand: Demand, #[case] expected: &str) {
        assert_eq!(demand.parameters(None), expected);
    }

    #[test]
    fn an_issuers_own_words_go_first() {
        let demand = demand(2, "", Some(300), "api");
        let words = ["urn:a".to_owned(), "b\"".to_owned()];
        assert_eq!(demand.parameters(Some(&words)), "acr_values=\"urn:a b\", max_age=\"300\"");
        assert_eq!(demand.parameters(Some(&[])), "max_age=\"300\"", "any login will do, a fresh one");
    }
}
