//! Keys of registrations that came to nothing here must not stay over there. Yet what the upstream says to a removal
//! settles nothing for a key that it may still be busy with, so they stay on record too, and are refused.

use sidegate_uaf::{KeyRef, StatusCode};
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::super::credential::{key_ref, record_key};
use super::super::{FidoError, Scope, Subject};
use super::Upstream;
use crate::store::{KeyBehind, SourceNetwork};
use crate::telemetry::audit::{Change, Event};

impl Upstream {
    /// Refuses the keys from now on, and has them removed over there. That may take its time: the client is not kept
    /// waiting for it, yet it uses the share of the network whose registration it was.
    pub(super) async fn disown(&self, user: &Subject, records: &[KeyBehind], from: Option<SourceNetwork>) {
        self.doubt(records).await;
        let (upstream, user) = (self.clone(), user.clone());
        let keys: Vec<_> = records.iter().filter_map(|record| key_ref(record).ok()).collect();
        let work = async move { upstream.take_back(&user, &keys, from).await };
        drop(tokio::spawn(work.in_current_span()));
    }

    /// Their registration failed, and the upstream may have them. They were written down as unconfirmed before, so they are
    /// refused even if this fails, but for one that was deregistered meanwhile or whose operation ended just after it was
    /// confirmed.
    pub(super) async fn doubt(&self, records: &[KeyBehind]) {
        if let Err(error) = self.keys.doubt(records.to_vec()).await {
            tracing::warn!(%error, "a key whose registration failed is not on record as such");
        }
    }

    /// One question after the other, with the time of one for all.
    async fn take_back(&self, user: &Subject, keys: &[KeyRef], from: Option<SourceNetwork>) {
        let until = Instant::now() + self.endpoint.patience;
        for key in keys {
            let late = Err(FidoError::Refused(StatusCode::INTERNAL));
            let removed = timeout_at(until, self.take_one_back(user, key, from)).await.unwrap_or(late);
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
    async fn take_one_back(&self, user: &Subject, key: &KeyRef, from: Option<SourceNetwork>) -> Result<(), FidoError> {
        if self.is_anothers(&record_key(key), user).await? {
            return Err(FidoError::Refused(StatusCode::UNAUTHORIZED));
        }
        self.remove_there(&self.place(from)?, user, &Scope::Key(key.clone())).await.map(drop)
    }
}
