//! From a checked configuration to what serves it: stores, identities, services, and the route table that joins them.

mod gate;
mod lasting;
mod memory;
mod notes;
mod routes;
mod services;
mod stores;
mod trial;

use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use sidegate_filters::clock::{Clock, SystemClock};

use super::Failure;
use crate::config::{self, Config, Environment, Overrides, Source};
use crate::fido::{AppIdFault, EndpointFault, FileFaults, MetadataFault, PolicyFault};
use crate::identity::internal_callers::BearerError;
use crate::identity::key_file::KeyFileError;
use crate::identity::password::BuildError;
use crate::jose::CryptoError;
use crate::jose::certificates::AuthoritiesError;
use crate::jose::client_certificate::ClientCertificateError;
use crate::jose::server_certificate::ServerCertificateError;
use crate::routes::Router;
use crate::store::embedded::EmbeddedError;
use crate::store::users::UsersFileError;
use crate::store::{DataFolder, FolderError, StoreError, Targets, Users};
use crate::telemetry::Metrics;

pub(super) use memory::Memory;
pub(super) use notes::notes;
pub(super) use services::upstream::questions;
pub(super) use stores::Stores;
pub(super) use trial::{Misfit, misfits};

/// Why a configuration that reads well can't be served.
#[derive(Debug, thiserror::Error)]
pub(super) enum ComposeError {
    /// The data folder failed.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The store file can't be opened.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// The users' file is not as it should be.
    #[error(transparent)]
    Users(#[from] UsersFileError),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An internal caller's bearer can't be used.
    #[error(transparent)]
    Bearer(#[from] BearerError),
    /// The password realm can't be made.
    #[error(transparent)]
    Password(#[from] BuildError),
    /// A SecToken key can't be used.
    #[error(transparent)]
    SecToken(#[from] KeyFileError),
    /// The application identifier or a facet can't be used.
    #[error(transparent)]
    AppId(#[from] AppIdFault),
    /// Policies can't be used.
    #[error(transparent)]
    Policy(#[from] FileFaults<PolicyFault>),
    /// Metadata statements can't be used.
    #[error(transparent)]
    Metadata(#[from] FileFaults<MetadataFault>),
    /// The cryptographic library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// The authorities of an upstream can't be read.
    #[error(transparent)]
    Authorities(#[from] AuthoritiesError),
    /// What is shown to an upstream can't be used.
    #[error(transparent)]
    ClientCertificate(#[from] ClientCertificateError),
    /// A certificate that phones see can't be read.
    #[error(transparent)]
    ServerCertificate(#[from] ServerCertificateError),
    /// The UAF server behind can't be called.
    #[error(transparent)]
    UafUpstream(#[from] EndpointFault),
    /// Parts do not fit together.
    #[error("{wrong}")]
    Unfit {
        /// The key at fault; empty where it is none.
        key: String,
        /// What does not fit.
        wrong: String,
        /// What would.
        right: &'static str,
    },
}

const MEND: &str = "mend this key, or what it does not fit to";

impl ComposeError {
    fn unfit(key: impl Into<String>, wrong: impl Into<String>) -> Self {
        Self::Unfit { key: key.into(), wrong: wrong.into(), right: MEND }
    }

    /// How to mend it.
    pub(super) fn right(&self) -> &'static str {
        if let Self::Unfit { right, .. } = self { right } else { MEND }
    }

    /// The key of the configuration that is at fault; empty where no key is.
    pub(super) fn key(&self) -> &str {
        match self {
            Self::Unfit { key, .. } => key,
            Self::Bearer(_) => "internal-callers",
            Self::AppId(_) => "fido-uaf.app-id",
            Self::Policy(_) => "fido-uaf.policies",
            Self::Metadata(_) => "fido-uaf.metadata.statements",
            Self::Authorities(_) | Self::ClientCertificate(_) | Self::UafUpstream(_) => "upstreams",
            Self::ServerCertificate(_) => "fido-uaf",
            Self::Folder(_)
            | Self::Embedded(_)
            | Self::Users(_)
            | Self::Store(_)
            | Self::Password(_)
            | Self::SecToken(_)
            | Self::Crypto(_) => "",
        }
    }
}

/// What everything is put together from.
struct Base<'a> {
    config: &'a Config,
    folder: &'a DataFolder,
    stores: &'a Stores,
    clock: &'a Arc<dyn Clock>,
    metrics: &'a Arc<Metrics>,
}

/// The route table of a configuration, over these stores: whoever serves it says so by [`Stores::served`].
///
/// # Errors
/// What can't be served.
pub(super) async fn router(
    config: &Config,
    folder: &DataFolder,
    stores: &Stores,
    clock: &Arc<dyn Clock>,
    metrics: &Arc<Metrics>,
) -> Result<Router, ComposeError> {
    stores.lasting.begin();
    let gate = gate::Gate::build(config, folder, stores, clock, metrics)?;
    let base = Base { config, folder, stores, clock, metrics };
    let services = services::Services::build(&base, &gate).await?;
    routes::table(config, &gate, services.as_ref(), stores, metrics)
}

/// A gateway without listeners, as the benchmarks ask it.
pub struct Composed {
    /// What is served.
    pub router: Router,
    /// Who may log in.
    pub users: Arc<dyn Users>,
    /// Where they are asked to approve.
    pub targets: Arc<dyn Targets>,
}

/// Opens the data folder of a configuration and composes what serves it.
///
/// # Errors
/// What can't be served.
pub async fn compose(config: &Config) -> Result<Composed, Failure> {
    let (stores, router) = try_router(config).await?;
    Ok(Composed { router: router?, users: stores.users, targets: stores.targets })
}

/// The stores of the data folder, and the route table over them if there can be one.
async fn try_router(config: &Config) -> Result<(Stores, Result<Router, ComposeError>), Failure> {
    let (clock, metrics): (Arc<dyn Clock>, _) = (Arc::new(SystemClock), Arc::new(Metrics::new()?));
    let folder = DataFolder::open(&config.data)?;
    let stores = Stores::open(config, &folder, &clock)?;
    let router = router(config, &folder, &stores, &clock, &metrics).await;
    Ok((stores, router))
}

/// A configuration and its route table, for looking at.
pub(super) fn offline(source: &Source) -> Result<(Config, Router), Failure> {
    let config = config::load(source, &Overrides::default(), &Environment::of_process())?;
    let router = dry_run(&config)??;
    Ok((config, router))
}

/// Composes the route table over a data folder that goes again: that of the configuration is not opened, so a gateway
/// may run on it.
fn dry_run(config: &Config) -> Result<Result<Router, ComposeError>, Failure> {
    let scratch = Scratch::make()?;
    let config = Config { data: scratch.0.clone(), ..config.clone() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(try_router(&config)).map(|(_, router)| router)
}

/// Composes the route table over the data folder of a gateway that serves, as a start would find it once that one is gone;
/// nothing is changed in it. Whether the store `has_keys` that one alone can tell.
///
/// # Errors
/// What the start would fail at.
pub(super) fn rehearse(config: &Config, has_keys: bool) -> Result<(), Failure> {
    let (scratch, folder) = (Scratch::make()?, DataFolder::look(&config.data)?);
    let (clock, metrics): (Arc<dyn Clock>, _) = (Arc::new(SystemClock), Arc::new(Metrics::new()?));
    let stores = Stores::beside(config, &folder, (&scratch.0.join("store"), has_keys), &clock)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(router(config, &folder, &stores, &clock, &metrics))?;
    Ok(())
}

/// A folder that goes when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn make() -> Result<Self, std::io::Error> {
        let path = std::env::temp_dir().join(format!("sidegate-{}", uuid::Uuid::new_v4()));
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What can't be removed is a few keys that nothing uses.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
