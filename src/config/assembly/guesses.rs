//! Whether anything slows down who guesses at what an authentication service judges.

use http::header;
use sidegate_filters::rate_limit::Per;

use crate::config::{FilterKind, LeadsTo, Row};

use super::{Assembly, Table};

impl Table {
    /// Whether strangers have a service judge cookies as fast as they like on this row. What it refuses of anything else is
    /// slowed without a filter.
    fn has_guesses_judged(&self, row: &Row) -> bool {
        let LeadsTo::Upstream { filters, .. } = &row.leads_to else { return false };
        let kinds = filters.iter().filter_map(|name| self.filters.iter().find(|filter| filter.name == *name));
        let mut unlimited = kinds
            .map(|filter| &filter.kind)
            .take_while(|kind| !matches!(kind, FilterKind::RateLimit(limit) if limit.per == Per::Address));
        unlimited
            .any(|kind| matches!(kind, FilterKind::IdentityCreation(demand) if demand.judged.contains(&header::COOKIE)))
    }
}

impl Assembly<'_, '_> {
    /// Notes the rows of which that is so, all at once: they have it from one realm.
    pub(super) fn note_guesses(&self, table: &Table) {
        let rows: Vec<&str> =
            table.routes.iter().filter(|row| table.has_guesses_judged(row)).map(|row| row.name.as_str()).collect();
        if rows.is_empty() {
            return;
        }
        self.field("routes").notice(format!(
            "{}: an authentication service judges the cookies of strangers, and nothing here slows guesses at them down: put a \
             rate-limit per address before it, unless that service does; a filter without realms takes those of its domain, \
             this one among them",
            rows.join(", ")
        ));
    }
}
