//! How fast attempts may follow each other, and how many at once.

use std::time::Duration;

use super::{Bucket, Pace};
use crate::seats::share;

/// What is counted.
#[derive(Debug, Clone, Copy)]
pub struct Paces {
    /// One user from one network.
    pub user: Pace,
    /// One network, whoever the user.
    pub network: Bucket,
    /// One user from all networks without a login of the user lately, together; `None` where that is not counted. It delays
    /// by as long as one failure drains.
    pub guesses: Option<Bucket>,
    /// For so long after a login its user is not held up by what others fail in the same network.
    pub familiar: Duration,
    /// Entries kept for each count, and users whose logins are remembered; about 64 bytes each, 300 for a user.
    pub entries: usize,
}

impl Paces {
    /// For passwords, of which so many may be checked or wait for it at a time in each [`super::Lane`]: one network has
    /// `percent` of these places, lest it fill them.
    #[must_use]
    pub fn of_passwords(places: usize, percent: u8) -> Self {
        let (paces, parallel) = (Self::default(), parallel(places, percent));
        let guesses = Bucket { holds: 30, drains_one_in: Duration::from_secs(5), parallel: 30 };
        Self { network: Bucket { parallel, ..paces.network }, guesses: Some(guesses), ..paces }
    }

    /// For questions to an authentication service, of which so many may be open at a time: one network has `percent` of
    /// them, which are no failures before they are answered, and one user as many. What failed may have been a guess at
    /// something that came beside what is good, so that no good answer takes it back.
    #[must_use]
    pub fn of_questions(places: usize, percent: u8) -> Self {
        let (paces, parallel) = (Self::default(), parallel(places, percent));
        let forgets_one_in = Some(paces.network.drains_one_in);
        let user = Pace { free: paces.user.free.max(parallel), parallel, forgets_one_in, ..paces.user };
        let network = Bucket { holds: paces.network.holds.max(parallel), parallel, ..paces.network };
        Self { user, network, ..paces }
    }

    /// For answers that are signed: nobody guesses one, so that a whole carrier's phones may fail for long before one
    /// source is slowed for what its answers cost.
    #[must_use]
    pub fn of_signatures() -> Self {
        let longest = Duration::from_secs(5);
        Self {
            user: Pace { free: 50, longest, ..Pace::default() },
            network: Bucket { holds: 500, drains_one_in: Duration::from_secs(1), parallel: 200 },
            ..Self::default()
        }
    }
}

fn parallel(places: usize, percent: u8) -> u32 {
    u32::try_from(share(places, percent)).unwrap_or(u32::MAX)
}

impl Default for Paces {
    fn default() -> Self {
        Self {
            user: Pace::default(),
            network: Bucket { holds: 100, drains_one_in: Duration::from_secs(5), parallel: 50 },
            guesses: None,
            familiar: Duration::from_secs(7 * 24 * 3600),
            entries: 50_000,
        }
    }
}
