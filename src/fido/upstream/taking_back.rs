//! Keys of registrations that came to nothing here must not stay over there. Yet what the upstream says to a removal
//! settles nothing for a key that it may still be busy with, so they stay on record too, and are refused.

use std::sync::Arc;

use sidegate_uaf::{KeyRef, StatusCode};
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::super::credential::{key_ref, record_key};
use super::super::{FidoError, Scope, Subject};
use super::Upstream;
use super::transport::Place;
use crate::store::KeyBehind;
use crate::telemetry::audit::{Change, Event};

impl Upstream {
    /// Refuses the keys from now on, and has them removed over there. That may take its time: the client is not kept
    /// waiting for it, yet the place of its registration is: another might not be free. What another registration has on
    /// record meanwhile is left to that one.
    pub(super) async fn disown(&self, user: &Subject, records: &[KeyBehind], place: &Arc<Place>) {
        let doubted = self.doubt(records).await;
        let (upstream, user, place) = (self.clone(), user.clone(), place.clone());
        let keys: Vec<_> = doubted.iter().filter_map(|record| key_ref(record).ok()).collect();
        let work = async move { upstream.take_back(&user, &keys, &place).await };
        drop(tokio::spawn(work.in_current_span()));
    }

    /// Their registration failed, and the upstream may have them; gives back those that are still of it. They were written
    /// down as unconfirmed before, so they are refused even if this fails, but for one that was deregistered meanwhile or
    /// whose operation ended just after it was confirmed.
    pub(super) async fn doubt(&self, records: &[KeyBehind]) -> Vec<KeyBehind> {
        self.keys.doubt(records.to_vec()).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "a key whose registration failed is not on record as such");
            records.to_vec()
        })
    }

    /// One question after the other, with the time of one for all.
    async fn take_back(&self, user: &Subject, keys: &[KeyRef], place: &Place) {
        let until = Instant::now() + self.endpoint.patience;
        for key in keys {
            let late = Err(FidoError::Refused(StatusCode::INTERNAL));
            let removed = timeout_at(until, self.take_one_back(user, key, place)).await.unwrap_or(late);
            let (user, aaid) = (user.ext_id.as_str(), key.aaid.as_str());
            let change = match removed {
                Ok(()) => Change::Removed,
                Err(error) => {
                    tracing::warn!(%error, user, aaid, "a key whose registration failed may be with the UAF upstream");
                    Change::Doubted
                }
            };
            Event::Credential { change, user, aaid }.record();
        }
    }

    /// What an upstream that does not look at the user would take from somebody else is left alone.
    async fn take_one_back(&self, user: &Subject, key: &KeyRef, place: &Place) -> Result<(), FidoError> {
        if self.is_anothers(&record_key(key), user).await? {
            return Err(FidoError::Refused(StatusCode::UNAUTHORIZED));
        }
        self.remove_there(place, user, &Scope::Key(key.clone())).await.map(drop)
    }
}
