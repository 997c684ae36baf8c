//! The request line (RFC 9112 3).

use super::{HeadFault, is_host, is_token};

/// The two versions that are spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// HTTP/1.0: no `Host` needed, no transfer codings.
    Http10,
    /// HTTP/1.1.
    Http11,
}

/// What the fields must fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) version: Version,
    /// The host that a target in absolute form names.
    pub(super) authority: Option<&'a [u8]>,
}

/// Checks the line. What the target says is looked at later, with the path.
pub(super) fn check(line: &[u8]) -> Result<Line<'_>, HeadFault> {
    let mut parts = line.split(|&byte| byte == b' ');
    let (Some(method), Some(target), Some(version), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(HeadFault::RequestLine);
    };
    if !is_token(method) || target.is_empty() || !target.iter().all(|&byte| is_target_byte(byte)) {
        return Err(HeadFault::RequestLine);
    }
    if matches!(method, b"TRACE" | b"CONNECT") {
        return Err(HeadFault::Method);
    }
    let version = match version {
        b"HTTP/1.1" => Version::Http11,
        b"HTTP/1.0" => Version::Http10,
        _ => return Err(HeadFault::Version),
    };
    Ok(Line { version, authority: authority(target)? })
}

/// The host in a target, if it has the absolute form (RFC 9112 3.2.2). Pingora drops the connection of a client whose
/// target does not parse, without an answer of ours; so it is parsed here, by the same crate.
fn authority(target: &[u8]) -> Result<Option<&[u8]>, HeadFault> {
    let uri = http::Uri::try_from(target).map_err(|_| HeadFault::Target)?;
    if matches!(target, [b'/', ..] | b"*") {
        return Ok(None);
    }
    let is_http = uri.scheme_str().is_some_and(|scheme| matches!(scheme, "http" | "https"));
    let start = target.windows(3).position(|window| window == b"://").map(|index| index + 3);
    let rest = start.filter(|_| is_http).and_then(|start| target.get(start..)).ok_or(HeadFault::Target)?;
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
    rest.get(..end).filter(|authority| is_host(authority)).map(Some).ok_or(HeadFault::Target)
}

/// Visible ASCII without what no client sends; a fragment stays with the client. The rest of what a URI should not hold
/// is in the queries of browsers; in a path it is refused later.
pub(in crate::gateway) fn is_target_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"#<>".contains(&byte)
}
