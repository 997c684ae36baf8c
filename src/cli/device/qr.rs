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

#[cfg(test)]
pub(super) mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    /// Writes a picture of `text` as `code.png`, grey or in colours.
    pub(in super::super) fn picture(folder: &Path, text: &str, color: png::ColorType) -> PathBuf {
        const SCALE: usize = 4;
        const MARGIN: usize = 4;
        let code = fast_qr::QRBuilder::new(text).build().unwrap();
        let side = (code.size + 2 * MARGIN) * SCALE;
        let dark = |at: usize| (at / SCALE).checked_sub(MARGIN).filter(|module| *module < code.size);
        let mut pixels = Vec::new();
        for (y, x) in (0..side).flat_map(|y| (0..side).map(move |x| (y, x))) {
            let is_dark = dark(y).zip(dark(x)).is_some_and(|(y, x)| code[y][x].value());
            pixels.extend(vec![if is_dark { 0 } else { u8::MAX }; color.samples()]);
        }
        let path = folder.join("code.png");
        write(&path, side, side, color, &pixels);
        path
    }

    fn write(path: &Path, width: usize, height: usize, color: png::ColorType, pixels: &[u8]) {
        let side = |length: usize| u32::try_from(length).unwrap();
        let mut encoder = png::Encoder::new(File::create(path).unwrap(), side(width), side(height));
        encoder.set_color(color);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.write_header().unwrap().write_image_data(pixels).unwrap();
    }

    #[test]
    fn a_code_is_read_in_grey_and_in_colours() {
        let folder = tempfile::tempdir().unwrap();
        let text = "https://siven.ch?dispatchTokenResponse=".to_owned() + &"Ab-_0".repeat(120);
        for color in [png::ColorType::Grayscale, png::ColorType::Rgb, png::ColorType::Rgba] {
            assert_eq!(read(&picture(folder.path(), &text, color)).unwrap(), text, "{color:?}");
        }
    }

    #[test]
    fn what_is_no_picture_of_a_code_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("code.png");
        assert!(matches!(read(&path), Err(PhoneError::File { .. })));
        fs::write(&path, "no picture").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("no PNG picture"));
        write(&path, 50, 50, png::ColorType::Grayscale, &[255; 2500]);
        assert!(read(&path).unwrap_err().to_string().contains("no QR code"));
        write(&path, 16_001, 1_000, png::ColorType::Grayscale, &[0; 16_001_000]);
        assert!(read(&path).unwrap_err().to_string().contains("16 megapixels"));
    }
}
