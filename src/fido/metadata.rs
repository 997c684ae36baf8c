//! Metadata statements of authenticator models: one JSON file each (`uaf.md` A10).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sidegate_uaf::Aaid;
use sidegate_uaf::metadata::{Statement, StatementError};

use super::folder::{Unreadable, json_file_or_files};

/// The statements can't be used: a fault at start.
#[derive(Debug, thiserror::Error)]
pub enum MetadataFault {
    /// The folder or a file can't be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// A file is no statement that can be used.
    #[error("{}: {source}", path.display())]
    Malformed {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        source: StatementError,
    },
    /// Two files describe one model: which of them is meant nobody can tell.
    #[error("{} describes {aaid}, which another file describes already", path.display())]
    Twice {
        /// The second file.
        path: PathBuf,
        /// The model.
        aaid: Aaid,
    },
    /// A folder that describes nothing is a slip.
    #[error("{}: there is no .json file", .0.display())]
    Empty(PathBuf),
}

/// A file, or the `*.json` files of a folder, each a statement of version 2 or 3.
///
/// # Errors
/// The first file that can't be used, in the order of their names.
pub fn statements(place: &Path) -> Result<Vec<Statement>, MetadataFault> {
    let mut found = BTreeMap::new();
    for (path, text) in json_file_or_files(place)? {
        let statement =
            Statement::parse(&text).map_err(|source| MetadataFault::Malformed { path: path.clone(), source })?;
        let aaid = statement.aaid();
        if found.insert(aaid, statement).is_some() {
            return Err(MetadataFault::Twice { path, aaid });
        }
    }
    if found.is_empty() { Err(MetadataFault::Empty(place.to_owned())) } else { Ok(found.into_values().collect()) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const STATEMENT: &str = r#"{"aaid": "D0D0#0001", "authenticatorVersion": 1, "upv": [{"major": 1, "minor": 1}],
        "assertionScheme": "UAFV1TLV", "authenticationAlgorithm": 1, "publicKeyAlgAndEncoding": 256,
        "attestationTypes": [15880], "attestationRootCertificates": [], "userVerificationDetails": [[{"userVerification": 2}]],
        "keyProtection": 1, "matcherProtection": 1, "attachmentHint": 1, "tcDisplay": 0, "isSecondFactorOnly": false}"#;

    #[test]
    fn every_json_file_is_a_statement() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("b.json"), STATEMENT.replace("0001", "0002")).unwrap();
        fs::write(folder.path().join("a.json"), STATEMENT).unwrap();
        fs::write(folder.path().join("README.md"), "no statement").unwrap();
        let aaids: Vec<_> = statements(folder.path()).unwrap().iter().map(|s| s.aaid().to_string()).collect();
        assert_eq!(aaids, ["D0D0#0001", "D0D0#0002"]);
    }

    #[test]
    fn one_file_is_enough_whatever_its_name_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("model.statement");
        fs::write(&file, STATEMENT).unwrap();
        assert_eq!(statements(&file).unwrap().len(), 1);
        fs::write(&file, "{}").unwrap();
        let fault = statements(&file).unwrap_err().to_string();
        assert!(fault.contains("model.statement: "), "{fault}");
    }

    #[test]
    fn faults_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(statements(folder.path()), Err(MetadataFault::Empty(_))));
        fs::write(folder.path().join("a.json"), STATEMENT).unwrap();
        fs::write(folder.path().join("b.json"), STATEMENT).unwrap();
        let twice = statements(folder.path()).unwrap_err().to_string();
        assert!(twice.ends_with("b.json describes D0D0#0001, which another file describes already"), "{twice}");
        fs::write(folder.path().join("b.json"), STATEMENT.replace("UAFV1TLV", "U2FV1BIN")).unwrap();
        let fault = statements(folder.path()).unwrap_err().to_string();
        assert!(fault.ends_with("b.json: not for UAF: assertionScheme"), "{fault}");
        fs::write(folder.path().join("b.json"), STATEMENT.replace("\"aaid\"", "\"icon\": null, \"aaid\"")).unwrap();
        let fault = statements(folder.path()).unwrap_err().to_string();
        assert!(fault.ends_with("b.json: statement: icon is null; leave the member out"), "{fault}");
        assert!(matches!(statements(&folder.path().join("x")), Err(MetadataFault::Unreadable(_))));
    }
}
