//! Which listeners take up a session of TLS again, over sockets.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};

use super::*;

/// A listener with these files that says of each connection whether a certificate was shown.
fn listen(files: &TlsFiles) -> SocketAddr {
    let (acceptor, listener) = (acceptor(files, false).unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for tcp in listener.incoming() {
            let Ok(mut stream) = acceptor.accept(tcp.unwrap()) else { continue };
            let shown: &[u8] = if stream.ssl().peer_certificate().is_some() { b"\nshown\n" } else { b"\nnobody\n" };
            stream.write_all(shown).unwrap();
            let _ = stream.shutdown();
            // Reads on until the client has gone, so that it gets to see all.
            let _ = stream.get_mut().read_to_end(&mut Vec::new());
        }
    });
    address
}

/// A client with the pair of these files and a place for what it may come back with.
struct Visitor<'a> {
    pair: &'a TlsFiles,
    session: &'a Path,
    version: &'a str,
}

impl Visitor<'_> {
    /// Connects, with the session of the time before where there is one: how the handshake went, and what it was told.
    fn connect(&self, to: SocketAddr) -> (bool, bool) {
        let mut client = Command::new("openssl");
        client.args(["s_client", "-ign_eof", self.version, "-connect"]).arg(to.to_string());
        client.arg("-cert").arg(&self.pair.certificate).arg("-key").arg(&self.pair.key);
        if self.session.exists() {
            client.arg("-sess_in").arg(self.session);
        }
        let said = client.arg("-sess_out").arg(self.session).stdin(Stdio::null()).output().unwrap().stdout;
        let said = String::from_utf8_lossy(&said);
        let line = |start: &str| said.lines().any(|line| line.starts_with(start));
        assert!(line("New, TLS") != line("Reused, TLS") && line("shown") != line("nobody"), "{said}");
        (line("Reused, TLS"), line("shown"))
    }
}

#[test]
fn a_clients_certificate_is_shown_at_every_connection() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = files(folder.path());
    let anyone = listen(&files);
    files.client_ca = Some(files.certificate.clone());
    let known = listen(&files);
    for version in ["-tls1_2", "-tls1_3"] {
        let session = folder.path().join(version);
        let visitor = Visitor { pair: &files, session: &session, version };
        assert_eq!(visitor.connect(known), (false, true));
        assert!(!session.exists(), "{version}: there is nothing to come back with");
        assert_eq!(visitor.connect(anyone), (false, false));
        assert_eq!(visitor.connect(anyone), (true, false), "{version}: where none is asked for, sessions go on");
        assert_eq!(visitor.connect(known), (false, true), "{version}: nor with another listener's");
        assert_eq!(visitor.connect(known), (false, true));
    }
}
