//! IpListFilter: who may come by where he comes from (`gateway.md` 3).

use std::fmt;
use std::net::IpAddr;

use async_trait::async_trait;
use http::StatusCode;

use crate::body::BodySource;
use crate::exchange::Exchange;
use crate::filter::{Filter, FilterError, Verdict};
use crate::network::Network;
use crate::reason::Reason;
use crate::reply::Problem;

/// Networks that may come and networks that may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpList {
    /// With some here, nobody from elsewhere may come.
    pub allow: Vec<Network>,
    /// Nobody from there may come, whatever is in `allow`.
    pub deny: Vec<Network>,
}

impl IpList {
    /// Whether requests from this address pass. From an address that is not known none does.
    #[must_use]
    pub fn admits(&self, address: IpAddr) -> bool {
        let is_in = |networks: &[Network]| networks.iter().any(|network| network.contains(address));
        let allowed = self.allow.is_empty() || is_in(&self.allow);
        allowed && !is_in(&self.deny) && !address.to_canonical().is_unspecified()
    }
}

impl fmt::Display for IpList {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |networks: &[Network]| networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match (self.allow.is_empty(), self.deny.is_empty()) {
            (false, false) => write!(out, "from {}, but not from {}", listed(&self.allow), listed(&self.deny)),
            (false, true) => write!(out, "from {} alone", listed(&self.allow)),
            (true, _) => write!(out, "not from {}", listed(&self.deny)),
        }
    }
}

/// The filter `ip-list`. It goes by [`crate::Client::address`], which nothing in a request can change.
pub struct IpListFilter(IpList);

impl IpListFilter {
    /// The filter for these networks.
    #[must_use]
    pub fn new(list: IpList) -> Self {
        Self(list)
    }
}

#[async_trait]
impl Filter for IpListFilter {
    fn name(&self) -> &'static str {
        "ip-list"
    }

    fn settings(&self) -> String {
        self.0.to_string()
    }

    async fn request(&self, exchange: &mut Exchange, _: &mut dyn BodySource) -> Result<Verdict, FilterError> {
        if self.0.admits(exchange.client.address) {
            return Ok(Verdict::Pass);
        }
        let detail = "nothing is served here to the address that the request comes from";
        Ok(Verdict::Answer(Problem::new(StatusCode::FORBIDDEN, detail).because(Reason::Address).into()))
    }
}

#[cfg(test)]
mod tests {
    use http::Method;
    use rstest::rstest;

    use super::*;
    use crate::testing::{fields, request, run};

    fn networks(texts: &[&str]) -> Vec<Network> {
        texts.iter().map(|text| Network::parse(text).unwrap()).collect()
    }

    const OFFICE: &[&str] = &["192.0.2.0/24", "2001:db8::/32"];

    #[rstest]
    #[case::allowed(OFFICE, &[], "192.0.2.7", 200)]
    #[case::mapped(OFFICE, &[], "::ffff:192.0.2.7", 200)]
    #[case::allowed_over_ipv6(OFFICE, &[], "2001:db8::7", 200)]
    #[case::not_allowed(OFFICE, &[], "198.51.100.7", 403)]
    #[case::not_allowed_over_ipv6(OFFICE, &[], "2001:db9::7", 403)]
    #[case::denied(&[], &["192.0.2.66/32"], "192.0.2.66", 403)]
    #[case::denied_mapped(&[], &["192.0.2.66/32"], "::ffff:192.0.2.66", 403)]
    #[case::not_denied(&[], &["192.0.2.66/32"], "192.0.2.65", 200)]
    #[case::denied_among_the_allowed(OFFICE, &["192.0.2.66/32"], "192.0.2.66", 403)]
    #[case::allowed_beside_the_denied(OFFICE, &["192.0.2.66/32"], "192.0.2.65", 200)]
    #[case::in_neither(OFFICE, &["192.0.2.66/32"], "198.51.100.7", 403)]
    #[case::from_nowhere(&[], &["192.0.2.66/32"], "0.0.0.0", 403)]
    #[case::from_nowhere_over_ipv6(&["::/0"], &[], "::", 403)]
    #[tokio::test]
    async fn the_address_decides(
        #[case] allow: &[&str],
        #[case] deny: &[&str],
        #[case] address: IpAddr,
        #[case] status: u16,
    ) {
        let mut exchange = request(Method::GET, "/");
        exchange.client.address = address;
        let list = IpList { allow: networks(allow), deny: networks(deny) };
        assert_eq!(run(IpListFilter::new(list), exchange, "").await.0, status);
    }

    #[tokio::test]
    async fn no_header_says_where_a_request_comes_from() {
        let mut exchange = request(Method::GET, "/");
        exchange.client.address = [198, 51, 100, 7].into();
        let names = ["x-forwarded-for", "forwarded", "x-real-ip", "x-client-ip", "true-client-ip"];
        exchange.headers = fields(&names.map(|name| (name, "192.0.2.7")));
        let list = IpList { allow: networks(OFFICE), deny: Vec::new() };
        assert_eq!(run(IpListFilter::new(list), exchange, "").await.0, 403);
    }

    #[rstest]
    #[case(OFFICE, &[], "from 192.0.2.0/24, 2001:db8::/32 alone")]
    #[case(&[], &["192.0.2.66/32"], "not from 192.0.2.66/32")]
    #[case(OFFICE, &["192.0.2.66/32"], "from 192.0.2.0/24, 2001:db8::/32, but not from 192.0.2.66/32")]
    fn it_is_told(#[case] allow: &[&str], #[case] deny: &[&str], #[case] told: &str) {
        let list = IpList { allow: networks(allow), deny: networks(deny) };
        assert_eq!(IpListFilter::new(list).settings(), told);
    }
}
