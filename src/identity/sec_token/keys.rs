//! The files of the SecToken keys, and their rotation with overlap.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;
use sidegate_filters::clock::Millis;

use crate::identity::key_file::{self, KeyFileError, generate, parse};
use crate::jose::{self, SigningKey};
use crate::store::{DataFolder, FolderError};

/// How long a gateway that runs may take from the moment at which a key is made, or read, until it is published.
const TAKEN: Duration = Duration::from_secs(5);

/// How long a key overlaps with the next one.
#[derive(Debug, Clone, Copy)]
pub struct Overlap {
    /// How long upstreams may keep a JWK set (`Cache-Control`).
    pub kept: Duration,
    /// How long a token holds.
    pub lifetime: Duration,
}

impl Overlap {
    /// From when a new key is read until nobody keeps a JWK set without it any more, and it may sign.
    fn waiting(self) -> Duration {
        self.kept.saturating_add(TAKEN)
    }

    /// From when a new key is made until nothing holds any more that the one before it signed.
    fn whole(self) -> Duration {
        TAKEN.saturating_add(self.waiting()).saturating_add(self.lifetime)
    }
}

/// No new key is made.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// A file can't be used.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The key before the current one would leave the JWK set while tokens hold that it signed.
    #[error(
        "tokens may still hold that the key in {previous} signed, and there is no room for it beside two newer ones: wait \
         {} s, or remove that file if its key is not to be trusted", wait.as_secs().saturating_add(1)
    )]
    TooSoon {
        /// Where it is.
        previous: String,
        /// How long they may hold.
        wait: Duration,
    },
}

/// The files of a key in the data folder, the one that signs first: of this audience's own key, or of the common one. No
/// audience's name has a dot, so none gets at the files of another.
#[must_use]
pub fn key_files(audience: Option<&str>) -> [String; 2] {
    let stem = audience.map_or_else(|| "sectoken".to_owned(), |name| format!("sectoken-{name}"));
    [format!("{stem}.pem"), format!("{stem}.previous.pem")]
}

/// The key that signs, and the one before it, which upstreams still need for tokens under way.
#[derive(Debug)]
pub struct SecTokenKeys {
    current: SigningKey,
    previous: Option<SigningKey>,
    /// Since when the current one is published.
    since: Millis,
}

impl SecTokenKeys {
    /// These keys, as published since the epoch: the current one signs.
    #[must_use]
    pub fn new(current: SigningKey, previous: Option<SigningKey>) -> Self {
        Self { current, previous, since: Millis(0) }
    }

    /// The same, whose newest key is published since then, and waits before it signs.
    #[must_use]
    pub fn published_since(self, since: Millis) -> Self {
        Self { since, ..self }
    }

    /// Reads the keys of the data folder; the first one is made where it is missing.
    ///
    /// # Errors
    /// When a file can't be read, written, or holds something else.
    pub fn read_or_make(folder: &DataFolder, audience: Option<&str>) -> Result<Self, KeyFileError> {
        let [newest, before] = key_files(audience);
        let current = key_file::read_or_make(folder, &newest)?;
        let previous = folder.read(&before)?.map(|pem| parse(folder, &before, &pem)).transpose()?;
        Ok(Self::new(current, previous))
    }

    /// Whether a new key may be made: the one before the current one, if there is one, has to go for it.
    ///
    /// # Errors
    /// [`RotationError::TooSoon`] when the current key was made less than this overlap ago; if a file can't be read.
    pub fn may_rotate(
        folder: &DataFolder,
        audience: Option<&str>,
        overlap: Overlap,
        now: Millis,
    ) -> Result<(), RotationError> {
        let [newest, before] = key_files(audience);
        let (Some(made), Some(_)) = (changed(folder, &newest)?, changed(folder, &before)?) else { return Ok(()) };
        let wait = overlap.whole().saturating_sub(now.since(made));
        let previous = folder.file(&before).display().to_string();
        if wait.is_zero() { Ok(()) } else { Err(RotationError::TooSoon { previous, wait }) }
    }

    /// Makes a new key for the folder; what was current becomes the previous one and stays in the JWK set. A gateway
    /// that reads them after that publishes the new key, and then signs with it ([`SecTokenKeys::signing`]).
    ///
    /// # Errors
    /// As [`SecTokenKeys::read_or_make`]; the current key is as it was.
    pub fn rotate(folder: &DataFolder, audience: Option<&str>) -> Result<Self, KeyFileError> {
        let [newest, before] = key_files(audience);
        // The old key is kept in both places first: cut short here, nothing is lost.
        if let Some(pem) = folder.read(&newest)? {
            parse(folder, &newest, &pem)?;
            folder.write(&before, &pem)?;
        }
        folder.write(&newest, &generate().map_err(FolderError::Io)?)?;
        Self::read_or_make(folder, audience)
    }

    /// The key that signs now. A new one waits until nobody keeps a JWK set without it any more.
    #[must_use]
    pub fn signing(&self, now: Millis, overlap: Overlap) -> &SigningKey {
        self.previous.as_ref().filter(|_| now.since(self.since) < overlap.waiting()).unwrap_or(&self.current)
    }

    /// The newest key.
    #[must_use]
    pub fn current(&self) -> &SigningKey {
        &self.current
    }

    /// Whether there is a key before the newest.
    #[must_use]
    pub fn has_previous(&self) -> bool {
        self.previous.is_some()
    }

    /// The JWK set of both.
    #[must_use]
    pub fn jwks(&self) -> Value {
        jose::jwks(std::iter::once(&self.current).chain(&self.previous))
    }
}

/// When a file of the folder was last written, if it is there.
fn changed(folder: &DataFolder, name: &str) -> Result<Option<Millis>, KeyFileError> {
    let Some(changed) = folder.changed(name)? else { return Ok(None) };
    let since = changed.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Some(Millis(0).after(since)))
}

/// Which keys sign for whom. What signs for an audience with keys of its own signs for no other, so that whoever verifies
/// with them takes no other's token for one of its own.
#[derive(Debug)]
pub struct KeyRing {
    common: SecTokenKeys,
    /// By audience; `None`: the common ones.
    audiences: BTreeMap<String, Option<SecTokenKeys>>,
}

impl KeyRing {
    /// These keys for all audiences but those with their own.
    #[must_use]
    pub fn new(common: SecTokenKeys, audiences: BTreeMap<String, Option<SecTokenKeys>>) -> Self {
        Self { common, audiences }
    }

    /// The keys that are no audience's own.
    #[must_use]
    pub fn common(&self) -> &SecTokenKeys {
        &self.common
    }

    /// The keys that sign for this audience, its own or the common ones.
    #[must_use]
    pub fn of(&self, audience: &str) -> &SecTokenKeys {
        self.audiences.get(audience).and_then(Option::as_ref).unwrap_or(&self.common)
    }

    /// Whether this is an audience.
    #[must_use]
    pub fn knows(&self, audience: &str) -> bool {
        self.audiences.contains_key(audience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kids(keys: &SecTokenKeys) -> Vec<String> {
        let set = keys.jwks();
        set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn the_key_survives_and_rotation_overlaps() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(dir.path().join("var")).unwrap();
        let first = SecTokenKeys::read_or_make(&folder, None).unwrap();
        assert_eq!(kids(&first), [first.current().kid()]);
        assert_eq!(SecTokenKeys::read_or_make(&folder, None).unwrap().current().kid(), first.current().kid());
        let second = SecTokenKeys::rotate(&folder, None).unwrap();
        assert_ne!(second.current().kid(), first.current().kid());
        assert_eq!(kids(&second), [second.current().kid(), first.current().kid()]);
        let third = SecTokenKeys::rotate(&folder, None).unwrap();
        assert_eq!(kids(&third), [third.current().kid(), second.current().kid()]);
        assert_eq!(kids(&SecTokenKeys::read_or_make(&folder, None).unwrap()), kids(&third));
    }

    #[test]
    fn a_key_whose_tokens_may_hold_still_makes_no_room_for_another_unless_it_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(dir.path().join("var")).unwrap();
        let overlap = Overlap { kept: Duration::from_secs(60), lifetime: Duration::from_secs(30) };
        let after = |seconds| {
            let made = changed(&folder, "sectoken-shop.pem").unwrap().unwrap_or(Millis(0));
            SecTokenKeys::may_rotate(&folder, Some("shop"), overlap, made.after(Duration::from_secs(seconds)))
        };
        for _ in 0..2 {
            // With nothing before it, the current key stays.
            after(0).unwrap();
            SecTokenKeys::rotate(&folder, Some("shop")).unwrap();
        }
        let told = after(0).unwrap_err().to_string();
        assert!(told.contains("sectoken-shop.previous.pem") && told.contains("wait 101 s"), "{told}");
        assert!(matches!(after(99), Err(RotationError::TooSoon { .. })));
        after(100).unwrap();
        std::fs::remove_file(folder.file("sectoken-shop.previous.pem")).unwrap();
        after(0).unwrap();
    }

    #[test]
    fn a_file_that_holds_no_key_stops_the_start_and_the_rotation() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(dir.path().join("var")).unwrap();
        folder.write(&key_files(None)[0], b"nothing").unwrap();
        assert!(matches!(SecTokenKeys::read_or_make(&folder, None), Err(KeyFileError::Key(..))));
        assert!(matches!(SecTokenKeys::rotate(&folder, None), Err(KeyFileError::Key(..))));
        assert_eq!(folder.read(&key_files(None)[0]).unwrap().unwrap().as_slice(), b"nothing");
    }
}
