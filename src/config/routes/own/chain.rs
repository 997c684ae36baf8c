//! The filters of a row, and whether they fit to each other and to the row.

use std::collections::HashSet;

use http::Method;
use sidegate_filters::delegation::{Rule, fold};
use sidegate_filters::rate_limit::{Per, RateLimit};

use crate::config::field::Field;
use crate::config::filters::{FilterKind, IdentityCreation};
use crate::config::routes::Known;
use crate::config::scalar::Pattern;

/// What the filters do that are read so far.
#[derive(Default)]
struct Done {
    finds_out: bool,
    /// Whether an identity-creation that is not at fault is among them.
    identifies: bool,
    /// The headers that they set, folded.
    told: HashSet<String>,
    /// Those of clients that filters of type headers change, folded.
    changed: HashSet<String>,
    /// The names of those that count.
    counted: HashSet<String>,
}

/// The names of the filters of a row with this path.
pub(super) fn read(field: &Field<'_>, known: &Known<'_>, pattern: Option<&Pattern>) -> Vec<String> {
    let mut done = Done::default();
    field.each(|item| {
        let name = item.reference("filter", known.filter_names);
        match name.as_ref().and_then(|name| known.filter(name)) {
            Some(FilterKind::Delegation(rules)) => done.delegation(item, rules),
            Some(FilterKind::UserBinding(..)) if !done.finds_out => item.fault(
                "it compares whom a request names with its session, and no filter before it looks for one",
                "put a filter of type identity-creation before it",
            ),
            Some(FilterKind::Role(_)) if !done.finds_out => item.fault(
                "it asks for the roles of a caller, and no filter before it finds out who is calling",
                "put a filter of type identity-creation before it",
            ),
            Some(FilterKind::RateLimit(limit)) => done.rate_limit(item, name.as_deref(), limit, pattern),
            Some(FilterKind::Headers(rules)) => {
                done.changed.extend(rules.changed_in_requests().map(|name| fold(name.as_str())));
            }
            Some(
                FilterKind::UserBinding(..) | FilterKind::Role(_) | FilterKind::JwsBypass(_) | FilterKind::IpList(_),
            ) => {}
            Some(FilterKind::IdentityCreation(demand)) => done.identity_creation(item, demand),
            // One at fault may have been meant to.
            None => done.finds_out = true,
        }
        name
    })
}

impl Done {
    /// It judges what the client said, and what it finds out is what counts from then on.
    fn identity_creation(&mut self, item: &Field<'_>, demand: &IdentityCreation) {
        if let Some(name) = demand.judged.iter().find(|name| self.changed.contains(&fold(name.as_str()))) {
            item.fault(
                format!(
                    "a filter of type headers before it changes {name}, by which a realm of type forward knows users"
                ),
                "put that filter behind it, or use another header",
            );
        }
        if self.identifies {
            item.fault(
                "one before it finds out who is calling, and what was shown goes no further: this one would know nobody",
                "keep one of them, with all that both demand; what roles are demanded beside may stand in a filter of type role",
            );
        }
        (self.finds_out, self.identifies) = (true, true);
    }

    /// One that says who is calling comes after one that finds it out: else it would say nothing. What is said under one
    /// name, in whatever spelling, is said once: a server may take either.
    fn delegation(&mut self, item: &Field<'_>, rules: &[Rule]) {
        if !self.finds_out && rules.iter().any(Rule::tells_caller) {
            item.fault(
                "its rules of AUTH, SESSION or CALLER say who is calling, and no filter before it finds that out",
                "put a filter of type identity-creation before it",
            );
        }
        let own: HashSet<String> = rules.iter().map(|rule| fold(rule.header().as_str())).collect();
        if !self.told.is_disjoint(&own) {
            item.fault(
                "one of its rules sets a header that a filter before it sets too, in this or another spelling",
                "keep one of the two rules",
            );
        }
        self.told.extend(own);
    }

    /// What is counted has to be known, and is counted once.
    fn rate_limit(&mut self, item: &Field<'_>, name: Option<&str>, limit: &RateLimit, pattern: Option<&Pattern>) {
        if limit.asks_who() && !self.finds_out {
            item.fault(
                "it counts by who is calling, and no filter before it finds that out",
                "put a filter of type identity-creation before it, or write per: address and no exempt",
            );
        }
        if let (Per::Segment(segment), Some(pattern)) = (&limit.per, pattern)
            && !pattern.text().split('/').any(|part| part == format!("{{{segment}}}"))
        {
            item.fault(
                format!("it counts by the segment {{{segment}}}, which the path of the row has not"),
                "use it where the path has this segment",
            );
        }
        if name.is_some_and(|name| !self.counted.insert(name.to_owned())) {
            item.fault("it stands here twice and would count each request twice", "keep one of them");
        }
    }
}

/// Whether a filter of the row lets nobody pass whom it does not know.
pub(super) fn asks_who(filters: &[String], known: &Known<'_>) -> bool {
    filters.iter().any(|name| known.filter(name).is_none_or(FilterKind::asks_who))
}

/// Whether callers from some networks alone get past a filter of the row.
pub(super) fn names_networks(filters: &[String], known: &Known<'_>) -> bool {
    let names = |kind: &FilterKind| matches!(kind, FilterKind::IpList(list) if !list.allow.is_empty());
    filters.iter().any(|name| known.filter(name).is_some_and(names))
}

/// A jws-bypass stands alone on a row of its kind; where the row's path is at fault nothing is said of that.
pub(super) fn check_bypass(
    field: &Field<'_>,
    filters: &[String],
    known: &Known<'_>,
    methods: &[Method],
    pattern: Option<&Pattern>,
) {
    let is_bypass = |name: &&String| matches!(known.filter(name), Some(FilterKind::JwsBypass(_)));
    let bypasses = filters.iter().filter(is_bypass).count();
    let has_id = |pattern: &Pattern| pattern.text().split('/').any(|part| part == "{id}");
    if bypasses > 0 && !(methods == [Method::PATCH] && pattern.is_none_or(has_id)) {
        field.fault(
            "jws-bypass lets signed changes of one target pass, and nothing else",
            "use it where methods is [PATCH] and path has a segment {id}",
        );
    }
    if bypasses > 1 {
        field.fault(
            "a signed change is used up by one jws-bypass, and a second one would refuse it",
            "keep one of them",
        );
    }
}
