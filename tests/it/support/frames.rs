//! Frames of HTTP/2 by hand (RFC 9113), for what no library would send. Fields are HPACK literals, in no table.

use std::io::{ErrorKind, Read};

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// What ends a stream or a connection (RFC 9113 7), by its number.
pub(crate) const CODES: [&str; 14] = [
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
];

/// The bytes of a frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// What a client says first. Its settings let the other side keep no fields in a table (RFC 7541 4.2).
pub(crate) fn greeting() -> Vec<u8> {
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(SETTINGS, 0, 0, &[0, 1, 0, 0, 0, 0])].concat()
}

/// A field that is in no table and goes into none (RFC 7541 6.2.2).
pub(crate) fn field(name: &[u8], value: &[u8]) -> Vec<u8> {
    [vec![0], text(name), text(value)].concat()
}

/// A length in a prefix of seven bits, then the text as it is (RFC 7541 5).
fn text(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    match text.len().checked_sub(127) {
        None => bytes.push(u8::try_from(text.len()).unwrap()),
        Some(mut rest) => {
            bytes.push(127);
            while rest > 127 {
                bytes.push(u8::try_from(rest % 128).unwrap() | 128);
                rest /= 128;
            }
            bytes.push(u8::try_from(rest).unwrap());
        }
    }
    [&bytes, text].concat()
}

/// The fields that every request begins with.
pub(crate) fn request(method: &str, path: &str) -> Vec<u8> {
    let fields = [(":method", method), (":scheme", "http"), (":authority", "a"), (":path", path)];
    fields.iter().flat_map(|(name, value)| field(name.as_bytes(), value.as_bytes())).collect()
}

/// A GET without a body.
pub(crate) fn get(stream: u32, path: &str) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, stream, &request("GET", path))
}

/// The head of a POST of JSON, whose body is to come.
pub(crate) fn post(stream: u32, path: &str) -> Vec<u8> {
    let kind = field(b"content-type", b"application/json");
    frame(HEADERS, END_HEADERS, stream, &[request("POST", path), kind].concat())
}

/// A frame that came.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// The next one; `None` when the other side has closed. One that stays open, and silent, fails the test.
    pub(crate) fn read(stream: &mut impl Read) -> Option<Self> {
        let mut head = [0; 9];
        match stream.read_exact(&mut head) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("the connection stays open"),
            Err(_) => return None,
        }
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        stream.read_exact(&mut payload).ok()?;
        let [.., a, b, c, d] = head;
        Some(Self { kind: head[3], flags: head[4], stream: u32::from_be_bytes([a & 127, b, c, d]), payload })
    }

    /// Whether its stream has come to its end by it.
    pub(crate) fn is_last(&self) -> bool {
        self.kind == RST_STREAM || (matches!(self.kind, DATA | HEADERS) && self.flags & END_STREAM != 0)
    }

    /// The reason why it ends a stream or a connection.
    pub(crate) fn code(&self) -> &'static str {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        CODES[u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap()) as usize]
    }

    /// The status that HEADERS begin with: indexed, or digits as they are or as Huffman codes (RFC 7541, A and B).
    pub(crate) fn status(&self) -> u16 {
        const INDEXED: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
        // What comes first may be the new size of the table.
        let block = self.payload.iter().position(|byte| byte >> 5 != 1).map_or(&[][..], |at| &self.payload[at..]);
        match *block {
            [index @ 0x88..=0x8e, ..] => INDEXED[usize::from(index - 0x88)],
            [0x08 | 0x18 | 0x48, length, ref rest @ ..] if length < 128 => {
                std::str::from_utf8(&rest[..usize::from(length)]).unwrap().parse().unwrap()
            }
            [0x08 | 0x18 | 0x48, length, ref rest @ ..] => digits(&rest[..usize::from(length & 127)]),
            _ => panic!("no status: {:02x?}", self.payload),
        }
    }
}

/// Three digits from their Huffman codes: five bits from 0 to 2, six from 3 to 9.
fn digits(bytes: &[u8]) -> u16 {
    let mut bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |shift| u16::from(byte >> shift & 1)));
    let mut number = 0;
    for _ in 0..3 {
        let code = (0..5).fold(0, |code, _| code << 1 | bits.next().unwrap());
        let digit = if code < 3 { code } else { (code << 1 | bits.next().unwrap()) - 0b01_1001 + 3 };
        number = number * 10 + digit;
    }
    number
}

#[test]
fn statuses_are_read_in_every_form() {
    let status = |payload: &[u8]| Frame { kind: HEADERS, flags: 0, stream: 1, payload: payload.to_vec() }.status();
    assert_eq!(status(&[0x20, 0x88]), 200);
    assert_eq!(status(&[0x8c, 0x40]), 400);
    assert_eq!(status(&[0x48, 3, b'4', b'1', b'3']), 413);
    // 408: 011010 00000 011110, and 431: 011010 011001 00001.
    assert_eq!(status(&[0x08, 0x83, 0b0110_1000, 0b0000_1111, 0b0111_1111]), 408);
    assert_eq!(status(&[0x08, 0x83, 0b0110_1001, 0b1001_0000, 0b1111_1111]), 431);
}
