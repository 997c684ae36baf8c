//! Signed changes of targets: whose keys they are checked with, and what is remembered of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use sidegate_filters::Filter;
use sidegate_filters::clock::Clock;
use sidegate_filters::jws_bypass::{JwsBypassFilter, MODIFY_LIMIT, Proof, Uses};

use super::super::{ComposeError, Stores};
use super::Parts;
use crate::config::{Config, Joined, JwsBypass};
use crate::oob::bypass::{KeyFolder, StoredTargetKeys, UsedRequests};
use crate::routes::Upstream;

impl Parts<'_> {
    /// The bypass before the targets of our own store.
    pub(super) fn bypass(&self) -> Result<Arc<dyn Filter>, ComposeError> {
        let services = self.services()?;
        let keys = Arc::new(StoredTargetKeys::new(self.stores.targets.clone()));
        let used = || uses(UsedRequests::new(self.stores.replays.clone()), &services.clock);
        let uses = self.stores.lasting.uses("", used);
        Ok(Arc::new(JwsBypassFilter::new(Proof::Keys(keys), uses, services.clock_skew)))
    }

    /// The bypass before a server that owns the keys of targets.
    pub(super) fn edge_bypass(&self, wanted: &JwsBypass, upstream: &Upstream) -> Result<Arc<dyn Filter>, ComposeError> {
        let missing = || ComposeError::unfit("upstreams", format!("no upstream {:?} is configured", upstream.name));
        let uses = self.uses.get(upstream.name.as_str()).ok_or_else(missing)?.clone();
        let proof = match &wanted.keys {
            Some(folder) => Proof::Keys(Arc::new(KeyFolder::new(folder.clone(), self.gate.clock.clone()))),
            None => Proof::ServerBehind,
        };
        Ok(Arc::new(JwsBypassFilter::new(proof, uses, wanted.clock_skew)))
    }
}

/// What is remembered of the targets of each upstream; those that lead to one server have one memory.
pub(super) fn memories<'c>(
    config: &'c Config,
    stores: &Stores,
    clock: &Arc<dyn Clock>,
) -> BTreeMap<&'c str, Arc<Uses>> {
    let of_upstream = config.upstreams.iter().map(|upstream| {
        let joined = Joined::of(upstream, &config.upstreams);
        let used = || uses(UsedRequests::behind(stores.replays.clone(), joined.server()), clock);
        (upstream.name.as_str(), stores.lasting.uses(joined.server(), used))
    });
    of_upstream.collect()
}

fn uses(used: UsedRequests, clock: &Arc<dyn Clock>) -> Uses {
    Uses::new(Arc::new(used), clock.clone(), MODIFY_LIMIT)
}
