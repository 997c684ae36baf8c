//! What a PNG says of itself (ISO/IEC 15948), read chunk by chunk. No pixel is decoded: this tells whether a display can
//! show the picture, not what is on it.

use std::fmt;

use crate::wire::{PaletteEntry, PngCharacteristics};

const SIGNATURE: &[u8; 8] = b"\x89PNG\r\n\x1a\n";
const PALETTE: u8 = 3;
const MAX_COLOURS: usize = 256;

/// Why bytes are no picture that can be sent, or characteristics those of none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PngFault {
    /// The bytes begin otherwise.
    Signature,
    /// A chunk is cut off, IEND is missing or not empty, or something follows it.
    End,
    /// A chunk is not what its checksum says.
    Checksum,
    /// The first chunk is no IHDR, or not of 13 bytes; or there is a second one.
    Header,
    /// A side has no pixel, or more than 4096.
    Size,
    /// Colour type and bit depth do not go together.
    Colour,
    /// A compression, filter or interlace method that nobody knows.
    Method,
    /// The palette is missing, misplaced, there twice, or has not 1 to 2^depth colours, or, being a hint, 1 to 256.
    Palette,
    /// The name of a chunk is not four letters, the third in upper case.
    Name,
    /// A chunk that a reader has to know, and does not.
    Critical,
    /// A chunk of an animation, of which some readers show another frame than others.
    Animation,
    /// There is no IDAT, or other chunks are between two.
    Pixels,
}

impl PngFault {
    /// What is wrong, in words for whoever made the picture.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Signature => "not a PNG: the signature is missing",
            Self::End => "not a whole PNG: a chunk is cut off, IEND is missing or not empty, or something follows it",
            Self::Checksum => "not a PNG: the CRC of a chunk, IHDR or another one, does not fit it",
            Self::Header => "not a PNG: it has to begin with an IHDR of 13 bytes, and have no other",
            Self::Size => "the PNG's IHDR says a width or a height that is not 1 to 4096 pixels",
            Self::Colour => "the PNG's IHDR says a bit depth that its colour type does not have",
            Self::Method => "the PNG's IHDR says an unknown compression, filter or interlace method",
            Self::Palette => {
                "the PNG's PLTE is missing, misplaced, there twice, or does not fit its colour type and bit depth"
            }
            Self::Critical => "the PNG has a critical chunk that nobody knows",
            Self::Name => "not a PNG: the name of a chunk is not four letters, the third in upper case",
            Self::Animation => "the PNG is an animation (acTL, fcTL, fdAT), of which viewers show different frames",
            Self::Pixels => "the PNG has no IDAT, or other chunks between two",
        }
    }
}

impl fmt::Display for PngFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for PngFault {}

/// A part of a PNG whose checksum fits.
struct Chunk<'a> {
    kind: [u8; 4],
    data: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// The first chunk, and what follows it.
    fn split(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), PngFault> {
        let (length, rest) = bytes.split_first_chunk().ok_or(PngFault::End)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| PngFault::End)?;
        let covered = length.checked_add(4).and_then(|length| rest.split_at_checked(length));
        let (covered, rest) = covered.ok_or(PngFault::End)?;
        let (checksum, rest) = rest.split_first_chunk().ok_or(PngFault::End)?;
        let (kind, data) = covered.split_first_chunk().ok_or(PngFault::End)?;
        if crc(covered) != u32::from_be_bytes(*checksum) {
            return Err(PngFault::Checksum);
        }
        // The third letter is reserved: what it means in lower case is to be said yet.
        if !kind.iter().all(u8::is_ascii_alphabetic) || kind[2].is_ascii_lowercase() {
            return Err(PngFault::Name);
        }
        Ok((Self { kind: *kind, data }, rest))
    }

    /// A reader that does not know it must not go on.
    const fn is_critical(&self) -> bool {
        self.kind[0].is_ascii_uppercase()
    }
}

impl PngCharacteristics {
    /// What the header of a picture says, and its palette.
    ///
    /// # Errors
    /// [`PngFault`]: why it is no picture that can be sent.
    pub fn of(png: &[u8]) -> Result<Self, PngFault> {
        let chunks = png.strip_prefix(SIGNATURE).ok_or(PngFault::Signature)?;
        let (header, behind) = Chunk::split(chunks)?;
        let mut read = Self::of_header(&header)?;
        // Before a palette is looked for, which depends on what the header says.
        read.check()?;
        let (mut order, mut rest) = (Order::default(), behind);
        loop {
            let (chunk, behind) = Chunk::split(rest)?;
            rest = behind;
            order.follow(&chunk)?;
            match &chunk.kind {
                b"PLTE" => read.take_palette(chunk.data)?,
                b"IEND" => break,
                _ => {}
            }
        }
        read.check_whole(&order, rest)?;
        Ok(read)
    }

    fn of_header(chunk: &Chunk<'_>) -> Result<Self, PngFault> {
        let bytes: &[u8; 13] = chunk.data.try_into().map_err(|_| PngFault::Header)?;
        if chunk.kind != *b"IHDR" {
            return Err(PngFault::Header);
        }
        let [a, b, c, d, e, f, g, h, bit_depth, color_type, compression, filter, interlace] = *bytes;
        let (width, height) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
        Ok(Self { width, height, bit_depth, color_type, compression, filter, interlace, plte: Vec::new() })
    }

    /// In pictures without a palette it is a hint, or forbidden.
    fn take_palette(&mut self, data: &[u8]) -> Result<(), PngFault> {
        let (colours, odd) = data.as_chunks::<3>();
        if !odd.is_empty() || !(1..=MAX_COLOURS).contains(&colours.len()) {
            return Err(PngFault::Palette);
        }
        if !matches!(self.color_type, 2 | 6) {
            let entry = |[r, g, b]: &[u8; 3]| PaletteEntry { r: (*r).into(), g: (*g).into(), b: (*b).into() };
            self.plte = colours.iter().map(entry).collect();
        }
        Ok(())
    }

    fn check_whole(&self, order: &Order, behind: &[u8]) -> Result<(), PngFault> {
        match () {
            () if !behind.is_empty() => Err(PngFault::End),
            () if !order.has_pixels => Err(PngFault::Pixels),
            () if self.color_type == PALETTE && self.plte.is_empty() => Err(PngFault::Palette),
            () => self.check(),
        }
    }
}

/// What came before a chunk that follows the header.
#[derive(Default)]
struct Order {
    has_palette: bool,
    has_pixels: bool,
    /// Whether the pixels' last chunk was.
    is_behind_pixels: bool,
}

impl Order {
    fn follow(&mut self, chunk: &Chunk<'_>) -> Result<(), PngFault> {
        match &chunk.kind {
            b"IHDR" => return Err(PngFault::Header),
            b"PLTE" if self.has_palette || self.has_pixels => return Err(PngFault::Palette),
            b"IDAT" if self.is_behind_pixels => return Err(PngFault::Pixels),
            b"IEND" if !chunk.data.is_empty() => return Err(PngFault::End),
            b"PLTE" | b"IDAT" | b"IEND" => {}
            b"acTL" | b"fcTL" | b"fdAT" => return Err(PngFault::Animation),
            _ if chunk.is_critical() => return Err(PngFault::Critical),
            _ => {}
        }
        self.has_palette |= chunk.kind == *b"PLTE";
        self.is_behind_pixels = self.has_pixels && chunk.kind != *b"IDAT";
        self.has_pixels |= chunk.kind == *b"IDAT";
        Ok(())
    }
}

/// CRC-32 as PNG has it, bit by bit: pictures here have a few thousand bytes.
fn crc(bytes: &[u8]) -> u32 {
    let shift = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| shift(crc)))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::authenticator::black_png;

    const HEADER: [u8; 13] = [0, 0, 1, 64, 0, 0, 1, 224, 8, 2, 0, 0, 0];

    fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let covered = [&kind[..], data].concat();
        [&u32::try_from(data.len()).unwrap().to_be_bytes()[..], &covered, &crc(&covered).to_be_bytes()].concat()
    }

    fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
        [&SIGNATURE[..], &chunks.concat()].concat()
    }

    /// A picture with these chunks behind its header.
    fn behind_header(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let chunks = chunks.iter().map(|(kind, data)| chunk(kind, data));
        file(&[chunk(b"IHDR", &HEADER)].into_iter().chain(chunks).collect::<Vec<_>>())
    }

    /// A picture whose header has another byte somewhere, its checksum being right.
    fn with(at: usize, value: u8) -> Vec<u8> {
        let mut header = HEADER;
        header[at] = value;
        file(&[chunk(b"IHDR", &header), chunk(b"IDAT", &[1]), chunk(b"IEND", &[])])
    }

    #[test]
    fn a_header_says_what_a_picture_is() {
        let read = PngCharacteristics::of(&black_png(320, 480).unwrap()).unwrap();
        let said = [read.bit_depth, read.color_type, read.compression, read.filter, read.interlace];
        assert_eq!((read.width, read.height, said, read.plte.len()), (320, 480, [8, 0, 0, 0, 0], 0));
    }

    #[test]
    fn a_checksum_is_that_of_the_standard() {
        // The IEND of every PNG.
        assert_eq!(crc(b"IEND"), 0xAE42_6082);
    }

    #[test]
    fn a_palette_is_read_where_colours_are_taken_from_it() {
        let colours = [255, 0, 0, 0, 0, 255];
        let of = |color_type: u8, chunks: &[Vec<u8>]| {
            let mut header = HEADER;
            (header[8], header[9]) = (if color_type == 3 { 1 } else { 8 }, color_type);
            let chunks = [&[chunk(b"IHDR", &header)], chunks, &[chunk(b"IEND", &[])]].concat();
            PngCharacteristics::of(&file(&chunks)).map(|read| read.plte.len())
        };
        let (palette, pixels) = (chunk(b"PLTE", &colours), chunk(b"IDAT", &[1]));
        assert_eq!(of(3, &[palette.clone(), pixels.clone()]), Ok(2));
        assert_eq!(of(2, &[palette.clone(), pixels.clone()]), Ok(0), "a hint");
        for (color_type, chunks) in [
            (3, vec![pixels.clone()]),
            (3, vec![pixels.clone(), palette.clone()]),
            (3, vec![palette.clone(), palette.clone(), pixels.clone()]),
            (3, vec![chunk(b"PLTE", &[0; 9]), pixels.clone()]),
            (3, vec![chunk(b"PLTE", &[0; 4]), pixels.clone()]),
            (3, vec![chunk(b"PLTE", &[]), pixels.clone()]),
            (2, vec![palette.clone(), palette.clone(), pixels.clone()]),
            (2, vec![chunk(b"PLTE", &[0; 3 * 257]), pixels.clone()]),
            (0, vec![palette, pixels]),
        ] {
            assert_eq!(of(color_type, &chunks), Err(PngFault::Palette));
        }
    }

    #[rstest]
    #[case(with(0, 1), PngFault::Size)]
    #[case(with(2, 0x11), PngFault::Size)]
    #[case(with(8, 4), PngFault::Colour)]
    #[case(with(9, 1), PngFault::Colour)]
    #[case(with(9, 7), PngFault::Colour)]
    #[case(with(10, 1), PngFault::Method)]
    #[case(with(11, 1), PngFault::Method)]
    #[case(with(12, 2), PngFault::Method)]
    #[case(file(&[chunk(b"IHDR", &HEADER[..12]), chunk(b"IDAT", &[1]), chunk(b"IEND", &[])]), PngFault::Header)]
    #[case(file(&[chunk(b"IDAT", &[1]), chunk(b"IEND", &[])]), PngFault::Header)]
    #[case(file(&[chunk(b"IHDR", &HEADER), chunk(b"IHDR", &HEADER), chunk(b"IEND", &[])]), PngFault::Header)]
    #[case(file(&[chunk(b"IHDR", &HEADER), chunk(b"IEND", &[])]), PngFault::Pixels)]
    #[case(file(&[chunk(b"IHDR", &HEADER), chunk(b"IDAT", &[1])]), PngFault::End)]
    #[case(file(&[chunk(b"IHDR", &HEADER), chunk(b"ABCD", &[1]), chunk(b"IEND", &[])]), PngFault::Critical)]
    #[case(behind_header(&[(b"IDAT", &[1]), (b"IEND", &[0; 100])]), PngFault::End)]
    #[case(behind_header(&[(b"IDAT", &[1]), (b"tEXt", &[]), (b"IDAT", &[1]), (b"IEND", &[])]), PngFault::Pixels)]
    #[case(behind_header(&[(b"IDAT", &[1]), (&[0, 1, 2, 3], &[]), (b"IEND", &[])]), PngFault::Name)]
    #[case(behind_header(&[(b"text", &[]), (b"IDAT", &[1]), (b"IEND", &[])]), PngFault::Name)]
    #[case(behind_header(&[(b"acTL", &[0; 8]), (b"IDAT", &[1]), (b"IEND", &[])]), PngFault::Animation)]
    #[case(behind_header(&[(b"fcTL", &[0; 26]), (b"IDAT", &[1]), (b"IEND", &[])]), PngFault::Animation)]
    #[case(behind_header(&[(b"IDAT", &[1]), (b"fdAT", &[0; 5]), (b"IEND", &[])]), PngFault::Animation)]
    #[case(behind_header(&[(b"PLTE", &[0; 3]), (b"PLTE", &[0; 3]), (b"IDAT", &[1]), (b"IEND", &[])]), PngFault::Palette)]
    #[case(behind_header(&[(b"PLTE", &[0; 900]), (b"IDAT", &[1]), (b"IEND", &[])]), PngFault::Palette)]
    #[case([with(12, 0), vec![0]].concat(), PngFault::End)]
    #[case(b"GIF89a".to_vec(), PngFault::Signature)]
    #[case(SIGNATURE.to_vec(), PngFault::End)]
    fn a_lie_is_found(#[case] bytes: Vec<u8>, #[case] fault: PngFault) {
        assert_eq!(PngCharacteristics::of(&bytes), Err(fault));
    }

    #[test]
    fn pixels_in_several_chunks_are_pixels() {
        let chunks: [(&[u8; 4], &[u8]); 6] = [
            (b"PLTE", &[0; 768]),
            (b"tEXt", &[1]),
            (b"IDAT", &[1]),
            (b"IDAT", &[2]),
            (b"tIME", &[0; 7]),
            (b"IEND", &[]),
        ];
        assert_eq!(PngCharacteristics::of(&behind_header(&chunks)).map(|read| read.plte.len()), Ok(0));
    }

    #[test]
    fn a_side_of_4096_pixels_is_the_longest_and_zero_is_none() {
        assert!(PngCharacteristics::of(&black_png(4096, 1).unwrap()).is_ok());
        for (width, height) in [(4097, 1), (1, 4097)] {
            assert_eq!(PngCharacteristics::of(&black_png(width, height).unwrap()), Err(PngFault::Size));
        }
        for side in [0, 4] {
            let mut header = HEADER;
            header[side..side + 4].fill(0);
            let none = file(&[chunk(b"IHDR", &header), chunk(b"IDAT", &[1]), chunk(b"IEND", &[])]);
            assert_eq!(PngCharacteristics::of(&none), Err(PngFault::Size));
        }
    }

    #[test]
    fn no_byte_can_be_changed_or_taken_away() {
        let whole = black_png(2, 2).unwrap();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert!(PngCharacteristics::of(&changed).is_err(), "byte {at}");
            assert!(PngCharacteristics::of(&whole[..at]).is_err(), "{at} bytes");
        }
    }
}
