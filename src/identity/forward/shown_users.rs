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

struct State {
    user_of: Recent<Shown, String>,
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
    pub(super) fn user(&self, shown: &Shown) -> Option<String> {
        self.state().user_of.get(shown)
    }

    /// Remembers whom it named.
    pub(super) fn name(&self, shown: Shown, user: &str) {
        let mut state = self.state();
        let mut all = state.shown_by.remove(user).unwrap_or_default();
        all.retain(|known| *known != shown);
        if all.len() >= FOR_ONE {
            let oldest = all.remove(0);
            if state.user_of.get(&oldest).is_some_and(|named| named == user) {
                state.user_of.remove(&oldest);
            }
        }
        all.push(shown);
        state.user_of.insert(shown, user.to_owned());
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

    #[test]
    fn the_last_user_that_was_named_for_it_counts() {
        let named = ShownUsers::of(10);
        assert_eq!(named.user(&shown(1)), None);
        named.name(shown(1), "eve");
        named.name(shown(1), "jeff");
        assert_eq!(named.user(&shown(1)).as_deref(), Some("jeff"));
        for number in 2..=17 {
            named.name(shown(number), "eve");
        }
        assert_eq!(named.user(&shown(1)).as_deref(), Some("jeff"), "it is no longer eve's to push out");
    }

    #[test]
    fn one_user_with_much_to_show_pushes_nobody_out() {
        let named = ShownUsers::of(10);
        named.name(shown(0), "jeff");
        for number in 1..=1000 {
            named.name(shown(number), "eve");
        }
        assert_eq!(named.user(&shown(0)).as_deref(), Some("jeff"));
        assert_eq!(named.user(&shown(984)), None);
        assert!((985..=1000).all(|number| named.user(&shown(number)).as_deref() == Some("eve")));
    }

    #[test]
    fn what_is_shown_again_stays() {
        let named = ShownUsers::of(10);
        for number in 1..=100 {
            named.name(shown(0), "eve");
            named.name(shown(number), "eve");
        }
        assert_eq!(named.user(&shown(0)).as_deref(), Some("eve"));
    }

    #[test]
    fn many_users_are_bounded() {
        let named = ShownUsers::of(10);
        for number in 0..1000 {
            named.name(shown(number), &number.to_string());
        }
        let state = named.state();
        assert!(state.user_of.len() <= 80 && state.shown_by.len() <= 10);
    }
}
