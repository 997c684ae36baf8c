//! A QR code in a PNG file.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::PhoneError;

/// Pictures beyond this many pixels are not read.
const MOST_PIXELS: usize = 16_000_000;

/// The text of the first QR code in the picture.
pub(super) fn read(path: &Path) -> Result<String, PhoneError> {
    let file = File::open(path).map_err(|source| PhoneError::File { path: path.display().to_string(), source })?;
    let fault = |why: &str| PhoneError::Message(format!("{}: {why}", path.display()));
    let (width, height, grey) = grey(file).ok_or_else(|| fault("no PNG picture of at most 16 megapixels"))?;
    let at = |x: usize, y: usize| grey.get(y * width + x).copied().unwrap_or(u8::MAX);
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, height, at);
    let text = picture.detect_grids().first().and_then(|grid| grid.decode().ok()).map(|(_, text)| text);
    text.ok_or_else(|| fault("no QR code found"))
}

/// Width, height and a byte of brightness a pixel.
fn grey(file: File) -> Option<(usize, usize, Vec<u8>)> {
    let mut decoder = png::Decoder::new(BufReader::new(file));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().ok()?;
    let (width, height) = (usize::try_from(reader.info().width).ok()?, usize::try_from(reader.info().height).ok()?);
    if width.checked_mul(height)? > MOST_PIXELS {
        return None;
    }
    let mut pixels = vec![0; reader.output_buffer_size()?];
    let frame = reader.next_frame(&mut pixels).ok()?;
    let brightness = |pixel: &[u8]| match pixel {
        [red, green, blue, ..] => {
            ((u16::from(*red) + u16::from(*green) + u16::from(*blue)) / 3).try_into().unwrap_or(u8::MAX)
        }
        [grey, ..] => *grey,
        [] => u8::MAX,
    };
    let grey = pixels.get(..frame.buffer_size())?.chunks_exact(frame.color_type.samples()).map(brightness).collect();
    Some((width, height, grey))
}
