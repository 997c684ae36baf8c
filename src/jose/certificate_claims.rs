//! What a server's certificate says about itself: whom it names, and when it is good.

use std::net::IpAddr;
use std::path::Path;

use openssl::asn1::Asn1Time;
use openssl::x509::X509;
use sidegate_filters::clock::Millis;

use super::certificates::{Authorities, AuthoritiesError};

/// The certificate that a listener shows.
pub struct CertificateClaims(X509);

/// Why clients will not take it at this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// Its time has not come.
    #[error("is not valid yet")]
    Early,
    /// Its time is over.
    #[error("has expired")]
    Late,
}

impl CertificateClaims {
    /// Reads the first certificate of a PEM file.
    ///
    /// # Errors
    /// If it can't be read, or holds no certificate.
    pub fn read(path: &Path) -> Result<Self, AuthoritiesError> {
        let chain = Authorities::read(path)?.certificates();
        let first = chain.first().ok_or_else(|| AuthoritiesError::Content(path.display().to_string()))?;
        Ok(Self(first.clone()))
    }

    /// Whether it names this host: a name, or an address with or without the brackets of a URL. As in browsers, only
    /// alternative names count (RFC 9525 6), and a star stands for the whole first label.
    #[must_use]
    pub fn names(&self, host: &str) -> bool {
        let names = self.0.subject_alt_names();
        let mut names = names.iter().flatten();
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => names.any(|name| name.ipaddress() == Some(&address.octets()[..])),
            Ok(IpAddr::V6(address)) => names.any(|name| name.ipaddress() == Some(&address.octets()[..])),
            Err(_) => names.filter_map(|name| name.dnsname()).any(|name| covers(name, host)),
        }
    }

    /// What is wrong with its time.
    #[must_use]
    pub fn doubt(&self, now: Millis) -> Option<Doubt> {
        let now = Asn1Time::from_unix(now.seconds()).ok()?;
        if self.0.not_before() > now { Some(Doubt::Early) } else { (self.0.not_after() < now).then_some(Doubt::Late) }
    }
}

fn covers(name: &str, host: &str) -> bool {
    let by_star = name.strip_prefix("*.").zip(host.split_once('.'));
    name.eq_ignore_ascii_case(host) || by_star.is_some_and(|(rest, (_, parent))| rest.eq_ignore_ascii_case(parent))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use sidegate_filters::clock::{Clock as _, SystemClock};

    use super::*;
    use crate::jose::certificates::{Host, self_signed};

    fn sample() -> CertificateClaims {
        CertificateClaims(X509::from_pem(&self_signed(&Host::local()).unwrap().server.certificate).unwrap())
    }

    #[rstest]
    #[case("localhost", true)]
    #[case("LOCALHOST", true)]
    #[case("127.0.0.1", true)]
    #[case("[::1]", true)]
    #[case("127.0.0.2", false)]
    #[case("gate.example", false)]
    #[case("a.localhost", false)]
    fn it_names_some_hosts(#[case] host: &str, #[case] expected: bool) {
        assert_eq!(sample().names(host), expected);
    }

    #[rstest]
    #[case("*.example", "gate.example", true)]
    #[case("*.EXAMPLE", "gate.example", true)]
    #[case("*.example", "a.gate.example", false)]
    #[case("*.example", "example", false)]
    #[case("g*.example", "gate.example", false)]
    fn a_star_is_one_label(#[case] name: &str, #[case] host: &str, #[case] expected: bool) {
        assert_eq!(covers(name, host), expected);
    }

    #[test]
    fn it_is_good_for_its_time_only() {
        let (sample, now, day) = (sample(), SystemClock.now().0, 24 * 3600 * 1000);
        assert_eq!(sample.doubt(Millis(now + day)), None);
        assert_eq!(sample.doubt(Millis(now - day)), Some(Doubt::Early));
        assert_eq!(sample.doubt(Millis(now + 400 * day)), Some(Doubt::Late));
    }
}
