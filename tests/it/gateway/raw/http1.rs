//! The table of HTTP/1.1, over every way that a request may come.

use std::io::Write;
use std::net::SocketAddr;

use super::super::clients::{connect, connect_tls, rest};
use super::super::origin::Got;
use super::table::{self, COUNT, Doors, Row};
use super::{notation, seen};

/// Stands before a row's bytes where that is a later request of its connection.
const BEFORE: &str = "GET /up/before HTTP/1.1\r\nHost: a\r\n\r\n";
/// Stands behind every row's bytes. It passes where they end as both sides think, and nowhere else.
const NEXT: &str = "GET /up/next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

pub(super) fn rows(count: &str) -> Vec<Row> {
    table::rows("http1.txt", count, notation::bytes)
}

/// How a row's bytes come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    AtOnce,
    /// A few at a time.
    InPieces,
    /// As a later request of a connection.
    Later,
    Tls,
}

impl Way {
    fn say(self, doors: &Doors, bytes: &[u8]) -> String {
        match self {
            Self::AtOnce => in_pieces(doors.plain, bytes, bytes.len()),
            Self::InPieces => in_pieces(doors.plain, bytes, (bytes.len() / 40).max(3)),
            Self::Later => in_pieces(doors.plain, &[BEFORE.as_bytes(), bytes].concat(), usize::MAX),
            Self::Tls => {
                let mut stream = connect_tls(doors.tls, b"\x08http/1.1");
                let _ = stream.write_all(bytes);
                rest(&mut stream)
            }
        }
    }
}

fn in_pieces(address: SocketAddr, bytes: &[u8], size: usize) -> String {
    let mut stream = connect(address);
    // A connection that is refused in the middle takes no more.
    let _ = bytes.chunks(size).try_for_each(|piece| stream.write_all(piece));
    rest(&mut stream)
}

/// The answers on a connection: each one's status and all that stands up to the next.
fn answers(text: &str) -> Vec<&str> {
    let begin = |at: &usize| text.as_bytes()[at + 9..].iter().take_while(|byte| byte.is_ascii_digit()).count() == 3;
    let starts: Vec<_> = text.match_indices("HTTP/1.1 ").map(|(at, _)| at).filter(begin).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).map(|(start, end)| &text[start + 9..end]).collect()
}

/// Whether an answer has the status, and says what is wrong in words with these among them.
fn is(answer: &str, expected: &str) -> bool {
    let (status, words) = expected.split_once(' ').unwrap_or((expected, ""));
    let problem = status < "400" || answer.contains("application/problem+json");
    answer.starts_with(status) && answer.contains(words) && problem
}

/// The same with its body in one chunk: in how many it is passed on hangs on how it came.
fn in_one_chunk(mut got: Got) -> Got {
    let chunked = got.head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    if chunked && !got.body.is_empty() && got.trailers.is_empty() {
        let head = got.raw.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        let size = format!("{:x}\r\n", got.body.len());
        got.raw = [&got.raw[..head], size.as_bytes(), &got.body, b"\r\n0\r\n\r\n"].concat();
    }
    got
}

impl table::Way for Way {
    fn answers(self, doors: &Doors, row: &Row) -> Result<(), String> {
        let text = self.say(doors, &[&row.bytes, NEXT.as_bytes()].concat());
        let answers = answers(&text);
        let first = (self == Self::Later).then_some("200");
        let expected: Vec<_> = first.into_iter().chain(row.answers.split(", ")).collect();
        let good = answers.len() == expected.len()
            && answers.iter().zip(&expected).all(|(answer, expected)| is(answer, expected));
        let told: Vec<_> = answers.iter().map(|answer| brief(answer)).collect();
        good.then_some(()).ok_or_else(|| told.join(", "))
    }

    fn upstream(self, got: Vec<Got>) -> Vec<String> {
        let one_chunk = |got| if self == Self::InPieces { in_one_chunk(got) } else { got };
        let mut saw: Vec<_> = got.into_iter().map(|got| seen(&one_chunk(got))).collect();
        if self == Self::Later && saw.first().is_some_and(|saw| saw == "GET /up/before HTTP/1.1\\r\\n\\r\\n") {
            saw.remove(0);
        }
        if saw.last().is_some_and(|saw| saw == "GET /up/next HTTP/1.1\\r\\n\\r\\n") {
            saw.pop();
        }
        saw
    }
}

/// Its status, and what it says is wrong.
fn brief(answer: &str) -> String {
    let detail = answer.split("\"detail\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    format!("{} {detail}", &answer[..3])
}

#[test]
fn the_table_holds_of_bytes_that_come_at_once() {
    table::try_all(&rows(COUNT), Way::AtOnce);
}

#[test]
fn the_table_holds_of_bytes_that_come_in_pieces() {
    table::try_all(&rows(COUNT), Way::InPieces);
}

#[test]
fn the_table_holds_of_later_requests() {
    table::try_all(&rows(COUNT), Way::Later);
}

#[test]
fn the_table_holds_over_tls() {
    table::try_all(&rows(COUNT), Way::Tls);
}

#[test]
fn the_table_is_long_enough() {
    let refused = |row: &Row| row.answers.split(", ").any(|answer| answer.starts_with('4') || answer.starts_with('5'));
    assert!(rows(COUNT).iter().filter(|row| refused(row)).count() >= 100);
}
