//! Whether anything slows down who guesses at what an authentication service judges.

use http::header;
use sidegate_filters::rate_limit::Per;

use crate::config::filters::IdentityCreation;
use crate::config::{FilterKind, LeadsTo, Realm, Row};

use super::{Assembly, Table};

impl Table {
    /// The filter by which strangers have a service judge cookies as fast as they like on this row. What it refuses of
    /// anything else is slowed without a filter.
    fn guessed_at(&self, row: &Row) -> Option<&IdentityCreation> {
        let LeadsTo::Upstream { filters, .. } = &row.leads_to else { return None };
        let kinds = filters.iter().filter_map(|name| self.filters.iter().find(|filter| filter.name == *name));
        let mut unlimited = kinds
            .map(|filter| &filter.kind)
            .take_while(|kind| !matches!(kind, FilterKind::RateLimit(limit) if limit.per == Per::Address));
        unlimited.find_map(|kind| match kind {
            FilterKind::IdentityCreation(demand) if demand.judged.contains(&header::COOKIE) => Some(demand),
            _ => None,
        })
    }
}

/// Whether a service judges cookies for this filter since it takes this realm.
fn is_judge(realm: &Realm, demand: &IdentityCreation) -> bool {
    let IdentityCreation { domain, realms, .. } = demand;
    let takes = realm.domain == *domain && (realms.is_empty() || realms.contains(&realm.name));
    takes && realm.kind.judged().contains(&header::COOKIE)
}

impl Assembly<'_, '_> {
    /// Notes the rows of which that is so, all at once: most often they have it from one realm.
    pub(super) fn note_guesses(&self, table: &Table, realms: &[Realm]) {
        let found = table.routes.iter().filter_map(|row| Some((row.name.as_str(), table.guessed_at(row)?)));
        let (rows, demands): (Vec<&str>, Vec<&IdentityCreation>) = found.unzip();
        let Some(first) = rows.first() else { return };
        let judges = realms.iter().filter(|realm| demands.iter().any(|demand| is_judge(realm, demand)));
        let judges: Vec<&str> = judges.map(|realm| realm.name.as_str()).collect();
        self.field("routes").of_item(first, "filters").notice(format!(
            "{}: an authentication service (realm {}) judges the cookies of strangers, and nothing here slows guesses at them \
             down: put a rate-limit per address before it, unless that service does; a filter without realms takes each one of \
             its domain",
            rows.join(", "),
            judges.join(", ")
        ));
    }
}
