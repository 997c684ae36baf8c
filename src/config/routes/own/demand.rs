//! Which of two rows demands more of callers.

use crate::config::filters::{FilterKind, IdentityCreation};
use crate::config::routes::{Known, LeadsTo, Row};
use sidegate_filters::role::RoleDemand;

/// Whether the other one, a row of the file's own, has a filter that this one has not, nor one in its place that demands as
/// much.
pub(super) fn is_looser(row: &Row, other: &Row, known: &Known<'_>) -> bool {
    let Some((here, there)) = filters(row, other) else { return false };
    there.iter().any(|name| !has(here, name, known))
}

/// Whether this row has the filters of the other one, and what it has beside or in their place only demands more.
pub(super) fn is_as_strict(row: &Row, other: &Row, known: &Known<'_>) -> bool {
    let Some((here, there)) = filters(row, other) else { return true };
    let only_demands = |name: &String| {
        there.contains(name)
            || known.filter(name).is_some_and(|kind| {
                matches!(kind, FilterKind::Role(_))
                    || there.iter().filter_map(|other| known.filter(other)).any(|other| covers(kind, other))
            })
    };
    there.iter().all(|name| has(here, name, known)) && here.iter().all(only_demands)
}

/// The filters of the other one that this row has not, nor one in their place: one of the same type is, but for those that
/// keep somebody out each by itself.
pub(super) fn lost<'r>(row: &'r Row, other: &'r Row, known: &Known<'_>) -> Vec<&'r str> {
    let Some((here, there)) = filters(row, other) else { return Vec::new() };
    let types: Vec<_> = here.iter().filter_map(|name| known.filter(name)).map(std::mem::discriminant).collect();
    let is_replaced = |name: &String| {
        let kind = known.filter(name).filter(|kind| !matches!(kind, FilterKind::Role(_) | FilterKind::IpList(_)));
        kind.is_some_and(|kind| types.contains(&std::mem::discriminant(kind)))
    };
    let is_lost = |name: &&String| !(has(here, name, known) || is_replaced(name));
    there.iter().filter(is_lost).map(String::as_str).collect()
}

/// The filters of both; `None` where one is a default row, of which neither is remarked: it demands what it must.
fn filters<'r>(row: &'r Row, other: &'r Row) -> Option<(&'r [String], &'r [String])> {
    match (&row.leads_to, &other.leads_to) {
        (LeadsTo::Upstream { filters: here, .. }, LeadsTo::Upstream { filters: there, .. }) => Some((here, there)),
        _ => None,
    }
}

/// Whether this filter is among these, or one that demands as much. Of one at fault nothing more is known than its name.
fn has(filters: &[String], name: &String, known: &Known<'_>) -> bool {
    let demands_it = |wanted| filters.iter().filter_map(|name| known.filter(name)).any(|kind| covers(kind, wanted));
    filters.contains(name) || known.filter(name).is_some_and(demands_it)
}

/// Whether whoever meets the one filter meets the other one, and they do the same otherwise.
fn covers(kind: &FilterKind, other: &FilterKind) -> bool {
    match (kind, other) {
        (FilterKind::IdentityCreation(kind), FilterKind::IdentityCreation(other)) => identity_covers(kind, other),
        (FilterKind::Role(kind), FilterKind::Role(other)) => role_covers(kind, other),
        _ => false,
    }
}

/// Each of its members is named, lest a new one be passed over here; the last three come of the domain and the realms.
fn identity_covers(kind: &IdentityCreation, other: &IdentityCreation) -> bool {
    let IdentityCreation {
        domain,
        open,
        level,
        max_age,
        realms,
        roles,
        internal_callers,
        takes_sessions: _,
        takes_tokens: _,
        judged: _,
    } = kind;
    (domain, *open, *internal_callers) == (&other.domain, other.open, other.internal_callers)
        && *level >= other.level
        && other.max_age.is_none_or(|most| max_age.is_some_and(|age| age <= most))
        && is_one_of(realms, &other.realms)
        && is_one_of(roles, &other.roles)
}

fn role_covers(kind: &RoleDemand, other: &RoleDemand) -> bool {
    let RoleDemand { one_of, all_of, internal } = kind;
    *internal == other.internal
        && is_one_of(one_of, &other.one_of)
        && other.all_of.iter().all(|role| all_of.contains(role))
}

/// Whether who has one of these has one of those; empty: nobody is asked for any.
fn is_one_of(these: &[String], those: &[String]) -> bool {
    those.is_empty() || !these.is_empty() && these.iter().all(|one| those.contains(one))
}
