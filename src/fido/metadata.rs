//! Metadata statements of authenticator models: one JSON file each (`uaf.md` A10).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sidegate_uaf::Aaid;
use sidegate_uaf::metadata::{Statement, StatementError};

use super::folder::{FileFaults, Unreadable, json_file_or_files};

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
/// The files that can't be used.
pub fn statements(place: &Path) -> Result<Vec<Statement>, FileFaults<MetadataFault>> {
    let (mut found, mut faults) = (BTreeMap::new(), Vec::new());
    let files = json_file_or_files(place).map_err(MetadataFault::from)?;
    if files.is_empty() {
        faults.push(MetadataFault::Empty(place.to_owned()));
    }
    for file in files {
        match file.map_err(MetadataFault::from).and_then(statement) {
            Ok((path, statement)) => {
                let aaid = statement.aaid();
                if found.insert(aaid, statement).is_some() {
                    faults.push(MetadataFault::Twice { path, aaid });
                }
            }
            Err(fault) => faults.push(fault),
        }
    }
    FileFaults::none_or(faults, found.into_values().collect())
}

fn statement((path, text): (PathBuf, String)) -> Result<(PathBuf, Statement), MetadataFault> {
    match Statement::parse(&text) {
        Ok(statement) => Ok((path, statement)),
        Err(source) => Err(MetadataFault::Malformed { path, source }),
    }
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
        let faults = |place: &Path| statements(place).unwrap_err().into_iter().collect::<Vec<_>>();
        assert!(matches!(faults(folder.path())[..], [MetadataFault::Empty(_)]));
        fs::write(folder.path().join("a.json"), STATEMENT).unwrap();
        fs::write(folder.path().join("b.json"), STATEMENT).unwrap();
        let twice = statements(folder.path()).unwrap_err().to_string();
        assert!(twice.ends_with("b.json describes D0D0#0001, which another file describes already"), "{twice}");
        fs::write(folder.path().join("b.json"), STATEMENT.replace("UAFV1TLV", "U2FV1BIN")).unwrap();
        let fault = statements(folder.path()).unwrap_err().to_string();
        assert!(fault.ends_with("b.json: not for UAF: assertionScheme is not UAFV1TLV"), "{fault}");
        fs::write(folder.path().join("c.json"), "{").unwrap();
        let all = faults(folder.path());
        let named = |at: usize, name: &str| all[at].to_string().contains(name);
        assert!(all.len() == 2 && named(0, "b.json") && named(1, "c.json"), "{all:?}");
        fs::remove_file(folder.path().join("c.json")).unwrap();
        fs::write(folder.path().join("b.json"), STATEMENT.replace("\"aaid\"", "\"icon\": null, \"aaid\"")).unwrap();
        let fault = statements(folder.path()).unwrap_err().to_string();
        assert!(fault.ends_with("b.json: statement: icon is null; leave the member out"), "{fault}");
        assert!(matches!(faults(&folder.path().join("x"))[0], MetadataFault::Unreadable(_)));
    }
}
