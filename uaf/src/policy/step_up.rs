//! The policy for a user whose keys are known: which of them have to answer together (uaf.md A3).

use super::assignment::Fits;
use super::by_model;
use super::matching::{Candidate, Unknown};
use crate::aaid::KeyRef;
use crate::wire::{MatchCriteria, Policy};

/// So many choices are offered for one alternative, more than any user has models; of a user with more the first ones.
const MAX_CHOICES: usize = 64;

impl Policy {
    /// The same with keys in place of properties: each member of an alternative becomes those of `keys` that fit it, one
    /// model for each choice. An alternative that they cannot fill is left out. `None` if they fill none.
    pub(crate) fn among(&self, keys: &[(KeyRef, Candidate<'_>)]) -> Option<Self> {
        let (keys, candidates): (Vec<_>, Vec<_>) =
            keys.iter().filter(|(_, candidate)| !self.disallows(candidate)).cloned().unzip();
        let mut accepted = Vec::new();
        for choice in self.accepted.iter().flat_map(|alternative| choices(alternative, &keys, &candidates)) {
            if !accepted.contains(&choice) {
                accepted.push(choice);
            }
        }
        (!accepted.is_empty()).then(|| Self { accepted, disallowed: Vec::new() })
    }
}

/// One model for each member, in every way that leaves each a key of its own; none if there is no such way.
fn choices(alternative: &[MatchCriteria], keys: &[KeyRef], candidates: &[Candidate<'_>]) -> Vec<Vec<MatchCriteria>> {
    alternative.iter().fold(vec![Vec::new()], |begun, member| {
        let fitting = keys.iter().zip(candidates).filter(|(_, candidate)| member.matches(candidate, Unknown::Differs));
        let models = by_model(fitting.map(|(key, _)| key));
        let longer = begun.iter().flat_map(|begun: &Vec<MatchCriteria>| {
            models.iter().map(|model| [begun.as_slice(), std::slice::from_ref(model)].concat())
        });
        longer.filter(|choice| Fits::of(choice, candidates).fill_all_members()).take(MAX_CHOICES).collect()
    })
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
            (key.clone(), Candidate { aaid, key_id, version: 1, algorithm: Algorithm::P256Raw, model: None })
        });
        let policy = wanted.among(&keys.collect::<Vec<_>>())?;
        assert_eq!(Policy::parse(&serde_json::to_string(&policy).unwrap()).unwrap(), policy);
        let shown = |member: &MatchCriteria| (member.aaid[0].to_string(), member.key_ids.len());
        Some(policy.accepted.iter().map(|choice| choice.iter().map(shown).collect()).collect())
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
        let pairs = vec![choice(&[(FIRST, 1), (SECOND, 1)]), choice(&[(SECOND, 1), (FIRST, 1)])];
        assert_eq!(asked(&two, &[key_ref(FIRST, 1), key_ref(SECOND, 2)]), Some(pairs));
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
    fn many_keys_make_a_request_of_bounded_size() {
        let keys: Vec<_> = (0..50).map(|n| key_ref(&format!("D0D0#{n:04}"), n)).collect();
        let eight = policy(json!([vec![any(); 8]]));
        assert!((1..=MAX_CHOICES).contains(&asked(&eight, &keys).unwrap().len()));
        assert_eq!(asked(&policy(json!([[any()]])), &keys).unwrap().len(), 50);
    }
}
