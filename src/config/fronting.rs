//! `fronting`: an existing FIDO server behind, which answers the default rows of the FIDO services.

use sidegate_filters::UsernameMapper;
use sidegate_filters::delegation::Rule;

use crate::routes::rows::Protection;

use super::field::Field;
use super::filters::{FilterKind, JwsBypass, NamedFilter, jws_bypass, username_mapper};
use super::routes::{LeadsTo, Row};
use super::section::Section;

/// An existing FIDO server behind (`gateway.md` 1). The gateway protects its rows, tells it who is calling and checks
/// signed changes of targets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fronting {
    /// The upstream's name.
    pub upstream: String,
    /// The name of the `delegation` filter that tells it who is calling.
    pub delegation: String,
    /// What names in requests are compared with; `None`: they are not.
    pub user_binding: Option<UsernameMapper>,
    /// Whether strangers may choose what a user is asked to confirm.
    pub anonymous_content: bool,
    /// How changes of targets are checked.
    pub jws_bypass: JwsBypass,
}

/// What it refers to.
pub(super) struct Known<'a> {
    pub(super) upstreams: &'a [&'a str],
    /// All filters that are written, also those at fault.
    pub(super) filter_names: &'a [&'a str],
    pub(super) filters: &'a [NamedFilter],
}

pub(super) fn read(field: &Field<'_>, known: &Known<'_>) -> Option<Fronting> {
    field.section(|section| fronting(section, known)).flatten()
}

fn fronting(section: &Section<'_>, known: &Known<'_>) -> Option<Fronting> {
    let upstream = section.field("upstream").demanded("write the name of one of the upstreams");
    let upstream = upstream.reference("upstream", known.upstreams);
    let delegation = delegation(&section.field("delegation"), known);
    let binding = section.field("user-binding");
    let mapper = username_mapper(section);
    let is_bound = binding.or(true);
    if !is_bound {
        binding.notice("false: whoever is logged in may name any user in a registration, unless the upstream objects");
    }
    let content = section.field("anonymous-content");
    let anonymous_content = content.or(false);
    if anonymous_content {
        content
            .notice("true: strangers may choose the text that a user is asked to confirm, unless the upstream objects");
    }
    let jws_bypass = jws_bypass(section);
    Some(Fronting {
        upstream: upstream?,
        delegation: delegation?,
        user_binding: is_bound.then_some(mapper),
        anonymous_content,
        jws_bypass,
    })
}

fn delegation(field: &Field<'_>, known: &Known<'_>) -> Option<String> {
    let right = "write the name of a filter of type delegation";
    field.demand(right);
    let name = field.reference("filter", known.filter_names)?;
    match known.filters.iter().find(|filter| filter.name == name).map(|filter| &filter.kind) {
        Some(FilterKind::Delegation(rules)) if !rules.iter().any(Rule::tells_user) => {
            field.notice(
                "none of its rules has the source AUTH or SESSION: the upstream does not learn which user is calling",
            );
        }
        Some(FilterKind::Delegation(_)) | None => {}
        Some(_) => field.fault("this filter tells an upstream nothing", right),
    }
    Some(name)
}

/// Has the server behind answer its rows. Where nobody can log in with a key, rows that demand one are noted.
pub(super) fn lead_rows(field: &Field<'_>, upstream: &str, routes: &mut [Row]) {
    let mut closed: Vec<&str> = Vec::new();
    for row in routes {
        let LeadsTo::Service(service, protection) = row.leads_to else { continue };
        if service.is_of_fido_server() {
            row.leads_to = LeadsTo::Fronted { service, protection, upstream: upstream.to_owned() };
            if protection == Protection::FidoUaf && !row.on.is_empty() {
                closed.push(&row.name);
            }
        }
    }
    if !closed.is_empty() {
        field.notice(format!(
            "{} demand more than a password, and no realm gives that: only internal callers pass; write protection: \
             session for a row where a password will do",
            closed.join(", ")
        ));
    }
}
