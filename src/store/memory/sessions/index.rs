//! Where sessions are, by what else than their id they are looked for.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sidegate_filters::identity::Session;

use crate::store::{ExtId, SessionKey};

/// What a key of a user takes, and what a place takes, each beside its text, in bytes.
const ENTRY: usize = 128;
const PLACE: usize = 96;

/// The keys of each user, and where each session is now by its `sid`. It knows no record: whoever asks looks for it in the
/// table, where it may be gone by then. The table drops records while it holds them, and then waits for the index, so that nothing
/// may be asked of the table from within.
#[derive(Default)]
pub(super) struct Index(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    of_users: BTreeSet<(ExtId, SessionKey)>,
    places: HashMap<String, SessionKey>,
}

/// What finding a session takes, in bytes.
pub(super) fn weight(user: &str, sid: &str) -> usize {
    ENTRY + user.len() + PLACE + sid.len()
}

impl Index {
    /// The user has something there.
    pub(super) fn add(&self, user: &ExtId, key: SessionKey) {
        self.entries().of_users.insert((user.clone(), key));
    }

    /// The session is there now.
    pub(super) fn place(&self, sid: &str, key: SessionKey) {
        self.entries().places.insert(sid.to_owned(), key);
    }

    /// All keys of the user.
    pub(super) fn of(&self, user: &ExtId) -> Vec<SessionKey> {
        let [first, last] = [[0; 32], [u8::MAX; 32]].map(|bytes| (user.clone(), SessionKey(bytes)));
        self.entries().of_users.range(first..=last).map(|(_, key)| *key).collect()
    }

    /// Where the session is now.
    pub(super) fn latest(&self, sid: &str) -> Option<SessionKey> {
        self.entries().places.get(sid).copied()
    }

    /// Nothing is kept there any more.
    pub(super) fn lose(&self, session: &Session, key: &SessionKey) {
        self.entries().of_users.remove(&(session.ext_id.as_str().into(), *key));
        self.forget(&session.sid, key);
    }

    /// The session is not there any more: it may have moved on.
    pub(super) fn forget(&self, sid: &str, key: &SessionKey) {
        let places = &mut self.entries().places;
        if places.get(sid) == Some(key) {
            places.remove(sid);
        }
    }

    /// How many keys of users, and how many places.
    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        let entries = self.entries();
        (entries.of_users.len(), entries.places.len())
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
