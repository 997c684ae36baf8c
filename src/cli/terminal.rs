//! Standard input, from which a password is read: at a terminal it is asked for, and not shown.

use std::io::{self, IsTerminal as _, Read, Write as _};

use rustix::process::{Signal, kill_current_process_group};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

/// What Ctrl-C sends.
const INTERRUPT: u8 = 3;

/// Standard input; the one line of a terminal is typed unseen.
pub(super) fn input() -> Box<dyn Read> {
    if io::stdin().is_terminal() { Box::new(Typed::Unasked) } else { Box::new(io::stdin().lock()) }
}

/// One line of a terminal.
enum Typed {
    Unasked,
    Asked { _unseen: Unseen },
    Ended,
}

impl Read for Typed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unasked => *self = Self::Asked { _unseen: Unseen::begin()? },
            Self::Asked { .. } => {}
            Self::Ended => return Ok(0),
        }
        let length = rustix::io::read(io::stdin(), &mut *buffer)?;
        let last = buffer.get(..length).and_then(<[u8]>::last);
        if matches!(last, None | Some(b'\n' | &INTERRUPT)) {
            *self = Self::Ended;
        }
        if last == Some(&INTERRUPT) {
            // As the terminal would have done, for a script that runs this as well.
            kill_current_process_group(Signal::INT)?;
            return Err(io::Error::other("interrupted"));
        }
        Ok(length)
    }
}

/// The terminal shows nothing that is typed until this is dropped.
struct Unseen(Termios);

impl Unseen {
    /// Ctrl-C ends the line in place of the process, which could not restore the terminal.
    fn begin() -> io::Result<Self> {
        let stdin = io::stdin();
        let before = tcgetattr(&stdin)?;
        let mut unseen = before.clone();
        unseen.local_modes -= LocalModes::ECHO | LocalModes::ISIG;
        unseen.local_modes |= LocalModes::ICANON;
        unseen.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT;
        tcsetattr(&stdin, OptionalActions::Flush, &unseen)?;
        let unseen = Self(before);
        write!(io::stderr(), "password (not shown): ")?;
        Ok(unseen)
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        let _gone = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
        let _closed = writeln!(io::stderr());
    }
}
