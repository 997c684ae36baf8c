//! What a client may not send, and what comes of it: bytes as they are on the wire, the answer, and what the server behind
//! saw of it, in a table for each protocol (`gateway.md` 2.1, 2.2, 7, 8).

mod built;
mod http1;
mod http2;
mod notation;
mod table;

use std::collections::BTreeMap;

use super::origin::Got;

/// What the gateway itself says to the server behind, once in each request, the last by the filter of `/up/*` alone.
const OURS: [&str; 8] = [
    "host",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "forwarded",
    "traceparent",
    "x-request-id",
    "x-user",
];

/// What the server behind saw of a request, without what the gateway said.
fn seen(got: &Got) -> String {
    // What is no request of ours is shown as it came.
    let end = got.raw.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let (mut told, mut left) = (BTreeMap::new(), Vec::new());
    for line in got.raw[..end].split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)) {
        let name = String::from_utf8_lossy(line.split(|byte| *byte == b':').next().unwrap()).to_ascii_lowercase();
        match OURS.iter().find(|ours| **ours == name) {
            Some(ours) => *told.entry(*ours).or_insert(0) += 1,
            None => left.extend([line, b"\r\n"].concat()),
        }
    }
    left.extend(&got.raw[end + 2..]);
    let names = if got.head.contains(" /up/") { &OURS[..] } else { &OURS[..7] };
    let said = told == names.iter().map(|name| (*name, 1)).collect();
    if said { notation::text(&left) } else { format!("not ours: {}", notation::text(&got.raw)) }
}
