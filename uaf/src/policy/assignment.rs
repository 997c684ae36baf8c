//! Who fills which member of an alternative: all members together need as many authenticators (UAF protocol 1.1,
//! section 3.1.13).

use std::collections::{BTreeMap, BTreeSet};

use super::matching::{Candidate, Unknown};
use crate::wire::MatchCriteria;

/// For each member of an alternative the candidates that fit it, by their numbers.
pub(super) struct Fits {
    members: Vec<Vec<usize>>,
    candidates: usize,
}

impl Fits {
    pub(super) fn of(alternative: &[MatchCriteria], candidates: &[Candidate<'_>]) -> Self {
        let fitting = |criterion: &MatchCriteria| {
            let numbered = candidates.iter().enumerate();
            numbered.filter(|(_, candidate)| criterion.matches(candidate, Unknown::Differs)).map(|(at, _)| at).collect()
        };
        Self { members: alternative.iter().map(fitting).collect(), candidates: candidates.len() }
    }

    /// Whether each candidate fits some member.
    pub(super) fn use_all_candidates(&self) -> bool {
        (0..self.candidates).all(|candidate| self.members.iter().flatten().any(|fitting| *fitting == candidate))
    }

    /// Whether each member can have a candidate that no other member has.
    pub(super) fn fill_all_members(&self) -> bool {
        let mut holders = BTreeMap::new();
        self.members.len() <= self.candidates
            && (0..self.members.len()).all(|member| self.place(member, &mut holders, &mut BTreeSet::new()))
    }

    /// Finds the member a candidate, for which others may have to take another one (Kuhn's algorithm): the time grows
    /// with members times fits, and the depth is at most that of the members.
    fn place(&self, member: usize, holders: &mut BTreeMap<usize, usize>, tried: &mut BTreeSet<usize>) -> bool {
        self.members.get(member).into_iter().flatten().any(|&candidate| {
            let is_free = tried.insert(candidate)
                && holders.get(&candidate).copied().is_none_or(|holder| self.place(holder, holders, tried));
            if is_free {
                holders.insert(candidate, member);
            }
            is_free
        })
    }
}
