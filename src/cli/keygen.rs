//! `sidegate keygen`: certificates for trying out, and new keys for SecTokens.

use std::io::{self, Write};
use std::path::Path;

use sidegate_filters::clock::{Clock as _, SystemClock};

use super::arguments::WhoseKey;
use super::data;
use crate::config::Config;
use crate::identity::SecTokenKeys;
use crate::identity::key_file::KeyFileError;
use crate::identity::sec_token::{Overlap, RotationError};
use crate::jose::CryptoError;
use crate::jose::sample::{Host, Pair, self_signed};
use crate::store::{DataFolder, FolderError, private_file};

const FIRST: &str = "it is the first key there: a gateway with this folder signs with it from its start";
const ROTATED: &str = "a gateway with this folder publishes both, at once if it runs, and signs with the new one when sec-token.keys-kept is over";

/// The command came to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error("{0} is there already; remove it, or name another folder")]
    Exists(String),
    #[error(
        "the configuration has no upstream {0} with a key of its own: name the file with --config, and write \
         sec-token-key: own for it"
    )]
    NoKey(String),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    SecToken(#[from] KeyFileError),
    #[error(transparent)]
    Rotation(#[from] RotationError),
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Makes an authority, a server's certificate for `hosts` and a client's certificate in `folder`. Files that are there
/// are never replaced, and a folder of another account is left alone, as the data folder is.
pub(super) fn certificates(folder: &Path, hosts: &[Host], out: &mut dyn Write) -> Result<(), Failed> {
    let local = Host::local();
    let hosts = if hosts.is_empty() { &local } else { hosts };
    let sample = self_signed(hosts)?;
    let pairs = [("ca", &sample.ca), ("server", &sample.server), ("client", &sample.client)];
    let names = pairs.iter().flat_map(|(name, _)| [format!("{name}.pem"), format!("{name}.key")]);
    if let Some(taken) = names.map(|name| folder.join(name)).find(|path| path.exists()) {
        return Err(Failed::Exists(taken.display().to_string()));
    }
    DataFolder::check(folder)?;
    std::fs::create_dir_all(folder).map_err(|error| private_file::named(folder, &error))?;
    for (name, pair) in pairs {
        write(folder, name, pair, out)?;
    }
    let hosts = hosts.iter().map(Host::to_string).collect::<Vec<_>>().join(", ");
    writeln!(out, "good for 397 days, for {hosts}; browsers must be told to trust ca.pem")?;
    Ok(())
}

/// Makes new keys for SecTokens, each in place of one that this configuration has.
pub(super) fn sec_tokens(config: &Config, whose: &WhoseKey, out: &mut dyn Write) -> Result<(), Failed> {
    let wanted = |key: &Option<&str>| whose.all || *key == whose.upstream.as_deref();
    let keys: Vec<_> = config.sec_token_keys().filter(wanted).collect();
    if keys.is_empty() {
        return Err(Failed::NoKey(whose.upstream.clone().unwrap_or_default()));
    }
    rotate(&config.data, &keys, config.sec_token.overlap(), out)
}

fn rotate(path: &Path, keys: &[Option<&str>], overlap: Overlap, out: &mut dyn Write) -> Result<(), Failed> {
    let missing = !path.exists();
    let folder = DataFolder::open(path)?;
    if missing {
        writeln!(out, "{}: {}", path.display(), data::MADE)?;
    }
    if folder.closed() {
        writeln!(out, "{}: {}", path.display(), data::CLOSED)?;
    }
    // All of them or none: what is refused can be asked for again.
    for key in keys {
        SecTokenKeys::may_rotate(&folder, *key, overlap, SystemClock.now())?;
    }
    for key in keys {
        let made = SecTokenKeys::rotate(&folder, *key)?;
        let whose = key.map_or_else(String::new, |upstream| format!(" of {upstream}"));
        writeln!(out, "made the key {}{whose} in {}", made.current().kid(), path.display())?;
        writeln!(out, "{}", if made.has_previous() { ROTATED } else { FIRST })?;
    }
    Ok(())
}

/// A key is for its owner alone; a certificate is shown to everybody anyway, and clients need `ca.pem`.
fn write(folder: &Path, name: &str, pair: &Pair, out: &mut dyn Write) -> Result<(), Failed> {
    let (certificate, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
    let made = [
        (private_file::create_public(&certificate, &pair.certificate)?, certificate),
        (private_file::create(&key, &pair.key)?, key),
    ];
    for (made, path) in made {
        if !made {
            return Err(Failed::Exists(path.display().to_string()));
        }
        writeln!(out, "made {}", path.display())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use super::*;

    #[test]
    fn keys_are_private_and_no_file_is_ever_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let certs = folder.path().join("new/certs");
        let mut out = Vec::new();
        certificates(&certs, &[], &mut out).unwrap();
        let made = String::from_utf8(out).unwrap();
        for name in ["ca", "server", "client"] {
            for (suffix, mode) in [("pem", 0o644), ("key", 0o600)] {
                let path = certs.join(format!("{name}.{suffix}"));
                assert!(made.contains(&format!("made {}\n", path.display())), "{made}");
                assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
            }
        }
        assert!(made.contains("for localhost, 127.0.0.1, ::1;"), "{made}");
        let before = std::fs::read(certs.join("client.key")).unwrap();
        std::fs::remove_file(certs.join("ca.pem")).unwrap();
        assert!(matches!(certificates(&certs, &[], &mut Vec::new()), Err(Failed::Exists(_))));
        assert_eq!(std::fs::read(certs.join("client.key")).unwrap(), before);
        assert!(!certs.join("ca.pem").exists());
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("certs");
        std::fs::write(&file, "mine").unwrap();
        let told = certificates(&file, &[], &mut Vec::new()).unwrap_err().to_string();
        assert!(told.contains(&file.display().to_string()), "{told}");
    }

    #[test]
    fn a_new_key_leaves_the_one_before_in_the_set() {
        let root = tempfile::tempdir().unwrap();
        let data = root.path().join("var");
        let overlap = Overlap { kept: Duration::from_secs(60), lifetime: Duration::from_secs(60) };
        let rotated = || {
            let mut out = Vec::new();
            rotate(&data, &[None], overlap, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let told = [rotated(), rotated()];
        let kid = |text: &str| text.split_once("made the key ").unwrap().1.split(' ').next().unwrap().to_owned();
        let [first, second] = told.each_ref().map(|text| kid(text));
        assert_ne!(first, second);
        assert!(
            told[0].starts_with(&format!("{}: {}\n", data.display(), data::MADE)) && told[0].contains(FIRST),
            "{told:?}"
        );
        assert!(!told[1].contains(data::MADE) && !told[1].contains(FIRST) && told[1].contains(ROTATED), "{told:?}");
        let keys = SecTokenKeys::read_or_make(&DataFolder::open(&data).unwrap(), None).unwrap();
        assert_eq!(keys.current().kid(), second);
        assert!(keys.jwks().to_string().contains(&first));
    }
}
