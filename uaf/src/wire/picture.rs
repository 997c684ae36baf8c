//! `DisplayPNGCharacteristicsDescriptor` (UAF protocol 1.1, section 3.4.5; metadata statements 1.1, section 3.6): which
//! pictures a display can show, and which one a transaction is.

use serde::{Deserialize, Deserializer, Serialize};

use super::non_empty;
use crate::encoding::dictionary;
use crate::png::PngFault;

dictionary!(PngCharacteristics, PaletteEntry);

/// So many kinds of pictures an authenticator may name.
const MAX_KINDS: usize = 16;
/// So many colours the palettes of them may have together: two full ones.
const MAX_COLOURS: usize = 512;
/// The longest side of a picture, in pixels: phones set memory aside for what a header says.
const MAX_SIDE: u32 = 4096;

/// The header of a picture, or of the pictures that a display can show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[serde(rename_all = "camelCase")]
pub struct PngCharacteristics {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Bits per sample.
    pub bit_depth: u8,
    /// PNG colour type.
    pub color_type: u8,
    /// PNG compression method.
    pub compression: u8,
    /// PNG filter method.
    pub filter: u8,
    /// PNG interlace method.
    pub interlace: u8,
    /// The palette.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "non_empty")]
    pub plte: Vec<PaletteEntry>,
}

/// One colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct PaletteEntry {
    /// Red, 0 to 255.
    pub r: u16,
    /// Green, 0 to 255.
    pub g: u16,
    /// Blue, 0 to 255.
    pub b: u16,
}

impl PngCharacteristics {
    /// Whether a display of these characteristics shows a picture with those: they are the same, but for the palette
    /// where the display names none.
    #[must_use]
    pub fn show(&self, picture: &Self) -> bool {
        self.have_header_of(picture) && (self.plte.is_empty() || self.plte == picture.plte)
    }

    /// Whether nothing but the palette differs.
    fn have_header_of(&self, other: &Self) -> bool {
        let head =
            |of: &Self| (of.width, of.height, of.bit_depth, of.color_type, of.compression, of.filter, of.interlace);
        head(self) == head(other)
    }

    /// Sees that there can be such a picture.
    ///
    /// # Errors
    /// [`PngFault`]: what no picture can be.
    pub(crate) fn check(&self) -> Result<(), PngFault> {
        if !(1..=MAX_SIDE).contains(&self.width) || !(1..=MAX_SIDE).contains(&self.height) {
            return Err(PngFault::Size);
        }
        let depths: &[u8] = match self.color_type {
            0 => &[1, 2, 4, 8, 16],
            2 | 4 | 6 => &[8, 16],
            3 => &[1, 2, 4, 8],
            _ => &[],
        };
        if !depths.contains(&self.bit_depth) {
            return Err(PngFault::Colour);
        }
        if self.compression != 0 || self.filter != 0 || self.interlace > 1 {
            return Err(PngFault::Method);
        }
        let most = if self.color_type == 3 { 1_usize << self.bit_depth } else { 0 };
        let is_colour = |entry: &PaletteEntry| [entry.r, entry.g, entry.b].into_iter().all(|value| value <= 255);
        if self.plte.len() > most || !self.plte.iter().all(is_colour) {
            return Err(PngFault::Palette);
        }
        Ok(())
    }
}

/// The pictures that an authenticator says it can show: at least one kind, none that there can't be, and not more than
/// is worth keeping.
pub(crate) fn kinds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PngCharacteristics>, D::Error> {
    let kinds: Vec<PngCharacteristics> = non_empty(deserializer)?;
    let colours: usize = kinds.iter().map(|kind| kind.plte.len()).sum();
    if kinds.len() > MAX_KINDS || colours > MAX_COLOURS {
        return Err(serde::de::Error::custom("too many kinds of pictures"));
    }
    kinds.iter().try_for_each(PngCharacteristics::check).map_err(serde::de::Error::custom)?;
    Ok(kinds)
}
