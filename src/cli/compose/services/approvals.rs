//! Logins of browsers that phones approve.

use std::sync::Arc;

use super::super::gate::Gate;
use super::super::{Base, ComposeError};
use crate::identity::oob::Settings;
use crate::identity::{OobRealm, Realm};
use crate::jose::MacKey;
use crate::oob::Tokens;
use crate::routes::endpoints::Approvals;

pub(super) fn of(
    base: &Base<'_>,
    gate: &Gate,
    (realm, dispatcher): (Realm, String),
    tokens: &Arc<Tokens>,
) -> Result<Approvals, ComposeError> {
    let key = || format!("realms.{}.dispatcher", realm.name);
    match tokens.dispatchers.get(&dispatcher) {
        None => return Err(ComposeError::unfit(key(), format!("no dispatcher {dispatcher:?} is configured"))),
        // Which of a user's targets is meant, nobody says.
        Some(found) if found.needs_target() => {
            return Err(ComposeError::unfit(key(), format!("the dispatcher {dispatcher} asks only targets")));
        }
        Some(_) => {}
    }
    let limits = tokens.settings.limits;
    let settings = Settings {
        realm,
        dispatcher,
        key: MacKey::new(&base.folder.secret("browser-login")?)?,
        lifetime: limits.token.saturating_add(limits.answer).saturating_add(limits.retention),
    };
    let stores = base.stores;
    let realm = OobRealm::new(
        settings,
        gate.own_sessions()?,
        stores.users.clone(),
        stores.operations.clone(),
        gate.uaf_throttle.clone(),
        base.clock.clone(),
    );
    Ok(Approvals::new(realm, tokens.clone(), gate.pages.clone()))
}
