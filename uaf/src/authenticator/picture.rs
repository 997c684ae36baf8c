//! A picture to be confirmed.

use super::AuthenticatorError;

/// A black picture of 8-bit greys, as PNG: one to ask for where it does not matter what is on it.
///
/// # Errors
/// [`AuthenticatorError::Picture`] if a side is 0.
pub fn black_png(width: u16, height: u16) -> Result<Vec<u8>, AuthenticatorError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width.into(), height.into());
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let pixels = vec![0; usize::from(width) * usize::from(height)];
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels));
    written.map(|()| bytes).map_err(|fault| AuthenticatorError::Picture(fault.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_without_pixels_is_none() {
        assert_eq!(black_png(0, 1).unwrap_err().to_string(), "no picture: Zero width not allowed");
    }
}
