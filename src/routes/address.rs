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

/// How long a name's addresses are used before it is asked for again.
const REFRESH: Duration = Duration::from_secs(30);
/// The same where the name could not be resolved.
const RETRY: Duration = Duration::from_secs(2);

/// Of a name's addresses no more are tried.
const TRIED: usize = 8;

/// Socket addresses in the order in which they are tried; none where a name has none.
pub type Addresses = Arc<[SocketAddr]>;

/// `host:port` of an upstream. A name is resolved now and then, by one request at a time; while it can't be resolved, its
/// last addresses stay good.
pub struct Address {
    text: String,
    group: u64,
    fixed: Option<Addresses>,
    known: ArcSwapOption<Known>,
    turn: Semaphore,
}

/// What was found at the last look.
#[derive(Clone)]
struct Known {
    addresses: Addresses,
    /// Goes first for as long as the name has it: those before it could not be connected to.
    preferred: Option<SocketAddr>,
    until: Instant,
}

impl Address {
    /// The address `host:port`; the host is a name, an IPv4 address or an IPv6 address in brackets.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self {
            group: Self::group_of_one(),
            fixed: text.parse().ok().map(|address| Addresses::from([address])),
            text,
            known: ArcSwapOption::empty(),
            turn: Semaphore::new(1),
        }
    }

    /// A name that was just found to have these addresses.
    #[cfg(test)]
    pub(crate) fn of(text: &str, addresses: &[SocketAddr]) -> Self {
        let (addresses, until) = (addresses.into(), Instant::now() + REFRESH);
        let known = ArcSwapOption::from_pointee(Known { addresses, preferred: None, until });
        Self { known, ..Self::new(text.to_owned()) }
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

    /// Such a number for a single connection.
    #[must_use]
    pub fn group_of_one() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    /// Another such number, for connections that are used once.
    #[must_use]
    pub fn group_of_none_kept(&self) -> u64 {
        !self.group
    }

    /// The socket addresses. None: the name has none, or that was not found out within `patience`.
    pub async fn resolve(&self, patience: Duration) -> Addresses {
        match &self.fixed {
            Some(address) => address.clone(),
            None => self.known_or(self.look_up(patience)).await,
        }
    }

    /// Puts an address that could not be connected to behind the others, unless that was done already: `localhost` may
    /// be two, and a server listen on one of them only.
    pub fn pass_over(&self, failed: SocketAddr) {
        let known = self.known.load();
        let Some(known) = known.as_deref().filter(|known| known.addresses.first() == Some(&failed)) else { return };
        let mut addresses = known.addresses.to_vec();
        addresses.rotate_left(1);
        let (preferred, until) = (addresses.first().copied(), known.until);
        self.known.store(Some(Arc::new(Known { addresses: addresses.into(), preferred, until })));
    }

    async fn known_or(&self, look_up: impl Future<Output = Vec<SocketAddr>>) -> Addresses {
        let last = match self.known() {
            Ok(good) => return good,
            Err(last) => last,
        };
        if !last.is_empty() && self.turn.available_permits() == 0 {
            return last;
        }
        let Ok(_turn) = self.turn.acquire().await else { return last };
        if let Ok(good) = self.known() {
            return good;
        }
        let found = look_up.await;
        let last = self.known.load_full();
        let (now, preferred) = (Instant::now(), last.as_ref().and_then(|last| last.preferred));
        let known = match last {
            Some(last) if found.is_empty() => Known { until: now + RETRY, ..(*last).clone() },
            _ if found.is_empty() => Known { addresses: found.into(), preferred, until: now + RETRY },
            _ => Known { addresses: in_order(found, preferred), preferred, until: now + REFRESH },
        };
        let addresses = known.addresses.clone();
        self.known.store(Some(Arc::new(known)));
        addresses
    }

    /// What is known and still good; as an error what was known last.
    fn known(&self) -> Result<Addresses, Addresses> {
        match self.known.load().as_deref() {
            Some(known) if Instant::now() < known.until => Ok(known.addresses.clone()),
            known => Err(known.map_or_else(Addresses::default, |known| known.addresses.clone())),
        }
    }

    async fn look_up(&self, patience: Duration) -> Vec<SocketAddr> {
        let found = timeout(patience, lookup_host(&self.text)).await;
        let addresses: Vec<_> = found.ok().and_then(Result::ok).into_iter().flatten().collect();
        if addresses.is_empty() {
            tracing::warn!(upstream = self.text, "the name of an upstream has no address just now");
        }
        addresses
    }
}

/// What was found, the preferred one first, if it is still there.
fn in_order(mut found: Vec<SocketAddr>, preferred: Option<SocketAddr>) -> Addresses {
    if let Some(first) = found.iter().position(|address| Some(*address) == preferred) {
        found.rotate_left(first);
    }
    found.truncate(TRIED);
    found.into()
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

    fn parsed(answer: &[&str]) -> Vec<SocketAddr> {
        answer.iter().map(|address| address.parse().unwrap()).collect()
    }

    async fn ask_all(address: &Address, answer: &[&str]) -> Vec<SocketAddr> {
        let answer = parsed(answer);
        address.known_or(async { answer }).await.to_vec()
    }

    async fn ask(address: &Address, answer: Option<&str>) -> Option<String> {
        ask_all(address, answer.as_slice()).await.first().map(ToString::to_string)
    }

    async fn known(address: &Address) -> Option<String> {
        address.known_or(async { panic!("it is known") }).await.first().map(ToString::to_string)
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

    #[tokio::test(start_paused = true)]
    async fn an_address_that_cannot_be_connected_to_comes_last_for_as_long_as_the_name_has_the_other() {
        let (address, both) = (name(), [FIRST, SECOND]);
        assert_eq!(ask_all(&address, &both).await, parsed(&both));
        for _ in 0..2 {
            address.pass_over(FIRST.parse().unwrap());
            assert_eq!(known(&address).await.as_deref(), Some(SECOND), "however many requests tell of it");
        }
        tokio::time::advance(REFRESH).await;
        assert_eq!(ask_all(&address, &[]).await, parsed(&[SECOND, FIRST]));
        tokio::time::advance(RETRY).await;
        assert_eq!(ask_all(&address, &both).await, parsed(&[SECOND, FIRST]));
        tokio::time::advance(REFRESH).await;
        assert_eq!(ask_all(&address, &[FIRST]).await, parsed(&[FIRST]));
    }

    #[tokio::test]
    async fn of_many_addresses_some_are_tried() {
        let many: Vec<String> = (1..30).map(|host| format!("192.0.2.{host}:80")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(ask_all(&name(), &many).await, parsed(&many[..TRIED]));
    }

    #[tokio::test]
    async fn an_address_needs_no_resolving_and_is_like_no_other() {
        let (one, two) = (Address::new(FIRST.to_owned()), Address::new(FIRST.to_owned()));
        assert_eq!(one.resolve(Duration::ZERO).await.to_vec(), parsed(&[FIRST]));
        let six = Address::new("[::1]:8443".to_owned());
        assert_eq!(six.resolve(Duration::ZERO).await.to_vec(), parsed(&["[::1]:8443"]));
        assert_ne!(one.group(), two.group());
    }
}
