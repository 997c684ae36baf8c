//! Users who do not exist and look as if they did (`http-api.md` 0.4).

use sidegate_filters::UsernameMapper;

use crate::fido::Subject;
use crate::jose::{CryptoError, MacKey};
use crate::store::ExtId;
use crate::store::users::is_readable;

/// The longest extId that is asked for; those that are made here have 36 bytes.
const LONGEST_EXT_ID: usize = 128;

/// Gives each name that nobody has an extId that stays the same.
#[derive(Debug, Clone)]
pub struct Ghosts(MacKey);

impl Ghosts {
    /// Ghosts by this key, which is used for nothing else.
    #[must_use]
    pub fn new(key: MacKey) -> Self {
        Self(key)
    }

    /// The ghost that is called so; none where no user could be called so, which tells nobody anything and leaves no
    /// text of any length behind.
    pub(super) fn of(&self, mapper: UsernameMapper, called: &str) -> Result<Option<Subject>, CryptoError> {
        let name = called.to_owned();
        Ok(match mapper {
            UsernameMapper::Name if is_readable(called) => Some(Subject { ext_id: self.ext_id(called)?, name }),
            UsernameMapper::ExtId if is_ext_id(called) => Some(Subject { ext_id: called.into(), name }),
            _ => None,
        })
    }

    /// A UUID of version 4 to look at, as [`ExtId::random`] makes them.
    fn ext_id(&self, name: &str) -> Result<ExtId, CryptoError> {
        let tag = self.0.tag(name.as_bytes())?;
        let half = tag.first_chunk::<16>().copied().unwrap_or_default();
        Ok(uuid::Builder::from_random_bytes(half).into_uuid().to_string().into())
    }
}

fn is_ext_id(text: &str) -> bool {
    (1..=LONGEST_EXT_ID).contains(&text.len()) && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    fn ghost(key: u8, mapper: UsernameMapper, called: &str) -> Option<ExtId> {
        let ghosts = Ghosts::new(MacKey::new(&Zeroizing::new([key; 32])).unwrap());
        ghosts.of(mapper, called).unwrap().map(|ghost| ghost.ext_id)
    }

    #[test]
    fn a_name_has_one_ghost_that_looks_like_a_user() {
        let by_name = |key, name| ghost(key, UsernameMapper::Name, name).unwrap();
        assert_eq!(by_name(1, "ghost"), by_name(1, "ghost"));
        assert_ne!(by_name(1, "ghost"), by_name(1, "other"));
        assert_ne!(by_name(1, "ghost"), by_name(2, "ghost"), "the key decides");
        let (made, real) = (by_name(1, "ghost"), ExtId::random());
        let version = |id: &ExtId| uuid::Uuid::try_parse(id.as_str()).unwrap().get_version();
        assert_eq!((made.as_str().len(), version(&made)), (real.as_str().len(), version(&real)));
        assert_eq!(ghost(1, UsernameMapper::ExtId, "ext-1"), Some("ext-1".into()));
    }

    #[test]
    fn what_nobody_can_be_called_has_none() {
        let emoji = "\u{1f600}".repeat(128);
        assert!(ghost(1, UsernameMapper::Name, &emoji).is_some(), "there may be users of such names");
        let long = "x".repeat(129);
        for called in ["", " ghost", "a:b", "a\nb", &long] {
            assert_eq!(ghost(1, UsernameMapper::Name, called), None, "{called:?}");
        }
        for called in ["", "a b", "a\nb", &long] {
            assert_eq!(ghost(1, UsernameMapper::ExtId, called), None, "{called:?}");
        }
    }
}
