//! Whether the rows that let signed changes of targets pass agree on whose keys verify them.

use crate::config::{FilterKind, Joined, JwsBypass, LeadsTo, Row, Upstream};
use crate::routes::rows::Protection;

use super::{Assembly, Table};

/// A row with a jws-bypass before an upstream.
struct Bypass<'t> {
    row: &'t Row,
    upstream: &'t str,
    has_keys: bool,
}

impl<'t> Bypass<'t> {
    fn of(row: &'t Row, table: &'t Table) -> Option<Self> {
        let (upstream, wanted) = match &row.leads_to {
            LeadsTo::Fronted { protection: Protection::JwsBypass, upstream, .. } => {
                (upstream, &table.fronting.as_ref()?.jws_bypass)
            }
            LeadsTo::Upstream { name, filters } => (name, table.bypass(filters)?),
            _ => return None,
        };
        (!row.on.is_empty()).then_some(Self { row, upstream, has_keys: wanted.keys.is_some() })
    }

    fn is_fronted(&self) -> bool {
        matches!(self.row.leads_to, LeadsTo::Fronted { .. })
    }

    /// Whether both lead to one server; an upstream that is at fault is the same by its name.
    fn meets(&self, other: &Self, upstreams: &[Upstream]) -> bool {
        let found = upstreams.iter().find(|upstream| upstream.name == self.upstream);
        self.upstream == other.upstream
            || found.is_some_and(|found| Joined::of(found, upstreams).includes(other.upstream))
    }
}

impl Table {
    fn bypass(&self, names: &[String]) -> Option<&JwsBypass> {
        let used = self.filters.iter().filter(|filter| names.contains(&filter.name));
        used.map(|filter| &filter.kind).find_map(|kind| match kind {
            FilterKind::JwsBypass(wanted) => Some(wanted),
            _ => None,
        })
    }
}

impl Assembly<'_, '_> {
    /// With keys a change goes by who signed it, without by what is signed: under the other one it would pass once more.
    pub(super) fn check_changes(&self, table: &Table) {
        let all: Vec<Bypass<'_>> = table.routes.iter().filter_map(|row| Bypass::of(row, table)).collect();
        let (with, without): (Vec<_>, Vec<_>) = all.iter().partition(|bypass| bypass.has_keys);
        let mixed = with.iter().find_map(|one| {
            let other = without.iter().find(|other| one.meets(other, &table.upstreams))?;
            Some((one, other))
        });
        let Some((one, other)) = mixed else { return };
        let key = if one.is_fronted() || other.is_fronted() { "fronting" } else { "routes" };
        let (one, other) = (&one.row.name, &other.row.name);
        self.field(key).fault(
            format!("the row {one} has keys for signed changes, and {other} before the same server has none: one change would pass on both"),
            "write keys for both rows, or for neither",
        );
    }
}
