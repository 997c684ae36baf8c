//! `pass-on`: what callers showed and the upstream gets all the same (`gateway.md` 2.3).

use sidegate_filters::identity_creation::{InternalAccess, PassedOn};

use crate::config::field::Field;
use crate::config::filters::{FilterKind, IdentityCreation};
use crate::config::routes::Known;
use crate::routes::ListenerClass;

const WORDS: &[(&str, PassedOn)] = &[
    ("session-cookie", PassedOn { session_cookie: true, bearer: false }),
    ("bearer", PassedOn { session_cookie: false, bearer: true }),
];

/// The key of a row that has these filters and is served on such listeners. Nothing is said of what a filter at fault takes.
pub(super) fn read(field: &Field<'_>, filters: &[String], on: &[ListenerClass], known: &Known<'_>) -> PassedOn {
    let kinds: Vec<_> = filters.iter().map(|name| known.filter(name)).collect();
    let identity = kinds.iter().flatten().find_map(|kind| match kind {
        FilterKind::IdentityCreation(identity) => Some(identity),
        _ => None,
    });
    let is_judged = !kinds.contains(&None);
    let words = field.each(|item| {
        let word = item.choice(WORDS)?;
        match identity {
            None if is_judged => item.fault(
                "only what a caller was found by is passed on, and no filter of the row finds out who is calling",
                "put a filter of type identity-creation among filters, or take this away",
            ),
            Some(identity) if is_judged => check(item, word, identity, on),
            _ => {}
        }
        Some(word)
    });
    if words.is_empty() {
        return PassedOn::default();
    }
    if kinds.iter().flatten().any(|kind| matches!(kind, FilterKind::JwsBypass(_))) {
        field.fault("jws-bypass drops cookies and bearers", "take this key away, or that filter");
    }
    let passed_on = PassedOn {
        session_cookie: words.iter().any(|word| word.session_cookie),
        bearer: words.iter().any(|word| word.bearer),
    };
    field.notice(format!(
        "the upstream gets the {} of whoever calls: until that ends it can act as the caller here and wherever else that is \
         taken, and so can whoever reads its log",
        passed_on.words().join(" and the ")
    ));
    passed_on
}

fn check(item: &Field<'_>, word: PassedOn, identity: &IdentityCreation, on: &[ListenerClass]) {
    let of_callers = identity.internal_callers != InternalAccess::Nobody && on.contains(&ListenerClass::Internal);
    if word.session_cookie && !identity.takes_sessions {
        item.fault(
            "no realm that the identity-creation of the row takes makes sessions: there is no cookie to pass on",
            "take this away, or add a realm of type password, fido-uaf or oob to what it takes",
        );
    }
    if word.bearer && !(identity.takes_sessions || identity.takes_tokens || of_callers) {
        item.fault(
            "the identity-creation of the row takes no bearer: there is none to pass on",
            "take this away, or add a realm of type jwt to what it takes",
        );
    }
}
