//! Policies by name: one JSON file each, `default.json` among them (`uaf.md` A0).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sidegate_uaf::Aaid;
use sidegate_uaf::policy::{Policy, PolicyError};

use super::context::DEFAULT_POLICY;
use super::folder::{FileFaults, Unreadable, json_files};

/// The folder of policies can't be used: a fault at start.
#[derive(Debug, thiserror::Error)]
pub enum PolicyFault {
    /// The folder or a file can't be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// A file is no policy.
    #[error("{}: {source}", path.display())]
    Malformed {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        source: PolicyError,
    },
    /// Requests that name no policy would have none.
    #[error("{}: there must be a default.json", .0.display())]
    NoDefault(PathBuf),
}

/// The policies that a request may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policies(BTreeMap<String, Policy>);

impl Policies {
    /// Only the default one: every authenticator that signs with an algorithm this server does.
    #[must_use]
    pub fn built_in() -> Self {
        Self(BTreeMap::from([(DEFAULT_POLICY.to_owned(), Policy::any())]))
    }

    /// The `*.json` files of a folder, each under its name without the ending.
    ///
    /// # Errors
    /// The files that can't be used, and a missing `default.json`.
    pub fn load(folder: &Path) -> Result<Self, FileFaults<PolicyFault>> {
        let (mut policies, mut faults) = (BTreeMap::new(), Vec::new());
        let files = json_files(folder).map_err(PolicyFault::from)?;
        for file in files {
            match file.map_err(PolicyFault::from).and_then(policy) {
                // A request can't name what is no Unicode.
                Ok((path, policy)) => {
                    let name = path.file_stem().and_then(|name| name.to_str());
                    policies.extend(name.map(|name| (name.to_owned(), policy)));
                }
                Err(fault) => faults.push(fault),
            }
        }
        let default = folder.join(DEFAULT_POLICY).with_extension("json");
        if !default.exists() {
            faults.push(PolicyFault::NoDefault(folder.to_owned()));
        }
        FileFaults::none_or(faults, Self(policies))
    }

    /// The models that some policy accepts by name.
    pub fn models(&self) -> impl Iterator<Item = Aaid> + '_ {
        self.0.values().flat_map(Policy::models)
    }

    /// All of them, each with its name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Policy)> + '_ {
        self.0.iter().map(|(name, policy)| (name.as_str(), policy))
    }

    /// The policy of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Policy> {
        self.0.get(name)
    }
}

fn policy((path, text): (PathBuf, String)) -> Result<(PathBuf, Policy), PolicyFault> {
    match Policy::parse(&text) {
        Ok(policy) => Ok((path, policy)),
        Err(source) => Err(PolicyFault::Malformed { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use sidegate_uaf::facets::TrustedFacets;
    use sidegate_uaf::metadata::{Models, UnknownModels};
    use sidegate_uaf::server_data::ServerDataKey;
    use sidegate_uaf::{Decoys, RelyingParty};

    use super::*;

    const ANY: &str = r#"{"accepted":[[{"authenticationAlgorithms":[1],"assertionSchemes":["UAFV1TLV"]}]]}"#;

    #[test]
    fn a_policy_is_named_after_its_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("default.json"), ANY).unwrap();
        fs::write(folder.path().join("bank.json"), ANY).unwrap();
        fs::write(folder.path().join("README.md"), "no policy").unwrap();
        let policies = Policies::load(folder.path()).unwrap();
        assert!(policies.get("bank").is_some());
        assert!(policies.get("README").is_none());
        assert!(policies.get("other").is_none());
    }

    #[test]
    fn faults_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let faults = |folder: &Path| Policies::load(folder).unwrap_err().into_iter().collect::<Vec<_>>();
        assert!(matches!(faults(folder.path())[..], [PolicyFault::NoDefault(_)]));
        fs::write(folder.path().join("bank.json"), "{}").unwrap();
        assert!(matches!(faults(folder.path())[..], [PolicyFault::Malformed { .. }, PolicyFault::NoDefault(_)]));
        fs::write(folder.path().join("default.json"), r#"{"accepted":[]}"#).unwrap();
        fs::write(folder.path().join("good.json"), ANY).unwrap();
        let all = faults(folder.path());
        let named = |at: usize, name: &str| all[at].to_string().contains(name);
        assert!(all.len() == 2 && named(0, "bank.json") && named(1, "default.json"), "{all:?}");
        assert!(matches!(faults(&folder.path().join("x"))[0], PolicyFault::Unreadable(_)));
    }

    /// What is there to copy, together: models of their own, and policies that keys of them meet.
    #[test]
    fn the_samples_fit_each_other() {
        let conf = Path::new(env!("CARGO_MANIFEST_DIR")).join("conf");
        let policies = Policies::load(&conf.join("policies")).unwrap();
        assert_eq!(policies.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["default", "payment"]);
        assert_eq!(policies.get("default"), Policies::built_in().get("default"));
        let models = Models::new(UnknownModels::Refuse);
        let models =
            crate::fido::statements(&conf.join("metadata")).unwrap().into_iter().fold(models, Models::with_statement);
        let key = ServerDataKey::new(&[7; 32]).unwrap();
        let server = RelyingParty::new(None, TrustedFacets::new([]), models, key);
        let decoys = Decoys::new(&[8; 32], &server, server.stated_models()).unwrap();
        for (name, policy) in policies.iter() {
            assert!(server.has_decoy(policy, &decoys).unwrap(), "{name}");
        }
    }

    #[test]
    fn the_built_in_one_is_the_default() {
        assert!(Policies::built_in().get("default").is_some());
    }
}
