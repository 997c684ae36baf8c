//! Every row of a configuration, one a line.

use std::fmt;

use http::Method;

use super::{Refused, demand_listener, listed};
use crate::config::{Config, LeadsTo, NamedFilter, Row};
use crate::routes::ListenerClass;

const HEADINGS: [&str; 6] = ["row", "methods", "path", "listeners", "protection", "leads to"];

/// The rows in the order in which they are tried.
pub struct Table(Vec<[String; 6]>);

impl Table {
    /// The rows that listeners of this class serve; without one all rows, also those that are switched off.
    ///
    /// # Errors
    /// If no listener is of this class.
    pub fn of(config: &Config, class: Option<ListenerClass>) -> Result<Self, Refused> {
        class.map_or(Ok(()), |class| demand_listener(config, class))?;
        let served = config.routes.iter().filter(|row| class.is_none_or(|class| row.on.contains(&class)));
        Ok(Self(served.map(|row| cells(row, config)).collect()))
    }
}

fn cells(row: &Row, config: &Config) -> [String; 6] {
    let (protection, leads_to) = match &row.leads_to {
        LeadsTo::Service(_, protection) => {
            let asks = config.asked_by(row).map(|upstream| format!(", which asks upstream {}", upstream.name));
            (protection.name().to_owned(), format!("a service of this gateway{}", asks.unwrap_or_default()))
        }
        LeadsTo::Fronted { protection, upstream, .. } => (protection.name().to_owned(), format!("upstream {upstream}")),
        LeadsTo::Upstream { name, filters } => (of_chain(filters, &config.filters), format!("upstream {name}")),
    };
    let listeners = match &config.listening(&row.on)[..] {
        [] if row.on.is_empty() => "none: switched off".to_owned(),
        [] => "none of its class".to_owned(),
        there => listed(there.iter().map(|class| class.name())),
    };
    let methods = listed(row.methods.iter().map(Method::as_str));
    [row.name.clone(), methods, row.pattern.text().to_owned(), listeners, protection, leads_to]
}

/// A row whose filters let everybody pass is open, whatever else they do.
fn of_chain(filters: &[String], known: &[NamedFilter]) -> String {
    let asks_who = known.iter().any(|filter| filters.contains(&filter.name) && filter.kind.asks_who());
    match (asks_who, filters.join(", ")) {
        (true, names) => format!("filters {names}"),
        (false, names) if names.is_empty() => "open".to_owned(),
        (false, names) => format!("open (filters {names})"),
    }
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headings = HEADINGS.map(str::to_owned);
        let lines = || std::iter::once(&headings).chain(&self.0);
        let mut widths = [0; 6];
        for line in lines() {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = cell.len().max(*width);
            }
        }
        for line in lines() {
            let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Overrides, STANDALONE, Source, load};

    fn table(more: &str, class: Option<ListenerClass>) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate.yml");
        std::fs::write(&path, format!("{STANDALONE}{more}")).unwrap();
        let config = load(&Source::File(path), &Overrides::default(), &Environment::new(|_| None)).unwrap();
        Table::of(&config, class).unwrap().to_string()
    }

    const OWN: &str = "
upstreams: { shop: { url: 'http://x' } }
filters:
  customers: { type: identity-creation, domain: main }
  anybody: { type: identity-creation, domain: main, open: true }
  mark: { type: delegation, rules: ['CONST:yes:X-Passed'] }
routes:
  - { name: status, on: [] }
  - { name: shop, path: /shop/*, methods: [GET, POST], filters: [customers], upstream: shop }
  - { name: docs, path: /docs/*, methods: [GET], filters: [], upstream: shop }
  - { name: news, path: /news/*, methods: [GET], filters: [anybody, mark], upstream: shop }
  - { name: pay, path: /pay/*, methods: [GET], filters: [customers, mark], upstream: shop }
";

    #[test]
    fn every_row_is_there_with_what_it_demands() {
        let text = table(OWN, None);
        assert_eq!(text.lines().count(), 1 + crate::routes::rows::ROWS.len() - 5 + 4);
        let cells = |name: &str| {
            let line = text.lines().find(|line| line.split_whitespace().next() == Some(name)).unwrap();
            line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect::<Vec<_>>()
        };
        let service = "a service of this gateway";
        let path = "/nevisfido/token/dispatch/targets";
        assert_eq!(cells("row"), HEADINGS);
        assert_eq!(cells("target-create"), ["target-create", "POST", path, "public, internal", "fido-uaf", service]);
        assert_eq!(cells("targets-list"), ["targets-list", "GET", path, "internal", "internal", service]);
        assert_eq!(cells("status"), ["status", "POST", "/nevisfido/status", "none: switched off", "open", service]);
        assert_eq!(cells("shop"), ["shop", "GET, POST", "/shop/*", "public", "filters customers", "upstream shop"]);
        assert_eq!(cells("docs"), ["docs", "GET", "/docs/*", "public", "open", "upstream shop"]);
        assert_eq!(cells("news")[4], "open (filters anybody, mark)");
        assert_eq!(cells("pay")[4], "filters customers, mark");
    }

    #[test]
    fn one_class_of_listeners_has_its_own_rows() {
        let text = table("", Some(ListenerClass::Management));
        let names: Vec<_> = text.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(names, ["liveness", "health", "metrics", "openapi"]);
    }
}
