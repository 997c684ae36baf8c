//! The default rows: what the file changes of them, and which of them are served.

use sidegate_filters::PathRules;
use sidegate_filters::identity_creation::PassedOn;

use super::{Known, LeadsTo, Row, allow, classes, interception};
use crate::config::field::Field;
use crate::config::scalar::{Pattern, Scalar as _};
use crate::config::section::Section;
use crate::config::{Domain, FidoUaf, Realm, RealmKind};
use crate::dispatchers::AppLinks;
use crate::identity::login_page::LOGINS;
use crate::routes::ListenerClass;
use crate::routes::rows::{self, Administered, Protection, ROWS, Service};

const PROTECTIONS: &[Protection] = &[
    Protection::Open,
    Protection::Session,
    Protection::FidoUaf,
    Protection::Internal,
    Protection::Admin,
    Protection::JwsBypass,
];

/// All of them: first the table, then how one logs in to each domain beside that of the services.
pub(super) fn rows(known: &Known<'_>) -> impl Iterator<Item = Row> {
    let further = known.domains.iter().filter(|domain| Some(domain.name.as_str()) != known.own);
    let logins = further.flat_map(|domain| ROWS.iter().filter_map(|row| login(row, domain, known)));
    ROWS.iter().filter_map(|row| self::row(row, known)).chain(logins)
}

/// The same row for another domain; keys log in to that of the services alone.
fn login(row: &rows::Row, domain: &Domain, known: &Known<'_>) -> Option<Row> {
    let by_key = matches!(row.service, Service::FidoLoginRequest | Service::FidoLoginResponse);
    let below = row.path.strip_prefix(LOGINS).filter(|_| row.service.is_login() && !by_key)?;
    Some(Row {
        name: format!("{}-{}", domain.name, row.name),
        domain: Some(domain.name.clone()),
        pattern: Pattern::read(&format!("{}{below}", domain.path.as_ref()?)).ok()?,
        ..self::row(row, known)?
    })
}

fn row(row: &rows::Row, known: &Known<'_>) -> Option<Row> {
    Some(Row {
        name: row.name.to_owned(),
        domain: None,
        methods: vec![row.method.parse().ok()?],
        pattern: Pattern::read(row.path).ok()?,
        on: row.on.to_vec(),
        interception: false,
        allow: PathRules::default(),
        body_limit: Some(known.body_limit),
        bodies_of: Vec::new(),
        upstream_path: None,
        websocket: None,
        passed_on: PassedOn::default(),
        leads_to: LeadsTo::Service(row.service, row.protection),
    })
}

/// Why an administrative row is what it is.
const ADMINISTERS: &str = "this row shows or removes what every user has";

fn is_admin(row: &Row) -> bool {
    matches!(row.leads_to, LeadsTo::Service(Service::AdminList(_) | Service::AdminRemove(_), _))
}

/// Changes a default row: only what is written.
pub(super) fn change(section: &Section<'_>, row: &mut Row) {
    for keys in [super::DEMANDS, super::ROLES] {
        section.belong_elsewhere(keys, "what a default row demands is its protection");
    }
    protect(&section.field("protection"), row);
    let on = section.field("on");
    if on.is_written() {
        row.on = classes(&on, row.on.contains(&ListenerClass::Management));
        if is_admin(row) && row.on.contains(&ListenerClass::Public) {
            on.fault(ADMINISTERS, "write [internal], or [] to switch the row off");
        }
    }
    row.interception = interception(section).unwrap_or(row.interception);
    row.allow = allow(&section.field("allow"));
    for key in
        ["path", "methods", "filters", "upstream", "upstream-path", "ignore-case", "body-limit", "bodies-of", "pass-on"]
    {
        let field = section.field(key);
        if field.is_written() {
            field.fault("a default row has its own", "remove this key, or give the row a name of its own");
        }
    }
}

fn protect(field: &Field<'_>, row: &mut Row) {
    let words: Vec<_> = PROTECTIONS.iter().map(|protection| (protection.name(), *protection)).collect();
    let (Some(wanted), LeadsTo::Service(service, now)) = (field.choice(&words), &row.leads_to) else { return };
    match (*now, wanted) {
        (Protection::JwsBypass, wanted) if wanted != Protection::JwsBypass => field.fault(
            "this row is called by phones that have no session",
            "leave jws-bypass, or switch the row off with on: []",
        ),
        (Protection::Admin, wanted) if wanted != Protection::Admin => {
            field.fault(ADMINISTERS, "leave admin, or switch the row off with on: []");
        }
        (now, Protection::JwsBypass) if now != Protection::JwsBypass => {
            field.fault("nothing is signed on this row", "write open, session, fido-uaf, internal or admin");
        }
        (now, wanted) => {
            if wanted == Protection::Open && now != Protection::Open {
                field.notice(format!("the default row {} is open: it no longer demands a session", row.name));
            }
            row.leads_to = LeadsTo::Service(*service, wanted);
        }
    }
}

/// Of the default rows those that are listed, where there is a list.
pub(in crate::config) fn keep_listed(field: &Field<'_>, routes: &mut Vec<Row>) {
    let is_default = |row: &&Row| !matches!(row.leads_to, LeadsTo::Upstream { .. });
    let known: Vec<&str> = routes.iter().filter(is_default).map(|row| row.name.as_str()).collect();
    let wanted = field.each(|item| item.reference("default row", &known));
    if !field.is_written() {
        return;
    }
    routes.retain(|row| !is_default(&row) || wanted.contains(&row.name));
    let is_served = |row: &&Row| !row.on.is_empty();
    let closed: Vec<&str> =
        routes.iter().filter(is_served).filter(|row| demands_session(row)).map(|row| row.name.as_str()).collect();
    if !closed.is_empty() && !routes.iter().filter(is_served).any(logs_in) {
        field.notice(format!(
            "no row that logs anybody in is listed, and {} demand a session: only internal callers pass; list login-page \
             and login-password, or write protection: internal for those rows",
            closed.join(", ")
        ));
    }
}

fn demands_session(row: &Row) -> bool {
    let (LeadsTo::Service(_, protection) | LeadsTo::Fronted { protection, .. }) = &row.leads_to else { return false };
    matches!(protection, Protection::Session | Protection::FidoUaf)
}

/// Whether its sessions are those that default rows demand.
fn logs_in(row: &Row) -> bool {
    row.domain.is_none()
        && matches!(
            row.leads_to,
            LeadsTo::Service(Service::PasswordLogin | Service::FidoLoginResponse | Service::OobLogin, _)
        )
}

/// What there is to be served.
pub(in crate::config) struct Served<'a> {
    pub(in crate::config) fido_uaf: Option<&'a FidoUaf>,
    pub(in crate::config) realms: &'a [Realm],
    /// The domain of the services.
    pub(in crate::config) own: Option<&'a str>,
}

impl Served<'_> {
    /// A row exists only when its service does (`http-api.md` 8).
    pub(in crate::config) fn includes(&self, row: &Row) -> bool {
        let LeadsTo::Service(service, protection) = &row.leads_to else { return true };
        let (has_fido, by_key) = (self.fido_uaf.is_some(), self.logs_in(row, |kind| *kind == RealmKind::FidoUaf));
        let by_password = self.logs_in(row, |kind| *kind == RealmKind::Password);
        let by_oob = self.logs_in(row, |kind| matches!(kind, RealmKind::Oob(_)));
        match service {
            Service::Liveness | Service::Health | Service::Metrics | Service::OpenApi => true,
            Service::Jwks | Service::JwksOf => true,
            Service::PasswordLogin => by_password,
            Service::LoginPage => by_password || by_oob,
            Service::OobLogin | Service::OobStanding => by_oob && has_fido,
            Service::Logout | Service::LogoutPage => self.logs_in(row, RealmKind::makes_sessions),
            Service::AdminList(Administered::Users | Administered::Sessions)
            | Service::AdminRemove(Administered::Users | Administered::Sessions) => {
                self.realms.iter().any(|realm| realm.kind.makes_sessions())
            }
            Service::AdminList(Administered::Credentials | Administered::Targets)
            | Service::AdminRemove(Administered::Credentials | Administered::Targets) => has_fido,
            Service::FidoLoginRequest | Service::FidoLoginResponse => by_key && has_fido,
            Service::Facets => self.fido_uaf.is_some_and(|fido_uaf| !fido_uaf.facets.is_empty()),
            Service::AssetLinks => self.app_links().is_some_and(|links| !links.android.is_empty()),
            Service::SiteAssociation => self.app_links().is_some_and(|links| !links.ios.is_empty()),
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
            | Service::Status => has_fido && (*protection != Protection::FidoUaf || by_key),
        }
    }

    fn app_links(&self) -> Option<&AppLinks> {
        self.fido_uaf.and_then(|fido_uaf| fido_uaf.app_links.as_ref())
    }

    /// Whether a realm of the row's domain is of such a kind.
    fn logs_in(&self, row: &Row, fits: impl Fn(&RealmKind) -> bool) -> bool {
        let domain = row.domain.as_deref().or(self.own);
        self.realms.iter().any(|realm| Some(realm.domain.as_str()) == domain && fits(&realm.kind))
    }
}
