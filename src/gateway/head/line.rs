//! The request line (RFC 9112 3).

use super::{HeadFault, is_token};

/// The two versions that are spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// HTTP/1.0: no `Host` needed, no transfer codings.
    Http10,
    /// HTTP/1.1.
    Http11,
}

/// Checks the line and tells its version. What the target says is looked at later, with the path.
pub(super) fn check(line: &[u8]) -> Result<Version, HeadFault> {
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
    match version {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        _ => Err(HeadFault::Version),
    }
}

/// Visible ASCII without what no client sends; a fragment stays with the client. The rest of what a URI should not hold
/// is in the queries of browsers; in a path it is refused later.
fn is_target_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"#<>".contains(&byte)
}
