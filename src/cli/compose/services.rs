//! The out-of-band services and the UAF server, inside or behind.

mod approvals;
mod embedded;
pub(in crate::cli) mod upstream;

use std::collections::BTreeMap;
use std::sync::Arc;

use sidegate_filters::clock::Clock;
use sidegate_uaf::facets::TrustedFacets;

use super::gate::Gate;
use super::{Base, ComposeError, Stores};
use crate::config::{self, AdditionalRegistration, FidoUaf};
use crate::dispatchers::{Dispatcher, Dispatchers, LinkDispatcher};
use crate::fido::Fido;
use crate::jose::MacKey;
use crate::oob::{Acting, Ghosts, Redeem, Requests, Statuses, Targets, TokenKey, TokenSettings, Tokens};
use crate::routes::endpoints::Approvals;
use crate::store::OperationId;
use crate::store::operation::Limits;
pub(super) use embedded::models;

/// The services behind the rows.
pub(super) struct Services {
    pub(super) fido: Arc<dyn Fido>,
    pub(super) facets: TrustedFacets,
    pub(super) targets: Arc<Targets>,
    pub(super) tokens: Arc<Tokens>,
    pub(super) redeem: Arc<Redeem>,
    pub(super) requests: Arc<Requests>,
    pub(super) statuses: Arc<Statuses>,
    /// Of logins of browsers that phones approve, by the domain, where it has a realm of type oob.
    pub(super) approvals: BTreeMap<String, Arc<Approvals>>,
    pub(super) anonymous_content: bool,
    pub(super) clock_skew: std::time::Duration,
    pub(super) clock: Arc<dyn Clock>,
}

impl Services {
    /// The services of a configuration; none where it has no `fido-uaf`.
    pub(super) async fn build(base: &Base<'_>, gate: &Gate) -> Result<Option<Self>, ComposeError> {
        let Some(fido_uaf) = &base.config.fido_uaf else { return Ok(None) };
        let facets = trusted_facets(fido_uaf);
        let fido = server(base, fido_uaf, &facets).await?;
        let key = MacKey::new(&base.folder.secret("operation-id")?)?;
        let of_log = OperationId::log_key(&key)?;
        base.stores.lasting.log_key.get_or_init(|| of_log);
        let shared = Shared {
            stores: base.stores,
            clock: base.clock,
            acting: acting(base, fido_uaf, &fido, gate)?,
            fido,
            dispatchers: dispatchers(fido_uaf),
            key: TokenKey::new(key),
            limits: limits(fido_uaf),
        };
        let tokens = Arc::new(shared.tokens(fido_uaf.status_response));
        Ok(Some(Self {
            approvals: approvals::of(base, gate, &tokens)?,
            targets: Arc::new(shared.targets()),
            tokens,
            redeem: Arc::new(shared.redeem()),
            requests: Arc::new(shared.requests()),
            statuses: Arc::new(shared.statuses()),
            anonymous_content: fido_uaf.anonymous_content,
            clock_skew: fido_uaf.time_limits.clock_skew,
            clock: base.clock.clone(),
            facets,
            fido: shared.fido,
        }))
    }
}

/// What the services have in common.
struct Shared<'a> {
    stores: &'a Stores,
    clock: &'a Arc<dyn Clock>,
    fido: Arc<dyn Fido>,
    acting: Acting,
    dispatchers: Dispatchers,
    key: TokenKey,
    limits: Limits,
}

impl Shared<'_> {
    fn targets(&self) -> Targets {
        Targets {
            targets: self.stores.targets.clone(),
            users: self.stores.users.clone(),
            acting: self.acting.clone(),
            dispatchers: self.dispatchers.clone(),
            clock: self.clock.clone(),
        }
    }

    fn tokens(&self, status_response: bool) -> Tokens {
        Tokens {
            operations: self.stores.operations.clone(),
            targets: self.stores.targets.clone(),
            acting: self.acting.clone(),
            dispatchers: self.dispatchers.clone(),
            recipients: self.stores.lasting.recipients.clone(),
            fido: self.fido.clone(),
            key: self.key.clone(),
            clock: self.clock.clone(),
            settings: TokenSettings { limits: self.limits, status_response },
        }
    }

    fn redeem(&self) -> Redeem {
        Redeem {
            operations: self.stores.operations.clone(),
            users: self.stores.users.clone(),
            eras: self.stores.eras(),
            fido: self.fido.clone(),
            key: self.key.clone(),
            clock: self.clock.clone(),
        }
    }

    fn requests(&self) -> Requests {
        Requests {
            operations: self.stores.operations.clone(),
            acting: self.acting.clone(),
            fido: self.fido.clone(),
            clock: self.clock.clone(),
            limits: self.limits,
        }
    }

    fn statuses(&self) -> Statuses {
        let (operations, clock) = (self.stores.operations.clone(), self.clock.clone());
        Statuses { operations, clock, proven_only: self.fido.is_elsewhere() }
    }
}

/// The UAF server: one behind, or the one inside.
async fn server(base: &Base<'_>, fido_uaf: &FidoUaf, facets: &TrustedFacets) -> Result<Arc<dyn Fido>, ComposeError> {
    if let Some(behind) = &fido_uaf.upstream {
        return Ok(Arc::new(upstream::server(base, fido_uaf, behind)?));
    }
    Ok(Arc::new(embedded::server(base, fido_uaf, facets.clone()).await?))
}

fn acting(base: &Base<'_>, fido_uaf: &FidoUaf, fido: &Arc<dyn Fido>, gate: &Gate) -> Result<Acting, ComposeError> {
    let domain = gate.logins(None)?.sessions.domain().clone();
    let mut plain = Acting::new(base.stores.eras(), fido_uaf.username_mapper, domain);
    if fido_uaf.hide_users {
        plain = plain.hiding_users(Ghosts::new(MacKey::new(&base.folder.secret("ghost-user")?)?));
    }
    Ok(match fido_uaf.additional_registration {
        AdditionalRegistration::Password => plain,
        AdditionalRegistration::StepUp => plain.with_step_up_registration(fido.clone(), gate.fido_uaf()?.name.clone()),
    })
}

fn trusted_facets(fido_uaf: &FidoUaf) -> TrustedFacets {
    let facets = TrustedFacets::new(fido_uaf.facets.iter().cloned());
    if fido_uaf.wildcards_for_testing { facets.with_wildcards_for_testing() } else { facets }
}

fn limits(fido_uaf: &FidoUaf) -> Limits {
    let limits = fido_uaf.time_limits;
    Limits { token: limits.token, answer: limits.answer, retention: limits.status, lease: limits.lease }
}

fn dispatchers(fido_uaf: &FidoUaf) -> Dispatchers {
    Dispatchers::new(fido_uaf.dispatchers.iter().map(|dispatcher| {
        let config::Dispatcher::Link(link) = dispatcher;
        Arc::new(LinkDispatcher::new(link.base_url.clone(), link.redeem.clone())) as Arc<dyn Dispatcher>
    }))
}
