//! `headers`: header fields that are set, added or taken out on the way to the upstream and back.

use std::collections::HashSet;

use http::{HeaderName, HeaderValue};
use sidegate_filters::delegation::fold;
use sidegate_filters::headers::{Change, Deed, Denied, HeaderRules, value};

use crate::config::field::Field;
use crate::config::scalar::Scalar as _;
use crate::config::section::Section;

type Take = fn(&mut HeaderRules, Change) -> Result<(), Denied>;
type OfValue = fn(HeaderValue) -> Deed;

/// `request` and `response`.
pub(super) fn read(section: &Section<'_>) -> HeaderRules {
    let mut rules = HeaderRules::default();
    let ways: [(&'static str, Take); 2] =
        [("request", HeaderRules::change_request), ("response", HeaderRules::change_response)];
    let mut some = false;
    for (way, take) in ways {
        section.field(way).section(|section| {
            changes(section, &mut |change| {
                some = true;
                take(&mut rules, change)
            });
        });
    }
    let is_told = ways.iter().any(|(way, _)| section.field(way).has_fault());
    if !some && !is_told && !section.misspells(&["request", "response"]) {
        section.fault("nothing is changed", "write set, add or remove below request or response");
    }
    rules
}

/// `set`, `add` and `remove` of one way.
fn changes(section: &Section<'_>, take: &mut dyn FnMut(Change) -> Result<(), Denied>) {
    let mut seen: HashSet<String> = HashSet::new();
    let mut note = |field: &Field<'_>, change: Change| {
        if !seen.insert(fold(change.name.as_str())) {
            field.fault("this header is changed twice, in this or another spelling", "keep one of the changes");
        } else if let Err(denied) = take(change) {
            field.fault(denied.to_string(), "take it away");
        }
    };
    let deeds: [(&'static str, OfValue); 2] = [("set", Deed::Set), ("add", Deed::Add)];
    for (key, deed) in deeds {
        section.field(key).pairs(|name, field| {
            if let Some((name, value)) = pair(name, field) {
                note(field, Change { name, deed: deed(value) });
            }
        });
    }
    section.field("remove").each(|item| {
        let name = item.optional::<HeaderName>()?;
        note(item, Change { name, deed: Deed::Remove });
        Some(())
    });
}

fn pair(name: &str, field: &Field<'_>) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::read(name).map_err(|wrong| field.fault(wrong, HeaderName::RIGHT)).ok();
    let text = field.required::<String>()?;
    let value = value(&text);
    if value.is_none() {
        field.fault("this fits into no header", "write one line of ASCII without blanks around it");
    }
    Some((name?, value?))
}
