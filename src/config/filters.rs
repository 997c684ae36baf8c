//! `filters`: named filter settings that own routes put into their chains.

mod headers;
mod ip_list;
mod rate_limit;
mod role;

use std::path::PathBuf;
use std::time::Duration;

use http::HeaderName;
use sidegate_filters::delegation::{Rule, RuleError, SOURCES};
use sidegate_filters::headers::HeaderRules;
use sidegate_filters::identity_creation::InternalAccess;
use sidegate_filters::ip_list::IpList;
use sidegate_filters::jws_bypass::LONGEST_SKEW;
use sidegate_filters::rate_limit::RateLimit;
use sidegate_filters::role::RoleDemand;
use sidegate_filters::user_binding::Place;
use sidegate_filters::{Role, UsernameMapper};

use super::field::Field;
use super::files;
use super::realms::{LEVELS, Realm, RealmKind};
use super::section::Section;
use super::substitution::Environment;
use super::suggest::listed;

/// A filter with its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamedFilter {
    /// The name that routes use.
    pub name: String,
    /// What it is.
    pub kind: FilterKind,
}

/// The filters that routes to upstreams may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilterKind {
    /// `identity-creation` (`gateway.md` 3.1).
    IdentityCreation(IdentityCreation),
    /// `delegation` (`gateway.md` 3.3).
    Delegation(Vec<Rule>),
    /// `jws-bypass` (`gateway.md` 3.4).
    JwsBypass(JwsBypass),
    /// `user-binding` (`http-api.md` 0.3).
    UserBinding(UsernameMapper, Place),
    /// `role` (`gateway.md` 3).
    Role(RoleDemand),
    /// `rate-limit` (`gateway.md` 3).
    RateLimit(RateLimit),
    /// `headers` (`gateway.md` 3).
    Headers(HeaderRules),
    /// `ip-list` (`gateway.md` 3).
    IpList(IpList),
}

/// What a `jws-bypass` filter before an upstream knows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JwsBypass {
    /// The folder with the signature keys of targets; `None`: the upstream alone has them.
    pub keys: Option<PathBuf>,
    /// How far a phone's clock may be off.
    pub clock_skew: Duration,
}

impl FilterKind {
    /// Whether it lets nobody pass whom it does not know.
    #[must_use]
    pub fn asks_who(&self) -> bool {
        match self {
            Self::IdentityCreation(demand) => !demand.open,
            Self::Delegation(_) | Self::RateLimit(_) | Self::Headers(_) | Self::IpList(_) => false,
            Self::JwsBypass(_) | Self::UserBinding(..) | Self::Role(_) => true,
        }
    }
}

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

type Reader = fn(&Section<'_>, &Known<'_>) -> Option<FilterKind>;

const TYPES: &[(&str, Reader)] = &[
    ("identity-creation", |section, known| identity_creation(section, known).map(FilterKind::IdentityCreation)),
    ("delegation", |section, known| Some(FilterKind::Delegation(delegation(section, known.environment)))),
    ("jws-bypass", |section, _| Some(FilterKind::JwsBypass(jws_bypass(section)))),
    ("user-binding", |section, _| Some(FilterKind::UserBinding(username_mapper(section), place(section)))),
    ("role", |section, _| Some(FilterKind::Role(role::read(section)))),
    ("rate-limit", |section, _| rate_limit::read(section).map(FilterKind::RateLimit)),
    ("headers", |section, _| Some(FilterKind::Headers(headers::read(section)))),
    ("ip-list", |section, _| Some(FilterKind::IpList(ip_list::read(section)))),
];

/// What filters refer to.
pub(super) struct Known<'a> {
    pub(super) domains: &'a [&'a str],
    pub(super) realms: &'a [Realm],
    /// Whether no realm is at fault and missing here.
    pub(super) realms_complete: bool,
    pub(super) environment: &'a Environment,
}

pub(super) fn read(field: &Field<'_>, known: &Known<'_>) -> Vec<NamedFilter> {
    field.named(|name, section| {
        let known_types = listed(TYPES.iter().map(|(word, _)| *word));
        let kind = section.field("type").demanded(&format!("write one of {known_types}"));
        let Some(read) = kind.choice(TYPES) else {
            section.leave_unread();
            return None;
        };
        Some(NamedFilter { name: name.to_owned(), kind: read(section, known)? })
    })
}

fn identity_creation(section: &Section<'_>, known: &Known<'_>) -> Option<IdentityCreation> {
    let domain = section.field("domain").demanded("write the name of one of the domains");
    let domain = domain.reference("domain", known.domains);
    let realms: Vec<&Realm> =
        known.realms.iter().filter(|realm| domain.as_ref().is_none_or(|domain| *domain == realm.domain)).collect();
    let names: Vec<&str> = realms.iter().map(|realm| realm.name.as_str()).collect();
    let listed = section.field("realms");
    listed.refuse_empty("list realms, or take the key away for any of the domain");
    let named = listed.each(|item| item.reference("realm", &names));
    let taken = || realms.iter().filter(|realm| named.is_empty() || named.contains(&realm.name));
    let level = section.field("level");
    let level_value = level.or(1);
    let highest = taken().map(|realm| realm.kind.highest(realm.level)).max().unwrap_or(0);
    let told = domain.is_some() && known.realms_complete;
    if level_value > highest && told {
        let wrong = if named.is_empty() {
            "no realm of the domain gives this level"
        } else {
            "none of its realms gives this level"
        };
        level.fault(wrong, format!("write at most {highest}, or add a realm that gives it: {LEVELS}"));
    }
    let max_age = section.field("max-age");
    if level_value <= highest && told {
        let mut fitting = taken().filter(|realm| realm.kind.highest(realm.level) >= level_value);
        check_age(&max_age, fitting.any(|realm| realm.kind.tells_age()));
    }
    let judged = taken().flat_map(|realm| realm.kind.judged()).cloned().collect();
    let roles = section.field("roles");
    roles.refuse_empty("list roles, or take the key away");
    let role_values = roles.each(|item| item.optional());
    let takes = |fits: fn(&RealmKind) -> bool| !told || taken().any(|realm| fits(&realm.kind));
    let (open, max_age) = (section.field("open"), section.field("max-age"));
    let is_open = open.or(false);
    for field in [&level, &listed, &roles, &max_age].into_iter().filter(|_| is_open) {
        if field.is_written() {
            field.fault("with open: true everybody passes, whatever this says", "take this key away, or open");
        }
    }
    Some(IdentityCreation {
        open: is_open,
        level: level_value,
        max_age: max_age.optional(),
        roles: role_values,
        internal_callers: internal_callers(section),
        takes_sessions: takes(RealmKind::makes_sessions),
        takes_tokens: takes(|kind| matches!(kind, RealmKind::Jwt(_))),
        realms: named,
        judged,
        domain: domain?,
    })
}

/// Somebody has to be able to meet a `max-age`.
fn check_age(max_age: &Field<'_>, is_told: bool) {
    if max_age.is_written() && !is_told {
        max_age.fault(
            "none of its realms that give the level tells when its user was last there: nobody would ever pass",
            "take this key away, or add a realm of type password, fido-uaf, oob or jwt that gives the level",
        );
    }
}

/// `internal-callers`.
fn internal_callers(section: &Section<'_>) -> InternalAccess {
    let words = [
        ("nobody", InternalAccess::Nobody),
        ("anybody", InternalAccess::Anybody),
        ("act-for", InternalAccess::With(Role::ActFor)),
        ("admin", InternalAccess::With(Role::Admin)),
    ];
    section.field("internal-callers").choice(&words).unwrap_or(InternalAccess::Nobody)
}

const RULE: &str = "write <source>:<name>:<header>[:encoding]";

fn delegation(section: &Section<'_>, environment: &Environment) -> Vec<Rule> {
    let right = "list rules such as AUTH:user.auth.UserId:X-User";
    let rules = section.field("rules").demanded(right);
    rules.refuse_empty(right);
    rules.each(|item| {
        // YAML makes a section of what has a blank behind a colon.
        if item.is_section() {
            item.fault(RuleError::Blank.to_string(), RULE);
            return None;
        }
        let text: String = item.optional()?;
        Rule::parse(&text, &|name| environment.variable(name)).map_err(|error| item.fault(unquoted(&error), RULE)).ok()
    })
}

/// `keys` and `clock-skew`.
pub(super) fn jws_bypass(section: &Section<'_>) -> JwsBypass {
    let right = "name a folder with a public JWK for each target, in a file <target id>.json";
    JwsBypass {
        keys: section.field("keys").consulted(right, files::folder),
        clock_skew: clock_skew(&section.field("clock-skew"), Duration::from_secs(5 * 60)),
    }
}

/// How far the clock of a phone may be off that signs a change of a target.
pub(super) fn clock_skew(field: &Field<'_>, default: Duration) -> Duration {
    let skew = field.or(default);
    if skew > LONGEST_SKEW {
        field.fault("what was recorded is good for so long, and used changes are not remembered", "write at most 10m");
    }
    skew
}

/// `username-mapper`.
pub(super) fn username_mapper(section: &Section<'_>) -> UsernameMapper {
    let words = [("name", UsernameMapper::Name), ("ext-id", UsernameMapper::ExtId)];
    section.field("username-mapper").choice(&words).unwrap_or_default()
}

fn place(section: &Section<'_>) -> Place {
    let words = [Place::Context, Place::GetUafRequest, Place::Username].map(|place| (place.to_string(), place));
    let words = words.each_ref().map(|(word, place)| (word.as_str(), *place));
    section.field("member").choice(&words).unwrap_or_default()
}

/// What is wrong, without a constant, which may be a secret.
fn unquoted(error: &RuleError) -> String {
    match error {
        RuleError::Value(_) => "the value holds control characters".to_owned(),
        RuleError::Source(_) => format!("the source is one of {SOURCES}"),
        RuleError::Header(_) => "the third part is no name of a header".to_owned(),
        RuleError::Encoding(_) => "the encoding is none, base64, urlencode or basic".to_owned(),
        error => error.to_string(),
    }
}
