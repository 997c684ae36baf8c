//! What it costs to check passwords: the parameters of argon2id.

use std::collections::BTreeSet;
use std::fmt;
use std::hint::black_box;

use argon2::{Algorithm, Argon2, Params, PasswordHash as Phc, Version};

use super::BadHash;

/// The parameters of a hash that decide how long it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost {
    version: Version,
    /// KiB.
    memory: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// That of the hashes made here: the crate's defaults, OWASP's first recommendation.
    pub const OURS: Self = Self {
        version: Version::V0x13,
        memory: Params::DEFAULT_M_COST,
        passes: Params::DEFAULT_T_COST,
        lanes: Params::DEFAULT_P_COST,
    };
    /// The most memory, in KiB: each core may check a password at the same time.
    pub const MEMORY: u32 = 256 * 1024;
    /// The most KiB that are filled in all passes; some two seconds of a core.
    pub const WORK: u64 = 1024 * 1024;
    /// The most lanes; they are filled one after the other.
    pub const LANES: u32 = 16;

    /// What a hash asks for.
    pub(super) fn of(hash: &Phc<'_>) -> Result<Self, BadHash> {
        let params = Params::try_from(hash).map_err(|_| BadHash::Malformed)?;
        let version = hash.version.map_or(Ok(Version::default()), Version::try_from).map_err(|_| BadHash::Malformed)?;
        let cost = Self { version, memory: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() };
        let is_bounded = cost.memory <= Self::MEMORY && cost.lanes <= Self::LANES && cost.work() <= Self::WORK;
        if is_bounded { Ok(cost) } else { Err(BadHash::TooDear) }
    }

    fn work(self) -> u64 {
        u64::from(self.memory).saturating_mul(self.passes.into())
    }

    /// Does the work of a check of this cost, for nothing.
    pub fn spend(self, password: &[u8]) {
        // Parameters of a hash that was read are good ones, and so are ours.
        let Ok(params) = Params::new(self.memory, self.passes, self.lanes, None) else { return };
        let mut hash = [0; Params::DEFAULT_OUTPUT_LEN];
        let done =
            Argon2::new(Algorithm::Argon2id, self.version, params).hash_password_into(password, &[0; 16], &mut hash);
        black_box((hash, done.is_ok()));
    }
}

/// As in a hash's text.
impl fmt::Display for Cost {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, memory, passes, lanes } = self;
        write!(out, "v={},m={memory},t={passes},p={lanes}", u32::from(*version))
    }
}

/// The costs of the hashes of all users, each once, and that of a user who is added next. A login spends each of them
/// once, whoever it names: so it takes as long for one who does not exist as for any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Costs(BTreeSet<Cost>);

/// With one more kind of hash, each login would take too long. That of a user who is added is not counted, so that each
/// hash that is good by itself is good in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "each login does the work of all kinds of hashes of the file, and with this one m times t comes to more than {} in all \
     (1 GiB; the kind that users are added with is not counted): let users share fewer kinds",
    Cost::WORK
)]
pub struct TooManyKinds;

impl Costs {
    /// With one more.
    ///
    /// # Errors
    /// When all together, but for [`Cost::OURS`], are more than [`Cost::WORK`].
    pub fn add(&mut self, cost: Cost) -> Result<(), TooManyKinds> {
        self.0.insert(cost);
        let all = self.without(Some(Cost::OURS)).map(Cost::work).fold(0, u64::saturating_add);
        if all <= Cost::WORK { Ok(()) } else { Err(TooManyKinds) }
    }

    /// All but this one.
    pub fn without(&self, own: Option<Cost>) -> impl Iterator<Item = Cost> {
        self.0.iter().copied().filter(move |cost| Some(*cost) != own)
    }
}

impl Default for Costs {
    fn default() -> Self {
        Self(BTreeSet::from([Cost::OURS]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::PasswordHash;
    use super::*;

    fn cost(parameters: &str) -> Result<Cost, BadHash> {
        let text = format!("$argon2id${parameters}$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNo");
        PasswordHash::parse(&text).map(|hash| hash.cost())
    }

    #[test]
    fn a_hash_made_here_has_our_cost() {
        let hash = PasswordHash::of(b"secret").unwrap();
        assert_eq!(hash.cost(), Cost::OURS);
        assert!(hash.as_str().contains("$v=19$m=19456,t=2,p=1$"), "{hash:?}");
        assert_eq!(Cost::OURS.to_string(), "v=19,m=19456,t=2,p=1");
    }

    #[test]
    fn imported_hashes_may_ask_for_so_much_and_no_more() {
        // Of RFC 9106, of older libraries, and the dearest.
        for good in ["v=19$m=65536,t=3,p=4", "v=16$m=4096,t=3,p=1", "v=19$m=262144,t=4,p=16", "m=8,t=1,p=1"] {
            assert!(cost(good).is_ok(), "{good}");
        }
        for dear in
            ["v=19$m=262145,t=1,p=1", "v=19$m=262144,t=5,p=1", "v=19$m=8,t=4294967295,p=1", "v=19$m=4096,t=1,p=17"]
        {
            assert_eq!(cost(dear), Err(BadHash::TooDear), "{dear}");
        }
        let told = BadHash::TooDear.to_string();
        assert!(["m=262144", "1048576", "p=16"].iter().all(|bound| told.contains(bound)), "{told}");
    }

    #[test]
    fn what_no_password_can_be_checked_with_is_no_hash() {
        for bad in ["v=18$m=4096,t=3,p=1", "v=19$m=7,t=1,p=1", "v=19$m=4096,t=0,p=1", "v=19$m=4096,t=1,p=1,x=1"] {
            assert_eq!(cost(bad), Err(BadHash::Malformed), "{bad}");
        }
    }

    #[test]
    fn all_kinds_together_are_bounded() {
        let mut costs = Costs::default();
        for parameters in ["v=19$m=65536,t=3,p=4", "v=19$m=65536,t=3,p=4", "v=16$m=4096,t=3,p=1"] {
            costs.add(cost(parameters).unwrap()).unwrap();
        }
        let ours = Some(Cost::OURS);
        assert_eq!((costs.without(None).count(), costs.without(ours).count()), (3, 2));
        assert_eq!(costs.add(cost("v=19$m=262144,t=4,p=1").unwrap()), Err(TooManyKinds));
    }

    #[test]
    fn the_kind_made_here_takes_no_room_from_those_of_the_file() {
        let ours = Cost::OURS.to_string().replace(",m=", "$m=");
        for (kinds, fits) in [
            (["v=19$m=262144,t=4,p=1", &ours], true),
            (["v=19$m=131072,t=4,p=1", "v=19$m=131072,t=4,p=4"], true),
            (["v=19$m=262144,t=4,p=1", "v=19$m=8,t=1,p=1"], false),
            (["v=19$m=131072,t=4,p=1", "v=19$m=131073,t=4,p=1"], false),
        ] {
            for order in [[0, 1], [1, 0]] {
                let mut costs = Costs::default();
                let added = order.map(|at| costs.add(cost(kinds[at]).unwrap()));
                assert_eq!(added, [Ok(()), if fits { Ok(()) } else { Err(TooManyKinds) }], "{kinds:?}");
            }
        }
    }
}
