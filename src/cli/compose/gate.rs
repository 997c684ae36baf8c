//! Who is calling: session domains, realms, internal callers, the login page, and the filters that use them.

mod callers;
mod logins;
mod realms;

use std::collections::BTreeMap;
use std::sync::Arc;

use sidegate_filters::clock::Clock;
use sidegate_filters::identity_creation::{
    Admission, CookieSession, Credential, Demand, IdentityCreationFilter, Interception, InternalAccess,
    InternalCallers, SessionDomain, SessionToken, Settings,
};
use sidegate_filters::role::RoleDemand;
use sidegate_filters::{Filter, Role, RoleFilter};

use super::{ComposeError, Stores};
use crate::config::{self, Config, RealmKind, Upstream};
use crate::identity::sec_token::{self, KeyRing, SecTokenIssuer, SecTokenKeys};
use crate::identity::{Paces, Realm, Throttle};
use crate::routes::rows::Protection;
use crate::store::DataFolder;
use crate::telemetry::Metrics;
use logins::{parse_domain, realm_of};

/// SecTokens kept to be used again, about 1 KiB each.
const SEC_TOKENS: usize = 50_000;

pub(super) use logins::Logins;
pub(super) use realms::KeySetOf;

/// What filters need to know who calls.
pub(super) struct Gate {
    domains: BTreeMap<String, Logins>,
    callers: Arc<dyn InternalCallers>,
    pub(super) clock: Arc<dyn Clock>,
    /// The domain of the services' rows.
    own: String,
    pub(super) sec_tokens: Arc<SecTokenIssuer>,
    /// Of all rows that ask for UAF answers or take them.
    pub(super) uaf_throttle: Arc<Throttle>,
    /// In the domain of the services.
    fido_uaf: Option<Realm>,
    /// Realms in the order of the configuration, with what their users show at each request; nothing where that is the
    /// cookie of a session.
    realms: Vec<(config::Realm, Option<Arc<dyn Credential>>)>,
}

impl Gate {
    pub(super) fn build(
        config: &Config,
        folder: &DataFolder,
        stores: &Stores,
        clock: &Arc<dyn Clock>,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, ComposeError> {
        let fido_uaf = config.realms.iter().find(|realm| realm.kind == RealmKind::FidoUaf);
        Ok(Self {
            callers: Arc::new(callers::of(config, folder, stores, clock)?),
            clock: clock.clone(),
            fido_uaf: fido_uaf.map(realm_of),
            uaf_throttle: {
                let throttle = || Arc::new(Throttle::new(Paces::of_signatures(), clock.clone()));
                stores.lasting.uaf_throttle.get_or_init(throttle).clone()
            },
            sec_tokens: Arc::new(sec_tokens(config, folder, stores, clock)?),
            realms: realms::of(config, stores, clock)?,
            // Where none is configured, nothing may need it: what does says so when it is composed.
            own: config.own_domain().unwrap_or("main").to_owned(),
            domains: logins::of(config, folder, stores, clock, metrics)?,
        })
    }

    /// How one logs in to this domain; without a name to that of the services.
    pub(super) fn logins(&self, domain: Option<&str>) -> Result<&Logins, ComposeError> {
        let name = self.name(domain);
        self.domains.get(name).ok_or_else(|| {
            ComposeError::unfit(
                "domains",
                format!(
                    "no session domain {name:?} is configured, and a route needs it: write `domains: {{{name}: {{}}}}`"
                ),
            )
        })
    }

    /// This name, or that of the services' own domain.
    pub(super) fn name<'a>(&'a self, domain: Option<&'a str>) -> &'a str {
        domain.unwrap_or(&self.own)
    }

    /// The domains whose logins phones approve, with their names.
    pub(super) fn approved(&self) -> impl Iterator<Item = (&String, &Logins, &(Realm, String))> {
        self.domains.iter().filter_map(|(name, logins)| Some((name, logins, logins.oob.as_ref()?)))
    }

    /// The services' own domain.
    pub(super) fn own_domain(&self) -> Result<SessionDomain, ComposeError> {
        parse_domain(&self.own)
    }

    /// The realm of FIDO UAF logins.
    pub(super) fn fido_uaf(&self) -> Result<&Realm, ComposeError> {
        let missing = || ComposeError::unfit("realms", "a row needs a realm of type fido-uaf");
        self.fido_uaf.as_ref().ok_or_else(missing)
    }

    /// The identity-creation filter of a row of ours, which takes sessions of this domain; without a name of that of the
    /// services.
    pub(super) fn for_service(
        &self,
        domain: Option<&str>,
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
                    None => session(self.password_level(domain)?.saturating_add(1), Vec::new()),
                };
                (demand, InternalAccess::With(Role::ActFor))
            }
            Protection::Admin => (Admission::InternalOnly, InternalAccess::With(Role::Admin)),
            Protection::Internal => (Admission::InternalOnly, InternalAccess::Anybody),
        };
        let domain = self.name(domain);
        let settings = self.settings(domain, (admission, internal), interception)?;
        self.filter(settings, self.sessions(domain)?.into())
    }

    /// What a password is worth: without a realm of keys, a row for keys takes what is worth more.
    fn password_level(&self, domain: Option<&str>) -> Result<u8, ComposeError> {
        Ok(self.logins(domain)?.password.as_ref().map_or(0, |password| password.realm().level))
    }

    /// The identity-creation filter of an own row of the configuration.
    pub(super) fn for_upstream(
        &self,
        wanted: &config::IdentityCreation,
        row: &config::Row,
    ) -> Result<Arc<dyn Filter>, ComposeError> {
        let config::IdentityCreation { level, max_age, .. } = *wanted;
        let demand = Demand { level, max_age, realms: wanted.realms.clone(), roles: wanted.roles.clone() };
        let admission = if wanted.open { Admission::Open } else { Admission::Session(demand) };
        let settings = Settings {
            passed_on: row.passed_on,
            ..self.settings(&wanted.domain, (admission, wanted.internal_callers), row.interception)?
        };
        self.filter(settings, self.credentials(wanted)?)
    }

    /// The role filter of an own row, for users of this domain.
    pub(super) fn role(
        &self,
        domain: Option<&str>,
        demand: &RoleDemand,
        interception: bool,
    ) -> Result<Arc<dyn Filter>, ComposeError> {
        let pages = self.logins(domain)?.pages.clone();
        Ok(Arc::new(RoleFilter::new(demand.clone(), self::interception(interception), pages)))
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
        let (sessions, domain) = (&self.logins(Some(domain))?.sessions, parse_domain(domain)?);
        let cookie = CookieSession::new(domain.clone(), sessions.clone());
        Ok([Arc::new(cookie), Arc::new(SessionToken::new(domain, sessions.clone()))])
    }

    fn settings(
        &self,
        domain: &str,
        (admission, internal): (Admission, InternalAccess),
        interception: bool,
    ) -> Result<Settings, ComposeError> {
        Ok(Settings {
            admission,
            internal,
            interception: self::interception(interception),
            start: self.logins(Some(domain))?.start.clone(),
            ..Settings::new(parse_domain(domain)?)
        })
    }

    fn filter(
        &self,
        settings: Settings,
        credentials: Vec<Arc<dyn Credential>>,
    ) -> Result<Arc<dyn Filter>, ComposeError> {
        let pages = self.logins(Some(settings.domain.as_str()))?.pages.clone();
        let callers = self.callers.clone();
        Ok(Arc::new(IdentityCreationFilter::new(settings, credentials, callers, pages, self.clock.clone())))
    }
}

fn interception(wanted: bool) -> Interception {
    if wanted { Interception::Auto } else { Interception::Never }
}

fn sec_tokens(
    config: &Config,
    folder: &DataFolder,
    stores: &Stores,
    clock: &Arc<dyn Clock>,
) -> Result<SecTokenIssuer, ComposeError> {
    let issuer = config.sec_token.issuer.as_ref().map_or(config.public_url.text(), config::WebUrl::text).to_owned();
    let settings = sec_token::Settings { issuer, overlap: config.sec_token.overlap(), entries: SEC_TOKENS };
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

#[cfg(test)]
mod tests;
