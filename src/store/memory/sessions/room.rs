//! What gives way to a new session for want of room.

use super::{MemorySessions, Stored};
use crate::store::memory::budget::Growth;
use crate::store::sessions::{SessionKey, SessionRecord};
use crate::store::{ExtId, Origin, StoreError};

impl MemorySessions {
    /// Keeps a new record, in place of what its user needs least where there is no room for it.
    pub(super) fn keep(
        &self,
        key: SessionKey,
        record: SessionRecord,
        before: Option<SessionKey>,
    ) -> Result<(), StoreError> {
        let user: ExtId = record.session.ext_id.as_str().into();
        let (origin, stored) = (Origin::User(user.clone()), Stored { record, renewed_until: None, before });
        let put = || self.table.insert(key, stored.clone(), &origin, Growth::Bounded);
        let mut kept = put();
        // Another login may take the room that was made: then more has to go.
        while matches!(kept, Err(StoreError::Full)) && self.make_room(&user, &origin, &stored) {
            kept = put();
        }
        kept?;
        self.enlist(&stored.record.session, key);
        // It may have been void when it came, and no end of all sessions would find it any more.
        if !self.is_current(&stored.record.session) {
            self.table.remove(&key);
        }
        Ok(())
    }

    /// Ends no more sessions than it takes, and none where all of them would not do: the room may be others'.
    fn make_room(&self, user: &ExtId, origin: &Origin, new: &Stored) -> bool {
        let least = self.least_needed(user, new);
        let most = least.iter().map(|(_, weight)| weight).sum::<usize>();
        if most < self.table.lacking(origin, new) {
            return false;
        }
        for (key, _) in least {
            if self.table.lacking(origin, new) == 0 {
                break;
            }
            self.end_with_former(key);
            let user = user.as_str();
            tracing::info!(user, "a session gave way to a new one of its user, for want of room");
        }
        true
    }

    /// What may give way to a new session of the same user, with its weight: first what is void, then what proves no more
    /// than the new one, each the longest unused first. Never the one that it renews.
    fn least_needed(&self, user: &ExtId, new: &Stored) -> Vec<(SessionKey, usize)> {
        let mut found = self.sessions_of(user);
        found.retain(|(key, _)| Some(*key) != new.before);
        // Looked at once each: an end of all meanwhile would turn the order round under the sort.
        found.sort_by_cached_key(|(_, stored)| {
            let (record, new) = (&stored.record, &new.record);
            let stands = record.password == new.password && self.is_current(&record.session);
            (stands, record.session.level() > new.session.level(), record.last_used)
        });
        found.into_iter().map(|(key, stored)| (key, self.table.weight(&stored))).collect()
    }
}
