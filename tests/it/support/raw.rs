//! Sockets below HTTP, for what a proper client would never send.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use openssl::ssl::{SslConnector, SslMethod, SslStream, SslVerifyMode};

/// No connection that is to be cut stays open for so long.
const TOO_LONG: Duration = Duration::from_secs(60);

/// A plain or TLS connection.
pub(crate) enum Socket {
    Plain(TcpStream),
    Tls(Box<SslStream<TcpStream>>),
}

impl Socket {
    pub(crate) fn plain(address: SocketAddr) -> Self {
        Self::Plain(TcpStream::connect(address).unwrap())
    }

    /// TLS without looking at the certificate, offering one protocol (`http/1.1` or `h2`).
    pub(crate) fn tls(address: SocketAddr, protocol: &str) -> Self {
        let mut builder = SslConnector::builder(SslMethod::tls()).unwrap();
        builder.set_verify(SslVerifyMode::NONE);
        let mut offer = vec![u8::try_from(protocol.len()).unwrap()];
        offer.extend_from_slice(protocol.as_bytes());
        builder.set_alpn_protos(&offer).unwrap();
        let tcp = TcpStream::connect(address).unwrap();
        let stream = builder.build().connect("localhost", tcp).unwrap();
        assert_eq!(stream.ssl().selected_alpn_protocol(), Some(protocol.as_bytes()));
        Self::Tls(Box::new(stream))
    }

    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => tls.get_ref(),
        }
    }

    /// Sends a byte each `step` until the other side closes: how long that took, and what it said.
    pub(crate) fn dribble(&mut self, bytes: &[u8], step: Duration) -> (Duration, String) {
        let (took, said) = self.dribble_until(bytes, step, |_| false);
        (took, String::from_utf8_lossy(&said).into_owned())
    }

    /// The same until the other side closes or has said what is waited for.
    pub(crate) fn dribble_until(
        &mut self,
        bytes: &[u8],
        step: Duration,
        is_said: impl Fn(&[u8]) -> bool,
    ) -> (Duration, Vec<u8>) {
        let (begun, mut said) = (Instant::now(), Vec::new());
        for byte in bytes.iter().cycle() {
            let sent = self.write_all(&[*byte]).and_then(|()| self.flush());
            if sent.is_err() || self.is_closed_within(step, &mut said) || is_said(&said) {
                break;
            }
            assert!(begun.elapsed() < TOO_LONG, "still open after {}", String::from_utf8_lossy(&said));
        }
        (begun.elapsed(), said)
    }

    /// Collects what comes until the time is over or the connection is.
    fn is_closed_within(&mut self, time: Duration, said: &mut Vec<u8>) -> bool {
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            let Some(bytes) = self.read_for(left) else { return true };
            said.extend(bytes);
        }
        false
    }

    /// Reads what comes within the time; `None` when the other side has closed.
    pub(crate) fn read_for(&mut self, time: Duration) -> Option<Vec<u8>> {
        self.tcp().set_read_timeout(Some(time)).unwrap();
        let mut buffer = [0; 4096];
        match self.read(&mut buffer) {
            Ok(0) => None,
            Ok(length) => Some(buffer[..length].to_vec()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Some(Vec::new()),
            Err(_) => None,
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(buffer),
            Self::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.write(bytes),
            Self::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.flush(),
            Self::Tls(tls) => tls.flush(),
        }
    }
}
