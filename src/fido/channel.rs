//! The TLS channel as a phone sees it, by what is known at start: our certificates (`uaf.md` A2).

use sidegate_uaf::encoding::{Text, encode};
use sidegate_uaf::wire::ChannelBinding;

use crate::jose::server_certificate::ServerCertificate;

/// What a phone says of a connection to the server with this certificate. What belongs to one connection alone
/// (`tlsUnique`, which TLS 1.3 lacks, and `cid_pubkey`, which no TLS stack has) is not known, and so not compared.
#[must_use]
pub fn channel_of(certificate: &ServerCertificate) -> ChannelBinding {
    ChannelBinding {
        // A phone that names one over a certificate for which none is defined saw something else.
        server_end_point: certificate.end_point().and_then(|hash| Text::new(encode(hash)).ok()),
        // One that is longer than the message may have can't be in any.
        tls_server_certificate: Text::new(encode(certificate.der())).ok(),
        ..ChannelBinding::default()
    }
}
