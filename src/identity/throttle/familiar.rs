//! Who has logged in from where lately.

use std::time::Duration;

use sidegate_filters::clock::Millis;
use sidegate_filters::recent::Recent;

use super::state::Name;
use crate::store::SourceNetwork;

/// Networks remembered for one user. Kept by user, so that whoever changes networks pushes only his own ones out.
const NETWORKS: usize = 8;

pub(super) struct Familiar {
    logins: Recent<Name, Vec<(SourceNetwork, Millis)>>,
    lasts: Duration,
}

impl Familiar {
    /// The logins of at most so many users, each for so long.
    pub(super) fn new(users: usize, lasts: Duration) -> Self {
        Self { logins: Recent::new(users), lasts }
    }

    pub(super) fn logged_in(&mut self, name: Name, network: SourceNetwork, now: Millis) {
        let mut logins = self.logins.remove(&name).unwrap_or_default();
        logins.retain(|(known, at)| *known != network && now.since(*at) <= self.lasts);
        if logins.len() >= NETWORKS {
            logins.remove(0);
        }
        logins.push((network, now));
        self.logins.insert(name, logins);
    }

    pub(super) fn knows(&self, name: Name, network: SourceNetwork, now: Millis) -> bool {
        let logins = self.logins.get(&name).unwrap_or_default();
        logins.iter().any(|(known, at)| *known == network && now.since(*at) <= self.lasts)
    }
}
