//! Sockets through a Unix socket.

use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::cmsg_space;
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};

use super::UpgradeError;

/// Of what is said here, memory included with the serverData and the states in it. A program that says it otherwise has
/// another one: `tests/memory.json` beside it tells what this one says.
pub(super) const VERSION: u8 = 10;
/// So many sockets at most.
const MOST: usize = 64;

/// With whether there are keys of users, which are bound to an appID.
pub(super) fn send(stream: &UnixStream, sockets: &[BorrowedFd<'_>], has_keys: bool) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MOST))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(sockets)) {
        return Err(io::Error::other(format!("more than {MOST} listeners can't be handed over")));
    }
    sendmsg(stream, &[IoSlice::new(&[VERSION, has_keys.into()])], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// A signal ends the wait if it says so, by what `is_told`.
pub(super) fn receive(
    stream: &UnixStream,
    mut is_told: impl FnMut() -> bool,
) -> Result<(Vec<OwnedFd>, bool), UpgradeError> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MOST))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut said = [0; 2];
    let received = loop {
        match recvmsg(stream, &mut [IoSliceMut::new(&mut said)], &mut control, RecvFlags::CMSG_CLOEXEC) {
            // The system does not go on by itself, since there is an end to the wait.
            Err(Errno::INTR) if is_told() => return Err(UpgradeError::Told),
            Err(Errno::INTR) => {}
            received => break received,
        }
    };
    let received = match received.map_err(io::Error::from) {
        // One that was never taken from the queue of a socket that went.
        Err(error) if error.kind() == ErrorKind::ConnectionReset => return Err(UpgradeError::Closed),
        Ok(received) if received.bytes == 0 => return Err(UpgradeError::Closed),
        received => received?,
    };
    let sockets = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(sockets) => Some(sockets),
        _ => None,
    });
    let sockets: Vec<_> = sockets.flatten().collect();
    match said {
        [VERSION, has_keys] if received.bytes == said.len() && !sockets.is_empty() => Ok((sockets, has_keys != 0)),
        _ => Err(UpgradeError::Foreign),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::fd::AsFd as _;

    use super::*;

    #[test]
    fn sockets_arrive_in_their_order() {
        let (here, there) = UnixStream::pair().unwrap();
        let sockets = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let addresses: Vec<_> = sockets.iter().map(|socket| socket.local_addr().unwrap()).collect();
        send(&here, &sockets.each_ref().map(|socket| socket.as_fd()), true).unwrap();
        let (received, has_keys) = receive(&there, || false).unwrap();
        assert!(has_keys);
        let received = received.into_iter().map(TcpListener::from);
        assert_eq!(received.map(|socket| socket.local_addr().unwrap()).collect::<Vec<_>>(), addresses);
    }

    #[test]
    fn another_version_and_no_sockets_are_foreign() {
        let (here, there) = UnixStream::pair().unwrap();
        send(&here, &[], false).unwrap();
        assert!(matches!(receive(&there, || false), Err(UpgradeError::Foreign)));
        drop(here);
        assert!(matches!(receive(&there, || false), Err(UpgradeError::Closed)), "it says nothing");
    }
}
