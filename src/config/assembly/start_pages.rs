//! Whether the pages that logins lead to are there.

use http::Method;
use sidegate_filters::CanonicalPath;

use crate::config::{Domain, Row};
use crate::routes::ListenerClass;

use super::Assembly;

impl Assembly<'_, '_> {
    /// Notes start pages that no row has for browsers.
    pub(super) fn note_start_pages(&self, domains: &[Domain], rows: &[Row]) {
        for domain in domains.iter().filter(|domain| domain.path.is_some()) {
            let Some(field) = self.field("domains").written_in_named(&domain.name, "start-page") else { continue };
            let path = domain.start_page.as_str().split(['?', '#']).next().unwrap_or_default();
            let Ok(path) = CanonicalPath::parse(path) else { continue };
            let has = |row: &&Row| {
                row.on.contains(&ListenerClass::Public)
                    && row.methods.contains(&Method::GET)
                    && row.pattern.template().matches(&path).is_some()
            };
            if !rows.iter().any(|row| has(&row)) {
                field.notice(
                    "no row of public listeners has this path for GET: whoever has logged in finds no page there",
                );
            }
        }
    }
}
