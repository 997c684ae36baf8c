//! `routes`: default rows changed by name, and own rows that lead to upstreams.

mod default;
mod own;
mod websocket;

use http::Method;
use sidegate_filters::PathRules;
use sidegate_filters::identity_creation::PassedOn;

use crate::routes::rows::{Protection, Service};
use crate::routes::{ListenerClass, UpstreamPath};

use super::domains::Domain;
use super::field::Field;
use super::filters::{FilterKind, NamedFilter};
use super::listeners::CLASSES;
use super::scalar::Pattern;
use super::section::{NAME, Section, is_name};

pub use websocket::WrittenWebSocket;

pub(super) use default::{Served, keep_listed};

/// Keys of filters of type identity-creation that seem to be some of a row.
const DEMANDS: &[&str] = &["domain", "level", "max-age", "realms", "roles", "open", "internal-callers"];
/// The same of filters of type role.
const ROLES: &[&str] = &["one-of", "all-of"];

/// A row of the route table as it is served.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// Its name.
    pub name: String,
    /// The session domain that one logs in to there; `None`: that of the services.
    pub domain: Option<String>,
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
    /// Those of [`BODILESS`](crate::routes::BODILESS) whose bodies reach the upstream all the same.
    pub bodies_of: Vec<Method>,
    /// Where the upstream has what is here; `None`: at the same path.
    pub upstream_path: Option<UpstreamPath>,
    /// Which WebSockets may be opened there; `None`: none.
    pub websocket: Option<WrittenWebSocket>,
    /// What callers showed and the upstream gets all the same.
    pub passed_on: PassedOn,
    /// Where it leads.
    pub leads_to: LeadsTo,
}

/// Where a row leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeadsTo {
    /// A service of ours, behind one of [`ROWS`](crate::routes::rows::ROWS).
    Service(Service, Protection),
    /// The FIDO server behind (`fronting`), which answers one of [`ROWS`](crate::routes::rows::ROWS) in our place.
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

/// What rows refer to.
pub(super) struct Known<'a> {
    pub(super) upstreams: &'a [&'a str],
    /// All filters that are written, also those at fault.
    pub(super) filter_names: &'a [&'a str],
    pub(super) filters: &'a [NamedFilter],
    pub(super) domains: &'a [Domain],
    /// The domain of the services.
    pub(super) own: Option<&'a str>,
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
    let mut table: Vec<(Row, u64)> = default::rows(known).map(|row| (row, 0)).collect();
    let defaults: Vec<String> = table.iter().map(|(row, _)| row.name.clone()).collect();
    let mut written: Vec<(String, u64)> = Vec::new();
    field.each(|item| {
        item.section(|section| {
            let Some(name) = name(section, &mut written, item.line()) else {
                own::read_nameless(section, &defaults, known);
                return;
            };
            match table.iter_mut().find(|(row, line)| row.name == name && *line == 0) {
                Some((row, _)) => default::change(section, row),
                None => {
                    let Some(row) = own::row(section, name, &defaults, known) else { return };
                    own::check_order(section, &row, &table, known);
                    table.push((row, item.line()));
                }
            }
        })
    });
    table.into_iter().map(|(row, _)| row).collect()
}

/// The row's name; a second row of the same name is a fault.
fn name(section: &Section<'_>, written: &mut Vec<(String, u64)>, line: u64) -> Option<String> {
    let field =
        section.field("name").demanded("write the name of a default row, or one of your own, such as main-shop");
    let name: String = field.optional()?;
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
