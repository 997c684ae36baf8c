//! Policies by name: one JSON file each, `default.json` among them (`uaf.md` A0).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sidegate_uaf::Algorithm;
use sidegate_uaf::policy::PolicyError;
use sidegate_uaf::wire::Policy;

use super::context::DEFAULT_POLICY;

/// The folder of policies can't be used: a fault at start.
#[derive(Debug, thiserror::Error)]
pub enum PolicyFault {
    /// The folder or a file can't be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
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
        Self(BTreeMap::from([(DEFAULT_POLICY.to_owned(), Policy::any_of(Algorithm::ALL))]))
    }

    /// The `*.json` files of a folder, each under its name without the ending.
    ///
    /// # Errors
    /// The first file that can't be used, or a missing `default.json`.
    pub fn load(folder: &Path) -> Result<Self, PolicyFault> {
        let unreadable = |path: &Path, source| PolicyFault::Unreadable { path: path.to_owned(), source };
        let mut policies = BTreeMap::new();
        for entry in std::fs::read_dir(folder).map_err(|source| unreadable(folder, source))? {
            let path = entry.map_err(|source| unreadable(folder, source))?.path();
            let (Some("json"), Some(name)) =
                (path.extension().and_then(|e| e.to_str()), path.file_stem().and_then(|n| n.to_str()))
            else {
                continue;
            };
            let text = std::fs::read_to_string(&path).map_err(|source| unreadable(&path, source))?;
            let policy =
                Policy::parse(&text).map_err(|source| PolicyFault::Malformed { path: path.clone(), source })?;
            policies.insert(name.to_owned(), policy);
        }
        if policies.contains_key(DEFAULT_POLICY) {
            Ok(Self(policies))
        } else {
            Err(PolicyFault::NoDefault(folder.to_owned()))
        }
    }

    /// The policy of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Policy> {
        self.0.get(name)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

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
        assert!(matches!(Policies::load(folder.path()), Err(PolicyFault::NoDefault(_))));
        fs::write(folder.path().join("default.json"), r#"{"accepted":[]}"#).unwrap();
        let fault = Policies::load(folder.path()).unwrap_err();
        assert!(fault.to_string().contains("default.json"), "{fault}");
        assert!(matches!(Policies::load(&folder.path().join("x")), Err(PolicyFault::Unreadable { .. })));
    }

    #[test]
    fn the_built_in_one_is_the_default() {
        assert!(Policies::built_in().get("default").is_some());
    }
}
