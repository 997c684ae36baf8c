//! `filters`: named filter settings that own routes put into their chains.

mod headers;
mod identity_creation;
mod ip_list;
mod rate_limit;
mod role;

use std::path::PathBuf;
use std::time::Duration;

use sidegate_filters::delegation::{RemovedHeaders, Rule, RuleError};
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
use super::internal_callers::InternalCaller;
use super::realms::Realm;
use super::section::Section;
use super::substitution::Environment;
use super::suggest::{listed, nearest};

pub use identity_creation::IdentityCreation;

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

type Reader = fn(&Section<'_>, &Known<'_>) -> Option<FilterKind>;

const TYPES: &[(&str, Reader)] = &[
    ("identity-creation", |section, known| identity_creation::read(section, known).map(FilterKind::IdentityCreation)),
    ("delegation", |section, known| Some(FilterKind::Delegation(delegation(section, known.environment)))),
    ("jws-bypass", |section, _| Some(FilterKind::JwsBypass(jws_bypass(section)))),
    ("user-binding", |section, _| Some(FilterKind::UserBinding(username_mapper(section), place(section)))),
    ("role", |section, known| Some(FilterKind::Role(role::read(section, known)))),
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
    pub(super) callers: &'a [InternalCaller],
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

/// `internal-callers`; what nobody has is noted.
fn internal_callers(section: &Section<'_>, known: &Known<'_>) -> InternalAccess {
    let words = [
        ("nobody", InternalAccess::Nobody),
        ("anybody", InternalAccess::Anybody),
        ("act-for", InternalAccess::With(Role::ActFor)),
        ("admin", InternalAccess::With(Role::Admin)),
    ];
    let field = section.field("internal-callers");
    let access = field.choice(&words).unwrap_or(InternalAccess::Nobody);
    if let InternalAccess::With(role) = &access
        && !known.callers.iter().any(|caller| caller.roles.contains(role))
    {
        let role = role.name();
        field
            .notice(format!("no internal caller has the role {role}, so none passes: give it to one, or write nobody"));
    }
    access
}

const RULE: &str = "write <source>:<name>:<header>[:encoding]";

fn delegation(section: &Section<'_>, environment: &Environment) -> Vec<Rule> {
    let right = "list rules such as AUTH:user.auth.UserId:X-User";
    let rules = section.field("rules").demanded(right);
    rules.refuse_empty(right);
    let mut set = Vec::new();
    rules.each(|item| {
        // YAML makes a section of what has a blank behind a colon.
        if item.is_section() {
            item.fault(RuleError::Blank.to_string(), RULE);
            return None;
        }
        let text: String = item.optional()?;
        let refuse = |error: RuleError| item.fault(error.to_string(), right_of(&error));
        let rule = Rule::parse(&text, &|name| environment.variable(name)).map_err(refuse).ok()?;
        if set.iter().collect::<RemovedHeaders>().covers(rule.header().as_str()) {
            item.fault("a rule before it sets this header too", "keep one of them, or set another header");
        }
        set.push(rule.header().clone());
        Some(rule)
    })
}

/// The name that is meant, where it is one; else how a rule is written.
fn right_of(error: &RuleError) -> String {
    let RuleError::Name { name, known, .. } = error else { return RULE.to_owned() };
    let full = |known: &str| format!("{}{known}", if known.starts_with('.') { "user.auth" } else { "" });
    let known: Vec<String> = known.split(", ").map(full).collect();
    match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {near}?"),
        None => "write one of these".to_owned(),
    }
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
