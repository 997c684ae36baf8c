//! The policy for a user whose keys are known: which of them have to answer together
//! (UAF protocol 1.1, "Authentication Request Generation Rules for FIDO Server").

use super::assignment::Fits;
use super::matching::{Candidate, Unknown};
use super::{Policy, by_model, disallows};
use crate::aaid::KeyRef;
use crate::wire::{self, MatchCriteria};

/// So many choices are offered for one alternative, more than any user has models; of a user with more the first ones.
const MAX_CHOICES: usize = 64;
/// So long is what is named, before base64url: the fifty longest key ids of one user fit once. Of more the first ones are asked
/// for.
const MAX_BYTES: usize = 128 * 1024;
/// What a member costs beside its keys, and a key beside its id.
const OVERHEAD: (usize, usize) = (48, 4);

impl Policy {
    /// The same with keys in place of properties: each member of an alternative becomes those of `keys` that fit it, one
    /// model for each choice. An alternative that they cannot fill is left out. `None` if they fill none. What goes by an
    /// authenticator's version is kept for whoever sees one.
    pub(crate) fn among(&self, keys: &[(KeyRef, Candidate<'_>)]) -> Option<Self> {
        let (later, now): (Vec<_>, Vec<_>) =
            self.0.disallowed.iter().cloned().partition(|criterion| criterion.authenticator_version.is_some());
        let (keys, candidates): (Vec<_>, Vec<_>) =
            keys.iter().filter(|(_, candidate)| !disallows(&now, candidate)).cloned().unzip();
        let (mut accepted, mut room) = (Vec::<Vec<_>>::new(), MAX_BYTES);
        for choice in self.0.accepted.iter().flat_map(|alternative| choices(alternative, &keys, &candidates)) {
            let bytes = choice.iter().map(length).sum();
            if !accepted.iter().any(|known| is_mirrored(known, &choice)) && (bytes <= room || accepted.is_empty()) {
                room = room.saturating_sub(bytes);
                accepted.push(choice);
            }
        }
        (!accepted.is_empty()).then_some(Self(wire::Policy { accepted, disallowed: later }))
    }
}

/// One model for each member, in every way that leaves each a key of its own; none if there is no such way. A model takes the
/// place of one member after the other, and only where the keys can fill the members to come as well. Of those that differ in
/// their order alone one is enough.
fn choices(alternative: &[MatchCriteria], keys: &[KeyRef], candidates: &[Candidate<'_>]) -> Vec<Vec<MatchCriteria>> {
    let begun = vec![alternative.to_vec()];
    let choices = alternative.iter().enumerate().fold(begun, |begun, (place, member)| {
        let fitting = keys.iter().zip(candidates).filter(|(_, candidate)| member.matches(candidate, Unknown::Differs));
        let mut models = by_model(fitting.map(|(key, _)| key));
        models.iter_mut().for_each(|model| model.authenticator_version = member.authenticator_version);
        let further = begun.iter().flat_map(|begun| models.iter().map(move |model| with(begun, place, model)));
        let mut taken: Vec<Vec<MatchCriteria>> = Vec::new();
        for choice in further {
            if taken.len() == MAX_CHOICES {
                break;
            }
            let is_new = !taken.iter().any(|known| is_mirrored(known, &choice));
            if is_new && Fits::of(&choice, candidates).fill_all_members() {
                taken.push(choice);
            }
        }
        taken
    });
    choices.into_iter().map(shortened).collect()
}

fn with(choice: &[MatchCriteria], place: usize, model: &MatchCriteria) -> Vec<MatchCriteria> {
    choice.iter().enumerate().map(|(at, member)| if at == place { model } else { member }).cloned().collect()
}

/// Whether both have the same members, in whatever order.
fn is_mirrored(one: &[MatchCriteria], other: &[MatchCriteria]) -> bool {
    let times = |members: &[MatchCriteria], of| members.iter().filter(|member| *member == of).count();
    one.len() == other.len() && one.iter().all(|member| times(one, member) == times(other, member))
}

fn length(member: &MatchCriteria) -> usize {
    member.key_ids.iter().map(|key_id| key_id.as_bytes().len() + OVERHEAD.1).sum::<usize>() + OVERHEAD.0
}

/// With an equal share of the bytes for each member. As many keys as there are members leave each one of its own.
fn shortened(mut choice: Vec<MatchCriteria>) -> Vec<MatchCriteria> {
    let members = choice.len();
    for member in &mut choice {
        while member.key_ids.len() > members && length(member) > MAX_BYTES / members {
            member.key_ids.pop();
        }
    }
    choice
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::algorithm::Algorithm;
    use crate::testing::key_ref;

    const FIRST: &str = "D0D0#0001";
    const SECOND: &str = "D0D0#0002";

    fn policy(accepted: Value) -> Policy {
        Policy::parse(&json!({"accepted": accepted}).to_string()).unwrap()
    }

    fn any() -> Value {
        json!({"authenticationAlgorithms": [1], "assertionSchemes": ["UAFV1TLV"]})
    }

    /// What is asked for of a user with these keys: of each choice the models, each with the number of its keys.
    fn asked(wanted: &Policy, keys: &[KeyRef]) -> Option<Vec<Vec<(String, usize)>>> {
        let keys = keys.iter().map(|key| {
            let (aaid, key_id) = (key.aaid, Some(key.key_id.as_bytes()));
            (key.clone(), Candidate { aaid, key_id, version: None, algorithm: Algorithm::P256Raw, model: None })
        });
        let policy = wanted.among(&keys.collect::<Vec<_>>())?;
        assert_eq!(Policy::parse(&serde_json::to_string(policy.as_wire()).unwrap()).unwrap(), policy);
        let shown = |member: &MatchCriteria| (member.aaid[0].to_string(), member.key_ids.len());
        Some(policy.0.accepted.iter().map(|choice| choice.iter().map(shown).collect()).collect())
    }

    fn choice(models: &[(&str, usize)]) -> Vec<(String, usize)> {
        models.iter().map(|(aaid, keys)| ((*aaid).to_owned(), *keys)).collect()
    }

    #[test]
    fn any_key_is_enough_where_one_is_wanted() {
        let keys = [key_ref(FIRST, 1), key_ref(SECOND, 2), key_ref(FIRST, 3)];
        let each = vec![choice(&[(FIRST, 2)]), choice(&[(SECOND, 1)])];
        assert_eq!(asked(&policy(json!([[any()]])), &keys), Some(each.clone()));
        assert_eq!(asked(&policy(json!([[any()], [{"aaid": [SECOND]}]])), &keys), Some(each), "none twice");
        assert_eq!(asked(&policy(json!([[any()]])), &[]), None);
    }

    #[test]
    fn what_is_wanted_together_is_asked_for_together() {
        let both = policy(json!([[{"aaid": [FIRST]}, {"aaid": [SECOND]}]]));
        let keys = [key_ref(FIRST, 1), key_ref(SECOND, 2)];
        assert_eq!(asked(&both, &keys), Some(vec![choice(&[(FIRST, 1), (SECOND, 1)])]));
        assert_eq!(asked(&both, &keys[..1]), None);
        let or_one = policy(json!([[{"aaid": [FIRST]}, {"aaid": ["D0D0#0003"]}], [{"aaid": [SECOND]}]]));
        assert_eq!(asked(&or_one, &keys), Some(vec![choice(&[(SECOND, 1)])]));
    }

    #[test]
    fn one_key_stands_for_one_member() {
        let two = policy(json!([[any(), any()]]));
        assert_eq!(asked(&two, &[key_ref(FIRST, 1)]), None);
        assert_eq!(asked(&two, &[key_ref(FIRST, 1), key_ref(FIRST, 2)]), Some(vec![choice(&[(FIRST, 2); 2])]));
        let pair = vec![choice(&[(FIRST, 1), (SECOND, 1)])];
        assert_eq!(asked(&two, &[key_ref(FIRST, 1), key_ref(SECOND, 2)]), Some(pair), "not the other way round too");
        let either = policy(json!([[{"aaid": [FIRST]}, {"aaid": [SECOND]}], [{"aaid": [SECOND]}, {"aaid": [FIRST]}]]));
        assert_eq!(asked(&either, &[key_ref(FIRST, 1), key_ref(SECOND, 2)]).unwrap().len(), 1);
    }

    #[test]
    fn of_many_keys_every_two_are_asked_for() {
        let keys: Vec<_> = (1..=11).map(|n| key_ref(&format!("D0D0#{n:04}"), n)).collect();
        let choices = asked(&policy(json!([[any(), any()]])), &keys).unwrap();
        for (first, second) in (1..=11).flat_map(|first| (1..first).map(move |second| (second, first))) {
            let both = choice(&[(&format!("D0D0#{first:04}"), 1), (&format!("D0D0#{second:04}"), 1)]);
            let is_both = |asked: &&Vec<_>| asked.iter().all(|model| both.contains(model));
            assert_eq!(choices.iter().filter(is_both).count(), 1, "{first} and {second}");
        }
    }

    #[test]
    fn what_is_disallowed_is_not_asked_for() {
        let mut wanted = policy(json!([[any()]]));
        wanted.disallow_keys(&[key_ref(FIRST, 1)]);
        let keys = [key_ref(FIRST, 1), key_ref(FIRST, 2)];
        assert_eq!(asked(&wanted, &keys), Some(vec![choice(&[(FIRST, 1)])]));
        assert_eq!(asked(&wanted, &keys[..1]), None);
    }

    #[test]
    fn a_version_is_left_to_the_answer() {
        let version = |lowest: u16| json!({"aaid": [FIRST], "authenticatorVersion": lowest});
        let wanted = json!({"accepted": [[version(3)], [version(4)]], "disallowed": [version(5), {"aaid": [SECOND]}]});
        let wanted = Policy::parse(&wanted.to_string()).unwrap();
        let key = key_ref(FIRST, 1);
        let candidate = Candidate {
            aaid: key.aaid,
            key_id: Some(key.key_id.as_bytes()),
            version: None,
            algorithm: Algorithm::P256Raw,
            model: None,
        };
        let asked = wanted.among(&[(key.clone(), candidate)]).unwrap();
        let lowest: Vec<_> = asked.0.accepted.iter().map(|choice| choice[0].authenticator_version).collect();
        assert_eq!(lowest, [Some(3), Some(4)], "two choices, not one");
        assert_eq!(asked.0.disallowed, wanted.0.disallowed[..1]);
        assert_eq!(Policy::parse(&serde_json::to_string(asked.as_wire()).unwrap()).unwrap(), asked);
    }

    #[test]
    fn what_fits_a_late_member_alone_is_kept_for_it() {
        let keys: Vec<_> = (1..=10).map(|n| key_ref(&format!("D0D0#{n:04}"), n)).collect();
        for late in [FIRST, "D0D0#0010"] {
            let wanted = policy(json!([[any(), any(), any(), {"aaid": [late]}]]));
            let choices = asked(&wanted, &keys).unwrap();
            assert_eq!(choices.len(), MAX_CHOICES);
            assert!(
                choices.iter().all(|choice| choice[3].0 == late && choice[..3].iter().all(|model| model.0 != late))
            );
        }
    }

    #[test]
    fn long_key_ids_make_a_request_of_bounded_size() {
        let long = |model: u8, n: u8| KeyRef {
            aaid: format!("D0D0#{model:04}").parse().unwrap(),
            key_id: crate::KeyId::new(vec![n; 2048]).unwrap(),
        };
        let bytes =
            |choices: &[Vec<(String, usize)>]| choices.iter().flatten().map(|(_, keys)| keys * 2048).sum::<usize>();
        let of_one: Vec<_> = (0..50).map(|n| long(1, n)).collect();
        let of_many: Vec<_> = (0..50).map(|n| long(n, n)).collect();
        assert_eq!(asked(&policy(json!([[any()]])), &of_one), Some(vec![choice(&[(FIRST, 50)])]));
        assert_eq!(asked(&policy(json!([[any()]])), &of_many).unwrap().len(), 50);
        assert_eq!(asked(&policy(json!([[any(), any()]])), &of_one), Some(vec![choice(&[(FIRST, 31); 2])]));
        for members in 2..9 {
            for keys in [&of_one, &of_many] {
                let choices = asked(&policy(json!([vec![any(); members]])), keys).unwrap();
                assert!(!choices.is_empty() && bytes(&choices) <= MAX_BYTES, "{members}: {choices:?}");
            }
        }
    }

    #[test]
    fn many_keys_make_a_request_of_bounded_size() {
        let keys: Vec<_> = (0..50).map(|n| key_ref(&format!("D0D0#{n:04}"), n)).collect();
        let eight = policy(json!([vec![any(); 8]]));
        assert!((1..=MAX_CHOICES).contains(&asked(&eight, &keys).unwrap().len()));
        assert_eq!(asked(&policy(json!([[any()]])), &keys).unwrap().len(), 50);
    }
}
