//! Following the frames of an HTTP/2 connection (RFC 9113 4.1) far enough to see one that is dribbled.
//!
//! The h2 crate waits without limit for the rest of a frame. DATA frames are left out: the rate of bodies is watched
//! for each request. A header block counts as one piece, from the first byte of HEADERS to the last of CONTINUATION.

/// Client preface (RFC 9113 3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;
/// Length, type, flags and stream of a frame.
const HEAD: usize = 9;

/// Where in the stream of frames the client is.
#[derive(Debug)]
pub(super) struct Frames {
    head: [u8; HEAD],
    state: State,
    block_open: bool,
    pieces: u64,
}

#[derive(Debug)]
enum State {
    Preface { left: usize },
    Head { have: usize },
    Payload { left: usize, data: bool },
}

impl Frames {
    pub(super) fn new() -> Self {
        Self { head: [0; HEAD], state: State::Preface { left: PREFACE.len() }, block_open: false, pieces: 0 }
    }

    /// Whether a piece has begun and is not complete; its number, so that the caller sees when a new one begins.
    pub(super) fn open(&self) -> Option<u64> {
        let open = match self.state {
            State::Preface { .. } => true,
            State::Head { have } => self.block_open || have > 0,
            State::Payload { data, .. } => self.block_open || !data,
        };
        open.then_some(self.pieces)
    }

    /// Takes note of what the client sent.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let used = match &mut self.state {
                State::Preface { left } | State::Payload { left, .. } => {
                    let used = bytes.len().min(*left);
                    *left -= used;
                    used
                }
                State::Head { have } => {
                    let used = bytes.len().min(HEAD - *have);
                    for (to, from) in self.head.iter_mut().skip(*have).zip(bytes) {
                        *to = *from;
                    }
                    *have += used;
                    used
                }
            };
            bytes = bytes.get(used..).unwrap_or_default();
            self.step();
        }
    }

    /// Goes on to the next state once this one is complete.
    fn step(&mut self) {
        match self.state {
            State::Head { have: HEAD } => {
                let [a, b, c, kind, flags, ..] = self.head;
                let left = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                if matches!(kind, HEADERS | CONTINUATION) {
                    self.block_open = flags & END_HEADERS == 0;
                }
                self.state = State::Payload { left, data: kind == DATA };
                self.finish_payload();
            }
            State::Preface { left: 0 } => self.next_frame(),
            State::Payload { .. } => self.finish_payload(),
            _ => {}
        }
    }

    fn finish_payload(&mut self) {
        if let State::Payload { left: 0, .. } = self.state {
            self.next_frame();
        }
    }

    fn next_frame(&mut self) {
        self.state = State::Head { have: 0 };
        if !self.block_open {
            self.pieces += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, length: u8) -> Vec<u8> {
        let mut bytes = vec![0, 0, length, kind, flags, 0, 0, 0, 1];
        bytes.extend(vec![b'x'; usize::from(length)]);
        bytes
    }

    fn after(parts: &[Vec<u8>]) -> Frames {
        let mut frames = Frames::new();
        frames.feed(PREFACE);
        for part in parts {
            // One byte at a time: the hardest way.
            part.iter().for_each(|byte| frames.feed(&[*byte]));
        }
        frames
    }

    #[test]
    fn the_preface_is_a_piece() {
        let mut frames = Frames::new();
        assert!(frames.open().is_some());
        frames.feed(PREFACE);
        assert!(frames.open().is_none());
    }

    #[test]
    fn complete_frames_leave_nothing_open() {
        assert!(after(&[frame(4, 0, 0), frame(HEADERS, END_HEADERS, 40), frame(DATA, 1, 5)]).open().is_none());
    }

    #[test]
    fn part_of_a_frame_is_open_unless_it_is_the_payload_of_data() {
        let part = |kind, length| after(&[frame(kind, END_HEADERS, 40)[..length].to_vec()]).open().is_some();
        assert!(part(HEADERS, 3), "head of HEADERS");
        assert!(part(HEADERS, 20), "payload of HEADERS");
        assert!(part(6, 20), "payload of PING");
        assert!(part(DATA, 3), "head of DATA");
        assert!(!part(DATA, 20), "payload of DATA");
    }

    #[test]
    fn a_header_block_is_one_piece_until_its_end() {
        let open = after(&[frame(HEADERS, 0, 4)]).open();
        assert!(open.is_some());
        assert_eq!(after(&[frame(HEADERS, 0, 4), frame(CONTINUATION, 0, 4)]).open(), open);
        assert_eq!(after(&[frame(HEADERS, 0, 4), frame(CONTINUATION, END_HEADERS, 4)]).open(), None);
    }

    #[test]
    fn each_piece_has_its_own_number() {
        let begun = |parts: &[Vec<u8>]| after(parts).open();
        let half = frame(6, 0, 8)[..4].to_vec();
        assert_ne!(begun(std::slice::from_ref(&half)), begun(&[frame(6, 0, 8), half]));
    }

    #[test]
    fn cuts_do_not_matter() {
        let bytes = [PREFACE.to_vec(), frame(4, 0, 6), frame(DATA, 0, 200), frame(HEADERS, 0, 3)].concat();
        let mut whole = Frames::new();
        whole.feed(&bytes);
        let mut pieces = Frames::new();
        bytes.chunks(7).for_each(|chunk| pieces.feed(chunk));
        assert_eq!(whole.open(), pieces.open());
        assert!(whole.open().is_some());
    }
}
