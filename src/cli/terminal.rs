//! Standard input, from which a password is read: at a terminal it is asked for, and not shown.

use std::io::{self, IsTerminal as _, Read, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use rustix::process::{Signal, kill_current_process_group};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::{SigId, flag, low_level};

/// What Ctrl-C sends.
const INTERRUPT: u8 = 3;

/// What makes a SIGINT end the process again after a prompt.
static INTERRUPTED: OnceLock<SigId> = OnceLock::new();

/// From now on somebody else heeds SIGINT.
pub(super) fn cede_interrupts() {
    if let Some(id) = INTERRUPTED.get() {
        low_level::unregister(*id);
    }
}

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
struct Unseen {
    before: Termios,
    _watch: Watch,
}

impl Unseen {
    /// Ctrl-C ends the line in place of the process, so that nothing typed before it is taken for a password.
    fn begin() -> io::Result<Self> {
        let stdin = io::stdin();
        let before = tcgetattr(&stdin)?;
        let mut unseen = before.clone();
        unseen.local_modes -= LocalModes::ECHO | LocalModes::ISIG;
        unseen.local_modes |= LocalModes::ICANON;
        unseen.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT;
        let watch = Watch::begin(&before)?;
        tcsetattr(&stdin, OptionalActions::Flush, &unseen)?;
        let unseen = Self { before, _watch: watch };
        write!(io::stderr(), "password (not shown): ")?;
        Ok(unseen)
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        restore(&self.before);
    }
}

fn restore(before: &Termios) {
    let _gone = tcsetattr(io::stdin(), OptionalActions::Now, before);
    let _closed = writeln!(io::stderr());
}

/// A signal that ends the process restores the terminal first, until this is dropped.
struct Watch {
    registered: Vec<SigId>,
    /// Whether signals end the process at once. A handler stays when nobody wants it any more, and does as the system would.
    ends: Arc<AtomicBool>,
}

impl Watch {
    fn begin(before: &Termios) -> io::Result<Self> {
        let mut watch = Self { registered: Vec::new(), ends: Arc::default() };
        for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
            let (mut seen, handler) = UnixStream::pair()?;
            let ending = flag::register_conditional_default(signal, Arc::clone(&watch.ends))?;
            if signal == SIGINT {
                INTERRUPTED.get_or_init(|| ending);
            }
            watch.registered.push(low_level::pipe::register(signal, handler)?);
            let before = before.clone();
            // Ends without a signal when the handler's end of the pair goes.
            thread::spawn(move || {
                if seen.read(&mut [0]).is_ok_and(|length| length > 0) {
                    restore(&before);
                    let _ends = low_level::emulate_default_handler(signal);
                }
            });
        }
        Ok(watch)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        for id in self.registered.drain(..) {
            low_level::unregister(id);
        }
    }
}
