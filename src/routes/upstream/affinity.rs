//! Which of several servers a session is led to (rendezvous hashing): each pair of a session and a server has a number,
//! and the server with the highest is the session's. A server more takes over its own share and moves nobody else, and
//! what one leaves is spread over all the others. Gateways that share no memory agree, since the numbers are made of names.

/// What requests that belong together have in common: they go to the same server while it is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Affinity(u64);

impl Affinity {
    /// What this text makes: a session's public name, or for want of one the network of the client. It is spread and not
    /// kept secret: who knows it can tell the server.
    #[must_use]
    pub fn of(text: &str) -> Self {
        // FNV-1a, mixed since its high bits are weak. A hash of the standard library may be another in its next version.
        let hash = text
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Self(mixed(hash))
    }

    /// The servers that these texts name, as indexes, the one to go to first.
    pub(super) fn order(self, servers: &[Self]) -> Vec<usize> {
        let mut order: Vec<_> = servers.iter().map(|server| mixed(self.0 ^ server.0)).zip(0..).collect();
        order.sort_unstable_by(|one, other| other.cmp(one));
        order.into_iter().map(|(_, index)| index).collect()
    }
}

/// The last step of splitmix64: each bit of what goes in turns half of what comes out.
fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSIONS: u32 = 4_000;

    fn named(names: &[&str]) -> Vec<Affinity> {
        names.iter().map(|name| Affinity::of(name)).collect()
    }

    /// Where each session goes first, and which it has next.
    fn led<'a>(names: &[&'a str]) -> Vec<(&'a str, &'a str)> {
        let servers = named(names);
        let order = |session| Affinity::of(&format!("session {session}")).order(&servers);
        (0..SESSIONS).map(order).map(|order| (names[order[0]], names[order[1]])).collect()
    }

    #[test]
    fn every_server_has_its_share() {
        let led = led(&["a:1", "b:1", "c:1", "d:1"]);
        for server in ["a:1", "b:1", "c:1", "d:1"] {
            let share = led.iter().filter(|(first, _)| *first == server).count();
            assert!((800..1200).contains(&share), "{server}: {share}");
        }
    }

    #[test]
    fn a_server_more_moves_only_whom_it_takes_over_and_one_that_leaves_only_whom_it_had() {
        let (three, four) = (led(&["a:1", "b:1", "c:1"]), led(&["d:1", "c:1", "b:1", "a:1"]));
        let moved = three.iter().zip(&four).filter(|((before, _), (after, _))| before != after);
        let moved: Vec<_> = moved.map(|(_, (after, next))| (*after, *next)).collect();
        assert!(moved.iter().all(|(after, _)| *after == "d:1"));
        assert!((800..1200).contains(&moved.len()), "{}", moved.len());
        for server in ["a:1", "b:1", "c:1"] {
            let share = moved.iter().filter(|(_, next)| *next == server).count();
            assert!((200..500).contains(&share), "what it leaves is shared by all: {server} {share}");
        }
    }

    #[test]
    fn the_order_is_the_same_in_every_process_and_version() {
        let servers = named(&["shop-a.internal:8443", "shop-b.internal:8443", "shop-c.internal:8443"]);
        let orders = ["192.0.2.7/32", "2001:db8:1::/56"].map(|network| Affinity::of(network).order(&servers));
        assert_eq!(orders, [[2, 0, 1], [0, 1, 2]]);
    }
}
