//! What a session domain consists of: its sessions, and how one logs in to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use sidegate_filters::clock::Clock;
use sidegate_filters::identity_creation::{ReturnTarget, SessionDomain};

use super::{ComposeError, Stores};
use crate::config::{self, Config, Domain, RealmKind};
use crate::identity::return_field::ReturnSeal;
use crate::identity::{DomainSessions, LoginPages, Paces, PasswordRealm, Realm, SessionTokens, password, sessions};
use crate::jose::MacKey;
use crate::store::DataFolder;
use crate::telemetry::Metrics;

/// A session domain.
pub(in crate::cli::compose) struct Logins {
    pub(in crate::cli::compose) sessions: Arc<DomainSessions>,
    pub(in crate::cli::compose) pages: Arc<LoginPages>,
    pub(in crate::cli::compose) password: Option<Arc<PasswordRealm>>,
    /// The realm of browsers whose logins phones approve, with how its tokens reach the phone.
    pub(in crate::cli::compose) oob: Option<(Realm, String)>,
    /// Where a login leads that can't lead back.
    pub(super) start: ReturnTarget,
}

/// What every domain is put together from.
struct Base<'a> {
    config: &'a Config,
    stores: &'a Stores,
    clock: &'a Arc<dyn Clock>,
    metrics: &'a Arc<Metrics>,
    tokens: Arc<SessionTokens>,
    /// Seals return fields, for each domain its own.
    key: MacKey,
}

/// All domains by their names.
pub(super) fn of(
    config: &Config,
    folder: &DataFolder,
    stores: &Stores,
    clock: &Arc<dyn Clock>,
    metrics: &Arc<Metrics>,
) -> Result<BTreeMap<String, Logins>, ComposeError> {
    let tokens = session_tokens(folder, stores)?;
    let key = MacKey::new(&folder.secret("return-field")?)?;
    let base = Base { config, stores, clock, metrics, tokens, key };
    config.domains.iter().map(|domain| Ok((domain.name.clone(), base.logins(domain)?))).collect()
}

impl Base<'_> {
    fn logins(&self, domain: &Domain) -> Result<Logins, ComposeError> {
        let sessions = Arc::new(self.sessions(domain)?);
        let password = self.realms(domain).find(|realm| realm.kind == RealmKind::Password);
        let oob = self.realms(domain).find_map(|realm| match &realm.kind {
            RealmKind::Oob(oob) => Some((realm_of(realm), oob.dispatcher.clone())),
            _ => None,
        });
        Ok(Logins {
            pages: Arc::new(self.pages(domain, password, oob.as_ref().map(|(realm, _)| realm.clone()))?),
            password: password.map(|realm| self.password(realm, &sessions)).transpose()?,
            oob,
            start: domain.start_page.clone(),
            sessions,
        })
    }

    fn realms<'s>(&'s self, domain: &'s Domain) -> impl Iterator<Item = &'s config::Realm> + use<'s> {
        self.config.realms.iter().filter(|realm| realm.domain == domain.name)
    }

    fn sessions(&self, domain: &Domain) -> Result<DomainSessions, ComposeError> {
        let settings =
            sessions::Settings { domain: parse_domain(&domain.name)?, idle: domain.idle, absolute: domain.absolute };
        let realms = self.realms(domain).map(|realm| (realm.name.clone(), realm.level)).collect();
        let sessions = DomainSessions::new(settings, self.stores.eras(), self.clock.clone());
        Ok(sessions.of_realms(realms).with_tokens(self.tokens.clone()))
    }

    fn pages(
        &self,
        domain: &Domain,
        password: Option<&config::Realm>,
        oob: Option<Realm>,
    ) -> Result<LoginPages, ComposeError> {
        let seal = ReturnSeal::new(self.key.clone(), parse_domain(&domain.name)?, domain.login_form);
        let pages = LoginPages::new(seal, domain.start_page.clone(), password.map(realm_of), self.clock.clone());
        let by_key = self.realms(domain).find(|realm| realm.kind == RealmKind::FidoUaf);
        let pages = pages.with_phones(by_key.map(|realm| realm.name.clone())).with_approvals(oob);
        let is_own = self.config.own_domain() == Some(domain.name.as_str());
        Ok(match &domain.path {
            Some(path) if !is_own => pages.beside(path.clone()),
            _ => pages,
        })
    }

    /// All realms of passwords share a throttle and a queue: they are about the same users.
    fn password(
        &self,
        realm: &config::Realm,
        sessions: &Arc<DomainSessions>,
    ) -> Result<Arc<PasswordRealm>, ComposeError> {
        let Stores { lasting, users, .. } = self.stores;
        if let Some(first) = lasting.password.get() {
            return Ok(Arc::new(first.reconfigured(realm_of(realm), sessions.clone())));
        }
        let parallel = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let queue = parallel.saturating_mul(32);
        let paces = Paces::of_passwords(parallel.saturating_add(queue), self.config.limits.connections_share);
        let settings = password::Settings { realm: realm_of(realm), parallel, queue, paces };
        let (clock, metrics) = (self.clock.clone(), self.metrics.clone());
        let made = PasswordRealm::new(settings, sessions.clone(), users.clone(), clock, metrics)?;
        Ok(lasting.password.get_or_init(|| Arc::new(made)).clone())
    }
}

pub(super) fn parse_domain(name: &str) -> Result<SessionDomain, ComposeError> {
    SessionDomain::parse(name)
        .map_err(|error| ComposeError::unfit("domains", format!("session domain {name:?}: {error}")))
}

pub(super) fn realm_of(realm: &config::Realm) -> Realm {
    Realm { name: realm.name.clone(), level: realm.level, renew: realm.renew }
}

/// The key is read at the start: a reload neither loses it nor makes another.
fn session_tokens(folder: &DataFolder, stores: &Stores) -> Result<Arc<SessionTokens>, ComposeError> {
    if let Some(first) = stores.lasting.session_tokens.get() {
        return Ok(first.clone());
    }
    let made = Arc::new(SessionTokens::read_or_make(folder)?);
    Ok(stores.lasting.session_tokens.get_or_init(|| made).clone())
}
