//! The out-of-band services and the UAF server, inside or behind.

mod approvals;
pub(in crate::cli) mod upstream;

use std::collections::BTreeMap;
use std::sync::Arc;

use sidegate_filters::clock::Clock;
use sidegate_uaf::authenticator::SOFTWARE_MODEL;
use sidegate_uaf::facets::TrustedFacets;
use sidegate_uaf::metadata::{Models, UnknownModels};
use sidegate_uaf::server_data::ServerDataKey;
use sidegate_uaf::wire::ChannelBinding;
use sidegate_uaf::{Aaid, Algorithm, Decoys, Folding, RelyingParty};

use super::gate::Gate;
use super::{Base, ComposeError, Stores};
use crate::config::{self, AdditionalRegistration, Config, FidoUaf};
use crate::dispatchers::{Dispatcher, Dispatchers, LinkDispatcher};
use crate::fido::{Embedded, EmbeddedSettings, Fido, Policies, channel_of, kept_app_id, statements};
use crate::jose::MacKey;
use crate::jose::server_certificate::{ServerCertificate, ServerCertificateError};
use crate::oob::{Acting, Ghosts, Redeem, Requests, Statuses, Targets, TokenKey, TokenSettings, Tokens};
use crate::routes::ListenerClass;
use crate::routes::endpoints::Approvals;
use crate::store::OperationId;
use crate::store::operation::Limits;

/// Below the public URL: the application identifier where none is written.
const APP_ID_PATH: &str = "/nevisfido/uaf/1.1/facets";

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
    let relying_party = relying_party(base, fido_uaf, facets.clone()).await?;
    Ok(Arc::new(embedded(base, fido_uaf, relying_party)?))
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

async fn relying_party(
    base: &Base<'_>,
    fido_uaf: &FidoUaf,
    facets: TrustedFacets,
) -> Result<RelyingParty, ComposeError> {
    let bound = base.stores.has_keys().await?;
    let default = format!("{}{APP_ID_PATH}", base.config.public_url.text());
    let app_id = kept_app_id(base.folder, fido_uaf.app_id.as_ref(), &default, bound)?;
    let key = ServerDataKey::new(&*base.folder.secret("server-data")?)
        .map_err(|error| ComposeError::unfit("", error.to_string()))?;
    Ok(RelyingParty::new(Some(app_id), facets, models(&fido_uaf.metadata)?, key).with_versions(fido_uaf.versions))
}

pub(super) fn models(metadata: &config::Metadata) -> Result<Models, ComposeError> {
    let unknown = match metadata.unknown_models {
        config::UnknownModels::Refuse => UnknownModels::Refuse,
        config::UnknownModels::Surrogate => UnknownModels::Surrogate(Algorithm::ALL.iter().copied().collect()),
    };
    let stated = metadata.statements.as_ref().map_or(Ok(Vec::new()), |folder| statements(folder))?;
    let models = stated.into_iter().fold(Models::new(unknown), Models::with_statement);
    let models = metadata.revoked.iter().copied().fold(models, Models::with_revoked);
    Ok(metadata.outdated_attestation.iter().copied().fold(models, Models::with_outdated_attestation))
}

/// What phones see of the servers that they connect to: our own public TLS listeners, and whoever ends TLS in front of
/// us. Where there is neither, channel bindings are not compared.
fn channels(config: &Config, fido_uaf: &FidoUaf) -> Result<Vec<ChannelBinding>, ServerCertificateError> {
    let public = config.listeners.iter().filter(|listener| listener.class == ListenerClass::Public);
    let own = public.filter_map(|listener| Some(&listener.tls.as_ref()?.certificate));
    own.chain(&fido_uaf.tls_certificates)
        .map(|file| ServerCertificate::read(file).map(|seen| channel_of(&seen)))
        .collect()
}

fn embedded(base: &Base<'_>, fido_uaf: &FidoUaf, relying_party: RelyingParty) -> Result<Embedded, ComposeError> {
    let policies = match &fido_uaf.policies {
        Some(folder) => Policies::load(folder)?,
        None => Policies::built_in(),
    };
    Ok(Embedded {
        decoys: decoys(base, fido_uaf, &relying_party, &policies)?,
        relying_party,
        policies,
        operations: base.stores.operations.clone(),
        credentials: base.stores.credentials.clone(),
        users: base.stores.users.clone(),
        eras: base.stores.eras(),
        clock: base.clock.clone(),
        channels: channels(base.config, fido_uaf)?,
        settings: EmbeddedSettings { answer: fido_uaf.time_limits.answer, folding: folding(fido_uaf) },
    })
}

/// Decoys are of the models that users may have: those written, else those of statements and policies whose keys are taken.
/// Where nothing is known of any model, the software phone's is one that is used.
fn decoys(
    base: &Base<'_>,
    fido_uaf: &FidoUaf,
    relying_party: &RelyingParty,
    policies: &Policies,
) -> Result<Option<Decoys>, ComposeError> {
    if !fido_uaf.hide_users {
        return Ok(None);
    }
    let mut models = fido_uaf.decoy_models.clone();
    let is_taken = |aaid: &Aaid| relying_party.check_model(*aaid).is_ok();
    if models.is_empty() {
        models.extend(relying_party.stated_models().chain(policies.models()).filter(is_taken));
    }
    if models.is_empty() {
        models.extend(SOFTWARE_MODEL.parse::<Aaid>().into_iter().filter(is_taken));
    }
    let unfit = |wrong: String| ComposeError::unfit("fido-uaf.decoy-models", wrong);
    let made = Decoys::new(&*base.folder.secret("decoy-key")?, relying_party, models);
    let decoys = made.map_err(|error| unfit(error.to_string()))?;
    match unhidden(relying_party, &decoys, policies).map_err(|error| unfit(error.to_string()))? {
        None => Ok(Some(decoys)),
        Some(policy) => Err(unfit(format!(
            "no decoy fits the policy {policy}, so whoever has no key for it would show: name a model that it takes (for a \
             policy that wants several keys, several models), or write hide-users: false"
        ))),
    }
}

/// A policy that users can have keys for and decoys are none for: strangers choose the policy, too.
fn unhidden<'p>(
    relying_party: &RelyingParty,
    decoys: &Decoys,
    policies: &'p Policies,
) -> Result<Option<&'p str>, sidegate_uaf::Error> {
    for (name, policy) in policies.iter().filter(|(_, policy)| relying_party.may_be_met(policy)) {
        if !relying_party.has_decoy(policy, decoys)? {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn folding(fido_uaf: &FidoUaf) -> Folding {
    if fido_uaf.fold_content_codes { Folding::Content } else { Folding::Specific }
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
