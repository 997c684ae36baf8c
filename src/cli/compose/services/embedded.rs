//! The UAF server inside.

use sidegate_uaf::authenticator::SOFTWARE_MODEL;
use sidegate_uaf::facets::TrustedFacets;
use sidegate_uaf::metadata::{Models, UnknownModels};
use sidegate_uaf::server_data::ServerDataKey;
use sidegate_uaf::wire::ChannelBinding;
use sidegate_uaf::{Aaid, Algorithm, Decoys, Folding, RelyingParty};

use crate::cli::compose::{Base, ComposeError};
use crate::config::{self, Config, FidoUaf};
use crate::fido::{Embedded, EmbeddedSettings, Policies, channel_of, kept_app_id, statements};
use crate::jose::server_certificate::{ServerCertificate, ServerCertificateError};
use crate::routes::ListenerClass;

/// Below the public URL: the application identifier where none is written.
const APP_ID_PATH: &str = "/nevisfido/uaf/1.1/facets";

/// The server for the apps of these facets.
pub(super) async fn server(
    base: &Base<'_>,
    fido_uaf: &FidoUaf,
    facets: TrustedFacets,
) -> Result<Embedded, ComposeError> {
    let relying_party = relying_party(base, fido_uaf, facets).await?;
    embedded(base, fido_uaf, relying_party)
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

pub(in crate::cli::compose) fn models(metadata: &config::Metadata) -> Result<Models, ComposeError> {
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
