//! Realms whose users show a credential at each request.

use std::sync::Arc;

use sidegate_filters::clock::Clock;
use sidegate_filters::identity_creation::{BearerToken, ClientCertificate, Credential, Forwarded};

use super::{ComposeError, Stores, parse_domain};
use crate::cli::compose::routes::upstream_tls;
use crate::cli::compose::services::upstream::PARALLEL;
use crate::config::{
    self, CallerToken, CertificateName, CertificateUser, Config, JwkSet, Jwt, RealmKind, TokenIssuer, UserIssuer,
};
use crate::identity::forward::{self, ForwardRealm};
use crate::identity::jwt::{Claim, Issuer, IssuerKeys, JwtRealm, Pace, Settings, Source};
use crate::identity::mtls::{MtlsRealm, Named, Owner};
use crate::identity::remote::{Patience, Remote};
use crate::identity::{Paces, Throttle};
use crate::jose::UpstreamTls;
use crate::jose::certificates::Authorities;
use crate::seats::Seats;

/// How old what is known of a file may be.
const FILE: std::time::Duration = std::time::Duration::from_secs(1);

type WithCredential = (config::Realm, Option<Arc<dyn Credential>>);

/// All realms; those that make sessions with nothing.
pub(super) fn of(
    config: &Config,
    stores: &Stores,
    clock: &Arc<dyn Clock>,
) -> Result<Vec<WithCredential>, ComposeError> {
    let credential = |realm: &config::Realm| match &realm.kind {
        RealmKind::Password | RealmKind::FidoUaf | RealmKind::Oob(_) => Ok(None),
        RealmKind::Jwt(jwt) => bearer(realm, jwt, stores, clock).map(Some),
        RealmKind::Mtls(users) => Ok(Some(certificate(realm, users))),
        RealmKind::Forward(wanted) => service(config, realm, wanted, stores, clock).map(Some),
    };
    config.realms.iter().map(|realm| Ok((realm.clone(), credential(realm)?))).collect()
}

fn bearer(
    realm: &config::Realm,
    jwt: &Jwt,
    stores: &Stores,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn Credential>, ComposeError> {
    let settings = Settings {
        realm: realm.name.clone(),
        domain: realm.domain.clone(),
        level: realm.level,
        clock_skew: jwt.clock_skew,
    };
    let issuers = jwt.issuers.iter().enumerate().map(|(index, wanted)| {
        of_users(wanted, jwt, stores, clock)
            .map_err(|wrong| ComposeError::unfit(format!("realms.{}.issuers[{index}]", realm.name), wrong))
    });
    let tokens = JwtRealm::new(settings, issuers.collect::<Result<_, _>>()?, clock.clone());
    Ok(Arc::new(BearerToken::new(parse_domain(&realm.domain)?, Arc::new(tokens))))
}

fn service(
    config: &Config,
    realm: &config::Realm,
    wanted: &config::Forward,
    stores: &Stores,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn Credential>, ComposeError> {
    let unfit = |wrong: String| ComposeError::unfit(format!("realms.{}", realm.name), wrong);
    let upstream = config.upstreams.iter().find(|upstream| upstream.name == wanted.upstream);
    let upstream = upstream.ok_or_else(|| unfit(format!("no upstream {:?} is configured", wanted.upstream)))?;
    let server = upstream.servers.first().ok_or_else(|| unfit("its upstream has no server".to_owned()))?;
    let tls = upstream.tls.as_ref().map(upstream_tls).transpose()?;
    let name = upstream.tls.as_ref().map(|tls| tls.name_of(server));
    let patience = Patience { connect: upstream.connect_timeout.min(wanted.timeout), total: wanted.timeout };
    let url = format!("{}{}", server.text(), wanted.path);
    let remote = Remote::new(&url, tls.as_ref().map(|tls| (name, tls)), patience);
    let (name, domain) = (realm.name.clone(), realm.domain.clone());
    let (upstream, terms) = (upstream.name.clone(), wanted.terms.clone());
    let settings = forward::Settings { realm: name, domain, upstream, level: realm.level, terms };
    let share = config.limits.connections_share;
    let seats = stores.lasting.seats(&realm.name, || Seats::new(PARALLEL, Some(share)));
    let memory = stores.lasting.forward.get_or_init(|| {
        let throttle = Arc::new(Throttle::new(Paces::of_questions(PARALLEL, share), clock.clone()));
        forward::Memory { throttle, users: Arc::default() }
    });
    let remote = remote.map_err(|error| unfit(error.to_string()))?;
    let service = ForwardRealm::new(settings, remote, seats, memory.clone(), clock.clone());
    Ok(Arc::new(Forwarded::new(Arc::new(service))))
}

fn certificate(realm: &config::Realm, users: &[CertificateUser]) -> Arc<dyn Credential> {
    let owner = |wanted: &CertificateUser| {
        let value = wanted.value.clone();
        let named = match wanted.kind {
            CertificateName::Subject => Named::Subject(value),
            CertificateName::Email => Named::Email(value),
            CertificateName::Host => Named::Host(value),
            CertificateName::Uri => Named::Uri(value),
        };
        Owner { named, user: wanted.user.clone(), name: wanted.name.clone(), roles: wanted.roles.clone() }
    };
    let owners = users.iter().map(owner).collect();
    let realm = MtlsRealm::new(realm.name.clone(), realm.domain.clone(), realm.level, owners);
    Arc::new(ClientCertificate::new(Arc::new(realm)))
}

/// Where an issuer's keys are, and how they are read.
#[derive(PartialEq)]
pub(in crate::cli::compose) struct KeySetOf {
    pub(in crate::cli::compose) issuer: String,
    at: JwkSet,
    tls: Option<UpstreamTls>,
    pace: config::KeyPace,
}

impl KeySetOf {
    fn new(wanted: &TokenIssuer, pace: config::KeyPace) -> Result<Self, String> {
        let tls = match &wanted.jwks {
            JwkSet::Url(url, ca) if url.is_https() => {
                let authorities =
                    ca.as_deref().map(Authorities::read).transpose().map_err(|error| error.to_string())?;
                Some(UpstreamTls { authorities, verify: true, client: None })
            }
            JwkSet::Url(..) | JwkSet::File(_) => None,
        };
        Ok(Self { issuer: wanted.issuer.clone(), at: wanted.jwks.clone(), tls, pace })
    }

    fn keys(&self, clock: &Arc<dyn Clock>) -> Result<IssuerKeys, String> {
        let config::KeyPace { refresh, keep, retry, timeout, .. } = self.pace;
        let (source, pace) = match &self.at {
            JwkSet::File(path) => (Source::File(path.clone()), Pace { refresh: FILE, keep, retry: FILE }),
            JwkSet::Url(url, _) => {
                let (patience, tls) = (Patience { connect: timeout, total: timeout }, self.tls.as_ref());
                let remote = Remote::new(url.text(), tls.map(|tls| (None, tls)), patience);
                let remote = remote.map_err(|error| error.to_string())?;
                (Source::Url(Box::new(remote)), Pace { refresh, keep, retry })
            }
        };
        Ok(IssuerKeys::new(self.issuer.clone(), source, pace, clock.clone()))
    }
}

/// An issuer of users' tokens.
fn of_users(wanted: &UserIssuer, jwt: &Jwt, stores: &Stores, clock: &Arc<dyn Clock>) -> Result<Issuer, String> {
    Ok(Issuer {
        user: Claim(wanted.user.clone()),
        name: wanted.name.clone().map(Claim),
        roles: Some(Claim(wanted.roles.clone())),
        levels: wanted.levels.clone(),
        ..issuer(&wanted.tokens, jwt.keys, stores, clock)?
    })
}

/// The issuer of this caller's tokens.
pub(super) fn of_caller(wanted: &CallerToken, stores: &Stores, clock: &Arc<dyn Clock>) -> Result<Issuer, String> {
    let subject = ("sub".to_owned(), wanted.subject.clone());
    let bound = std::iter::once(subject).chain(wanted.claim.clone());
    let bound = bound.map(|(claim, text)| (Claim(claim), text)).collect();
    Ok(Issuer { bound, ..issuer(&wanted.issuer, wanted.keys, stores, clock)? })
}

/// An issuer of which nothing is asked but who is meant.
fn issuer(
    wanted: &TokenIssuer,
    pace: config::KeyPace,
    stores: &Stores,
    clock: &Arc<dyn Clock>,
) -> Result<Issuer, String> {
    let key_set = KeySetOf::new(wanted, pace)?;
    Ok(Issuer {
        issuer: wanted.issuer.clone(),
        audience: wanted.audience.clone(),
        algorithms: wanted.algorithms.clone(),
        typ: wanted.typ.clone(),
        user: Claim("sub".to_owned()),
        name: None,
        roles: None,
        levels: Vec::new(),
        bound: Vec::new(),
        keys: stores.lasting.issuer_keys(key_set, |wanted| wanted.keys(clock))?,
    })
}
