//! Sessions in memory: what begins, renews and ends them.

mod index;
mod room;
mod stored;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use sidegate_filters::clock::{Clock, Millis};
use sidegate_filters::identity::Session;

use self::index::Index;
pub use self::stored::SessionsLeft;
use self::stored::Stored;
use super::budget::{Budget, Growth};
use super::table::Table;
use crate::store::sessions::{AddedLogin, RENEWAL_GRACE, SESSIONS_LISTED, SessionKey, SessionRecord, Sessions};
use crate::store::{ExtId, StoreError};

/// The sessions of one gateway. Its calls never wait.
pub struct MemorySessions {
    table: Table<SessionKey, Stored>,
    /// Whatever the table drops is dropped here too.
    index: Arc<Index>,
    /// Users whose sessions were once ended all together; everybody else is in generation 0.
    generations: Mutex<HashMap<ExtId, u64>>,
}

impl MemorySessions {
    /// All that there is, to be left.
    #[must_use]
    pub fn left(&self) -> SessionsLeft {
        // What is ended meanwhile by its generation is void there too.
        let sessions = self.table.left();
        let generations = self.generations().iter().map(|(user, generation)| (user.clone(), *generation)).collect();
        SessionsLeft { sessions, generations }
    }

    /// Goes on with what another one left; how many sessions there was no room for.
    pub fn take_over(&self, left: SessionsLeft) -> usize {
        self.generations().extend(left.generations);
        let without_room = self.table.take_over(left.sessions);
        for (key, stored) in self.table.all() {
            let session = &stored.record.session;
            self.enlist(session, key);
            if stored.renewed_until.is_none() {
                self.place(&session.sid, key);
            }
        }
        without_room
    }
}

/// The session is not there for what was asked, or there is no room for it.
struct NotThere;

impl From<StoreError> for NotThere {
    fn from(_: StoreError) -> Self {
        Self
    }
}

/// What came of a renewal.
enum Renewal {
    /// This is kept under the new id.
    Done(Box<SessionRecord>),
    /// It is not alive, or was renewed already.
    NotThere,
    /// A login came in between, which the new record has not.
    Overtaken,
}

impl MemorySessions {
    /// None yet, with this budget. A user is charged for its own sessions.
    #[must_use]
    pub fn new(budget: Arc<Budget>, clock: Arc<dyn Clock>) -> Self {
        let index = Arc::<Index>::default();
        let known = Arc::clone(&index);
        let table = Table::telling(budget, clock, move |key, stored: &Stored| {
            known.lose(&stored.record.session, key);
        });
        Self { table, index, generations: Mutex::default() }
    }

    fn generations(&self) -> MutexGuard<'_, HashMap<ExtId, u64>> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on the key is found as one of the user's.
    fn enlist(&self, session: &Session, key: SessionKey) {
        self.index.add(&session.ext_id.as_str().into(), key);
        // Whoever ended it meanwhile did not see that.
        if self.table.get(&key).is_none() {
            self.index.lose(session, &key);
        }
    }

    /// From now on the session is found there.
    fn place(&self, sid: &str, key: SessionKey) {
        self.index.place(sid, key);
        // Whoever ended it meanwhile did not see that.
        if self.table.get(&key).is_none() {
            self.index.forget(sid, &key);
        }
    }

    /// What is kept of a user's sessions, under the ids that they had before a renewal too.
    fn sessions_of(&self, user: &ExtId) -> Vec<(SessionKey, Arc<Stored>)> {
        // The index is let go first: who drops a record holds the table and waits for it.
        let keys = self.index.of(user);
        keys.into_iter().filter_map(|key| Some((key, self.table.get(&key)?))).collect()
    }

    /// The id that this session has now, where it once had this one.
    fn latest(&self, sid: &str, key: &SessionKey) -> Option<SessionKey> {
        let latest = self.index.latest(sid)?;
        let mut former = Some(latest);
        while former.is_some_and(|former| former != *key) {
            former = self.table.get(&former?).and_then(|stored| stored.before);
        }
        former.and(Some(latest))
    }

    fn end_with_former(&self, key: SessionKey) {
        let mut ended = Some(key);
        while let Some(key) = ended {
            ended = self.table.remove(&key).and_then(|stored| stored.before);
        }
    }

    fn is_current(&self, session: &Session) -> bool {
        self.current(&session.ext_id.as_str().into()) == session.generation
    }

    fn current(&self, user: &ExtId) -> u64 {
        self.generations().get(user).copied().unwrap_or(0)
    }

    /// Puts a record under a new id in the place of what was `seen` under the old one.
    fn replace(
        &self,
        (old, seen): (&SessionKey, &SessionRecord),
        new: SessionKey,
        mut record: SessionRecord,
    ) -> Result<Renewal, StoreError> {
        record.last_used = self.table.now();
        // The new one first: nobody knows its id yet, and if there is no room for it the old one is untouched.
        self.keep(new, record.clone(), Some(*old))?;
        let mut is_overtaken = false;
        let renewed = self.change(old, |mut stored, now| {
            is_overtaken = stored.record.session.logins != seen.session.logins || stored.record.keys != seen.keys;
            if is_overtaken || stored.renewed_until.is_some() {
                return Err(NotThere);
            }
            stored.renewed_until = Some(now.after(RENEWAL_GRACE));
            Ok(stored)
        });
        if renewed.is_some() {
            self.place(&record.session.sid, new);
        }
        // Whoever ended it by the old id meanwhile did not find the new one.
        let renewed = renewed.is_some() && self.table.get(old).is_some();
        if !renewed {
            self.table.remove(&new);
        }
        Ok(match (is_overtaken, renewed) {
            (true, _) => Renewal::Overtaken,
            (false, true) => Renewal::Done(Box::new(record)),
            (false, false) => Renewal::NotThere,
        })
    }

    /// Changes a living session; None if there is none or `change` says so.
    fn change(
        &self,
        key: &SessionKey,
        change: impl FnOnce(Stored, Millis) -> Result<Stored, NotThere>,
    ) -> Option<Arc<Stored>> {
        let step = self.table.update(key, Growth::Granted, |old, now| {
            if !self.is_current(&old.record.session) {
                return Err(NotThere);
            }
            change(old.clone(), now).map(|stored| (stored, ()))
        });
        step.and_then(Result::ok).map(|(stored, _, ())| stored)
    }
}

#[async_trait]
impl Sessions for MemorySessions {
    async fn create(&self, key: SessionKey, record: SessionRecord) -> Result<(), StoreError> {
        let sid = record.session.sid.clone();
        self.keep(key, record, None)?;
        self.place(&sid, key);
        Ok(())
    }

    async fn touch(&self, key: &SessionKey) -> Result<Option<SessionRecord>, StoreError> {
        let Some(found) = self.look(key).await? else { return Ok(None) };
        if !found.is_use_due(self.table.now()) {
            return Ok(Some(found));
        }
        let used = self.change(key, |mut stored, now| {
            stored.record.last_used = now;
            Ok(stored)
        });
        Ok(used.map(|stored| stored.record.clone()))
    }

    async fn look(&self, key: &SessionKey) -> Result<Option<SessionRecord>, StoreError> {
        let found = self.table.get(key).filter(|found| self.is_current(&found.record.session));
        Ok(found.map(|stored| stored.record.clone()))
    }

    async fn renew(
        &self,
        old: &SessionKey,
        new: SessionKey,
        added: AddedLogin,
    ) -> Result<Option<SessionRecord>, StoreError> {
        loop {
            let Some(found) = self.table.get(old).filter(|found| found.is_of(&added.user)) else { return Ok(None) };
            let mut record = found.record.clone();
            record.add(added.clone());
            match self.replace((old, &found.record), new, record)? {
                Renewal::Done(record) => return Ok(Some(*record)),
                Renewal::NotThere => return Ok(None),
                Renewal::Overtaken => {}
            }
        }
    }

    async fn raise(&self, key: &SessionKey, added: AddedLogin) -> Result<Option<SessionRecord>, StoreError> {
        let raised = self.change(key, |mut stored, _| {
            if !stored.is_of(&added.user) {
                return Err(NotThere);
            }
            stored.record.add(added);
            Ok(stored)
        });
        Ok(raised.map(|stored| stored.record.clone()))
    }

    async fn end(&self, key: &SessionKey) -> Result<(), StoreError> {
        let Some(found) = self.table.get(key) else { return Ok(()) };
        let sid = &found.record.session.sid;
        let mut ended = self.latest(sid, key).unwrap_or(*key);
        self.end_with_former(ended);
        // A renewal may have moved it on after the look, and seen the old id still there.
        while let Some(renewed) = self.latest(sid, &ended).filter(|latest| *latest != ended) {
            self.end_with_former(renewed);
            ended = renewed;
        }
        Ok(())
    }

    async fn generation(&self, user: &ExtId) -> Result<u64, StoreError> {
        Ok(self.current(user))
    }

    async fn end_all(&self, user: &ExtId) -> Result<(), StoreError> {
        {
            let mut generations = self.generations();
            let generation = generations.entry(user.clone()).or_default();
            *generation = generation.saturating_add(1);
        }
        // They are void already; what they take is room for the user's next.
        for (key, _) in self.sessions_of(user).iter().filter(|(_, stored)| !self.is_current(&stored.record.session)) {
            self.table.remove(key);
        }
        Ok(())
    }

    async fn of(&self, user: &ExtId, sid: &str) -> Result<Option<SessionRecord>, StoreError> {
        let found = self.index.latest(sid).and_then(|key| self.table.get(&key));
        let found = found.filter(|stored| {
            let session = &stored.record.session;
            session.sid == sid && session.ext_id == user.as_str() && self.is_current(session)
        });
        Ok(found.map(|stored| stored.record.clone()))
    }

    async fn list(&self, user: &ExtId) -> Result<Vec<SessionRecord>, StoreError> {
        let is_listed = |stored: &Stored| stored.renewed_until.is_none() && self.is_current(&stored.record.session);
        let listed = self.sessions_of(user).into_iter().filter(|(_, stored)| is_listed(stored));
        let mut found: Vec<_> = listed.map(|(_, stored)| stored.record.clone()).collect();
        found.sort_by_key(|record| std::cmp::Reverse(record.last_used));
        found.truncate(SESSIONS_LISTED);
        Ok(found)
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        self.table.sweep();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
