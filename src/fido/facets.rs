//! The application's identifier, its appID, which credentials are bound to for ever (`uaf.md` A9, `gateway.md` 6.2).

use sidegate_uaf::wire::AppId;

use crate::store::folder::{DataFolder, FolderError};

const FILE: &str = "app-id";

/// The appID can't be used: a fault at start.
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
    /// Not 1 to 512 characters.
    #[error("an appID has 1 to 512 characters: {0:?}")]
    Length(String),
    /// The one that was kept got lost: not 1 to 512 characters, or not UTF-8.
    #[error(
        "data folder: {path} is damaged, an appID has 1 to 512 characters: put it back from a backup, or remove it and \
         write fido-uaf.app-id with the one that phones have registered for"
    )]
    Damaged {
        /// Which file.
        path: String,
    },
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
    written: Option<&AppId>,
    default: &str,
    has_credentials: bool,
) -> Result<AppId, AppIdFault> {
    let written = written.map(AppId::as_str);
    let kept = folder.read(FILE)?.map(|bytes| read(folder, &bytes)).transpose()?;
    match (written, kept) {
        (None, Some(kept)) => Ok(kept),
        (Some(written), Some(kept)) if written == kept.as_str() => Ok(kept),
        (Some(written), Some(kept)) if has_credentials => {
            Err(AppIdFault::Changed { written: written.to_owned(), kept: kept.as_str().to_owned() })
        }
        (written, kept) => {
            let app_id = checked(written.unwrap_or(default).to_owned())?;
            if let Some(before) = kept {
                tracing::warn!(
                    before = before.as_str(),
                    now = app_id.as_str(),
                    "fido-uaf.app-id is another one than before; no credentials are left, so it takes its place in the \
                     data folder, and phones that kept keys for the one before must register again"
                );
            }
            folder.write(FILE, app_id.as_str().as_bytes())?;
            Ok(app_id)
        }
    }
}

fn read(folder: &DataFolder, bytes: &[u8]) -> Result<AppId, AppIdFault> {
    let text = std::str::from_utf8(bytes).ok();
    let damaged = || AppIdFault::Damaged { path: folder.file(FILE).display().to_string() };
    text.and_then(|text| checked(text.to_owned()).ok()).ok_or_else(damaged)
}

fn checked(app_id: String) -> Result<AppId, AppIdFault> {
    match AppId::new(app_id.as_str()) {
        Ok(checked) if !app_id.is_empty() => Ok(checked),
        _ => Err(AppIdFault::Length(app_id)),
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

    fn kept(folder: &DataFolder, written: Option<&str>, default: &str, bound: bool) -> Result<String, AppIdFault> {
        let written = written.map(|text| AppId::new(text).unwrap());
        kept_app_id(folder, written.as_ref(), default, bound).map(|app_id| app_id.as_str().to_owned())
    }

    #[test]
    fn what_was_made_first_stays() {
        let (_dir, folder) = folder();
        assert_eq!(kept(&folder, None, A, false).unwrap(), A);
        assert_eq!(kept(&folder, None, B, false).unwrap(), A);
        assert_eq!(kept(&folder, None, B, true).unwrap(), A);
    }

    #[test]
    fn a_written_one_counts_while_nothing_is_bound_to_another() {
        let (_dir, folder) = folder();
        assert_eq!(kept(&folder, None, A, false).unwrap(), A);
        assert_eq!(kept(&folder, Some(B), A, false).unwrap(), B);
        assert_eq!(kept(&folder, Some(B), A, true).unwrap(), B);
        assert!(matches!(kept(&folder, Some(A), A, true), Err(AppIdFault::Changed { .. })));
        assert_eq!(kept(&folder, None, A, true).unwrap(), B);
    }

    #[test]
    fn lengths_are_those_of_the_protocol() {
        let (_dir, folder) = folder();
        for text in ["", &"x".repeat(513)] {
            assert!(matches!(kept(&folder, None, text, false), Err(AppIdFault::Length(_))));
        }
        assert!(kept(&folder, None, &"x".repeat(512), false).is_ok());
    }

    #[test]
    fn a_damaged_file_is_named_with_what_mends_it() {
        let (_dir, folder) = folder();
        for damaged in ["".as_bytes(), b"\xff", &[b'x'; 513]] {
            folder.write(FILE, damaged).unwrap();
            for written in [None, Some(A)] {
                let told = kept(&folder, written, A, true).unwrap_err().to_string();
                assert!(
                    told.contains("var/app-id is damaged") && told.contains("from a backup, or remove it"),
                    "{told}"
                );
            }
        }
    }
}
