//! A table: what its lines say, and whether that holds of what comes of them.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use super::super::front::{Front, quick};
use super::super::origin::{Got, Origin};
use sidegate::gateway::Limits;

/// Where the tables are.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/gateway/raw");
/// Where the server behind may have seen the beginning of a request, for `/up/broken`, without an end.
const BEGINNING: char = '…';

/// A line of a table.
pub(super) struct Row {
    line: usize,
    pub(super) answers: String,
    pub(super) bytes: Vec<u8>,
    /// What the server behind saw, but for what stands before and behind.
    upstream: String,
}

impl Row {
    /// Whether it sends this.
    pub(super) fn is_of(&self, path: &str) -> bool {
        self.bytes.windows(path.len()).any(|window| window == path.as_bytes())
    }
}

/// Where a gateway listens.
pub(super) struct Doors {
    pub(super) plain: SocketAddr,
    pub(super) tls: SocketAddr,
}

/// The service of the front that takes JSON.
pub(super) const COUNT: &str = "/count";

/// The lines of this file, in which `bytes` reads what is sent. What takes JSON is at the path `count`.
pub(super) fn rows(file: &str, count: &str, bytes: impl Fn(&str) -> Vec<u8>) -> Vec<Row> {
    let table = std::fs::read_to_string(Path::new(FOLDER).join(file)).unwrap();
    let lines = table.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let row = |(line, text): (usize, &str)| {
        let columns: Vec<_> = text.split(" | ").map(str::trim).collect();
        let (answers, sent, upstream) = match columns[..] {
            [answers, sent] => (answers, sent, ""),
            [answers, sent, upstream] => (answers, sent, upstream),
            _ => panic!("{file}, line {}: answers | what is sent | what the server behind saw", line + 1),
        };
        let upstream = upstream.trim_start_matches(BEGINNING).to_owned();
        Row { line: line + 1, answers: answers.to_owned(), bytes: bytes(&sent.replace(COUNT, count)), upstream }
    };
    lines.map(row).collect()
}

/// How what a row sends comes.
pub(super) trait Way: Copy + Debug {
    /// Sends it, and gives back the answers where they are others than the row says.
    fn answers(self, doors: &Doors, row: &Row) -> Result<(), String>;

    /// What the server behind saw, as a row says it.
    fn upstream(self, got: Vec<Got>) -> Vec<String>;
}

/// Each row holds of the front when it comes in this way.
pub(super) fn try_all(rows: &[Row], way: impl Way) {
    let origin = Origin::start();
    // Whoever waits for what never comes is cut soon; a connection that stays open by mistake is noticed.
    let front = Front::start(Limits { idle: Duration::from_secs(3600), ..quick() }, Some(origin.address));
    hold(&Doors { plain: front.plain, tls: front.tls }, &origin, rows, way);
}

/// Each row holds of the gateway behind these doors when it comes in this way.
pub(super) fn hold<'a>(doors: &Doors, origin: &Origin, rows: impl IntoIterator<Item = &'a Row>, way: impl Way) {
    let surprises: Vec<_> = rows.into_iter().filter_map(|row| surprise(doors, origin, row, way)).collect();
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
    let broken = origin.broken();
    assert!(broken.iter().all(|bytes| bytes.starts_with(b"POST /up/broken HTTP/1.1\r\n")), "{broken:?}");
}

/// What is otherwise than the row says, as a line of the table.
fn surprise(doors: &Doors, origin: &Origin, row: &Row, way: impl Way) -> Option<String> {
    let before = origin.got().len();
    let answers = way.answers(doors, row);
    let saw = way.upstream(origin.got().split_off(before)).join(" ");
    (answers.is_err() || saw != row.upstream).then(|| {
        let told = answers.err().unwrap_or_else(|| row.answers.clone());
        format!("line {}, {way:?}: {told} | {saw}", row.line)
    })
}
