//! The application's identity: its appID, which credentials are bound to for ever, and the facets it trusts
//! (`uaf.md` A9, `gateway.md` 6.2).

use sidegate_uaf::encoding::Text;
use sidegate_uaf::facets::TrustedFacets;

use crate::store::folder::{DataFolder, FolderError};

const FILE: &str = "app-id";

/// The appID or the facets can't be used: a fault at start.
#[derive(Debug, thiserror::Error)]
pub enum AppIdFault {
    /// Every credential would be lost.
    #[error(
        "fido-uaf.app-id is {written:?}, but credentials were registered for {kept:?} and work for no other: \
         write that one, or remove the credentials"
    )]
    Changed {
        /// What the configuration says.
        written: String,
        /// What the data folder says.
        kept: String,
    },
    /// Not 1 to 512 characters, or not UTF-8.
    #[error("an appID or a facet has 1 to 512 characters: {0:?}")]
    Length(String),
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// The appID to use. One that is not written in the configuration is made once and kept, whatever address the gateway
/// listens on later; one that is written may differ from the kept one only while no credential is bound to it.
///
/// # Errors
/// Why the gateway must not start.
pub fn kept_app_id(
    folder: &DataFolder,
    written: Option<&str>,
    default: &str,
    has_credentials: bool,
) -> Result<String, AppIdFault> {
    let kept = match folder.read(FILE)? {
        Some(bytes) => {
            Some(String::from_utf8(bytes.to_vec()).map_err(|_| AppIdFault::Length("(not UTF-8)".to_owned()))?)
        }
        None => None,
    };
    match (written, kept) {
        (None, Some(kept)) => checked(kept),
        (Some(written), Some(kept)) if written == kept => checked(kept),
        (Some(written), Some(kept)) if has_credentials => {
            Err(AppIdFault::Changed { written: written.to_owned(), kept })
        }
        (written, _) => {
            let app_id = checked(written.unwrap_or(default).to_owned())?;
            folder.write(FILE, app_id.as_bytes())?;
            Ok(app_id)
        }
    }
}

/// The facets whose answers are taken.
///
/// # Errors
/// An id that no client could send.
pub fn trusted_facets<'a>(
    ids: impl IntoIterator<Item = &'a str>,
    wildcards_for_testing: bool,
) -> Result<TrustedFacets, AppIdFault> {
    let checked = |id: &str| Text::new(id).map_err(|_| AppIdFault::Length(id.to_owned()));
    let facets = TrustedFacets::new(ids.into_iter().map(checked).collect::<Result<Vec<_>, _>>()?);
    Ok(if wildcards_for_testing { facets.with_wildcards_for_testing() } else { facets })
}

fn checked(app_id: String) -> Result<String, AppIdFault> {
    match Text::<1, 512>::new(app_id.as_str()) {
        Ok(_) => Ok(app_id),
        Err(_) => Err(AppIdFault::Length(app_id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "https://a.example/facets";
    const B: &str = "https://b.example/facets";

    fn folder() -> (tempfile::TempDir, DataFolder) {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(dir.path().join("var")).unwrap();
        (dir, folder)
    }

    #[test]
    fn what_was_made_first_stays() {
        let (_dir, folder) = folder();
        assert_eq!(kept_app_id(&folder, None, A, false).unwrap(), A);
        assert_eq!(kept_app_id(&folder, None, B, false).unwrap(), A);
        assert_eq!(kept_app_id(&folder, None, B, true).unwrap(), A);
    }

    #[test]
    fn a_written_one_counts_while_nothing_is_bound_to_another() {
        let (_dir, folder) = folder();
        assert_eq!(kept_app_id(&folder, None, A, false).unwrap(), A);
        assert_eq!(kept_app_id(&folder, Some(B), A, false).unwrap(), B);
        assert_eq!(kept_app_id(&folder, Some(B), A, true).unwrap(), B);
        assert!(matches!(kept_app_id(&folder, Some(A), A, true), Err(AppIdFault::Changed { .. })));
        assert_eq!(kept_app_id(&folder, None, A, true).unwrap(), B);
    }

    #[test]
    fn lengths_are_those_of_the_protocol() {
        let (_dir, folder) = folder();
        assert!(matches!(kept_app_id(&folder, Some(""), A, false), Err(AppIdFault::Length(_))));
        assert!(trusted_facets(["https://a", ""], false).is_err());
        assert!(trusted_facets(["https://a"], false).unwrap().trusts("https://a"));
        assert!(!trusted_facets([], false).unwrap().trusts("ios:bundle-id:x"));
        assert!(trusted_facets([], true).unwrap().trusts("ios:bundle-id:x"));
    }
}
