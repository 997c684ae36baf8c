//! `sidegate keygen`: certificates for trying out, and new keys for SecTokens.

use std::io::{self, Write};
use std::path::Path;

use crate::identity::sec_token::{KeyFileError, SecTokenKeys};
use crate::jose::CryptoError;
use crate::jose::certificates::{Pair, self_signed};
use crate::store::{DataFolder, FolderError, private_file};

/// The command came to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error("{0} is there already; remove it, or name another folder")]
    Exists(String),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    SecToken(#[from] KeyFileError),
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Makes an authority, a server's and a client's certificate in `folder`. Files that are there are never replaced.
pub(super) fn certificates(folder: &Path, out: &mut dyn Write) -> Result<(), Failed> {
    let sample = self_signed()?;
    let pairs = [("ca", &sample.ca), ("server", &sample.server), ("client", &sample.client)];
    let names = pairs.iter().flat_map(|(name, _)| [format!("{name}.pem"), format!("{name}.key")]);
    if let Some(taken) = names.map(|name| folder.join(name)).find(|path| path.exists()) {
        return Err(Failed::Exists(taken.display().to_string()));
    }
    std::fs::create_dir_all(folder)?;
    for (name, pair) in pairs {
        write(folder, name, pair, out)?;
    }
    writeln!(out, "good for 397 days, for localhost, 127.0.0.1 and ::1; browsers must be told to trust ca.pem")?;
    Ok(())
}

/// Makes a new key for SecTokens.
pub(super) fn sec_token(data: &Path, out: &mut dyn Write) -> Result<(), Failed> {
    let keys = SecTokenKeys::rotate(&DataFolder::open(data)?)?;
    writeln!(out, "made the key {} in {}", keys.current().kid(), data.display())?;
    writeln!(
        out,
        "the one before stays in /.well-known/jwks.json; a running gateway signs with the new one after a restart"
    )?;
    Ok(())
}

fn write(folder: &Path, name: &str, pair: &Pair, out: &mut dyn Write) -> Result<(), Failed> {
    for (suffix, content) in [("pem", pair.certificate.as_slice()), ("key", pair.key.as_slice())] {
        let path = folder.join(format!("{name}.{suffix}"));
        if !private_file::create(&path, content)? {
            return Err(Failed::Exists(path.display().to_string()));
        }
        writeln!(out, "made {}", path.display())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn files_are_private_and_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let certs = folder.path().join("new/certs");
        let mut out = Vec::new();
        certificates(&certs, &mut out).unwrap();
        let made = String::from_utf8(out).unwrap();
        for name in ["ca.pem", "ca.key", "server.pem", "server.key", "client.pem", "client.key"] {
            let path = certs.join(name);
            assert!(made.contains(&format!("made {}\n", path.display())), "{made}");
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let before = std::fs::read(certs.join("client.key")).unwrap();
        std::fs::remove_file(certs.join("ca.pem")).unwrap();
        assert!(matches!(certificates(&certs, &mut Vec::new()), Err(Failed::Exists(_))));
        assert_eq!(std::fs::read(certs.join("client.key")).unwrap(), before);
        assert!(!certs.join("ca.pem").exists());
    }

    #[test]
    fn a_new_key_leaves_the_one_before_in_the_set() {
        let root = tempfile::tempdir().unwrap();
        let data = root.path().join("var");
        let kid = || {
            let mut out = Vec::new();
            sec_token(&data, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            text.split(' ').nth(3).unwrap().to_owned()
        };
        let (first, second) = (kid(), kid());
        assert_ne!(first, second);
        let keys = SecTokenKeys::read_or_make(&DataFolder::open(&data).unwrap()).unwrap();
        assert_eq!(keys.current().kid(), second);
        assert!(keys.jwks().to_string().contains(&first));
    }
}
