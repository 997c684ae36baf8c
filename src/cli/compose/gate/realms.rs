//! Realms whose users show a credential at each request.

use std::sync::Arc;

use sidegate_filters::clock::Clock;
use sidegate_filters::identity_creation::{BearerToken, Credential};

use super::{ComposeError, parse_domain};
use crate::config::{self, Config, JwkSet, Jwt, RealmKind, TokenIssuer};
use crate::identity::jwt::{Claim, Issuer, IssuerKeys, JwtRealm, Pace, Settings, Source};
use crate::identity::remote::{Patience, Remote};
use crate::jose::certificates::Authorities;

/// How old what is known of a file may be.
const FILE: std::time::Duration = std::time::Duration::from_secs(1);

type WithCredential = (config::Realm, Option<Arc<dyn Credential>>);

/// All realms; those that make sessions with nothing.
pub(super) fn of(config: &Config, clock: &Arc<dyn Clock>) -> Result<Vec<WithCredential>, ComposeError> {
    let credential = |realm: &config::Realm| match &realm.kind {
        RealmKind::Password | RealmKind::FidoUaf => Ok(None),
        RealmKind::Jwt(jwt) => bearer(realm, jwt, clock).map(Some),
    };
    config.realms.iter().map(|realm| Ok((realm.clone(), credential(realm)?))).collect()
}

fn bearer(realm: &config::Realm, jwt: &Jwt, clock: &Arc<dyn Clock>) -> Result<Arc<dyn Credential>, ComposeError> {
    let settings = Settings {
        realm: realm.name.clone(),
        domain: realm.domain.clone(),
        level: realm.level,
        clock_skew: jwt.clock_skew,
    };
    let issuers = jwt.issuers.iter().enumerate().map(|(index, wanted)| {
        issuer(wanted, jwt, clock)
            .map_err(|wrong| ComposeError::unfit(format!("realms.{}.issuers[{index}]", realm.name), wrong))
    });
    let tokens = JwtRealm::new(settings, issuers.collect::<Result<_, _>>()?, clock.clone());
    Ok(Arc::new(BearerToken::new(parse_domain(&realm.domain)?, Arc::new(tokens))))
}

fn issuer(wanted: &TokenIssuer, jwt: &Jwt, clock: &Arc<dyn Clock>) -> Result<Issuer, String> {
    let config::KeyPace { refresh, keep, retry, timeout, .. } = jwt.keys;
    let (source, pace) = match &wanted.jwks {
        JwkSet::File(path) => (Source::File(path.clone()), Pace { refresh: FILE, keep, retry: FILE }),
        JwkSet::Url(url, ca) => {
            let authorities = ca.as_deref().map(Authorities::read).transpose().map_err(|error| error.to_string())?;
            let patience = Patience { connect: timeout, total: timeout };
            let remote = Remote::new(url.text(), authorities.as_ref(), patience).map_err(|error| error.to_string())?;
            (Source::Url(Box::new(remote)), Pace { refresh, keep, retry })
        }
    };
    Ok(Issuer {
        issuer: wanted.issuer.clone(),
        audience: wanted.audience.clone(),
        algorithms: wanted.algorithms.clone(),
        typ: wanted.typ.clone(),
        user: Claim(wanted.user.clone()),
        name: wanted.name.clone().map(Claim),
        roles: Claim(wanted.roles.clone()),
        levels: wanted.levels.clone(),
        keys: IssuerKeys::new(wanted.issuer.clone(), source, pace, clock.clone()),
    })
}
