//! Strings and byte strings whose length is part of their type.

use std::fmt;

use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{EncodingError, decode, encode};

/// A DOMString of `MIN..=MAX` units of UTF-16, in which WebIDL counts: what is longer, clients refuse.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Text<const MIN: usize, const MAX: usize>(String);

impl<const MIN: usize, const MAX: usize> Text<MIN, MAX> {
    /// The text, if its length fits.
    ///
    /// # Errors
    /// [`EncodingError::Length`].
    pub fn new(text: impl Into<String>) -> Result<Self, EncodingError> {
        let text = text.into();
        // A unit has 1 to 3 bytes, so most answers need no count.
        let fits = text.len() >= MIN && text.len() <= MAX * 3 && (MIN..=MAX).contains(&text.encode_utf16().count());
        if fits { Ok(Self(text)) } else { Err(EncodingError::Length) }
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MIN: usize, const MAX: usize> fmt::Debug for Text<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.0.len())
    }
}

impl<'de, const MIN: usize, const MAX: usize> Deserialize<'de> for Text<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A byte string of `MIN..=MAX` bytes, in JSON as unpadded base64url.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Octets<const MIN: usize, const MAX: usize>(Vec<u8>);

impl<const MIN: usize, const MAX: usize> Octets<MIN, MAX> {
    /// The bytes, if their number fits.
    ///
    /// # Errors
    /// [`EncodingError::Length`].
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, EncodingError> {
        let bytes = bytes.into();
        if (MIN..=MAX).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(EncodingError::Length) }
    }

    /// Reads the base64url form.
    ///
    /// # Errors
    /// [`EncodingError`].
    pub fn from_base64url(text: &str) -> Result<Self, EncodingError> {
        Self::new(decode(text)?)
    }

    /// The bytes themselves.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The base64url form.
    #[must_use]
    pub fn to_base64url(&self) -> String {
        encode(&self.0)
    }
}

impl<const MIN: usize, const MAX: usize> fmt::Debug for Octets<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Octets({} bytes)", self.0.len())
    }
}

impl<const MIN: usize, const MAX: usize> Serialize for Octets<MIN, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_base64url())
    }
}

impl<'de, const MIN: usize, const MAX: usize> Deserialize<'de> for Octets<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Base64Url;
        impl Visitor<'_> for Base64Url {
            type Value = Vec<u8>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("base64url text")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Vec<u8>, E> {
                decode(text).map_err(E::custom)
            }
        }
        Self::new(deserializer.deserialize_str(Base64Url)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_a_range_are_inside() {
        for (length, fits) in [(1, false), (2, true), (3, true), (4, false)] {
            for character in ["e", "é", "€"] {
                assert_eq!(Text::<2, 3>::new(character.repeat(length)).is_ok(), fits, "{length} times {character}");
            }
            assert_eq!(Octets::<2, 3>::new(vec![0; length]).is_ok(), fits, "{length} bytes");
        }
    }

    #[test]
    fn a_character_beyond_the_first_plane_counts_twice_as_in_a_client() {
        for (length, fits) in [(0, false), (1, true), (64, true), (65, false), (128, false)] {
            assert_eq!(Text::<1, 128>::new("😀".repeat(length)).is_ok(), fits, "{length}");
        }
        assert!(Text::<1, 2>::new("e😀").is_err());
    }

    #[test]
    fn nothing_of_the_value_is_printed() {
        let text = Text::<0, 9>::new("geheim").unwrap();
        let octets = Octets::<0, 9>::new(*b"geheim").unwrap();
        assert_eq!(format!("{text:?} {octets:?}"), "Text(6 bytes) Octets(6 bytes)");
    }
}
