//! What can happen to an operation, and what comes of it (`http-api.md` 3 and 5).

use serde::{Deserialize, Serialize};
use sidegate_filters::clock::Millis;
use uuid::Uuid;

use super::phase::Phase;
use super::{ChallengeState, Era, Operation, OperationKind, Outcome, Purpose, State};

/// Names one claim, so that a late commit of an expired claim touches nothing of the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClaimId(Uuid);

impl ClaimId {
    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    #[cfg(test)]
    pub(super) fn for_test(number: u128) -> Self {
        Self(Uuid::from_u128(number))
    }
}

/// What is to happen to an operation, in one atomic step.
#[derive(Debug, Clone)]
pub enum Event {
    /// The token is redeemed on the path of `kind`; the request with this challenge goes out. Reg and Auth only: a
    /// deregistration is claimed and then handed out.
    Redeem {
        /// The operation that the path names.
        kind: OperationKind,
        /// What the finish needs.
        challenge: ChallengeState,
    },
    /// Work that the redeem depends on begins: nobody else can redeem until it ends or the lease does.
    Claim {
        /// The operation that the path names.
        kind: OperationKind,
        /// The name of this claim.
        claim: ClaimId,
    },
    /// The claimed work is done and the request goes out with this challenge.
    Commit {
        /// The claim that it ends.
        claim: ClaimId,
        /// What the finish needs.
        challenge: ChallengeState,
    },
    /// The claimed work is done and there will be no answer: the operation succeeded (deregistration).
    Complete {
        /// The claim that it ends.
        claim: ClaimId,
    },
    /// The claimed work failed: the token is free again.
    Release {
        /// The claim that it ends.
        claim: ClaimId,
    },
    /// An answer to the handed-out request came: its challenge is used up, whatever becomes of the answer.
    Answer,
    /// The taken answer was checked.
    Finish(Outcome),
    /// The operation is called off.
    Cancel,
    /// The browser that asked for the login learns how it ended: once, so that of any number of tries one makes a session.
    Collect,
}

/// What an event did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// The state moved.
    Moved,
    /// An answer took this challenge.
    Taken(ChallengeState),
    /// A login that was asked for in this era has ended.
    Collected(Era),
}

/// Why an event changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such operation, or it is past its retention.
    #[error("no such operation")]
    Unknown,
    /// The path is that of another operation.
    #[error("the token is for another operation")]
    WrongKind,
    /// The redeem of somebody else is under way.
    #[error("the token is being redeemed")]
    Claimed,
    /// The claim's lease is over, or it never was.
    #[error("the claim is not held any more")]
    ClaimLost,
    /// The request was handed out before.
    #[error("the token was redeemed before")]
    Spent,
    /// Nobody redeemed the token in time.
    #[error("the token timed out")]
    TokenTimedOut,
    /// Nothing was handed out that could be answered.
    #[error("no request was handed out")]
    NotHandedOut,
    /// An answer came before this one.
    #[error("the challenge was used before")]
    ChallengeUsed,
    /// The answer came too late.
    #[error("no answer came in time")]
    AnswerTimedOut,
    /// The operation has ended.
    #[error("the operation has ended")]
    Ended,
    /// It has not ended yet.
    #[error("the operation has not ended")]
    UnderWay,
    /// Its end was told before.
    #[error("the end of the login was told before")]
    Collected,
}

impl Refused {
    /// The UAF status code of a refused redeem (`http-api.md` 3).
    #[must_use]
    pub fn redeem_code(self) -> u16 {
        match self {
            Self::Unknown | Self::WrongKind => 1404,
            Self::TokenTimedOut => 1408,
            _ => 1403,
        }
    }

    /// The UAF status code of a refused answer (`uaf.md` A13).
    #[must_use]
    pub fn answer_code(self) -> u16 {
        match self {
            Self::AnswerTimedOut => 1408,
            _ => 1491,
        }
    }
}

impl Operation {
    /// Lets an event happen at this moment. Never goes backwards, except that a released or expired claim is free
    /// again.
    ///
    /// # Errors
    /// Why it can't happen; then the record is unchanged.
    pub fn apply(&mut self, event: Event, now: Millis) -> Result<Applied, Refused> {
        let (next, applied) = match event {
            Event::Redeem { kind, challenge } => (self.redeem(kind, challenge, now)?, Applied::Moved),
            Event::Claim { kind, claim } => (self.claim(kind, claim, now)?, Applied::Moved),
            Event::Commit { claim, challenge } => {
                self.held(claim, now)?;
                (State::Redeemed { at: now, challenge }, Applied::Moved)
            }
            Event::Complete { claim } => {
                self.held(claim, now)?;
                let outcome = Outcome::Succeeded { user: self.user.clone(), authenticators: Vec::new() };
                (State::Done { at: now, outcome, redeemed: true }, Applied::Moved)
            }
            Event::Release { claim } => {
                self.held(claim, now)?;
                (State::Created, Applied::Moved)
            }
            Event::Answer => self.answer(now)?,
            Event::Finish(outcome) => (self.finish(outcome, now)?, Applied::Moved),
            Event::Cancel => (self.cancel(now)?, Applied::Moved),
            Event::Collect => {
                let era = self.collectable(now)?;
                self.login = None;
                (self.state.clone(), Applied::Collected(era))
            }
        };
        if let State::Done { outcome: Outcome::Succeeded { user: Some(user), .. }, .. } = &next {
            self.user.get_or_insert_with(|| user.clone());
        }
        self.state = next;
        Ok(applied)
    }

    fn redeem(&self, kind: OperationKind, challenge: ChallengeState, now: Millis) -> Result<State, Refused> {
        self.redeemable(kind, now)?;
        // Handing out a deregistration before the records are gone would leave a key that no phone has.
        if kind == OperationKind::Dereg {
            return Err(Refused::ClaimLost);
        }
        Ok(State::Redeemed { at: now, challenge })
    }

    fn claim(&self, kind: OperationKind, claim: ClaimId, now: Millis) -> Result<State, Refused> {
        self.redeemable(kind, now)?;
        Ok(State::Claimed { claim, until: now.after(self.limits.lease) })
    }

    /// Whether its token could be redeemed at this moment on the path of `kind`. Only [`Event::Redeem`] and
    /// [`Event::Claim`] decide who does.
    ///
    /// # Errors
    /// Why not, as a redeem would be told.
    pub fn redeemable(&self, kind: OperationKind, now: Millis) -> Result<(), Refused> {
        // A record without a token has no row in the redeem table: its id is not derived from any token.
        if self.token_deadline.is_none() {
            return Err(Refused::Unknown);
        }
        match self.phase(now) {
            Phase::Forgotten => Err(Refused::Unknown),
            _ if kind != self.kind => Err(Refused::WrongKind),
            Phase::Free => Ok(()),
            Phase::Claimed(_) => Err(Refused::Claimed),
            Phase::TokenTimedOut => Err(Refused::TokenTimedOut),
            Phase::HandedOut { .. } | Phase::Answered { .. } | Phase::AnswerTimedOut { .. } => Err(Refused::Spent),
            Phase::Done { .. } => Err(Refused::Ended),
        }
    }

    fn held(&self, claim: ClaimId, now: Millis) -> Result<(), Refused> {
        match self.phase(now) {
            Phase::Claimed(held) if held == claim => Ok(()),
            Phase::Forgotten => Err(Refused::Unknown),
            Phase::Done { .. } => Err(Refused::Ended),
            _ => Err(Refused::ClaimLost),
        }
    }

    /// The challenge that waits for its answer at this moment: to be compared with what an answer names *before* it is
    /// taken with [`Event::Answer`], so that nobody can use it up without knowing it.
    ///
    /// # Errors
    /// Why no answer is taken, as [`Event::Answer`] would say.
    pub fn awaited(&self, now: Millis) -> Result<&ChallengeState, Refused> {
        self.handed_out_at(now).map(|(_, challenge)| challenge)
    }

    fn answer(&self, now: Millis) -> Result<(State, Applied), Refused> {
        let (redeemed, challenge) = self.handed_out_at(now)?;
        // Taken in time means in time: the check that follows gets a lease of its own.
        let until = redeemed.after(self.limits.answer).max(now.after(self.limits.lease));
        let room = challenge.0.len();
        Ok((State::Answered { redeemed, until, room }, Applied::Taken(challenge.clone())))
    }

    fn handed_out_at(&self, now: Millis) -> Result<(Millis, &ChallengeState), Refused> {
        match self.phase(now) {
            Phase::HandedOut { redeemed, challenge } => Ok((redeemed, challenge)),
            Phase::Forgotten => Err(Refused::Unknown),
            Phase::Free | Phase::Claimed(_) | Phase::TokenTimedOut => Err(Refused::NotHandedOut),
            Phase::Answered { .. } => Err(Refused::ChallengeUsed),
            Phase::AnswerTimedOut { .. } => Err(Refused::AnswerTimedOut),
            Phase::Done { .. } => Err(Refused::Ended),
        }
    }

    fn finish(&self, outcome: Outcome, now: Millis) -> Result<State, Refused> {
        match self.phase(now) {
            Phase::Answered { .. } => Ok(State::Done { at: now, outcome, redeemed: true }),
            Phase::Forgotten => Err(Refused::Unknown),
            Phase::AnswerTimedOut { .. } => Err(Refused::AnswerTimedOut),
            Phase::Done { .. } => Err(Refused::Ended),
            _ => Err(Refused::NotHandedOut),
        }
    }

    /// The era of the login whose end could be told at this moment: what can fail on the way to a session is asked *before*
    /// the end is taken with [`Event::Collect`], since that is done once.
    ///
    /// # Errors
    /// Why there is none to tell, as [`Event::Collect`] would say.
    pub fn collectable(&self, now: Millis) -> Result<Era, Refused> {
        match self.phase(now) {
            Phase::Forgotten => Err(Refused::Unknown),
            _ if self.purpose != Purpose::BrowserLogin => Err(Refused::WrongKind),
            Phase::Free | Phase::Claimed(_) | Phase::HandedOut { .. } | Phase::Answered { .. } => {
                Err(Refused::UnderWay)
            }
            Phase::TokenTimedOut | Phase::AnswerTimedOut { .. } | Phase::Done { .. } => {
                self.login.ok_or(Refused::Collected)
            }
        }
    }

    fn cancel(&self, now: Millis) -> Result<State, Refused> {
        let cancelled = Outcome::Failed { code: 1403, asm_status_code: None, client_error_code: None };
        match self.phase(now) {
            Phase::Free | Phase::Claimed(_) => Ok(State::Done { at: now, outcome: cancelled, redeemed: false }),
            Phase::HandedOut { .. } | Phase::Answered { .. } => {
                Ok(State::Done { at: now, outcome: cancelled, redeemed: true })
            }
            Phase::Forgotten => Err(Refused::Unknown),
            Phase::TokenTimedOut | Phase::AnswerTimedOut { .. } | Phase::Done { .. } => Err(Refused::Ended),
        }
    }
}
