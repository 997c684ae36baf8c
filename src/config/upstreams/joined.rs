//! Upstreams that are one behind: a server may stand under several names, for other times or another protocol.

use std::collections::BTreeSet;

use super::Upstream;
use crate::config::ServerUrl;

/// The upstreams that have a server in common, straight or by way of each other. What rules may say on the way to one of
/// them clients may say on the way to none, and what one did not let pass twice the others do not either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined<'c> {
    names: BTreeSet<&'c str>,
    servers: BTreeSet<String>,
}

impl<'c> Joined<'c> {
    /// This one with those of `all` that it is joined to.
    #[must_use]
    pub fn of(upstream: &'c Upstream, all: &'c [Upstream]) -> Self {
        let mut joined = Self { names: BTreeSet::new(), servers: BTreeSet::new() };
        let mut next = Some(upstream);
        while let Some(upstream) = next {
            joined.names.insert(upstream.name.as_str());
            joined.servers.extend(upstream.servers.iter().map(ServerUrl::place));
            next = all.iter().find(|other| !joined.includes(&other.name) && joined.meets(other));
        }
        joined
    }

    /// Whether it is joined to the upstream of this name.
    #[must_use]
    pub fn includes(&self, upstream: &str) -> bool {
        self.names.contains(upstream)
    }

    fn meets(&self, other: &Upstream) -> bool {
        other.servers.iter().any(|server| self.servers.contains(&server.place()))
    }

    /// What all of them are called where one name is needed that a restart does not change: the first of their servers in
    /// the order of the alphabet, as `host:port`.
    #[must_use]
    pub fn server(&self) -> &str {
        self.servers.first().map_or("", String::as_str)
    }
}
