//! `sidegate keygen`: certificates for trying out, and new keys for SecTokens.

use std::io::{self, Write};
use std::path::Path;

use crate::jose::CryptoError;
use crate::jose::certificates::{Pair, self_signed};
use crate::store::private_file;

/// The command came to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error("{0} is there already; remove it, or name another folder")]
    Exists(String),
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
}
