//! PROXY protocol (versions 1 and 2, as HAProxy describes them): whom a balancer before the gateway connects for. It stands
//! before everything else on a connection, the TLS handshake included.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// What version 2 begins with. No line of version 1 is shorter, so that so many bytes belong to the header in any case.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
const PREFIX: &[u8] = b"PROXY ";
/// The longest line of version 1, its end included.
const LONGEST_LINE: usize = 107;
/// Of what version 2 says behind its first 16 bytes: addresses, and some hundred bytes of certificates' names at most.
const LONGEST_BLOCK: usize = 2_048;

/// The value that tells how the client came, and its bit for TLS (`PP2_TYPE_SSL`, `PP2_CLIENT_SSL`).
const SSL: u8 = 0x20;
const CLIENT_SSL: u8 = 0x01;

/// What a header says of the two ends of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    /// The client.
    pub(super) client: SocketAddr,
    /// What it connected to.
    pub(super) local: SocketAddr,
    /// The balancer took TLS off.
    pub(super) encrypted: bool,
}

/// Reads a header, and not a byte behind it. `None`: the balancer speaks for itself, as where it asks whether anybody listens.
///
/// # Errors
/// When it is none, or none that can be read in one way only; and when the connection fails.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Told>> {
    let mut first = [0; SIGNATURE.len()];
    stream.read_exact(&mut first).await?;
    if &first == SIGNATURE {
        binary(stream).await
    } else if first.starts_with(PREFIX) {
        line(stream, &first).await
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "no PROXY header"))
    }
}

async fn line(stream: &mut (impl AsyncRead + Unpin), first: &[u8]) -> io::Result<Option<Told>> {
    let mut line = first.to_vec();
    while line.last() != Some(&b'\n') {
        if line.len() == LONGEST_LINE {
            return Err(broken("a PROXY header that is too long"));
        }
        line.push(stream.read_u8().await?);
    }
    let text = line.strip_suffix(b"\r\n").and_then(|line| std::str::from_utf8(line).ok());
    let fields: Vec<&str> = text.unwrap_or_default().split(' ').collect();
    let ends = match fields[..] {
        // Whatever it says behind that word, it says nothing of the client.
        ["PROXY", "UNKNOWN", ..] => return Ok(None),
        ["PROXY", "TCP4", from, to, port, own] => ends::<Ipv4Addr>((from, to), (port, own)),
        ["PROXY", "TCP6", from, to, port, own] => ends::<Ipv6Addr>((from, to), (port, own)),
        _ => None,
    };
    ends.map(Some).ok_or_else(|| broken("a PROXY header that is no line of version 1"))
}

fn ends<A: FromStr + Into<IpAddr>>((from, to): (&str, &str), (port, own): (&str, &str)) -> Option<Told> {
    let end = |address: &str, port: &str| {
        let plain = port.bytes().all(|byte| byte.is_ascii_digit()) && (port == "0" || !port.starts_with('0'));
        let address: A = address.parse().ok()?;
        Some(SocketAddr::new(address.into(), port.parse().ok().filter(|_| plain)?))
    };
    Some(Told { client: end(from, port)?, local: end(to, own)?, encrypted: false })
}

async fn binary(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Told>> {
    let [command, family] = [stream.read_u8().await?, stream.read_u8().await?];
    let length = usize::from(stream.read_u16().await?);
    if length > LONGEST_BLOCK {
        return Err(broken("a PROXY header that is too long"));
    }
    let mut block = vec![0; length];
    stream.read_exact(&mut block).await?;
    let mut rest = block.as_slice();
    let ends = match (command, family) {
        (0x20, _) | (0x21, 0x00) => return Ok(None),
        (0x21, 0x11) => addresses::<4>(&mut rest),
        (0x21, 0x21) => addresses::<16>(&mut rest),
        _ => return Err(broken("a PROXY header of another version, or for no TCP connection")),
    };
    match ends.zip(encrypted(rest)) {
        Some((ends, encrypted)) => Ok(Some(Told { encrypted, ..ends })),
        None => Err(broken("a PROXY header whose lengths are wrong")),
    }
}

fn addresses<const N: usize>(block: &mut &[u8]) -> Option<Told>
where
    [u8; N]: Into<IpAddr>,
{
    let (from, to): ([u8; N], [u8; N]) = (take(block)?, take(block)?);
    let (port, own) = (u16::from_be_bytes(take(block)?), u16::from_be_bytes(take(block)?));
    let (client, local) = (SocketAddr::new(from.into(), port), SocketAddr::new(to.into(), own));
    Some(Told { client, local, encrypted: false })
}

/// Whether the values behind the addresses, each with its length, say that the client came over TLS. Nothing else of what
/// they say is believed here. `None`: it is no list of values.
fn encrypted(mut rest: &[u8]) -> Option<bool> {
    let mut encrypted = false;
    while !rest.is_empty() {
        let ([kind], length) = (take(&mut rest)?, u16::from_be_bytes(take(&mut rest)?));
        let (value, next) = rest.split_at_checked(usize::from(length))?;
        if kind == SSL {
            // How the client came, then four bytes on its certificate.
            encrypted |= value.first().filter(|_| value.len() >= 5)? & CLIENT_SSL != 0;
        }
        rest = next;
    }
    Some(encrypted)
}

fn take<const N: usize>(from: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(*taken)
}

/// What is wrong, in words that quote nothing of it.
pub(super) fn why(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::InvalidInput => "it did not begin with a PROXY header",
        io::ErrorKind::InvalidData => "its PROXY header is broken",
        _ => "it ended before its PROXY header did",
    }
}

fn broken(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    /// What a header says, client first, and what is left behind it.
    type Parsed = (Option<(String, String)>, Vec<u8>);

    fn parsed(bytes: &[u8]) -> Result<Parsed, io::ErrorKind> {
        let mut rest = bytes;
        let ends = futures::executor::block_on(read(&mut rest)).map_err(|error| error.kind())?;
        Ok((ends.map(|ends| (ends.client.to_string(), ends.local.to_string())), rest.to_vec()))
    }

    fn binary(command: u8, family: u8, block: &[u8]) -> Vec<u8> {
        let length = u16::try_from(block.len()).unwrap().to_be_bytes();
        [SIGNATURE.as_slice(), &[command, family], &length, block, b"GET"].concat()
    }

    const V4: &[u8] = &[203, 0, 113, 9, 192, 0, 2, 1, 0x30, 0x39, 0x01, 0xbb];

    const V6: &[u8] = &[
        0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        1, 0, 80, 1, 0xbb,
    ];

    #[rstest]
    #[case("TCP4 203.0.113.9 192.0.2.1 12345 443", "203.0.113.9:12345", "192.0.2.1:443")]
    #[case("TCP6 2001:db8::9 2001:db8::1 12345 443", "[2001:db8::9]:12345", "[2001:db8::1]:443")]
    #[case("TCP4 203.0.113.9 192.0.2.1 0 65535", "203.0.113.9:0", "192.0.2.1:65535")]
    fn a_line_tells_both_ends(#[case] line: &str, #[case] client: &str, #[case] local: &str) {
        let (ends, rest) = parsed(format!("PROXY {line}\r\nGET").as_bytes()).unwrap();
        assert_eq!((ends.unwrap(), rest.as_slice()), ((client.to_owned(), local.to_owned()), b"GET".as_slice()));
    }

    #[rstest]
    #[case("PROXY UNKNOWN\r\nGET")]
    #[case("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\nGET")]
    fn a_balancer_may_speak_for_itself(#[case] line: &str) {
        assert_eq!(parsed(line.as_bytes()), Ok((None, b"GET".to_vec())));
    }

    #[rstest]
    #[case("PROXY TCP4 203.0.113.9 192.0.2.1 12345 443\nGET")]
    #[case("PROXY TCP4  203.0.113.9 192.0.2.1 12345 443\r\n")]
    #[case("PROXY TCP4 203.0.113.9 192.0.2.1 12345 443 \r\n")]
    #[case("PROXY TCP4 203.0.113.9 192.0.2.1 12345\r\n")]
    #[case("PROXY TCP4 203.0.113.09 192.0.2.1 12345 443\r\n")]
    #[case("PROXY TCP4 203.0.113.9 192.0.2.1 +12345 443\r\n")]
    #[case("PROXY TCP4 203.0.113.9 192.0.2.1 012345 443\r\n")]
    #[case("PROXY TCP4 203.0.113.9 192.0.2.1 65536 443\r\n")]
    #[case("PROXY TCP4 2001:db8::9 2001:db8::1 12345 443\r\n")]
    #[case("PROXY TCP6 203.0.113.9 192.0.2.1 12345 443\r\n")]
    #[case("PROXY UDP4 203.0.113.9 192.0.2.1 12345 443\r\n")]
    #[case("PROXY unknown\r\n")]
    #[case("PROXY  UNKNOWN\r\n")]
    #[case("proxy TCP4 203.0.113.9 192.0.2.1 12345 443\r\n")]
    #[case("GET / HTTP/1.1\r\n")]
    #[case("\r\nPROXY TCP4 203.0.113.9 192.0.2.1 12345 443\r\n")]
    fn what_is_no_line_of_it_is_refused(#[case] line: &str) {
        let begins = line.starts_with("PROXY ");
        let expected = if begins { io::ErrorKind::InvalidData } else { io::ErrorKind::InvalidInput };
        assert_eq!(parsed(line.as_bytes()), Err(expected));
    }

    #[test]
    fn a_line_ends_in_time() {
        let longest = format!("PROXY UNKNOWN {}\r\n", "x".repeat(LONGEST_LINE - 16));
        assert_eq!((longest.len(), parsed(longest.as_bytes())), (LONGEST_LINE, Ok((None, Vec::new()))));
        assert_eq!(parsed(longest.replace("\r\n", "x\r\n").as_bytes()), Err(io::ErrorKind::InvalidData));
        assert_eq!(parsed(b"PROXY UNKNOWN"), Err(io::ErrorKind::UnexpectedEof));
    }

    #[rstest]
    #[case(0x21, 0x11, V4, Some(("203.0.113.9:12345", "192.0.2.1:443")))]
    #[case(0x21, 0x11, &[V4, &[1, 0, 2, b'h', b'2', 4, 0, 0]].concat(), Some(("203.0.113.9:12345", "192.0.2.1:443")))]
    #[case(0x21, 0x21, V6, Some(("[2001:db8::9]:80", "[2001:db8::1]:443")))]
    #[case(0x20, 0x00, &[], None)]
    #[case(0x20, 0x11, V4, None)]
    #[case(0x21, 0x00, &[1, 2, 3], None)]
    fn version_2_tells_the_same(
        #[case] command: u8,
        #[case] family: u8,
        #[case] block: &[u8],
        #[case] ends: Option<(&str, &str)>,
    ) {
        let ends = ends.map(|(client, local)| (client.to_owned(), local.to_owned()));
        assert_eq!(parsed(&binary(command, family, block)), Ok((ends, b"GET".to_vec())));
    }

    #[rstest]
    #[case(&[SSL, 0, 5, 1, 0, 0, 0, 0], true)]
    #[case(&[4, 0, 0, SSL, 0, 8, 7, 0, 0, 0, 1, 0x21, 0, 0, 1, 0, 0], true)]
    #[case(&[SSL, 0, 5, 6, 0, 0, 0, 0], false)]
    #[case(&[4, 0, 5, SSL, 0, 5, 1, 0], false)]
    #[case(&[], false)]
    fn a_balancer_says_that_it_took_tls_off(#[case] values: &[u8], #[case] expected: bool) {
        let bytes = binary(0x21, 0x11, &[V4, values].concat());
        let ends = futures::executor::block_on(read(&mut bytes.as_slice())).unwrap().unwrap();
        assert_eq!(ends.encrypted, expected);
    }

    #[rstest]
    #[case(0x11, 0x11, V4)]
    #[case(0x22, 0x11, V4)]
    #[case(0x21, 0x12, V4)]
    #[case(0x21, 0x31, &[0; 216])]
    #[case(0x21, 0x11, &V4[1..])]
    #[case(0x21, 0x21, V4)]
    #[case(0x21, 0x11, &[V4, &[1]].concat())]
    #[case(0x21, 0x11, &[V4, &[SSL, 0, 4, 1, 0, 0, 0]].concat())]
    #[case(0x21, 0x11, &[V4, &[1, 0, 3, 0, 0]].concat())]
    #[case(0x20, 0x00, &[0; LONGEST_BLOCK + 1])]
    fn what_is_no_header_of_version_2_is_refused(#[case] command: u8, #[case] family: u8, #[case] block: &[u8]) {
        assert_eq!(parsed(&binary(command, family, block)), Err(io::ErrorKind::InvalidData));
    }

    proptest! {
        #[test]
        fn whatever_comes_it_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64), kind in 0..3usize) {
            let before: &[u8] = [SIGNATURE.as_slice(), PREFIX, b""][kind];
            let _ = parsed(&[before, &bytes].concat());
        }
    }
}
