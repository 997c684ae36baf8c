//! The display of the phone in software: a terminal for texts, a file for pictures.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use sidegate_uaf::authenticator::Authenticator;
use sidegate_uaf::wire::{PngCharacteristics, Transaction};

use super::{PhoneError, say};
use crate::jose;
use crate::store::private_file;

/// Bit depths and colour types of the pictures that it takes: everything of up to 8 bits that is not interlaced.
const KINDS: [(u8, u8); 10] = [(1, 0), (2, 0), (4, 0), (8, 0), (8, 2), (1, 3), (2, 3), (4, 3), (8, 3), (8, 6)];

/// How large pictures have to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Display {
    width: u32,
    height: u32,
}

impl Display {
    /// The authenticator, registering its keys with this display.
    pub(super) fn of(self, authenticator: Authenticator) -> Authenticator {
        let Self { width, height } = self;
        let kind = |(bit_depth, color_type)| PngCharacteristics {
            width,
            height,
            bit_depth,
            color_type,
            compression: 0,
            filter: 0,
            interlace: 0,
            plte: Vec::new(),
        };
        authenticator.with_pictures(KINDS.into_iter().map(kind).collect())
    }
}

impl Default for Display {
    fn default() -> Self {
        Self { width: 320, height: 480 }
    }
}

impl fmt::Display for Display {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl FromStr for Display {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let side = |side: &str| side.parse().ok().filter(|pixels| (1..=4096).contains(pixels));
        let sides = text.split_once('x').and_then(|(width, height)| Some((side(width)?, side(height)?)));
        let (width, height) = sides.ok_or("not WIDTHxHEIGHT, each from 1 to 4096 pixels")?;
        Ok(Self { width, height })
    }
}

/// Shows what the user is to confirm. The bytes of a picture never go to the terminal, which might obey them.
pub(super) fn show(shown: &Transaction, file: Option<&Path>) -> Result<(), PhoneError> {
    let bytes = shown.content.as_bytes();
    let Some(picture) = &shown.png_characteristics else {
        say(format_args!("to confirm: {:?}", String::from_utf8_lossy(bytes)));
        not_written(file, "this is a text");
        return Ok(());
    };
    let (width, height, length) = (picture.width, picture.height, bytes.len());
    let hash = jose::hex(&jose::sha256(bytes));
    say(format_args!("to confirm: a picture of {width} by {height} pixels, {length} bytes, SHA-256 {hash}"));
    match file {
        Some(file) => {
            private_file::replace(file, bytes).map_err(PhoneError::Keep)?;
            say(format_args!("the picture is in {}", file.display()));
        }
        None => say("to see it, approve with --picture FILE"),
    }
    Ok(())
}

/// Tells that there was no picture for the file, so that nobody takes an older one for it.
pub(super) fn not_written(file: Option<&Path>, why: &str) {
    if let Some(file) = file {
        say(format_args!("{why}: nothing is written to {}", file.display()));
    }
}

/// Sees that a picture can be written there, before a token is used up for it.
pub(super) fn check(file: &Path) -> Result<(), PhoneError> {
    if file.is_dir() {
        return Err(PhoneError::Usage(format!("--picture: {} is a folder", file.display())));
    }
    private_file::probe(file).map_err(PhoneError::Keep)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_display_has_two_sides() {
        assert_eq!("4096x1".parse::<Display>().unwrap().to_string(), "4096x1");
        assert_eq!(Display::default().to_string(), "320x480");
        for bad in ["", "320", "0x1", "1x4097", "320 x 480", "-1x1", "1x1x1"] {
            assert!(bad.parse::<Display>().is_err(), "{bad}");
        }
    }
}
