//! The configuration: a YAML file becomes checked types, or a list of everything that is wrong with it
//! (`gateway.md` 6.3).
//!
//! The built-in standalone configuration is `conf/standalone.yml` itself, so the two cannot differ. Files that live on
//! their own (users, keys, certificates) are named here and read by the modules that use them.

mod app_links;
mod assembly;
mod context;
mod dangling;
mod difference;
mod dispatchers;
mod document;
mod domains;
mod fault;
mod fido_uaf;
mod field;
mod files;
mod filters;
mod fronting;
mod internal_callers;
mod limits;
mod listeners;
mod load;
mod log;
mod network;
mod realms;
mod routes;
mod scalar;
mod sec_token;
mod section;
mod substitution;
mod suggest;
mod units;
mod upstreams;
mod url;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::routes::ListenerClass;

pub use dispatchers::{Dispatcher, Link};
pub use domains::Domain;
pub use fault::{Fault, Faults, Notice, Places};
pub use fido_uaf::{AdditionalRegistration, FidoUaf, Metadata, TimeLimits, UafUpstream, UnknownModels};
pub use filters::{FilterKind, IdentityCreation, JwsBypass, NamedFilter};
pub use fronting::Fronting;
pub use internal_callers::{CallerProof, CallerToken, InternalCaller};
pub use limits::Limits;
pub use listeners::{Listener, ListenerTls, address};
pub use load::{load, read};
pub use log::{LEVELS, Log};
pub(crate) use realms::is_reversed;
pub use realms::{
    CertificateName, CertificateUser, Forward, JwkSet, Jwt, KeyPace, Oob, Realm, RealmKind, TokenIssuer, UserIssuer,
};
pub use routes::{LeadsTo, Row, WrittenWebSocket};
pub use scalar::Pattern;
pub use sec_token::SecToken;
pub use substitution::Environment;
pub use upstreams::{ClientCertificate, Joined, READ_TIMEOUT, Upstream, WrittenTls};
pub use url::{PublicUrl, ServerUrl, WebUrl};

/// The built-in standalone configuration.
pub const STANDALONE: &str = include_str!("../conf/standalone.yml");

/// A checked configuration. Only [`load()`] makes one: what refers to something by name refers to something that is there.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Whether conveniences for trying out are on: loopback listeners only.
    pub try_out: bool,
    /// Where phones and browsers reach the gateway.
    pub public_url: PublicUrl,
    /// The data folder.
    pub data: PathBuf,
    /// Where it listens; at least one.
    pub listeners: Vec<Listener>,
    /// What clients may send and hold.
    pub limits: Limits,
    /// The session domains.
    pub domains: Vec<Domain>,
    /// The ways to log in.
    pub realms: Vec<Realm>,
    /// Who may call on internal listeners.
    pub internal_callers: Vec<InternalCaller>,
    /// The out-of-band services and the UAF server; `None`: not served here.
    pub fido_uaf: Option<FidoUaf>,
    /// The servers behind the gateway.
    pub upstreams: Vec<Upstream>,
    /// Filters for own rows.
    pub filters: Vec<NamedFilter>,
    /// The FIDO server behind; `None`: there is none.
    pub fronting: Option<Fronting>,
    /// The route table in its order; rows whose service is not configured are left out.
    pub routes: Vec<Row>,
    /// How SecTokens are made.
    pub sec_token: SecToken,
    /// How log lines are written.
    pub log: Log,
    /// What an operator should know before others meet it.
    pub notices: Vec<Notice>,
    /// Where the keys stand in the file.
    pub places: Places,
    /// Files and folders that it names and that are read once for it.
    pub files: BTreeSet<PathBuf>,
}

impl Config {
    /// The session domain of the services' rows; none where no domain is configured.
    #[must_use]
    pub fn own_domain(&self) -> Option<&str> {
        let names: Vec<&str> = self.domains.iter().map(|domain| domain.name.as_str()).collect();
        domains::own(&self.realms, &names)
    }

    /// Those of these classes that have a listener.
    #[must_use]
    pub fn listening(&self, classes: &[ListenerClass]) -> Vec<ListenerClass> {
        let is_there = |class: &&ListenerClass| self.listeners.iter().any(|listener| listener.class == **class);
        classes.iter().filter(is_there).copied().collect()
    }

    /// Whose SecToken keys are in the data folder: the common one (`None`), then the upstreams that have their own.
    pub fn sec_token_keys(&self) -> impl Iterator<Item = Option<&str>> {
        let own = self.upstreams.iter().filter(|upstream| upstream.own_key);
        std::iter::once(None).chain(own.map(|upstream| Some(upstream.name.as_str())))
    }

    /// Whether a client may show by a certificate which user it is, on a row to an upstream: those of ours take sessions.
    #[must_use]
    pub fn takes_certificates(&self, row: &Row) -> bool {
        let LeadsTo::Upstream { filters, .. } = &row.leads_to else { return false };
        let takes = |demand: &IdentityCreation, realm: &Realm| {
            let is_taken = demand.realms.is_empty() || demand.realms.contains(&realm.name);
            is_taken && realm.domain == demand.domain && matches!(realm.kind, RealmKind::Mtls(_))
        };
        let mut of_row = self.filters.iter().filter(|filter| filters.contains(&filter.name));
        of_row.any(|filter| match &filter.kind {
            FilterKind::IdentityCreation(demand) => self.realms.iter().any(|realm| takes(demand, realm)),
            _ => false,
        })
    }

    /// The upstream that a row's service asks as its UAF server; none where that is inside, or the service needs none.
    #[must_use]
    pub fn asked_by(&self, row: &Row) -> Option<&Upstream> {
        let LeadsTo::Service(service, _) = &row.leads_to else { return None };
        let name = &self.fido_uaf.as_ref().filter(|_| service.asks_uaf_server())?.upstream.as_ref()?.name;
        self.upstreams.iter().find(|upstream| upstream.name == *name)
    }
}

/// Where a configuration comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// [`STANDALONE`]; its relative paths start in the working directory.
    BuiltIn,
    /// A file; its relative paths start in its folder.
    File(PathBuf),
}

impl Source {
    /// As faults and operators name it.
    fn name(&self) -> String {
        match self {
            Self::BuiltIn => "conf/standalone.yml (built in)".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// A notice behind the file and the line of its key, as a fault is told.
    #[must_use]
    pub fn placed(&self, places: &Places, notice: &Notice) -> String {
        match places.line(&notice.key) {
            0 => format!("{}: {notice}", self.name()),
            line => format!("{}:{line}: {notice}", self.name()),
        }
    }

    /// A fault that only shows when the configuration is used.
    #[must_use]
    pub fn fault(&self, places: &Places, key: &str, wrong: &str, right: &str) -> Fault {
        Fault {
            file: self.name().into(),
            line: places.line(key),
            key: key.to_owned(),
            wrong: wrong.to_owned(),
            right: right.to_owned(),
        }
    }
}

/// What the command line puts in place of the file's values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The data folder.
    pub data: Option<PathBuf>,
    /// The address of the first public listener.
    pub listen: Option<SocketAddr>,
    /// The address of the first internal listener.
    pub internal: Option<SocketAddr>,
    /// The address of the first management listener.
    pub management: Option<SocketAddr>,
}

impl Overrides {
    /// The flag that moves the first listener of this class.
    fn flag(class: ListenerClass) -> &'static str {
        match class {
            ListenerClass::Public => "--listen",
            ListenerClass::Internal => "--internal",
            ListenerClass::Management => "--management",
        }
    }

    fn address(&self, class: ListenerClass) -> Option<SocketAddr> {
        match class {
            ListenerClass::Public => self.listen,
            ListenerClass::Internal => self.internal,
            ListenerClass::Management => self.management,
        }
    }
}

#[cfg(test)]
mod tests;
