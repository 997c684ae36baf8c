//! Where an operation stands at a moment, which its record alone does not tell.

use sidegate_filters::clock::Millis;

use super::{ChallengeState, ClaimId, Operation, Outcome, State};

/// Where an operation stands at a moment: the written state and the clock together.
pub(super) enum Phase<'a> {
    Forgotten,
    Free,
    Claimed(ClaimId),
    TokenTimedOut,
    HandedOut { redeemed: Millis, challenge: &'a ChallengeState },
    Answered { redeemed: Millis },
    AnswerTimedOut { deadline: Millis },
    Done { at: Millis, outcome: &'a Outcome, redeemed: bool },
}

impl Operation {
    pub(super) fn phase(&self, now: Millis) -> Phase<'_> {
        if now >= self.forgotten_at() {
            return Phase::Forgotten;
        }
        match &self.state {
            State::Claimed { claim, until } if now < *until => Phase::Claimed(*claim),
            State::Created | State::Claimed { .. } => match self.token_deadline {
                Some(deadline) if now < deadline => Phase::Free,
                _ => Phase::TokenTimedOut,
            },
            State::Redeemed { at, challenge } => match at.after(self.limits.answer) {
                deadline if now < deadline => Phase::HandedOut { redeemed: *at, challenge },
                deadline => Phase::AnswerTimedOut { deadline },
            },
            State::Answered { redeemed, until, .. } if now < *until => Phase::Answered { redeemed: *redeemed },
            State::Answered { until, .. } => Phase::AnswerTimedOut { deadline: *until },
            State::Done { at, outcome, redeemed } => Phase::Done { at: *at, outcome, redeemed: *redeemed },
        }
    }
}
