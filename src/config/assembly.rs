//! Section by section to the whole [`Config`].

mod changes;
mod fido;
mod guesses;
mod passing;
mod reach;
mod start_pages;
mod unheard;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::field::Field;
use super::section::Section;
use super::substitution::Environment;
use super::url::PublicUrl;
use super::{
    Config, Domain, FidoUaf, Fronting, InternalCaller, Limits, NamedFilter, Overrides, Places, Realm, Row, Upstream,
    domains, filters, fronting, internal_callers, limits, log, realms, routes, sec_token, upstreams,
};

/// Where the data folder is when nobody says otherwise.
const DATA: &str = "./var";

/// The keys of the file's root.
pub(super) const KEYS: &[&str] = &[
    "try-out",
    "public-url",
    "data",
    "listeners",
    "limits",
    "domains",
    "realms",
    "internal-callers",
    "fido-uaf",
    "upstreams",
    "filters",
    "fronting",
    "default-rows",
    "routes",
    "sec-token",
    "log",
];

/// The file's root and what comes from elsewhere.
pub(super) struct Assembly<'s, 'a> {
    pub(super) section: &'s Section<'a>,
    pub(super) overrides: &'s Overrides,
    pub(super) environment: &'s Environment,
    pub(super) public_url: Option<&'s PublicUrl>,
}

/// Who logs in where.
struct Identity {
    domains: Vec<Domain>,
    realms: Vec<Realm>,
    /// The domain of the services.
    own: Option<String>,
    /// Whether no realm is at fault and missing here.
    complete: bool,
}

/// What leads where.
struct Table {
    upstreams: Vec<Upstream>,
    filters: Vec<NamedFilter>,
    fronting: Option<Fronting>,
    routes: Vec<Row>,
}

impl<'a> Assembly<'_, 'a> {
    fn field(&self, key: &'static str) -> Field<'a> {
        self.section.field(key)
    }

    pub(super) fn config(&self) -> Option<Config> {
        let (try_out, listeners) = self.listeners();
        let public_url = self.public_url(try_out, &listeners);
        let data = self.data();
        let limits = self.field("limits").section(limits::read);
        let asking = listeners.all.iter().filter_map(|listener| listener.tls.as_ref()?.client_ca.as_deref());
        let identity = self.identity(&asking.collect());
        let internal_callers =
            internal_callers::read(&self.field("internal-callers"), &identity.realms, listeners.ask_for_certificates());
        let fido_uaf = self.fido_uaf(try_out, &identity);
        self.check_approvals(&identity, fido_uaf.as_ref());
        self.check_provision(&internal_callers, fido_uaf.as_ref());
        let table = self.table(&identity, &internal_callers, fido_uaf.as_ref(), limits.as_ref());
        self.note_unheard(&listeners.all, &internal_callers, &table.routes);
        self.check_uaf_upstream(fido_uaf.as_ref(), &table);
        self.check_services(&identity, &table);
        self.field("filters").note_unused("filter", "no row has this filter, so nobody meets it");
        self.field("upstreams").note_unused("upstream", "nothing leads to this upstream");
        self.field("domains").note_unused("domain", "no realm is of this domain, so nobody can log in to it");
        self.note_start_pages(&identity.domains, &table.routes);
        let sec_token = self.field("sec-token").section(sec_token::read);
        let log = self.field("log").section(log::read);
        Some(Config {
            try_out,
            public_url: public_url?,
            data,
            listeners: listeners.all,
            limits: limits?,
            domains: identity.domains,
            realms: identity.realms,
            internal_callers,
            fido_uaf,
            upstreams: table.upstreams,
            filters: table.filters,
            fronting: table.fronting,
            routes: table.routes,
            sec_token: sec_token?,
            log: log?,
            notices: Vec::new(),
            places: Places::default(),
            files: BTreeSet::new(),
        })
    }

    /// `client_ca`: by which authorities listeners ask for certificates.
    fn identity(&self, client_ca: &BTreeSet<&Path>) -> Identity {
        let (domains, field) = (self.field("domains"), self.field("realms"));
        let domain_names = domains.names();
        let upstreams = self.field("upstreams").names();
        let realms = realms::read(&field, &realms::Known { domains: &domain_names, client_ca, upstreams: &upstreams });
        let complete = field.is_all(realms.len()) && !field.has_fault();
        let own = domains::own(&realms, &domain_names).map(str::to_owned);
        let known = domains::Known { realms: &realms, complete, own: own.as_deref() };
        let domains = domains::read(&domains, &known);
        Identity { domains, realms, own, complete }
    }

    fn table(
        &self,
        identity: &Identity,
        callers: &[InternalCaller],
        fido_uaf: Option<&FidoUaf>,
        limits: Option<&Limits>,
    ) -> Table {
        let (upstreams, filters) = (self.field("upstreams"), self.field("filters"));
        let (upstream_names, filter_names) = (upstreams.names(), filters.names());
        let upstreams = upstreams::read(&upstreams);
        let domain_names = self.field("domains").names();
        let known = filters::Known {
            domains: &domain_names,
            realms: &identity.realms,
            realms_complete: identity.complete,
            callers,
            environment: self.environment,
        };
        let filters = filters::read(&filters, &known);
        let body_limit = limits.map_or(1, |limits| limits.body_size);
        let known = routes::Known {
            upstreams: &upstream_names,
            filter_names: &filter_names,
            filters: &filters,
            domains: &identity.domains,
            own: identity.own.as_deref(),
            body_limit,
        };
        let mut routes = routes::read(&self.field("routes"), &known);
        routes::keep_listed(&self.field("default-rows"), &mut routes);
        let known = fronting::Known { upstreams: &upstream_names, filter_names: &filter_names, filters: &filters };
        let fronting = self.fronting(&known, identity, &mut routes);
        fronting.iter().for_each(|fronting| self.note_servers(fronting, &upstreams));
        let served = routes::Served { fido_uaf, realms: &identity.realms, own: identity.own.as_deref() };
        routes.retain(|row| served.includes(row));
        let table = Table { upstreams, filters, fronting, routes };
        self.check_changes(&table);
        self.check_passed_on(&table);
        self.note_guesses(&table, &identity.realms);
        table
    }

    fn data(&self) -> PathBuf {
        let field = self.field("data");
        let written = field.path();
        self.overrides.data.clone().or(written).unwrap_or_else(|| PathBuf::from(DATA))
    }
}
