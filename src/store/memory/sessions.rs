//! Sessions in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sidegate_filters::clock::{Clock, Millis};
use sidegate_filters::identity::{Login, Session};

use super::budget::{Budget, Growth};
use super::table::{Left, Perishable, Table};
use crate::store::sessions::{RENEWAL_GRACE, SESSIONS_LISTED, SessionKey, SessionRecord, Sessions};
use crate::store::{ExtId, Origin, StoreError};

/// What finding a session by its `sid` takes beside that, in bytes.
const PLACE: usize = 96;

/// Where each session is kept now, by its `sid`.
type Places = Mutex<HashMap<String, SessionKey>>;

/// The sessions of one gateway. Its calls never wait.
pub struct MemorySessions {
    table: Table<SessionKey, Stored>,
    /// A table that drops a record that is found here has it dropped here too.
    places: Arc<Places>,
    /// Users whose sessions were once ended all together; everybody else is in generation 0.
    generations: Mutex<HashMap<ExtId, u64>>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    record: SessionRecord,
    /// Set when it was renewed: when the old id ends.
    renewed_until: Option<Millis>,
    /// The id that it had before it was renewed.
    before: Option<SessionKey>,
}

impl Perishable for Stored {
    fn perishes_at(&self) -> Millis {
        let alive = self.record.alive_until();
        self.renewed_until.map_or(alive, |until| until.min(alive))
    }

    fn weight(&self) -> usize {
        let Session { sid, domain, ext_id, name, logins, roles, .. } = &self.record.session;
        let texts = |texts: &[String]| texts.iter().map(|text| size_of::<String>() + text.len()).sum::<usize>();
        let names = domain.len() + ext_id.len() + name.len() + self.record.session.realm().len();
        let logins: usize = logins.iter().skip(1).map(|login| size_of::<Login>() + login.realm.len()).sum();
        logins + texts(roles) + texts(&self.record.keys) + names + 2 * sid.len() + PLACE
    }
}

/// What a gateway leaves to the one that takes over from it.
#[derive(Default, Serialize, Deserialize)]
pub struct SessionsLeft {
    sessions: Vec<Left<SessionKey, Stored>>,
    generations: Vec<(ExtId, u64)>,
}

impl SessionsLeft {
    /// How many they are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }
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
        for (key, stored) in self.table.keys(|stored| stored.renewed_until.is_none()) {
            self.place(&stored.record.session.sid, key);
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

impl MemorySessions {
    /// None yet, with this budget. A user is charged for its own sessions.
    #[must_use]
    pub fn new(budget: Arc<Budget>, clock: Arc<dyn Clock>) -> Self {
        let places = Arc::<Places>::default();
        let known = Arc::clone(&places);
        let table = Table::telling(budget, clock, move |key, stored: &Stored| {
            lose(&known, &stored.record.session.sid, key);
        });
        Self { table, places, generations: Mutex::default() }
    }

    fn generations(&self) -> MutexGuard<'_, HashMap<ExtId, u64>> {
        lock(&self.generations)
    }

    /// From now on the session is found there.
    fn place(&self, sid: &str, key: SessionKey) {
        lock(&self.places).insert(sid.to_owned(), key);
        // Whoever ended it meanwhile did not see that.
        if self.table.get(&key).is_none() {
            lose(&self.places, sid, &key);
        }
    }

    fn keep(&self, key: SessionKey, record: SessionRecord, before: Option<SessionKey>) -> Result<(), StoreError> {
        let user: ExtId = record.session.ext_id.as_str().into();
        let (origin, stored) = (Origin::User(user.clone()), Stored { record, renewed_until: None, before });
        let put = |stored| self.table.insert(key, stored, &origin, Growth::Bounded);
        let mut kept = put(stored.clone());
        if matches!(kept, Err(StoreError::Full)) {
            for victim in self.least_needed(&user, &stored) {
                self.end_with_former(victim);
                kept = put(stored.clone());
                if !matches!(kept, Err(StoreError::Full)) {
                    tracing::info!(
                        user = user.as_str(),
                        "a session gave way to a new one of its user, for want of room"
                    );
                    break;
                }
            }
        }
        // It may have been void when it came, and no end of all sessions would find it any more.
        if !self.is_current(&stored.record.session) {
            self.table.remove(&key);
        }
        kept
    }

    /// What may give way to a new session of the same user, first what is void, then what proves no more than the new one,
    /// each the longest unused first. Never the one that it renews.
    fn least_needed(&self, user: &ExtId, new: &Stored) -> Vec<SessionKey> {
        let mut found = self.table.keys(|stored| stored.record.session.ext_id == user.as_str());
        found.retain(|(key, _)| Some(*key) != new.before);
        // Looked at once each: an end of all meanwhile would turn the order round under the sort.
        found.sort_by_cached_key(|(_, stored)| {
            let (record, new) = (&stored.record, &new.record);
            let stands = record.password == new.password && self.is_current(&record.session);
            (stands, record.session.level() > new.session.level(), record.last_used)
        });
        found.into_iter().map(|(key, _)| key).collect()
    }

    /// The id that the session of this one has now, where it was renewed since.
    fn latest(&self, key: &SessionKey) -> Option<SessionKey> {
        let sid = &self.table.get(key)?.record.session.sid;
        let latest = lock(&self.places).get(sid).copied()?;
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

/// Nothing is kept there any more. The session may have moved on.
fn lose(places: &Places, sid: &str, key: &SessionKey) {
    let mut places = lock(places);
    if places.get(sid) == Some(key) {
        places.remove(sid);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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

    async fn renew(&self, old: &SessionKey, new: SessionKey, record: SessionRecord) -> Result<bool, StoreError> {
        let sid = record.session.sid.clone();
        // The new one first: nobody knows its id yet, and if there is no room for it the old one is untouched.
        self.keep(new, record, Some(*old))?;
        let renewed = self.change(old, |mut stored, now| {
            if stored.renewed_until.is_some() {
                return Err(NotThere);
            }
            stored.renewed_until = Some(now.after(RENEWAL_GRACE));
            Ok(stored)
        });
        if renewed.is_some() {
            self.place(&sid, new);
        }
        // Whoever ended it by the old id meanwhile did not find the new one.
        let renewed = renewed.is_some() && self.table.get(old).is_some();
        if !renewed {
            self.table.remove(&new);
        }
        Ok(renewed)
    }

    async fn raise(&self, key: &SessionKey, user: &ExtId, login: Login, keys: Vec<String>) -> Result<bool, StoreError> {
        let raised = self.change(key, |mut stored, _| {
            let session = &mut stored.record.session;
            if stored.renewed_until.is_some() || session.ext_id != user.as_str() {
                return Err(NotThere);
            }
            session.logins = session.logins.clone().and(login);
            stored.record.add_keys(keys);
            Ok(stored)
        });
        Ok(raised.is_some())
    }

    async fn end(&self, key: &SessionKey) -> Result<(), StoreError> {
        self.end_with_former(self.latest(key).unwrap_or(*key));
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
        let is_void = |stored: &Stored| {
            let session = &stored.record.session;
            session.ext_id == user.as_str() && !self.is_current(session)
        };
        for (key, _) in self.table.keys(is_void) {
            self.table.remove(&key);
        }
        Ok(())
    }

    async fn of(&self, user: &ExtId, sid: &str) -> Result<Option<SessionRecord>, StoreError> {
        let place = lock(&self.places).get(sid).copied();
        let found = place.and_then(|key| self.table.get(&key));
        let found = found.filter(|stored| {
            let session = &stored.record.session;
            session.sid == sid && session.ext_id == user.as_str() && self.is_current(session)
        });
        Ok(found.map(|stored| stored.record.clone()))
    }

    async fn list(&self, user: &ExtId) -> Result<Vec<SessionRecord>, StoreError> {
        let is_listed = |stored: &Stored| {
            let session = &stored.record.session;
            stored.renewed_until.is_none() && session.ext_id == user.as_str() && self.is_current(session)
        };
        let mut found: Vec<_> = self.table.all(is_listed).iter().map(|stored| stored.record.clone()).collect();
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
mod tests {
    use super::*;
    use crate::store::contract::{self, Fixture, START};
    use sidegate_filters::clock::ManualClock;
    use std::time::Duration;

    fn fixture() -> Fixture<dyn Sessions> {
        let clock = Arc::new(ManualClock::new(START));
        let store = MemorySessions::new(Budget::new(10_000_000, 100), clock.clone());
        Fixture { store: Arc::new(store), clock, _folder: None }
    }

    contract::sessions_contract!(fixture);

    #[tokio::test]
    async fn nothing_is_left_of_a_session_that_is_gone() {
        let setup = fixture();
        let store = MemorySessions::new(Budget::new(10_000_000, 100), setup.clock.clone());
        let record = |sid: &str| {
            let mut record = contract::sessions::record(&*setup.clock, "jeff");
            sid.clone_into(&mut record.session.sid);
            record
        };
        for (number, sid) in [(1, "ended"), (2, "unused"), (3, "renewed")] {
            store.create(contract::sessions::key(number), record(sid)).await.unwrap();
        }
        let renewed = contract::sessions::key(4);
        assert!(store.renew(&contract::sessions::key(3), renewed, record("renewed")).await.unwrap());
        let next = MemorySessions::new(Budget::new(10_000_000, 100), setup.clock.clone());
        assert_eq!(next.take_over(store.left()), 0);
        for store in [&store, &next] {
            assert_eq!(lock(&store.places).len(), 3);
            assert!(store.of(&"jeff".into(), "renewed").await.unwrap().is_some());
            store.end(&contract::sessions::key(1)).await.unwrap();
            assert_eq!(lock(&store.places).len(), 2);
        }
        setup.clock.advance(Duration::from_secs(30 * 60 + 1));
        for store in [store, next] {
            store.sweep().await.unwrap();
            assert!(lock(&store.places).is_empty());
        }
    }

    #[tokio::test]
    async fn without_room_a_renewal_leaves_the_old_session() {
        let clock = Arc::new(ManualClock::new(START));
        let budget = Budget::new(120_000, 1);
        let store = MemorySessions::new(budget.clone(), clock.clone());
        let (old, record) = (contract::sessions::key(1), contract::sessions::record(&*clock, "jeff"));
        store.create(old, record.clone()).await.unwrap();
        let error = store.renew(&old, contract::sessions::key(2), record.clone()).await.unwrap_err();
        assert!(matches!(error, StoreError::Full));
        clock.advance(Duration::from_secs(6));
        assert!(store.touch(&old).await.unwrap().is_some());
        store.end(&old).await.unwrap();
        assert_eq!(budget.used(), 0);
    }

    /// A store in which a user has room for three sessions, and none for a fourth.
    fn narrow() -> (Arc<ManualClock>, Arc<Budget>, MemorySessions) {
        let clock = Arc::new(ManualClock::new(START));
        let budget = Budget::new(300_000, 1);
        (clock.clone(), budget.clone(), MemorySessions::new(budget, clock))
    }

    /// Begins sessions of these numbers, one each second, for as long as none gives way.
    async fn fill(store: &MemorySessions, clock: &ManualClock, record: &SessionRecord) -> u8 {
        let mut number = 0;
        loop {
            let before = store.list(&"jeff".into()).await.unwrap().len();
            let record = SessionRecord { last_used: clock.now(), ..record.clone() };
            store.create(contract::sessions::key(number), record).await.unwrap();
            clock.advance(Duration::from_secs(1));
            if store.list(&"jeff".into()).await.unwrap().len() == before {
                return number;
            }
            number += 1;
        }
    }

    async fn alive(store: &MemorySessions, number: u8) -> bool {
        store.touch(&contract::sessions::key(number)).await.unwrap().is_some()
    }

    #[tokio::test]
    async fn without_room_the_longest_unused_of_the_user_gives_way() {
        let (clock, _, store) = narrow();
        let (eve, jeff) = (contract::sessions::record(&*clock, "eve"), contract::sessions::record(&*clock, "jeff"));
        store.create(contract::sessions::key(200), eve).await.unwrap();
        clock.advance(Duration::from_secs(1));
        let last = fill(&store, &clock, &jeff).await;
        assert!(last >= 2, "there was room for some");
        assert!(!alive(&store, 0).await && alive(&store, 1).await && alive(&store, last).await);
        assert!(alive(&store, 200).await, "another user's never does");
        // The first of those that are left was just used, so that another one goes.
        clock.advance(Duration::from_secs(1));
        assert!(alive(&store, 1).await);
        let next = SessionRecord { last_used: clock.now(), ..jeff };
        store.create(contract::sessions::key(100), next).await.unwrap();
        assert!(alive(&store, 1).await && !alive(&store, 2).await);
    }

    #[tokio::test]
    async fn one_of_another_password_gives_way_first_and_one_of_a_higher_level_last() {
        let (clock, _, store) = narrow();
        let former = contract::sessions::record(&*clock, "jeff");
        let mut strong = former.clone();
        strong.session.logins = Login { realm: "fido-uaf".into(), level: 2, at: clock.now() }.into();
        store.create(contract::sessions::key(200), strong).await.unwrap();
        clock.advance(Duration::from_secs(1));
        let last = fill(&store, &clock, &former).await;
        assert!(alive(&store, 200).await && !alive(&store, 0).await && alive(&store, last).await);
        let new = SessionRecord { password: crate::store::PasswordStamp([8; 32]), ..former };
        for number in 100..100 + last {
            let record = SessionRecord { last_used: clock.now(), ..new.clone() };
            store.create(contract::sessions::key(number), record).await.unwrap();
            clock.advance(Duration::from_secs(1));
            assert!(alive(&store, 200).await, "the others before it");
        }
        store.create(contract::sessions::key(99), new).await.unwrap();
        assert!(!alive(&store, 200).await && alive(&store, 100).await, "it is void, and the new ones are not");
    }

    #[tokio::test]
    async fn an_end_of_all_gives_back_their_room() {
        let (clock, budget, store) = narrow();
        fill(&store, &clock, &contract::sessions::record(&*clock, "jeff")).await;
        store.end_all(&"jeff".into()).await.unwrap();
        assert_eq!(budget.used(), 0);
        store.create(contract::sessions::key(100), contract::sessions::record(&*clock, "jeff")).await.unwrap();
        assert_eq!(budget.used(), 0, "nor does a login take any that began before the end");
    }
}
