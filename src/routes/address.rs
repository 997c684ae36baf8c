//! Where a server behind the gateway is found.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::net::lookup_host;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

/// How long a name's address is used before it is asked for again.
const REFRESH: Duration = Duration::from_secs(30);
/// The same where the name could not be resolved.
const RETRY: Duration = Duration::from_secs(2);

/// `host:port` of an upstream. A name is resolved now and then, by one request at a time; while it can't be resolved, its
/// last address stays good.
pub struct Address {
    text: String,
    group: u64,
    fixed: Option<SocketAddr>,
    known: ArcSwapOption<Known>,
    turn: Semaphore,
}

/// What was found at the last look.
struct Known {
    address: Option<SocketAddr>,
    until: Instant,
}

impl Address {
    /// The address `host:port`; the host is a name, an IPv4 address or an IPv6 address in brackets.
    #[must_use]
    pub fn new(text: String) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self {
            group: NEXT.fetch_add(1, Ordering::Relaxed),
            fixed: text.parse().ok(),
            text,
            known: ArcSwapOption::empty(),
            turn: Semaphore::new(1),
        }
    }

    /// `host:port`, as configured.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// A number that no other address of this process has, not even one of the same text: connections opened for one
    /// upstream, by its authorities, are not used for another.
    #[must_use]
    pub fn group(&self) -> u64 {
        self.group
    }

    /// The socket address. `None`: the name has none, or it was not found out within `patience`.
    pub async fn resolve(&self, patience: Duration) -> Option<SocketAddr> {
        match self.fixed {
            Some(address) => Some(address),
            None => self.known_or(self.look_up(patience)).await,
        }
    }

    async fn known_or(&self, look_up: impl Future<Output = Option<SocketAddr>>) -> Option<SocketAddr> {
        let last = match self.known() {
            Ok(good) => return good,
            Err(last) => last,
        };
        if last.is_some() && self.turn.available_permits() == 0 {
            return last;
        }
        let Ok(_turn) = self.turn.acquire().await else { return last };
        if let Ok(good) = self.known() {
            return good;
        }
        let found = look_up.await;
        let until = Instant::now() + if found.is_some() { REFRESH } else { RETRY };
        let address = found.or(last);
        self.known.store(Some(Arc::new(Known { address, until })));
        address
    }

    /// What is known and still good; as an error what was known last.
    fn known(&self) -> Result<Option<SocketAddr>, Option<SocketAddr>> {
        let known = self.known.load();
        match known.as_deref() {
            Some(known) if Instant::now() < known.until => Ok(known.address),
            known => Err(known.and_then(|known| known.address)),
        }
    }

    async fn look_up(&self, patience: Duration) -> Option<SocketAddr> {
        let found = timeout(patience, lookup_host(&self.text)).await;
        let address = found.ok().and_then(Result::ok).and_then(|mut found| found.next());
        if address.is_none() {
            tracing::warn!(upstream = self.text, "the name of an upstream has no address just now");
        }
        address
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "192.0.2.1:80";
    const SECOND: &str = "192.0.2.2:80";

    async fn ask(address: &Address, answer: Option<&str>) -> Option<String> {
        let answer = answer.map(|answer| answer.parse().unwrap());
        address.known_or(async { answer }).await.map(|found| found.to_string())
    }

    async fn known(address: &Address) -> Option<String> {
        address.known_or(async { panic!("it is known") }).await.map(|found| found.to_string())
    }

    fn name() -> Address {
        Address::new("shop.internal:80".to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_is_resolved_once_in_a_while() {
        let address = name();
        assert_eq!(ask(&address, Some(FIRST)).await.as_deref(), Some(FIRST));
        tokio::time::advance(REFRESH - Duration::from_millis(1)).await;
        assert_eq!(known(&address).await.as_deref(), Some(FIRST));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(ask(&address, Some(SECOND)).await.as_deref(), Some(SECOND));
        assert_eq!(known(&address).await.as_deref(), Some(SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_that_cannot_be_resolved_keeps_its_last_address() {
        let address = name();
        assert_eq!(ask(&address, None).await, None);
        assert_eq!(known(&address).await, None, "nobody asks again at once");
        tokio::time::advance(RETRY).await;
        assert_eq!(ask(&address, Some(FIRST)).await.as_deref(), Some(FIRST));
        tokio::time::advance(REFRESH).await;
        assert_eq!(ask(&address, None).await.as_deref(), Some(FIRST));
        assert_eq!(known(&address).await.as_deref(), Some(FIRST));
    }

    #[tokio::test(start_paused = true)]
    async fn while_one_asks_the_others_go_on_with_the_last_address() {
        let address = Arc::new(name());
        ask(&address, Some(FIRST)).await;
        tokio::time::advance(REFRESH).await;
        let asking = address.clone();
        let asking = tokio::spawn(async move { asking.known_or(std::future::pending()).await });
        tokio::task::yield_now().await;
        assert_eq!(known(&address).await.as_deref(), Some(FIRST));
        asking.abort();
        assert!(asking.await.unwrap_err().is_cancelled());
        assert_eq!(ask(&address, Some(SECOND)).await.as_deref(), Some(SECOND), "the turn is given back");
    }

    #[tokio::test]
    async fn an_address_needs_no_resolving_and_is_like_no_other() {
        let (one, two) = (Address::new(FIRST.to_owned()), Address::new(FIRST.to_owned()));
        assert_eq!(one.resolve(Duration::ZERO).await, Some(FIRST.parse().unwrap()));
        assert_eq!(Address::new("[::1]:8443".to_owned()).resolve(Duration::ZERO).await, "[::1]:8443".parse().ok());
        assert_ne!(one.group(), two.group());
    }
}
