//! Rows of the file's own: each leads to an upstream through the filters that it names.

mod chain;
mod demand;
mod order;
mod pass_on;

use http::Method;

use super::{DEMANDS, Known, LeadsTo, ROLES, Row, allow, classes, interception, websocket};
use crate::config::field::Field;
use crate::config::scalar::{Bytes, Pattern};
use crate::config::section::Section;
use crate::config::suggest::nearest;
use crate::routes::rows::{self, Protection, ROWS};
use crate::routes::{BODILESS, ListenerClass, UpstreamPath, is_alias};

pub(super) use order::check as check_order;

pub(super) fn row(section: &Section<'_>, name: String, defaults: &[String], known: &Known<'_>) -> Option<Row> {
    if is_misspelt(section, &name, defaults) {
        section.leave_unread();
        return None;
    }
    section.belong_elsewhere(DEMANDS, "write it in the filter of type identity-creation that stands in filters");
    section.belong_elsewhere(ROLES, "write it in the filter of type role that stands in filters");
    let pattern = pattern(&section.field("path"), section.field("ignore-case").or(false));
    let methods = methods(section);
    let upstream = section.field("upstream").demanded("write the name of one of the upstreams");
    let upstream = upstream.reference("upstream", known.upstreams);
    let written = section.field("filters").demanded("list filters in their order, or [] for a row that is open to all");
    let filters = chain::read(&written, known, pattern.as_ref());
    chain::check_bypass(&written, &filters, known, &methods, pattern.as_ref());
    let on = listeners(&section.field("on"));
    let interception = interception(section).unwrap_or(true);
    let allow = allow(&section.field("allow"));
    let body_limit = section.field("body-limit").optional::<Bytes>().map(|bytes| bytes.0);
    let bodies_of = bodies_of(&section.field("bodies-of"), &methods);
    let upstream_path = upstream_path(&section.field("upstream-path"), pattern.as_ref());
    let websocket = websocket::read(&section.field("websocket"), &methods);
    let passed_on = pass_on::read(&section.field("pass-on"), &filters, &on, known);
    let (upstream, pattern) = (upstream?, pattern?);
    if !chain::asks_who(&filters, known) {
        let from_networks = chain::names_networks(&filters, known);
        written.notice(openness(&name, from_networks, &upstream, &pattern));
    }
    let leads_to = LeadsTo::Upstream { name: upstream, filters };
    Some(Row {
        name,
        domain: None,
        methods,
        pattern,
        on,
        interception,
        allow,
        body_limit,
        bodies_of,
        upstream_path,
        websocket,
        passed_on,
        leads_to,
    })
}

/// Finds what is wrong with a row besides its name. Without a path it may be meant as a default one, whose keys are others.
pub(super) fn read_nameless(section: &Section<'_>, defaults: &[String], known: &Known<'_>) {
    if section.field("path").is_written() {
        let _ = row(section, String::new(), defaults, known);
    } else {
        section.leave_unread();
    }
}

/// Whether a default row is meant: no path is written, and a row has nearly this name.
fn is_misspelt(section: &Section<'_>, name: &str, defaults: &[String]) -> bool {
    let is_own = section.field("path").is_written();
    let meant = nearest(name, defaults.iter().map(String::as_str)).filter(|_| !is_own);
    if let Some(meant) = meant {
        section.field("name").fault("there is no default row of this name", format!("did you mean {meant}?"));
    }
    meant.is_some()
}

fn methods(section: &Section<'_>) -> Vec<Method> {
    let right = "list the methods, such as [GET, POST]";
    let methods = section.field("methods").demanded(right);
    methods.refuse_empty(right);
    methods.each(Field::optional)
}

fn listeners(field: &Field<'_>) -> Vec<ListenerClass> {
    if field.is_written() { classes(field, false) } else { vec![ListenerClass::Public] }
}

fn pattern(field: &Field<'_>, any_case: bool) -> Option<Pattern> {
    let pattern = field.required::<Pattern>()?;
    let pattern = if any_case { pattern.in_any_case() } else { pattern };
    if is_alias(pattern.text()) || any_case && is_alias(&pattern.text().to_ascii_lowercase()) {
        field.fault(
            "requests for this path are taken for another one, so this row is never reached",
            "below /nevisfido/ and /auth/ write no slash at the end, and /nevisfido/token/dispatch/targets in full",
        );
    }
    Some(pattern)
}

/// Methods whose bodies mean nothing by themselves, but something to this upstream.
fn bodies_of(field: &Field<'_>, methods: &[Method]) -> Vec<Method> {
    field.each(|item| {
        let method: Method = item.optional()?;
        if !BODILESS.contains(&method) {
            item.fault(
                "bodies of this method pass anyway",
                "leave it out; list GET, DELETE or OPTIONS where they have one",
            );
        } else if !methods.contains(&method) {
            item.fault("the row does not serve this method", "list it in methods too, or leave it out here");
        }
        Some(method)
    })
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

/// What an open row means, be it for some networks alone.
fn openness(name: &str, from_networks: bool, upstream: &str, pattern: &Pattern) -> String {
    let who = if from_networks { "whoever calls from its networks and" } else { "whoever" };
    let open = format!("the row {name} is open: {who} reaches its listeners reaches the upstream {upstream}");
    let prefix = pattern.text().strip_suffix('*');
    let below = |row: &&rows::Row| {
        row.protection != Protection::Open && prefix.is_some_and(|prefix| row.path.starts_with(prefix))
    };
    match ROWS.iter().find(below) {
        Some(row) => format!("{open}; so does what {} and other protected default rows below its path leave", row.name),
        None => open,
    }
}
