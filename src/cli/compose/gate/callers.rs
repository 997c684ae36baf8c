//! Internal callers, with what proves each of them.

use std::path::Path;
use std::sync::Arc;

use sidegate_filters::clock::Clock;
use sidegate_filters::{CertificateDigest, KnownCaller};

use super::realms;
use crate::cli::compose::{ComposeError, Stores};
use crate::config::{CallerProof, Config};
use crate::identity::internal_callers::{BearerHash, ConfiguredCallers, Proof};
use crate::jose::certificates::Authorities;
use crate::store::DataFolder;

pub(super) fn of(
    config: &Config,
    folder: &DataFolder,
    stores: &Stores,
    clock: &Arc<dyn Clock>,
) -> Result<ConfiguredCallers, ComposeError> {
    let (mut proven, mut with_tokens) = (Vec::new(), Vec::new());
    for caller in &config.internal_callers {
        let known = KnownCaller { name: caller.name.clone(), roles: caller.roles.clone() };
        let proof = match &caller.proof {
            CallerProof::Certificates(path) => Proof::Certificates(certificates(&caller.name, path)?),
            CallerProof::Bearer(path) => Proof::Bearer(BearerHash::read(path)?),
            CallerProof::MadeBearer => Proof::Bearer(BearerHash::read_or_make(folder, &caller.made_bearer())?),
            CallerProof::Token(token) => {
                let key = || format!("internal-callers.{}.jwt", caller.name);
                let issuer = realms::of_caller(token, stores, clock);
                with_tokens.push((known, issuer.map_err(|wrong| ComposeError::unfit(key(), wrong))?));
                continue;
            }
        };
        proven.push((known, proof));
    }
    Ok(ConfiguredCallers::new(proven, with_tokens, clock.clone())?)
}

fn certificates(caller: &str, path: &Path) -> Result<Vec<CertificateDigest>, ComposeError> {
    let key = format!("internal-callers.{caller}.client-certificate");
    let shown = Authorities::read(path).map_err(|error| ComposeError::unfit(key, error.to_string()))?;
    Ok(shown.digests()?.into_iter().map(CertificateDigest).collect())
}
