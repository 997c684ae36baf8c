//! Whether what rows pass on gets where it is meant to, and means nothing else there.

use http::header;

use crate::config::{FilterKind, Joined, LeadsTo, Row, Upstream};

use super::{Assembly, Table};

impl Table {
    /// Whether on the way to one of these upstreams a rule says `Authorization`, or nobody is to say it.
    fn sets_authorization(&self, joined: &Joined<'_>) -> bool {
        let fronting = self.fronting.as_ref().filter(|fronting| joined.includes(&fronting.upstream));
        let own = self.routes.iter().filter_map(|row| match &row.leads_to {
            LeadsTo::Upstream { name, filters } if joined.includes(name) => Some(filters),
            _ => None,
        });
        let names: Vec<&String> = own.flatten().chain(fronting.map(|fronting| &fronting.delegation)).collect();
        let set = self.filters.iter().filter(|filter| names.contains(&&filter.name)).any(|filter| {
            matches!(&filter.kind, FilterKind::Delegation(rules)
                if rules.iter().any(|rule| *rule.header() == header::AUTHORIZATION))
        });
        let joined = self.upstreams.iter().filter(|upstream| joined.includes(&upstream.name));
        set || joined.flat_map(|upstream| &upstream.remove_headers).any(|name| *name == header::AUTHORIZATION)
    }
}

impl Assembly<'_, '_> {
    /// What is passed on opens what its caller may do: nobody on the way is to read it, and no server to take a caller's
    /// bearer for a word of ours.
    pub(super) fn check_passed_on(&self, table: &Table) {
        for row in table.routes.iter().filter(|row| !row.passed_on.words().is_empty()) {
            let LeadsTo::Upstream { name, .. } = &row.leads_to else { continue };
            let Some(upstream) = table.upstreams.iter().find(|upstream| upstream.name == *name) else { continue };
            self.check_passing(row, upstream, table);
        }
    }

    fn check_passing(&self, row: &Row, upstream: &Upstream, table: &Table) {
        let (field, name) = (self.field("routes").of_item(&row.name, "pass-on"), &upstream.name);
        if upstream.servers.iter().any(|server| !server.is_https() && !server.is_loopback()) {
            field.fault(
                format!(
                    "the row {} passes credentials on to the upstream {name} by plain http: everybody on the way could take them",
                    row.name
                ),
                "write an https URL there, or take pass-on away",
            );
        }
        if row.passed_on.bearer && table.sets_authorization(&Joined::of(upstream, &table.upstreams)) {
            field.fault(
                format!(
                    "the row {} passes bearers on, and what the upstream {name} reads in Authorization is the gateway's word: \
                     a rule sets it on a row that leads there, or remove-headers names it",
                    row.name
                ),
                "take bearer out of pass-on, or have the rule set another header",
            );
        }
    }
}
