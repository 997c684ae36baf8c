//! Logins of browsers that phones approve.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::gate::{Gate, Logins};
use super::super::{Base, ComposeError};
use crate::identity::oob::Settings;
use crate::identity::{OobRealm, Realm};
use crate::jose::MacKey;
use crate::oob::Tokens;
use crate::routes::endpoints::Approvals;

/// Those of each domain that has them.
pub(super) fn of(
    base: &Base<'_>,
    gate: &Gate,
    tokens: &Arc<Tokens>,
) -> Result<BTreeMap<String, Arc<Approvals>>, ComposeError> {
    let made = gate.approved().map(|(domain, logins, (realm, dispatcher))| {
        check(realm, dispatcher, tokens)?;
        let settings = settings(base, realm, dispatcher, tokens)?;
        let realm = self::realm(base, gate, logins, settings);
        Ok((domain.clone(), Arc::new(Approvals::new(realm, tokens.clone(), logins.pages.clone()))))
    });
    made.collect()
}

fn check(realm: &Realm, dispatcher: &str, tokens: &Tokens) -> Result<(), ComposeError> {
    let unfit = |wrong: String| Err(ComposeError::unfit(format!("realms.{}.dispatcher", realm.name), wrong));
    match tokens.dispatchers.get(dispatcher) {
        None => unfit(format!("no dispatcher {dispatcher:?} is configured")),
        // Which of a user's targets is meant, nobody says.
        Some(found) if found.needs_target() => unfit(format!("the dispatcher {dispatcher} asks only targets")),
        Some(_) => Ok(()),
    }
}

fn settings(base: &Base<'_>, realm: &Realm, dispatcher: &str, tokens: &Tokens) -> Result<Settings, ComposeError> {
    let limits = tokens.settings.limits;
    Ok(Settings {
        realm: realm.clone(),
        dispatcher: dispatcher.to_owned(),
        key: MacKey::new(&base.folder.secret("browser-login")?)?,
        lifetime: limits.token.saturating_add(limits.answer).saturating_add(limits.retention),
    })
}

fn realm(base: &Base<'_>, gate: &Gate, logins: &Logins, settings: Settings) -> OobRealm {
    let stores = base.stores;
    OobRealm::new(
        settings,
        logins.sessions.clone(),
        stores.users.clone(),
        stores.operations.clone(),
        gate.uaf_throttle.clone(),
        base.clock.clone(),
    )
}
