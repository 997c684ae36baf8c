//! `routes`: default rows changed by name, and own rows that lead to upstreams.

use http::Method;
use sidegate_filters::PathRules;
use sidegate_filters::delegation::Rule;

use crate::routes::rows::{self, Protection, ROWS, Service};
use crate::routes::{ListenerClass, UpstreamPath, is_alias};

use super::filters::{FilterKind, NamedFilter};
use super::listeners::CLASSES;
use super::scalar::{Bytes, Pattern, Scalar as _};
use super::section::{Field, NAME, Section, is_name};
use super::suggest::nearest;

/// A row of the route table as it is served.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Methods served; HEAD follows GET.
    pub methods: Vec<Method>,
    /// The path.
    pub pattern: Pattern,
    /// The listeners it is served on.
    pub on: Vec<ListenerClass>,
    /// Whether browsers without the session it demands see a login page; else they get 401 as an API does.
    pub interception: bool,
    /// Unusual spellings of the path that it allows.
    pub allow: PathRules,
    /// The longest body, in bytes; `None`: any length, streamed to the upstream.
    pub body_limit: Option<usize>,
    /// Where the upstream has what is here; `None`: at the same path.
    pub upstream_path: Option<UpstreamPath>,
    /// Where it leads.
    pub leads_to: LeadsTo,
}

/// Where a row leads.
#[derive(Debug, Clone)]
pub enum LeadsTo {
    /// A service of ours, behind one of [`ROWS`].
    Service(Service, Protection),
    /// The FIDO server behind (`fronting`), which answers one of [`ROWS`] in our place.
    Fronted {
        /// What answers there.
        service: Service,
        /// What the row demands here.
        protection: Protection,
        /// The upstream's name.
        upstream: String,
    },
    /// A server behind the gateway, through these filters in this order. Both are configured ones.
    Upstream {
        /// The upstream's name.
        name: String,
        /// The filters' names.
        filters: Vec<String>,
    },
}

const PROTECTIONS: &[Protection] =
    &[Protection::Open, Protection::Session, Protection::FidoUaf, Protection::Internal, Protection::JwsBypass];

/// What rows refer to.
pub(super) struct Known<'a> {
    pub(super) upstreams: &'a [&'a str],
    /// All filters that are written, also those at fault.
    pub(super) filter_names: &'a [&'a str],
    pub(super) filters: &'a [NamedFilter],
    pub(super) body_limit: usize,
}

impl Known<'_> {
    /// What a filter is; `None` where it is at fault, so that nothing is said of rows that use it.
    fn filter(&self, name: &str) -> Option<&FilterKind> {
        self.filters.iter().find(|filter| filter.name == name).map(|filter| &filter.kind)
    }
}

/// The default rows with what the file changes, then the file's own rows.
pub(super) fn read(field: &Field<'_>, known: &Known<'_>) -> Vec<Row> {
    let mut table: Vec<(Row, u64)> = ROWS.iter().filter_map(|row| Some((default_row(row, known)?, 0))).collect();
    let mut written: Vec<(String, u64)> = Vec::new();
    field.each(|item| {
        item.section(|section| {
            let Some(name) = name(section, &mut written, item.line()) else {
                section.leave_unread();
                return;
            };
            match table.iter_mut().find(|(row, line)| row.name == name && *line == 0) {
                Some((row, _)) => change(section, row),
                None => {
                    let Some(row) = own_row(section, name, known) else { return };
                    refuse_shadows(section, &row, &table);
                    table.push((row, item.line()));
                }
            }
        })
    });
    table.into_iter().map(|(row, _)| row).collect()
}

fn default_row(row: &rows::Row, known: &Known<'_>) -> Option<Row> {
    Some(Row {
        name: row.name.to_owned(),
        methods: vec![row.method.parse().ok()?],
        pattern: Pattern::read(row.path).ok()?,
        on: row.on.to_vec(),
        interception: false,
        allow: PathRules::default(),
        body_limit: Some(known.body_limit),
        upstream_path: None,
        leads_to: LeadsTo::Service(row.service, row.protection),
    })
}

/// The row's name; a second row of the same name is a fault.
fn name(section: &Section<'_>, written: &mut Vec<(String, u64)>, line: u64) -> Option<String> {
    let field = section.field("name");
    let name: String = field.required()?;
    if !is_name(&name) {
        field.fault("this is no name", NAME);
        return None;
    }
    if let Some((_, first)) = written.iter().find(|(known, _)| *known == name) {
        field.fault(format!("the row in line {first} has this name too"), "merge the two, or give one another name");
        return None;
    }
    written.push((name.clone(), line));
    Some(name)
}

/// Changes a default row: only what is written.
fn change(section: &Section<'_>, row: &mut Row) {
    let protection = section.field("protection");
    let words: Vec<_> = PROTECTIONS.iter().map(|protection| (protection.name(), *protection)).collect();
    if let Some(wanted) = protection.choice(&words) {
        match (&row.leads_to, wanted) {
            (LeadsTo::Service(_, Protection::JwsBypass), wanted) if wanted != Protection::JwsBypass => {
                protection.fault(
                    "this row is called by phones that have no session",
                    "leave jws-bypass, or switch the row off with on: []",
                );
            }
            (LeadsTo::Service(_, now), Protection::JwsBypass) if *now != Protection::JwsBypass => {
                protection.fault("nothing is signed on this row", "write open, session, fido-uaf or internal");
            }
            (LeadsTo::Service(service, now), wanted) => {
                if wanted == Protection::Open && *now != Protection::Open {
                    protection.notice(format!("the default row {} is open: it no longer demands a session", row.name));
                }
                row.leads_to = LeadsTo::Service(*service, wanted);
            }
            (LeadsTo::Upstream { .. } | LeadsTo::Fronted { .. }, _) => {}
        }
    }
    let on = section.field("on");
    if on.is_written() {
        let of_management = row.on.contains(&ListenerClass::Management);
        row.on = classes(&on, of_management);
    }
    row.interception = interception(section).unwrap_or(row.interception);
    row.allow = allow(&section.field("allow"));
    for key in ["path", "methods", "filters", "upstream", "upstream-path"] {
        let field = section.field(key);
        if field.is_written() {
            field.fault("a default row has its own", "remove this key, or give the row a name of its own");
        }
    }
}

fn own_row(section: &Section<'_>, name: String, known: &Known<'_>) -> Option<Row> {
    let path = section.field("path");
    if !path.is_written()
        && let Some(default) = nearest(&name, ROWS.iter().map(|row| row.name))
    {
        section.field("name").fault("there is no default row of this name", format!("did you mean {default}?"));
        section.leave_unread();
        return None;
    }
    let pattern = path.required::<Pattern>();
    if pattern.as_ref().is_some_and(|pattern| is_alias(pattern.text())) {
        path.fault(
            "requests for this path are taken for another one, so this row is never reached",
            "below /nevisfido/ and /auth/ write no slash at the end, and /nevisfido/token/dispatch/targets in full",
        );
    }
    let methods = section.field("methods");
    if !methods.is_written() {
        methods.fault("this key must be written", "list the methods, such as [GET, POST]");
    }
    let methods = methods.each(Field::optional);
    let upstream = section.field("upstream");
    if !upstream.is_written() {
        upstream.fault("this key must be written", "write the name of one of the upstreams");
    }
    let upstream = upstream.reference("upstream", known.upstreams);
    let filters = section.field("filters");
    if !filters.is_written() {
        filters.fault("this key must be written", "list filters in their order, or [] for a row that is open to all");
    }
    let filter_names = chain(&filters, known);
    if uses_bypass(&filter_names, known) && !takes_bypass(&methods, pattern.as_ref()) {
        filters.fault(
            "jws-bypass lets signed changes of one target pass, and nothing else",
            "use it where methods is [PATCH] and path has a segment {id}",
        );
    }
    let on = section.field("on");
    let on = if on.is_written() { classes(&on, false) } else { vec![ListenerClass::Public] };
    let interception = interception(section).unwrap_or(true);
    let allow = allow(&section.field("allow"));
    let body_limit = section.field("body-limit").optional::<Bytes>().map(|bytes| bytes.0);
    let upstream_path = upstream_path(&section.field("upstream-path"), pattern.as_ref());
    let (upstream, pattern) = (upstream?, pattern?);
    if !asks_who(&filter_names, known) {
        filters.notice(openness(&name, &upstream, &pattern));
    }
    let leads_to = LeadsTo::Upstream { name: upstream, filters: filter_names };
    Some(Row { name, methods, pattern, on, interception, allow, body_limit, upstream_path, leads_to })
}

fn upstream_path(field: &Field<'_>, here: Option<&Pattern>) -> Option<UpstreamPath> {
    let there = field.optional::<Pattern>()?;
    let here = here?;
    let path = UpstreamPath::new(here.text(), there.text());
    if path.is_none() {
        field.fault(
            "what stands before * can be put in place of another only where both paths end in /* and name no segments",
            "write a path such as /app/*, and a path of the row such as /shop/*",
        );
    }
    path
}

/// The filters of a row. One that says who is calling comes after one that finds it out: else it would say nothing.
fn chain(field: &Field<'_>, known: &Known<'_>) -> Vec<String> {
    let mut finds_out = false;
    field.each(|item| {
        let Some(name) = item.reference("filter", known.filter_names) else {
            // It may have been meant to.
            finds_out = true;
            return None;
        };
        match known.filter(&name) {
            Some(FilterKind::Delegation(rules)) if !finds_out && rules.iter().any(Rule::tells_caller) => item.fault(
                "its AUTH and SESSION rules say who is calling, and no filter before it finds that out",
                "put a filter of type identity-creation before it",
            ),
            Some(FilterKind::UserBinding(..)) if !finds_out => item.fault(
                "it compares whom a request names with its session, and no filter before it looks for one",
                "put a filter of type identity-creation before it",
            ),
            Some(FilterKind::Delegation(_) | FilterKind::UserBinding(..) | FilterKind::JwsBypass(_)) => {}
            Some(FilterKind::IdentityCreation(_)) | None => finds_out = true,
        }
        Some(name)
    })
}

/// Whether a filter of the row lets nobody pass whom it does not know.
fn asks_who(filters: &[String], known: &Known<'_>) -> bool {
    filters.iter().any(|name| known.filter(name).is_none_or(FilterKind::asks_who))
}

fn uses_bypass(filters: &[String], known: &Known<'_>) -> bool {
    filters.iter().any(|name| matches!(known.filter(name), Some(FilterKind::JwsBypass(_))))
}

/// Whether a row is one that the bypass can stand on; where its path is at fault nothing more is said.
fn takes_bypass(methods: &[Method], pattern: Option<&Pattern>) -> bool {
    methods == [Method::PATCH] && pattern.is_none_or(|pattern| pattern.text().split('/').any(|part| part == "{id}"))
}

/// What an open row means.
fn openness(name: &str, upstream: &str, pattern: &Pattern) -> String {
    let open = format!("the row {name} is open: whoever reaches its listeners reaches the upstream {upstream}");
    let prefix = pattern.text().strip_suffix('*');
    let below = |row: &&rows::Row| {
        row.protection != Protection::Open && prefix.is_some_and(|prefix| row.path.starts_with(prefix))
    };
    match ROWS.iter().find(below) {
        Some(row) => format!("{open}; so does what {} and other protected default rows below its path leave", row.name),
        None => open,
    }
}

/// Two rows for one method and path on one class of listener: the later would never be reached.
fn refuse_shadows(section: &Section<'_>, row: &Row, table: &[(Row, u64)]) {
    for (other, line) in table {
        let same_method = row.methods.iter().any(|method| other.methods.contains(method));
        let same_class = row.on.iter().any(|class| other.on.contains(class));
        if !(same_method && same_class && row.pattern.shape() == other.pattern.shape()) {
            continue;
        }
        let field = section.field("path");
        match line {
            0 => field.fault(
                format!("the default row {} has this path and method", other.name),
                "change that row by its name, or choose another path",
            ),
            line => field.fault(
                format!("the row {} in line {line} has this path and method too", other.name),
                "keep one of them, or choose another path",
            ),
        }
    }
}

fn classes(field: &Field<'_>, of_management: bool) -> Vec<ListenerClass> {
    field.each(|item| {
        let class = item.choice(CLASSES)?;
        if (class == ListenerClass::Management) == of_management {
            return Some(class);
        }
        item.fault(
            "management listeners serve health and metrics, and nothing else does",
            if of_management { "write [management] or []" } else { "write public, internal or both" },
        );
        None
    })
}

fn interception(section: &Section<'_>) -> Option<bool> {
    section.field("interception").choice(&[("auto", true), ("never", false)])
}

fn allow(field: &Field<'_>) -> PathRules {
    let words = [("empty-segments", 0), ("encoded-slashes", 1), ("double-encoding", 2), ("parameters", 3)];
    let allowed = field.each(|item| item.choice(&words));
    PathRules {
        empty_segments: allowed.contains(&0),
        encoded_slashes: allowed.contains(&1),
        double_encoding: allowed.contains(&2),
        parameters: allowed.contains(&3),
    }
}
