//! Who is calling: session domains, realms, internal callers, the login page, and the filters that use them.

mod realms;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use sidegate_filters::clock::Clock;
use sidegate_filters::identity_creation::{
    Admission, CookieSession, Credential, Demand, IdentityCreationFilter, Interception, InternalAccess,
    InternalCallers, ReturnTarget, SessionDomain, SessionToken, Settings,
};
use sidegate_filters::role::RoleDemand;
use sidegate_filters::{CertificateDigest, Filter, InternalCaller, Role, RoleFilter};

use super::{ComposeError, Stores};
use crate::config::{self, Config, Domain, RealmKind, Upstream};
use crate::identity::internal_callers::{BearerHash, Proof, StaticCallers};
use crate::identity::password;
use crate::identity::return_field::ReturnSeal;
use crate::identity::sec_token::{self, KeyRing, SecTokenIssuer, SecTokenKeys};
use crate::identity::{DomainSessions, LoginPages, Paces, PasswordRealm, Realm, SessionTokens, Throttle, sessions};
use crate::jose::MacKey;
use crate::jose::certificates::Authorities;
use crate::routes::rows::Protection;
use crate::store::DataFolder;

/// SecTokens kept to be used again, about 1 KiB each.
const SEC_TOKENS: usize = 50_000;

pub(super) use realms::KeySetOf;

/// What filters need to know who calls.
pub(super) struct Gate {
    domains: BTreeMap<String, (Arc<DomainSessions>, ReturnTarget)>,
    callers: Arc<dyn InternalCallers>,
    pub(super) clock: Arc<dyn Clock>,
    /// The domain of the services' rows.
    own: String,
    pub(super) pages: Arc<LoginPages>,
    pub(super) sec_tokens: Arc<SecTokenIssuer>,
    /// Of all rows that ask for UAF answers or take them.
    pub(super) uaf_throttle: Arc<Throttle>,
    pub(super) password: Option<Arc<PasswordRealm>>,
    fido_uaf: Option<Realm>,
    /// With how its tokens reach the phone.
    oob: Option<(Realm, String)>,
    /// Realms in the order of the configuration, with what their users show at each request; nothing where that is the
    /// cookie of a session.
    realms: Vec<(config::Realm, Option<Arc<dyn Credential>>)>,
    /// What a password is worth: without a realm of keys, a row for keys takes what is worth more.
    password_level: u8,
}

impl Gate {
    pub(super) fn build(
        config: &Config,
        folder: &DataFolder,
        stores: &Stores,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, ComposeError> {
        let tokens = session_tokens(folder, stores)?;
        let mut domains = BTreeMap::new();
        for domain in &config.domains {
            let sessions = sessions_of(config, domain, stores, clock)?.with_tokens(tokens.clone());
            domains.insert(domain.name.clone(), (Arc::new(sessions), domain.start_page.clone()));
        }
        let of = |kind: RealmKind| config.realms.iter().find(|realm| realm.kind == kind);
        let (password, fido_uaf) = (of(RealmKind::Password), of(RealmKind::FidoUaf));
        let oob = config.realms.iter().find_map(|realm| match &realm.kind {
            RealmKind::Oob(oob) => Some((realm_of(realm), oob.dispatcher.clone())),
            _ => None,
        });
        let own = fido_uaf.or(password).or(config.realms.first()).map(|realm| realm.domain.clone());
        let own = own.or_else(|| config.domains.first().map(|domain| domain.name.clone()));
        // Where none is configured, nothing may need it: what does says so when it is composed.
        let own = own.unwrap_or_else(|| "main".to_owned());
        let key = MacKey::new(&folder.secret("return-field")?)?;
        let form = config.domains.iter().find(|domain| domain.name == own).map(|domain| domain.login_form);
        let seal = ReturnSeal::new(key, parse_domain(&own)?, form.unwrap_or_default());
        let start = domains.get(&own).map_or_else(ReturnTarget::start, |(_, start)| start.clone());
        Ok(Self {
            callers: Arc::new(callers(config, folder)?),
            clock: clock.clone(),
            pages: {
                let phones = fido_uaf.map(|realm| realm.name.clone());
                let pages = LoginPages::new(seal, start, password.map(realm_of), clock.clone());
                Arc::new(pages.with_phones(phones).with_approvals(oob.as_ref().map(|(realm, _)| realm.clone())))
            },
            password: password
                .map(|realm| password_realm(realm, &domains, stores, clock, config.limits.connections_share))
                .transpose()?,
            fido_uaf: fido_uaf.map(realm_of),
            oob,
            password_level: password.map_or(0, |realm| realm.level),
            uaf_throttle: {
                let throttle = || Arc::new(Throttle::new(Paces::of_signatures(), clock.clone()));
                stores.lasting.uaf_throttle.get_or_init(throttle).clone()
            },
            sec_tokens: Arc::new(sec_tokens(config, folder, stores, clock)?),
            realms: realms::of(config, stores, clock)?,
            own,
            domains,
        })
    }

    /// The sessions of the services' own domain.
    pub(super) fn own_sessions(&self) -> Result<Arc<DomainSessions>, ComposeError> {
        self.domain(&self.own).map(|(sessions, _)| sessions.clone())
    }

    /// Its name.
    pub(super) fn own_domain(&self) -> Result<SessionDomain, ComposeError> {
        parse_domain(&self.own)
    }

    /// The realm of FIDO UAF logins.
    pub(super) fn fido_uaf(&self) -> Result<&Realm, ComposeError> {
        let missing = || ComposeError::unfit("realms", "a row needs a realm of type fido-uaf");
        self.fido_uaf.as_ref().ok_or_else(missing)
    }

    /// The realm of browsers whose logins phones approve, with how its tokens reach the phone.
    pub(super) fn oob(&self) -> Option<(Realm, String)> {
        self.oob.clone()
    }

    fn domain(&self, name: &str) -> Result<&(Arc<DomainSessions>, ReturnTarget), ComposeError> {
        self.domains.get(name).ok_or_else(|| {
            ComposeError::unfit(
                "domains",
                format!(
                    "no session domain {name:?} is configured, and a route needs it: write `domains: {{{name}: {{}}}}`"
                ),
            )
        })
    }

    /// The identity-creation filter of a row of ours.
    pub(super) fn for_service(
        &self,
        protection: Protection,
        interception: bool,
    ) -> Result<Arc<dyn Filter>, ComposeError> {
        let session = |level, realms| Admission::Session(Demand { level, realms, ..Demand::default() });
        let (admission, internal) = match protection {
            Protection::Open | Protection::JwsBypass => (Admission::Open, InternalAccess::Anybody),
            Protection::Session => (session(1, Vec::new()), InternalAccess::With(Role::ActFor)),
            Protection::FidoUaf => {
                let demand = match &self.fido_uaf {
                    Some(realm) => session(realm.level, vec![realm.name.clone()]),
                    None => session(self.password_level.saturating_add(1), Vec::new()),
                };
                (demand, InternalAccess::With(Role::ActFor))
            }
            Protection::Admin => (Admission::InternalOnly, InternalAccess::With(Role::Admin)),
            Protection::Internal => (Admission::InternalOnly, InternalAccess::Anybody),
        };
        self.filter(&self.own, self.sessions(&self.own)?.into(), admission, internal, interception)
    }

    /// The identity-creation filter of an own row of the configuration.
    pub(super) fn for_upstream(
        &self,
        wanted: &config::IdentityCreation,
        interception: bool,
    ) -> Result<Arc<dyn Filter>, ComposeError> {
        let config::IdentityCreation { level, max_age, .. } = *wanted;
        let demand = Demand { level, max_age, realms: wanted.realms.clone(), roles: wanted.roles.clone() };
        let admission = if wanted.open { Admission::Open } else { Admission::Session(demand) };
        self.filter(&wanted.domain, self.credentials(wanted)?, admission, wanted.internal_callers, interception)
    }

    /// The role filter of an own row.
    pub(super) fn role(&self, demand: &RoleDemand, interception: bool) -> Arc<dyn Filter> {
        Arc::new(RoleFilter::new(demand.clone(), self::interception(interception), self.pages.clone()))
    }

    /// What users may show, the cookie before what comes with each request anyhow.
    fn credentials(&self, wanted: &config::IdentityCreation) -> Result<Vec<Arc<dyn Credential>>, ComposeError> {
        let is_taken = |realm: &config::Realm| {
            realm.domain == wanted.domain && (wanted.realms.is_empty() || wanted.realms.contains(&realm.name))
        };
        let taken: Vec<_> = self.realms.iter().filter(|(realm, _)| is_taken(realm)).collect();
        let mut credentials = Vec::new();
        if taken.iter().any(|(realm, _)| realm.kind.makes_sessions()) {
            credentials.extend(self.sessions(&wanted.domain)?);
        }
        credentials.extend(taken.iter().filter_map(|(_, credential)| credential.clone()));
        Ok(credentials)
    }

    /// What carries a session of the domain.
    fn sessions(&self, domain: &str) -> Result<[Arc<dyn Credential>; 2], ComposeError> {
        let ((sessions, _), domain) = (self.domain(domain)?, parse_domain(domain)?);
        let cookie = CookieSession::new(domain.clone(), sessions.clone());
        Ok([Arc::new(cookie), Arc::new(SessionToken::new(domain, sessions.clone()))])
    }

    fn filter(
        &self,
        domain: &str,
        credentials: Vec<Arc<dyn Credential>>,
        admission: Admission,
        internal: InternalAccess,
        interception: bool,
    ) -> Result<Arc<dyn Filter>, ComposeError> {
        let (_, start) = self.domain(domain)?;
        let settings = Settings {
            domain: parse_domain(domain)?,
            admission,
            internal,
            interception: self::interception(interception),
            start: start.clone(),
        };
        let (callers, pages) = (self.callers.clone(), self.pages.clone());
        Ok(Arc::new(IdentityCreationFilter::new(settings, credentials, callers, pages, self.clock.clone())))
    }
}

fn interception(wanted: bool) -> Interception {
    if wanted { Interception::Auto } else { Interception::Never }
}

fn sessions_of(
    config: &Config,
    domain: &Domain,
    stores: &Stores,
    clock: &Arc<dyn Clock>,
) -> Result<DomainSessions, ComposeError> {
    let settings =
        sessions::Settings { domain: parse_domain(&domain.name)?, idle: domain.idle, absolute: domain.absolute };
    let of_domain = config.realms.iter().filter(|realm| realm.domain == domain.name);
    let realms = of_domain.map(|realm| (realm.name.clone(), realm.level)).collect();
    let sessions = DomainSessions::new(settings, stores.sessions.clone(), stores.users.clone(), clock.clone());
    Ok(sessions.of_realms(realms))
}

fn parse_domain(name: &str) -> Result<SessionDomain, ComposeError> {
    SessionDomain::parse(name)
        .map_err(|error| ComposeError::unfit("domains", format!("session domain {name:?}: {error}")))
}

fn realm_of(realm: &config::Realm) -> Realm {
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

fn password_realm(
    realm: &config::Realm,
    domains: &BTreeMap<String, (Arc<DomainSessions>, ReturnTarget)>,
    stores: &Stores,
    clock: &Arc<dyn Clock>,
    share: u8,
) -> Result<Arc<PasswordRealm>, ComposeError> {
    let unfit = || ComposeError::unfit("realms", format!("realm {} names no configured domain", realm.name));
    let (sessions, _) = domains.get(&realm.domain).ok_or_else(unfit)?;
    if let Some(first) = stores.lasting.password.get() {
        return Ok(Arc::new(first.reconfigured(realm_of(realm), sessions.clone())));
    }
    let parallel = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let queue = parallel.saturating_mul(32);
    let paces = Paces::of_passwords(parallel.saturating_add(queue), share);
    let settings = password::Settings { realm: realm_of(realm), parallel, queue, paces };
    let made = PasswordRealm::new(settings, sessions.clone(), stores.users.clone(), clock.clone())?;
    Ok(stores.lasting.password.get_or_init(|| Arc::new(made)).clone())
}

fn sec_tokens(
    config: &Config,
    folder: &DataFolder,
    stores: &Stores,
    clock: &Arc<dyn Clock>,
) -> Result<SecTokenIssuer, ComposeError> {
    let issuer = config.sec_token.issuer.as_ref().map_or(config.public_url.text(), config::WebUrl::text).to_owned();
    let settings = sec_token::Settings { issuer, lifetime: config.sec_token.lifetime, entries: SEC_TOKENS };
    let read = |audience: Option<&str>| {
        let keys = SecTokenKeys::read_or_make(folder, audience)?;
        let since = stores.lasting.published(keys.current().kid(), clock.now());
        Ok::<_, ComposeError>(keys.published_since(since))
    };
    let own = |upstream: &Upstream| upstream.own_key.then(|| read(Some(&upstream.name))).transpose();
    let audiences = config.upstreams.iter().map(|upstream| Ok((upstream.name.clone(), own(upstream)?)));
    let ring = KeyRing::new(read(None)?, audiences.collect::<Result<_, ComposeError>>()?);
    Ok(SecTokenIssuer::new(settings, ring, clock.clone()))
}

fn callers(config: &Config, folder: &DataFolder) -> Result<StaticCallers, ComposeError> {
    let mut callers = Vec::new();
    for caller in &config.internal_callers {
        let proof = match (&caller.client_certificate, &caller.token_file) {
            (Some(path), _) => Proof::Certificates(certificates(&caller.name, path)?),
            (None, Some(path)) => Proof::Bearer(BearerHash::read(path)?),
            (None, None) => Proof::Bearer(BearerHash::read_or_make(folder, &caller.made_bearer())?),
        };
        callers.push((InternalCaller { name: caller.name.clone(), roles: caller.roles.clone() }, proof));
    }
    Ok(StaticCallers::new(callers)?)
}

fn certificates(caller: &str, path: &Path) -> Result<Vec<CertificateDigest>, ComposeError> {
    let key = format!("internal-callers.{caller}.client-certificate");
    let shown = Authorities::read(path).map_err(|error| ComposeError::unfit(key, error.to_string()))?;
    Ok(shown.digests()?.into_iter().map(CertificateDigest).collect())
}

#[cfg(test)]
mod tests;
