//! Whom an authentication service named for what was shown.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sidegate_filters::recent::Recent;

/// What one user is known by at a time: the latest of it. So whoever makes up values that the service ignores pushes out
/// what he himself is known by, and nobody else's.
const FOR_ONE: usize = 16;
/// Users whose names are remembered, and eight times as much of what they showed.
const USERS: usize = 50_000;

/// What a client shows to the service of one realm, as its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Shown(pub(super) [u8; 32]);

/// Of all realms of one gateway: what they know outlives each configuration. Bounded, by the user as well.
pub struct ShownUsers {
    state: Mutex<State>,
}

/// Whom the service named for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) user: String,
    /// Whether it was good without a body at least once: what was good with one alone may be what many show beside it.
    pub(super) alone: bool,
}

struct State {
    user_of: Recent<Shown, Named>,
    shown_by: Recent<String, Vec<Shown>>,
}

impl Default for ShownUsers {
    fn default() -> Self {
        Self::of(USERS)
    }
}

impl ShownUsers {
    fn of(users: usize) -> Self {
        Self { state: Mutex::new(State { user_of: Recent::new(users * 8), shown_by: Recent::new(users) }) }
    }

    /// The user that the service named last for this.
    pub(super) fn user(&self, shown: &Shown) -> Option<Named> {
        self.state().user_of.get(shown)
    }

    /// Remembers whom it named, for this `alone` or with a body.
    pub(super) fn name(&self, shown: Shown, user: &str, alone: bool) {
        let mut state = self.state();
        let mut all = state.shown_by.remove(user).unwrap_or_default();
        all.retain(|known| *known != shown);
        if all.len() >= FOR_ONE {
            let oldest = all.remove(0);
            if state.user_of.get(&oldest).is_some_and(|named| named.user == user) {
                state.user_of.remove(&oldest);
            }
        }
        all.push(shown);
        let before = state.user_of.get(&shown).filter(|named| named.user == user);
        let alone = alone || before.is_some_and(|named| named.alone);
        state.user_of.insert(shown, Named { user: user.to_owned(), alone });
        state.shown_by.insert(user.to_owned(), all);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(number: usize) -> Shown {
        Shown(crate::jose::sha256(&number.to_be_bytes()))
    }

    fn user(of: &ShownUsers, number: usize) -> Option<String> {
        of.user(&shown(number)).map(|named| named.user)
    }

    #[test]
    fn what_was_good_alone_stays_that_as_long_as_it_is_the_same_users() {
        let named = ShownUsers::of(10);
        for (user, alone, expected) in
            [("jeff", false, false), ("jeff", true, true), ("jeff", false, true), ("eve", false, false)]
        {
            named.name(shown(1), user, alone);
            assert_eq!(named.user(&shown(1)).unwrap().alone, expected);
        }
    }

    #[test]
    fn the_last_user_that_was_named_for_it_counts() {
        let named = ShownUsers::of(10);
        assert_eq!(user(&named, 1), None);
        named.name(shown(1), "eve", true);
        named.name(shown(1), "jeff", true);
        assert_eq!(user(&named, 1).as_deref(), Some("jeff"));
        for number in 2..=17 {
            named.name(shown(number), "eve", true);
        }
        assert_eq!(user(&named, 1).as_deref(), Some("jeff"), "it is no longer eve's to push out");
    }

    #[test]
    fn one_user_with_much_to_show_pushes_nobody_out() {
        let named = ShownUsers::of(10);
        named.name(shown(0), "jeff", true);
        for number in 1..=1000 {
            named.name(shown(number), "eve", true);
        }
        assert_eq!(user(&named, 0).as_deref(), Some("jeff"));
        assert_eq!(user(&named, 984), None);
        assert!((985..=1000).all(|number| user(&named, number).as_deref() == Some("eve")));
    }

    #[test]
    fn what_is_shown_again_stays() {
        let named = ShownUsers::of(10);
        for number in 1..=100 {
            named.name(shown(0), "eve", true);
            named.name(shown(number), "eve", true);
        }
        assert_eq!(user(&named, 0).as_deref(), Some("eve"));
    }

    #[test]
    fn many_users_are_bounded() {
        let named = ShownUsers::of(10);
        for number in 0..1000 {
            named.name(shown(number), &number.to_string(), true);
        }
        let state = named.state();
        assert!(state.user_of.len() <= 80 && state.shown_by.len() <= 10);
    }
}
