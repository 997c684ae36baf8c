//! The header fields (RFC 9112 5, 6; RFC 9110 7.2).

use std::net::Ipv6Addr;

use super::line::{Line, Version};
use super::{Framing, HeadFault, is_token};

/// What the fields said about host and body.
#[derive(Debug, Default)]
struct Seen<'a> {
    hosts: usize,
    host: Option<&'a [u8]>,
    lengths: usize,
    length: u64,
    codings: usize,
}

/// Checks all field lines, each without its line end; how the body is framed.
pub(super) fn check<'a>(
    lines: impl Iterator<Item = &'a [u8]>,
    line: Line<'_>,
    most: usize,
) -> Result<Framing, HeadFault> {
    let mut seen = Seen::default();
    for (index, field) in lines.enumerate() {
        if index >= most {
            return Err(HeadFault::TooMany);
        }
        let (name, value) = split(field)?;
        seen.take(name, value, line.version)?;
    }
    let differs = line.authority.is_some() && seen.host.is_some() && line.authority != seen.host;
    if seen.hosts > 1 || (seen.hosts == 0 && line.version == Version::Http11) || differs {
        return Err(HeadFault::Host);
    }
    if seen.lengths > 1 || seen.codings > 1 || (seen.lengths > 0 && seen.codings > 0) {
        return Err(HeadFault::Framing);
    }
    Ok(if seen.codings > 0 { Framing::Chunked } else { Framing::Length(seen.length) })
}

/// Name and value of a line; a folded line begins with a space and so has no name.
fn split(line: &[u8]) -> Result<(&[u8], &[u8]), HeadFault> {
    let colon = line.iter().position(|&byte| byte == b':').ok_or(HeadFault::Field)?;
    let (name, rest) = line.split_at(colon);
    let value = trimmed(rest.strip_prefix(b":").unwrap_or(rest));
    let printable = value.iter().all(|&byte| byte == b'\t' || !byte.is_ascii_control());
    if is_token(name) && printable { Ok((name, value)) } else { Err(HeadFault::Field) }
}

/// Without spaces and tabs at its ends. Other white space is refused: a reader who leaves it there sees another value.
fn trimmed(value: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t');
    let (start, end) = (value.iter().position(is_text), value.iter().rposition(is_text));
    start.zip(end).and_then(|(start, end)| value.get(start..=end)).unwrap_or_default()
}

impl<'a> Seen<'a> {
    fn take(&mut self, name: &[u8], value: &'a [u8], version: Version) -> Result<(), HeadFault> {
        if name.eq_ignore_ascii_case(b"host") {
            self.hosts += 1;
            self.host = Some(value);
            return if is_host(value) { Ok(()) } else { Err(HeadFault::Host) };
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            self.lengths += 1;
            let digits = std::str::from_utf8(value).ok().filter(|_| is_length(value));
            self.length = digits.and_then(|digits| digits.parse().ok()).ok_or(HeadFault::Framing)?;
            return Ok(());
        }
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.codings += 1;
            let chunked = value.eq_ignore_ascii_case(b"chunked") && version == Version::Http11;
            return if chunked { Ok(()) } else { Err(HeadFault::Coding) };
        }
        Ok(())
    }
}

/// Digits as everybody writes them: no sign, and no leading zero that somebody reads as octal.
pub(in crate::gateway) fn is_length(value: &[u8]) -> bool {
    let canonical = value == b"0" || !matches!(value.first(), None | Some(b'0'));
    canonical && value.len() <= 18 && value.iter().all(u8::is_ascii_digit)
}

/// A registered name or an address with an optional port: no userinfo, no list, no path.
pub(in crate::gateway) fn is_host(value: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:[]".contains(byte);
    value.iter().all(plain)
        && std::str::from_utf8(value)
            .ok()
            .and_then(|text| text.parse::<http::uri::Authority>().ok())
            .is_some_and(|authority| is_name_or_address(authority.host()) && has_plain_port(&authority))
}

/// Labels with something in them, also before a dot at the end, or an address of IPv6 in brackets.
fn is_name_or_address(host: &str) -> bool {
    match host.strip_prefix('[').map(|rest| rest.strip_suffix(']')) {
        Some(address) => address.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        None => host
            .strip_suffix('.')
            .unwrap_or(host)
            .split('.')
            .all(|label| !label.is_empty() && !label.contains([':', '[', ']'])),
    }
}

/// `host:` and a port that is no number, or has a zero before it, are not a port.
fn has_plain_port(authority: &http::uri::Authority) -> bool {
    let is_plain = |port: http::uri::Port<&str>| port.as_str() == port.as_u16().to_string();
    authority.as_str().len() == authority.host().len() || authority.port().is_some_and(is_plain)
}
