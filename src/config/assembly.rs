//! Section by section to the whole [`Config`].

use std::path::PathBuf;

use crate::routes::rows::{self, Protection, Service};

use super::listeners::first_public;
use super::section::{Field, Section};
use super::substitution::Environment;
use super::url::PublicUrl;
use super::{
    Config, Domain, FidoUaf, Fronting, LeadsTo, Limits, Listener, NamedFilter, Overrides, Places, Realm, RealmKind,
    Row, Upstream, domains, fido_uaf, filters, fronting, internal_callers, limits, listeners, log, realms, routes,
    sec_token, upstreams,
};

/// Where the data folder is when nobody says otherwise.
const DATA: &str = "./var";

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
        let identity = self.identity();
        let internal_callers = internal_callers::read(&self.field("internal-callers"));
        let fido_uaf = self.fido_uaf(try_out, &identity);
        let table = self.table(&identity, fido_uaf.as_ref(), limits.as_ref());
        self.check_uaf_upstream(fido_uaf.as_ref(), &table.upstreams);
        let sec_token = self.field("sec-token").section(sec_token::read);
        let log = self.field("log").section(log::read);
        Some(Config {
            try_out,
            public_url: public_url?,
            data,
            listeners,
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
        })
    }

    fn listeners(&self) -> (bool, Vec<Listener>) {
        let key = self.field("try-out");
        let try_out = key.or(false);
        let listeners = listeners::read(&self.field("listeners"), self.overrides);
        if try_out {
            self.keep_at_home(&key, &listeners);
        }
        (try_out, listeners)
    }

    /// What is for trying out is for this machine alone. A plain listener that others could reach is a fault already; if a
    /// flag put it there, nothing in the file is to be mended.
    fn keep_at_home(&self, try_out: &Field<'_>, listeners: &[Listener]) {
        let outside = listeners.iter().filter(|listener| !listener.address.ip().is_loopback());
        let (given, written): (Vec<_>, Vec<_>) =
            outside.partition(|listener| self.overrides.address(listener.class) == Some(listener.address));
        if !written.is_empty() {
            try_out.fault("a listener can be reached from elsewhere", "remove this key, or listen on 127.0.0.1 only");
        }
        for listener in given.iter().filter(|listener| listener.tls.is_some()) {
            try_out.fault_of_flag(
                Overrides::flag(listener.class),
                "it can be reached from elsewhere, and this configuration is for trying out",
                "give an address on 127.0.0.1, or a configuration without try-out",
            );
        }
    }

    fn identity(&self) -> Identity {
        let (domains, realms) = (self.field("domains"), self.field("realms"));
        let (domain_names, realm_names) = (domains.names(), realms.names());
        let domains = domains::read(&domains);
        let realms = realms::read(&realms, &domain_names);
        let complete = realms.len() == realm_names.len();
        Identity { domains, realms, complete }
    }

    fn table(&self, identity: &Identity, fido_uaf: Option<&FidoUaf>, limits: Option<&Limits>) -> Table {
        let (upstreams, filters) = (self.field("upstreams"), self.field("filters"));
        let (upstream_names, filter_names) = (upstreams.names(), filters.names());
        let upstreams = upstreams::read(&upstreams);
        let domain_names: Vec<&str> = identity.domains.iter().map(|domain| domain.name.as_str()).collect();
        let known = filters::Known {
            domains: &domain_names,
            realms: &identity.realms,
            realms_complete: identity.complete,
            environment: self.environment,
        };
        let filters = filters::read(&filters, &known);
        let body_limit = limits.map_or(1, |limits| limits.body_size);
        let known =
            routes::Known { upstreams: &upstream_names, filter_names: &filter_names, filters: &filters, body_limit };
        let mut routes = routes::read(&self.field("routes"), &known);
        self.keep_default_rows(&mut routes);
        let known = fronting::Known { upstreams: &upstream_names, filter_names: &filter_names, filters: &filters };
        let fronting = self.fronting(&known, identity, &mut routes);
        routes.retain(|row| is_served(row, fido_uaf, &identity.realms));
        Table { upstreams, filters, fronting, routes }
    }

    fn fronting(&self, known: &fronting::Known<'_>, identity: &Identity, routes: &mut [Row]) -> Option<Fronting> {
        let field = self.field("fronting");
        if !field.is_present() {
            return None;
        }
        if self.field("fido-uaf").is_present() {
            field.fault("the section fido-uaf has the same rows answered here", "keep one of the two sections");
        }
        if identity.complete && identity.realms.is_empty() {
            field.fault("its rows demand a session, and there is no realm", "add a realm with type: password");
        }
        if identity.realms.iter().any(|realm| realm.kind == RealmKind::FidoUaf) {
            field.fault("nobody can log in by a realm of type fido-uaf: the keys are behind", "take that realm away");
        }
        let fronting = fronting::read(&field, known)?;
        fronting::lead_rows(&field, &fronting.upstream, routes);
        Some(fronting)
    }

    /// Of the default rows those that are listed, where there is a list.
    fn keep_default_rows(&self, routes: &mut Vec<Row>) {
        let field = self.field("default-rows");
        let known: Vec<&str> = rows::ROWS.iter().map(|row| row.name).collect();
        let wanted = field.each(|item| item.reference("default row", &known));
        if field.is_written() {
            routes.retain(|row| matches!(row.leads_to, LeadsTo::Upstream { .. }) || wanted.contains(&row.name));
        }
    }

    fn public_url(&self, try_out: bool, listeners: &[Listener]) -> Option<PublicUrl> {
        let field = self.field("public-url");
        let first = first_public(listeners).filter(|_| try_out && !field.is_written());
        let url = match first.map(|first| PublicUrl::of_listener(first.address, first.tls.is_some())) {
            // A fault of its address was found already.
            Some(Err(_)) if first.is_some_and(|first| !first.address.ip().is_loopback()) => None,
            None if try_out && !self.field("listeners").is_written() => field.optional(),
            Some(Err(wrong)) => {
                field.fault(wrong, "write the URL that phones and browsers use");
                None
            }
            Some(Ok(url)) => Some(url),
            None => field.required(),
        };
        if let Some(url) = url.as_ref().filter(|url| !url.is_https()) {
            field.notice(format!("{} is plain http: a real phone needs https", url.text()));
        }
        url
    }

    fn data(&self) -> PathBuf {
        let field = self.field("data");
        let written = field.path();
        self.overrides.data.clone().or(written).unwrap_or_else(|| PathBuf::from(DATA))
    }

    fn fido_uaf(&self, try_out: bool, identity: &Identity) -> Option<FidoUaf> {
        let field = self.field("fido-uaf");
        if !field.is_present() {
            return None;
        }
        for kind in [RealmKind::Password, RealmKind::FidoUaf] {
            if identity.complete && !identity.realms.iter().any(|realm| realm.kind == kind) {
                let kind = kind.word();
                field.fault(
                    format!("its rows demand a session, but no realm has the type {kind}"),
                    format!("add a realm with type: {kind}"),
                );
            }
        }
        let upstreams = self.field("upstreams").names();
        let known = fido_uaf::Known { public_url: self.public_url, try_out, upstreams: &upstreams };
        field.section(|section| fido_uaf::read(section, &known))
    }

    /// Whoever answers in the upstream's place decides who has logged in.
    fn check_uaf_upstream(&self, fido_uaf: Option<&FidoUaf>, upstreams: &[Upstream]) {
        let wanted = fido_uaf.and_then(|fido_uaf| fido_uaf.upstream.as_ref());
        let found = wanted.and_then(|wanted| upstreams.iter().find(|upstream| upstream.name == wanted.name));
        let (Some(upstream), Some(fido_uaf)) = (found, fido_uaf) else { return };
        let longest = upstream.connect_timeout.saturating_add(upstream.read_timeout);
        if longest > fido_uaf.time_limits.lease {
            self.field("fido-uaf").notice(format!(
                "a redeem keeps its token for {:?}, and the upstream {} may take {longest:?}: what comes late is lost",
                fido_uaf.time_limits.lease, upstream.name
            ));
        }
        let field = self.field("fido-uaf");
        if upstream.servers.len() > 1 {
            field.fault(
                format!(
                    "its upstream {} has several servers, and an answer belongs where its request came from",
                    upstream.name
                ),
                "name one server there, with url",
            );
        }
        if upstream.servers.iter().any(|server| !server.is_https() && !server.is_loopback()) {
            field.fault(
                format!(
                    "its upstream {} is plain http, and everybody on the way could say who has logged in",
                    upstream.name
                ),
                "write an https URL there",
            );
        }
    }
}

/// A row exists only when its service does (`http-api.md` 8).
fn is_served(row: &Row, fido_uaf: Option<&FidoUaf>, realms: &[Realm]) -> bool {
    let LeadsTo::Service(service, protection) = &row.leads_to else { return true };
    let has_realm = |kind| realms.iter().any(|realm| realm.kind == kind);
    let by_fido = has_realm(RealmKind::FidoUaf);
    match service {
        Service::Liveness | Service::Health | Service::Metrics | Service::Jwks => true,
        Service::PasswordLogin | Service::LoginPage => has_realm(RealmKind::Password),
        Service::Logout | Service::LogoutPage => !realms.is_empty(),
        Service::FidoLoginRequest | Service::FidoLoginResponse => by_fido && fido_uaf.is_some(),
        Service::Facets => fido_uaf.is_some_and(|fido_uaf| !fido_uaf.facets.is_empty()),
        Service::UafRequest(_)
        | Service::UafRegistration
        | Service::UafAuthentication
        | Service::Dispatch(_)
        | Service::Create(_)
        | Service::Redeem(_)
        | Service::ListTargets
        | Service::CreateTarget
        | Service::ModifyTarget
        | Service::DeleteTarget
        | Service::Status => fido_uaf.is_some() && (*protection != Protection::FidoUaf || by_fido),
    }
}
