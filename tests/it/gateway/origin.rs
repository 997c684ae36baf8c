//! A scripted server behind the gateway: it keeps what it gets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::framing::{AMBIGUOUS, PLAIN};

/// Sets a cookie of its own, and tries to set one of the gateway's sessions, before its answer and in it.
const COOKIES: &str = "HTTP/1.1 103 Early Hints\r\nSet-Cookie: sidegate-main=early\r\n\r\n\
    HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: theme=dark; Path=/\r\n\
    Set-Cookie: __Host-sidegate-main=planted; Path=/; Secure\r\nset-cookie: =SIDEGATE-main=planted\r\n\
    Set-Cookie:  \t = __Host-sidegate-main \t=planted; Path=/; Secure\r\nSet-Cookie: __Host-sidegate-main=; Max-Age=0\r\n\
    Set-Cookie: ; sidegate-main=planted\r\nSet-Cookie: \"sidegate-main\"=planted\r\nSet-Cookie: x=y, sidegate-main=planted\r\n\
    Set-Cookie2: sidegate-main=planted\r\nSet_Cookie: sidegate-main=planted\r\n\
    Clear-Site-Data: \"cache\", \"cookies\"\r\nClear-Site-Data: \"*\"\r\n\
    Set-Cookie: lang=de\r\n\r\nok";

/// What it got, as it was on the wire.
#[derive(Debug, Clone, Default)]
pub(crate) struct Got {
    /// Request line and fields.
    pub(crate) head: String,
    /// The body without its framing.
    pub(crate) body: Vec<u8>,
    /// Whatever stood between the last chunk and the end.
    pub(crate) trailers: String,
    /// All of it.
    pub(crate) raw: Vec<u8>,
}

/// The server; its thread ends with the process.
pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    record: Arc<Mutex<Record>>,
}

/// All that came.
#[derive(Default)]
struct Record {
    requests: Vec<Got>,
    /// What was no request, or not the whole of one, when its connection ended.
    broken: Vec<Vec<u8>>,
}

/// A connection, and what was read from it.
struct Tape {
    stream: TcpStream,
    bytes: Vec<u8>,
}

impl Read for Tape {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.stream.read(buffer)?;
        self.bytes.extend(&buffer[..length]);
        Ok(length)
    }
}

/// Takes from the tape what has been read of it.
fn wind(reader: &mut BufReader<Tape>) -> Vec<u8> {
    let ahead = reader.buffer().to_vec();
    let mut bytes = std::mem::replace(&mut reader.get_mut().bytes, ahead);
    bytes.truncate(bytes.len() - reader.buffer().len());
    bytes
}

impl Origin {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let record = Arc::new(Mutex::new(Record::default()));
        let all = record.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let all = all.clone();
                std::thread::spawn(move || serve(stream, &all));
            }
        });
        Self { address, record }
    }

    /// The requests that came.
    pub(crate) fn got(&self) -> Vec<Got> {
        self.record.lock().unwrap().requests.clone()
    }

    /// What came besides, on connections that have ended.
    pub(crate) fn broken(&self) -> Vec<Vec<u8>> {
        self.record.lock().unwrap().broken.clone()
    }
}

fn serve(stream: TcpStream, record: &Mutex<Record>) {
    let mut writer = stream.try_clone().unwrap();
    let mut reader = BufReader::new(Tape { stream, bytes: Vec::new() });
    answer_all(&mut reader, &mut writer, record);
    let mut left = reader.into_inner().bytes;
    if !left.is_empty() {
        let _ = writer.read_to_end(&mut left);
        record.lock().unwrap().broken.push(left);
    }
}

fn answer_all(reader: &mut BufReader<Tape>, writer: &mut TcpStream, record: &Mutex<Record>) {
    while let Some(got) = read(reader) {
        let target = got.head.split(' ').nth(1).unwrap_or_default().to_owned();
        let raw = wind(reader);
        record.lock().unwrap().requests.push(Got { raw, ..got });
        if target.contains("silent") {
            // Until the gateway has had enough of it.
            let _ = std::io::copy(reader, &mut std::io::sink());
            return;
        }
        let own = own(&target);
        let answer: &[u8] = if let Some(own) = &own {
            own.as_bytes()
        } else if target.contains("garbage") {
            b"nonsense\r\n\r\n"
        } else if target.contains("switch") {
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
        } else if target.contains("cookies") {
            COOKIES.as_bytes()
        } else {
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nCache-Control: public\r\nX-Request-Id: theirs\r\n\r\nok"
        };
        if writer.write_all(answer).is_err() || target.contains("unmeasured") {
            return;
        }
    }
}

/// What only one target is answered with.
fn own(target: &str) -> Option<String> {
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let (what, value) = target.strip_prefix("/up/")?.split_once('/')?;
    match what {
        // So many heads before the answer's.
        "early" => Some("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(value.parse().unwrap()) + ok),
        // A status without a body, and one all the same.
        "empty" => Some(format!("HTTP/1.1 {value} Empty\r\nContent-Length: 5\r\n\r\nhello")),
        "ambiguous" => Some(framed(AMBIGUOUS[value.parse::<usize>().unwrap()])),
        "plain" => Some(framed(PLAIN[value.parse::<usize>().unwrap()])),
        // Its end is the connection's.
        "unmeasured" => Some(format!("HTTP/1.{value} 200 OK\r\n\r\nhello")),
        // The same, in chunks.
        "chunked" => Some("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".to_owned()),
        "quoting" => Some(format!("HTTP/1.1 {target}\r\n\r\n")),
        _ => None,
    }
}

/// An answer, and one that nobody asked for if the end of the first is where it seems to be.
fn framed((head, body): (&str, &str)) -> String {
    format!("{head}\r\n{body}HTTP/1.1 200 OK\r\nSet-Cookie: sidegate-main=EVIL\r\nContent-Length: 4\r\n\r\nEVIL")
}

/// A line without its end; `None` when the other side is gone.
fn line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = Vec::new();
    (reader.read_until(b'\n', &mut line).ok()? > 0).then(|| String::from_utf8_lossy(line.trim_ascii_end()).into_owned())
}

fn block(reader: &mut impl BufRead) -> Option<String> {
    let mut block = String::new();
    loop {
        let line = line(reader)?;
        if line.is_empty() {
            return Some(block);
        }
        block.push_str(&line);
        block.push('\n');
    }
}

fn read(reader: &mut impl BufRead) -> Option<Got> {
    let head = block(reader)?;
    let lower = head.to_ascii_lowercase();
    let mut got = Got { head, ..Got::default() };
    if lower.contains("transfer-encoding: chunked") {
        loop {
            let size = usize::from_str_radix(&line(reader)?, 16).ok()?;
            if size == 0 {
                got.trailers = block(reader)?;
                return Some(got);
            }
            let mut piece = vec![0; size];
            reader.read_exact(&mut piece).ok()?;
            got.body.extend(piece);
            line(reader)?;
        }
    }
    let length = lower.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok()).unwrap_or(0);
    got.body.resize(length, 0);
    reader.read_exact(&mut got.body).ok()?;
    Some(got)
}
