//! The header fields (RFC 9112 5, 6; RFC 9110 7.2).

use super::line::Version;
use super::{HeadFault, is_token};

/// What the fields said about host and body.
#[derive(Debug, Default)]
struct Seen {
    hosts: usize,
    lengths: usize,
    codings: usize,
}

/// Checks all field lines, each without its line end.
pub(super) fn check<'a>(lines: impl Iterator<Item = &'a [u8]>, version: Version, most: usize) -> Result<(), HeadFault> {
    let mut seen = Seen::default();
    for (index, line) in lines.enumerate() {
        if index >= most {
            return Err(HeadFault::TooMany);
        }
        let (name, value) = split(line)?;
        seen.take(name, value, version)?;
    }
    if seen.hosts > 1 || (seen.hosts == 0 && version == Version::Http11) {
        return Err(HeadFault::Host);
    }
    if seen.lengths > 1 || seen.codings > 1 || (seen.lengths > 0 && seen.codings > 0) {
        return Err(HeadFault::Framing);
    }
    Ok(())
}

/// Name and value of a line; a folded line begins with a space and so has no name.
fn split(line: &[u8]) -> Result<(&[u8], &[u8]), HeadFault> {
    let colon = line.iter().position(|&byte| byte == b':').ok_or(HeadFault::Field)?;
    let (name, rest) = line.split_at(colon);
    let value = rest.strip_prefix(b":").unwrap_or(rest).trim_ascii();
    let printable = value.iter().all(|&byte| byte == b'\t' || !byte.is_ascii_control());
    if is_token(name) && printable { Ok((name, value)) } else { Err(HeadFault::Field) }
}

impl Seen {
    fn take(&mut self, name: &[u8], value: &[u8], version: Version) -> Result<(), HeadFault> {
        if name.eq_ignore_ascii_case(b"host") {
            self.hosts += 1;
            return if is_host(value) { Ok(()) } else { Err(HeadFault::Host) };
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            self.lengths += 1;
            let digits = !value.is_empty() && value.len() <= 18 && value.iter().all(u8::is_ascii_digit);
            return if digits { Ok(()) } else { Err(HeadFault::Framing) };
        }
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.codings += 1;
            let chunked = value.eq_ignore_ascii_case(b"chunked") && version == Version::Http11;
            return if chunked { Ok(()) } else { Err(HeadFault::Coding) };
        }
        Ok(())
    }
}

/// A registered name or an address with an optional port: no userinfo, no list, no path.
pub(in crate::gateway) fn is_host(value: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:[]".contains(byte);
    value.iter().all(plain)
        && std::str::from_utf8(value)
            .ok()
            .and_then(|text| text.parse::<http::uri::Authority>().ok())
            .is_some_and(|authority| !authority.host().is_empty() && has_plain_port(&authority))
}

/// `host:` and a port that is no number are not a port.
fn has_plain_port(authority: &http::uri::Authority) -> bool {
    authority.as_str().len() == authority.host().len() || authority.port_u16().is_some()
}
