//! Extensions of a certificate by their object identifier, which OpenSSL's bindings do not give. Whoever calls has let
//! OpenSSL decode the certificate and write it again: the bytes are DER.

const SEQUENCE: u8 = 0x30;
const BOOLEAN: u8 = 0x01;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
/// `[0] EXPLICIT Version` of a TBSCertificate, absent in version 1.
const VERSION: u8 = 0xa0;
/// `[3] EXPLICIT Extensions` of a TBSCertificate (RFC 5280, 4.1).
const EXTENSIONS: u8 = 0xa3;

/// The bytes have not the form of a certificate, or an extension occurs twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// An extension of a certificate.
struct Extension<'a> {
    is_critical: bool,
    /// What is inside its OCTET STRING.
    value: &'a [u8],
}

/// The value inside an extension's OCTET STRING; `oid` is the content of the identifier.
pub(super) fn extension<'a>(certificate: &'a [u8], oid: &[u8]) -> Result<Option<&'a [u8]>, Malformed> {
    Ok(find(certificate, oid)?.map(|found| found.value))
}

/// The same of an extension that must not be passed over.
pub(super) fn critical_extension<'a>(certificate: &'a [u8], oid: &[u8]) -> Result<Option<&'a [u8]>, Malformed> {
    Ok(find(certificate, oid)?.filter(|found| found.is_critical).map(|found| found.value))
}

fn find<'a>(certificate: &'a [u8], oid: &[u8]) -> Result<Option<Extension<'a>>, Malformed> {
    let (to_be_signed, _) = expect(only(certificate, SEQUENCE)?, SEQUENCE)?;
    let mut rest = to_be_signed;
    let mut found = None;
    while !rest.is_empty() {
        let (tag, content, behind) = split(rest)?;
        rest = behind;
        if tag == EXTENSIONS {
            found = among(only(content, SEQUENCE)?, oid)?;
        }
    }
    Ok(found)
}

/// The SubjectPublicKeyInfo, which follows the version, serial number, signature algorithm, issuer, validity and subject.
pub(super) fn subject_public_key(certificate: &[u8]) -> Result<&[u8], Malformed> {
    let (mut rest, _) = expect(only(certificate, SEQUENCE)?, SEQUENCE)?;
    let before = if rest.first() == Some(&VERSION) { 6 } else { 5 };
    for _ in 0..before {
        (_, _, rest) = split(rest)?;
    }
    let (_, behind) = expect(rest, SEQUENCE)?;
    rest.get(..rest.len() - behind.len()).ok_or(Malformed)
}

fn among<'a>(mut extensions: &'a [u8], oid: &[u8]) -> Result<Option<Extension<'a>>, Malformed> {
    let mut found = None;
    while !extensions.is_empty() {
        let (extension, behind) = expect(extensions, SEQUENCE)?;
        extensions = behind;
        let (id, rest) = expect(extension, OBJECT_IDENTIFIER)?;
        let (is_critical, value) = match split(rest)? {
            // Some write the default.
            (BOOLEAN, flag, rest) => (flag != [0], only(rest, OCTET_STRING)?),
            _ => (false, only(rest, OCTET_STRING)?),
        };
        if id == oid && found.replace(Extension { is_critical, value }).is_some() {
            return Err(Malformed);
        }
    }
    Ok(found)
}

/// The content of the one element that `bytes` consist of.
pub(super) fn only(bytes: &[u8], tag: u8) -> Result<&[u8], Malformed> {
    match expect(bytes, tag)? {
        (content, []) => Ok(content),
        _ => Err(Malformed),
    }
}

/// The content of the first element, which must have this tag, and what follows it.
pub(super) fn expect(bytes: &[u8], tag: u8) -> Result<(&[u8], &[u8]), Malformed> {
    match split(bytes)? {
        (found, content, rest) if found == tag => Ok((content, rest)),
        _ => Err(Malformed),
    }
}

/// Tag, content, what follows. Lengths of up to two bytes: no certificate in an assertion is longer.
pub(super) fn split(bytes: &[u8]) -> Result<(u8, &[u8], &[u8]), Malformed> {
    let (tag, length, rest) = match bytes {
        [tag, short @ 0..=0x7f, rest @ ..] => (tag, usize::from(*short), rest),
        [tag, 0x81, long @ 0x80..=0xff, rest @ ..] => (tag, usize::from(*long), rest),
        [tag, 0x82, high @ 1..=0xff, low, rest @ ..] => (tag, usize::from(u16::from_be_bytes([*high, *low])), rest),
        _ => return Err(Malformed),
    };
    let (content, rest) = rest.split_at_checked(length).ok_or(Malformed)?;
    Ok((*tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate of nothing but the extensions.
    fn certificate(extensions: &[u8]) -> Vec<u8> {
        let wrap = |tag: u8, content: &[u8]| [&[tag, u8::try_from(content.len()).unwrap()], content].concat();
        let extensions = wrap(EXTENSIONS, &wrap(SEQUENCE, extensions));
        wrap(SEQUENCE, &wrap(SEQUENCE, &[&[2, 1, 7], &extensions[..]].concat()))
    }

    const ONE: &[u8] = &[0x30, 7, 6, 1, 0x51, 4, 2, 5, 0];
    const CRITICAL: &[u8] = &[0x30, 9, 6, 1, 0x52, 1, 1, 0xff, 4, 1, 9];

    #[test]
    fn an_extension_is_found_by_its_identifier() {
        let both = certificate(&[ONE, CRITICAL].concat());
        assert_eq!(extension(&both, &[0x51]), Ok(Some(&[5, 0][..])));
        assert_eq!(extension(&both, &[0x52]), Ok(Some(&[9][..])));
        assert_eq!(extension(&both, &[0x53]), Ok(None));
        assert_eq!(extension(&certificate(&[ONE, ONE].concat()), &[0x51]), Err(Malformed), "twice");
        assert_eq!(extension(&certificate(&[ONE, ONE].concat()), &[0x52]), Ok(None));
        assert_eq!(critical_extension(&both, &[0x51]), Ok(None));
        assert_eq!(critical_extension(&both, &[0x52]), Ok(Some(&[9][..])));
        let uncritical = CRITICAL.iter().map(|byte| if *byte == 0xff { 0 } else { *byte }).collect::<Vec<_>>();
        assert_eq!(critical_extension(&certificate(&uncritical), &[0x52]), Ok(None), "the default, written");
    }

    #[test]
    fn the_key_is_found_with_and_without_a_version() {
        let fields = [[2, 1, 7], [0x30, 1, 1], [0x30, 1, 2], [0x30, 1, 3], [0x30, 1, 4], [0x30, 1, 5]].concat();
        let certificate = |fields: &[u8]| {
            let length = u8::try_from(fields.len()).unwrap();
            [&[0x30, length + 2, 0x30, length], fields].concat()
        };
        let versioned = certificate(&[&[0xa0, 1, 2], &fields[..]].concat());
        for certificate in [certificate(&fields), versioned] {
            assert_eq!(subject_public_key(&certificate), Ok(&[0x30, 1, 5][..]));
        }
        assert_eq!(subject_public_key(&certificate(&fields[..15])), Err(Malformed));
        let followed = certificate(&[&fields[..], &[0xa3, 0]].concat());
        assert_eq!(subject_public_key(&followed), Ok(&[0x30, 1, 5][..]));
    }

    #[test]
    fn a_length_has_its_one_right_form() {
        for bytes in [&[4][..], &[4, 2, 0], &[4, 0x80, 0, 0], &[4, 0x81, 1, 0], &[4, 0x82, 0, 1, 0], &[]] {
            assert_eq!(split(bytes), Err(Malformed), "{bytes:?}");
        }
        assert_eq!(split(&[4, 1, 9, 8]), Ok((4, &[9][..], &[8][..])));
    }
}
