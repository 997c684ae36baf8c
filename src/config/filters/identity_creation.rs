//! `identity-creation`: who passes, and by which realms.

use std::time::Duration;

use http::HeaderName;
use sidegate_filters::identity_creation::InternalAccess;

use super::{Known, internal_callers};
use crate::config::field::Field;
use crate::config::realms::{LEVELS, Realm, RealmKind};
use crate::config::section::Section;

/// What an `identity-creation` filter demands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdentityCreation {
    /// The session domain; one of the configured ones.
    pub domain: String,
    /// Whether callers without a session pass, too.
    pub open: bool,
    /// The lowest authentication level.
    pub level: u8,
    /// How long ago the latest login or step-up may be.
    pub max_age: Option<Duration>,
    /// The latest login or step-up was by one of these realms, or the request shows a credential of theirs; empty: any.
    pub realms: Vec<String>,
    /// The user has one of these roles; empty: any user.
    pub roles: Vec<String>,
    /// Which internal callers pass.
    pub internal_callers: InternalAccess,
    /// Whether a realm that it takes makes sessions; where a realm is at fault that may be the one.
    pub takes_sessions: bool,
    /// Whether a realm that it takes has bearer tokens; where a realm is at fault that may be the one.
    pub takes_tokens: bool,
    /// The client's headers that a realm which it takes has judged by somebody else.
    pub judged: Vec<HeaderName>,
}

/// The realms whose users a filter takes.
struct Taken<'a> {
    realms: Vec<&'a Realm>,
    /// Whether the filter names them; else they are all of its domain.
    named: bool,
    /// Whether that is all of them: neither the domain nor a realm is at fault.
    complete: bool,
}

pub(super) fn read(section: &Section<'_>, known: &Known<'_>) -> Option<IdentityCreation> {
    let domain = section.field("domain").demanded("write the name of one of the domains");
    let domain = domain.reference("domain", known.domains);
    let (listed, realms) = realms(section, domain.as_deref(), known);
    let named = !listed.is_empty();
    let complete = domain.is_some() && known.realms_complete;
    let taken = Taken { realms, named, complete };
    let (open, internal_callers) = (open(section), internal_callers(section, known));
    if !open && internal_callers == InternalAccess::Nobody {
        taken.demand_some(&section.field("domain"));
    }
    let level = taken.level(&section.field("level"));
    let max_age = section.field("max-age");
    taken.check_age(&max_age, level);
    let roles = section.field("roles");
    roles.refuse_empty("list roles, or take the key away");
    Some(IdentityCreation {
        open,
        level,
        max_age: max_age.optional(),
        roles: roles.each(Field::optional),
        internal_callers,
        takes_sessions: taken.may(RealmKind::makes_sessions),
        takes_tokens: taken.may(|kind| matches!(kind, RealmKind::Jwt(_))),
        judged: taken.realms.iter().flat_map(|realm| realm.kind.judged()).cloned().collect(),
        realms: listed,
        domain: domain?,
    })
}

/// `realms` as it is written, and those that it stands for.
fn realms<'a>(section: &Section<'_>, domain: Option<&str>, known: &Known<'a>) -> (Vec<String>, Vec<&'a Realm>) {
    let there = known.realms.iter().filter(|realm| domain.is_none_or(|domain| domain == realm.domain));
    let there: Vec<&Realm> = there.collect();
    let names: Vec<&str> = there.iter().map(|realm| realm.name.as_str()).collect();
    let field = section.field("realms");
    field.refuse_empty("list realms, or take the key away for any of the domain");
    let listed = field.each(|item| item.reference("realm", &names));
    let taken = there.into_iter().filter(|realm| listed.is_empty() || listed.contains(&realm.name)).collect();
    (listed, taken)
}

/// `open`, beside which no demand stands.
fn open(section: &Section<'_>) -> bool {
    let open = section.field("open").or(false);
    for field in ["level", "realms", "roles", "max-age"].map(|key| section.field(key)).iter().filter(|_| open) {
        if field.is_written() {
            field.fault("with open: true everybody passes, whatever this says", "take this key away, or open");
        }
    }
    open
}

impl Taken<'_> {
    /// The highest level that one of them gives.
    fn highest(&self) -> u8 {
        self.realms.iter().map(|realm| realm.kind.highest(realm.level)).max().unwrap_or(0)
    }

    /// Whether one of them is such, or may be where it is at fault.
    fn may(&self, fits: fn(&RealmKind) -> bool) -> bool {
        !self.complete || self.realms.iter().any(|realm| fits(&realm.kind))
    }

    /// Somebody has to be able to pass.
    fn demand_some(&self, domain: &Field<'_>) {
        if self.realms.is_empty() && self.complete {
            domain.fault(
                "no realm has this domain, so nobody could pass",
                "add a realm with this domain, or name another",
            );
        }
    }

    /// `level`, which one of them has to give.
    fn level(&self, field: &Field<'_>) -> u8 {
        let (level, highest) = (field.or(1), self.highest());
        if level > highest && self.complete && !self.realms.is_empty() {
            let wrong = if self.named {
                "none of its realms gives this level"
            } else {
                "no realm of the domain gives this level"
            };
            field.fault(wrong, format!("write at most {highest}, or add a realm that gives it: {LEVELS}"));
        }
        level
    }

    /// Somebody has to be able to meet a `max-age` at this level.
    fn check_age(&self, field: &Field<'_>, level: u8) {
        let gives = |realm: &&&Realm| realm.kind.highest(realm.level) >= level;
        let is_told = self.realms.iter().filter(gives).any(|realm| realm.kind.tells_age());
        if field.is_written() && !is_told && level <= self.highest() && self.complete {
            field.fault(
                "none of its realms that give the level tells when its user was last there: nobody would ever pass",
                "take this key away, or add a realm of type password, fido-uaf, oob or jwt that gives the level",
            );
        }
    }
}
