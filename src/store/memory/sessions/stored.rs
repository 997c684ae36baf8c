//! A session as this store keeps it, and as it is left to another.

use serde::{Deserialize, Serialize};
use sidegate_filters::clock::Millis;
use sidegate_filters::identity::{Login, Session};

use super::index;
use crate::store::ExtId;
use crate::store::memory::table::{Left, Perishable};
use crate::store::sessions::{SessionKey, SessionRecord};

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Stored {
    pub(super) record: SessionRecord,
    /// Set when it was renewed: when the old id ends.
    pub(super) renewed_until: Option<Millis>,
    /// The id that it had before it was renewed.
    pub(super) before: Option<SessionKey>,
}

impl Stored {
    /// Whether it is this user's, under the id that it has now: what may be added to.
    pub(super) fn is_of(&self, user: &ExtId) -> bool {
        self.renewed_until.is_none() && self.record.session.ext_id == user.as_str()
    }
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
        logins + texts(roles) + texts(&self.record.keys) + names + sid.len() + index::weight(ext_id, sid)
    }
}

/// What a gateway leaves to the one that takes over from it.
#[derive(Default, Serialize, Deserialize)]
pub struct SessionsLeft {
    pub(super) sessions: Vec<Left<SessionKey, Stored>>,
    pub(super) generations: Vec<(ExtId, u64)>,
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
