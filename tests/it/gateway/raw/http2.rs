//! The table of HTTP/2, over every way that frames may come.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};

use super::super::clients::{connect, connect_tls};
use super::super::origin::Got;
use super::table::{self, COUNT, Doors, Row};
use super::{notation, seen};
use crate::support::frames::{self, Frame};

/// The stream of the request that stands behind every row's frames.
const NEXT: u32 = 999;

const KINDS: [&str; 10] = [
    "DATA",
    "HEADERS",
    "PRIORITY",
    "RST_STREAM",
    "SETTINGS",
    "PUSH_PROMISE",
    "PING",
    "GOAWAY",
    "WINDOW_UPDATE",
    "CONTINUATION",
];

pub(super) fn rows(count: &str) -> Vec<Row> {
    table::rows("http2.txt", count, |frames| frames.split(" ; ").flat_map(frame).collect())
}

/// The bytes of a frame as the table writes it: type, stream, flags and payload.
fn frame(text: &str) -> Vec<u8> {
    let mut words = text.split_whitespace();
    let (name, stream, flags) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
    let known = KINDS.iter().position(|kind| *kind == name).map(|kind| u8::try_from(kind).unwrap());
    let kind = known.unwrap_or_else(|| notation::bytes(name)[0]);
    let flag = |letter: char| match letter {
        'S' | 'A' => 1,
        'H' => 4,
        'P' => 8,
        'R' => 32,
        '-' => 0,
        _ => panic!("no flag: {text}"),
    };
    let payload: Vec<u8> = words.flat_map(part).collect();
    frames::frame(kind, flags.chars().map(flag).sum(), stream.parse().unwrap(), &payload)
}

/// A field, the four that a request begins with, or bytes.
fn part(word: &str) -> Vec<u8> {
    match word.split_once('=') {
        Some(("get", path)) => block("GET", path),
        Some(("post", path)) => block("POST", path),
        Some((name, value)) => frames::field(&notation::bytes(name), &notation::bytes(value)),
        None => notation::bytes(word),
    }
}

fn block(method: &str, path: &str) -> Vec<u8> {
    let path = notation::bytes(path);
    let fields = [(":method", method.as_bytes()), (":scheme", b"http"), (":authority", b"a"), (":path", &path)];
    fields.iter().flat_map(|(name, value)| frames::field(name.as_bytes(), value)).collect()
}

/// How a row's frames come.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    AtOnce,
    /// A few bytes at a time.
    InPieces,
    Tls,
}

trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

impl Way {
    fn open(self, doors: &Doors) -> Box<dyn Stream> {
        match self {
            Self::AtOnce | Self::InPieces => Box::new(connect(doors.plain)),
            Self::Tls => Box::new(connect_tls(doors.tls, b"\x02h2")),
        }
    }

    fn send(self, stream: &mut dyn Stream, bytes: &[u8]) {
        let size = if matches!(self, Self::InPieces) { (bytes.len() / 40).max(5) } else { bytes.len() };
        // A connection that ends in the middle takes no more.
        let _ = bytes.chunks(size).try_for_each(|piece| stream.write_all(piece));
    }
}

/// What came of each stream, and of the connection.
#[derive(Default)]
struct Answers {
    streams: BTreeMap<u32, String>,
    over: BTreeSet<u32>,
    goaway: Option<&'static str>,
}

impl Answers {
    /// Reads until these streams are over, or the connection is.
    fn read(mut stream: &mut dyn Stream, awaited: &[u32]) -> Self {
        let mut answers = Self::default();
        while !awaited.iter().all(|stream| answers.over.contains(stream)) {
            let Some(frame) = Frame::read(&mut stream) else { break };
            answers.take(&frame);
        }
        answers
    }

    fn take(&mut self, frame: &Frame) {
        match frame.kind {
            frames::GOAWAY => self.goaway = Some(frame.code()),
            frames::HEADERS => _ = self.streams.entry(frame.stream).or_insert_with(|| frame.status().to_string()),
            // Whoever has the whole answer is told that the rest of its request is of no use.
            frames::RST_STREAM if !self.over.contains(&frame.stream) && frame.code() != "NO_ERROR" => {
                self.streams.insert(frame.stream, frame.code().to_owned());
            }
            _ => {}
        }
        if frame.is_last() {
            self.over.insert(frame.stream);
        }
    }

    /// As the table writes them.
    fn text(&self) -> String {
        match (self.goaway, self.streams.get(&NEXT).map(String::as_str)) {
            (Some(code), _) => format!("GOAWAY {code}"),
            (None, Some("200")) => {
                let others = self.streams.iter().filter(|(stream, _)| **stream != NEXT);
                let others: Vec<_> = others.map(|(stream, answer)| format!("{stream}: {answer}")).collect();
                if others.is_empty() { "-".to_owned() } else { others.join(", ") }
            }
            (None, _) => "closed".to_owned(),
        }
    }
}

impl table::Way for Way {
    fn answers(self, doors: &Doors, row: &Row) -> Result<(), String> {
        let mut stream = self.open(doors);
        self.send(&mut *stream, &[frames::greeting(), row.bytes.clone(), frames::get(NEXT, "/up/next")].concat());
        let awaited = row.answers.split(", ").filter_map(|answer| answer.split_once(": ")?.0.parse().ok());
        let awaited: Vec<u32> = awaited.chain([NEXT]).collect();
        let answers = Answers::read(&mut *stream, &awaited).text();
        if answers == row.answers { Ok(()) } else { Err(answers) }
    }

    fn upstream(self, got: Vec<Got>) -> Vec<String> {
        got.iter().map(seen).filter(|saw| !saw.starts_with("GET /up/next ")).collect()
    }
}

#[test]
fn the_table_holds_of_frames_that_come_at_once() {
    table::try_all(&rows(COUNT), Way::AtOnce);
}

#[test]
fn the_table_holds_of_frames_that_come_in_pieces() {
    table::try_all(&rows(COUNT), Way::InPieces);
}

#[test]
fn the_table_holds_over_tls() {
    table::try_all(&rows(COUNT), Way::Tls);
}

#[test]
fn the_table_is_long_enough() {
    assert!(rows(COUNT).iter().filter(|row| !row.answers.ends_with("200") && row.answers != "-").count() >= 40);
}
