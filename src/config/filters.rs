//! `filters`: named filter settings that own routes put into their chains.

use std::path::PathBuf;
use std::time::Duration;

use sidegate_filters::delegation::{Rule, RuleError, SOURCES};
use sidegate_filters::user_binding::Place;
use sidegate_filters::{Role, UsernameMapper};

use super::field::Field;
use super::files;
use super::realms::Realm;
use super::section::Section;
use super::substitution::Environment;

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
            Self::Delegation(_) => false,
            Self::JwsBypass(_) | Self::UserBinding(..) => true,
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
    /// Which internal callers pass; `None`: none of them.
    pub internal_callers: Option<InternalAccess>,
}

/// Which internal callers pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InternalAccess {
    /// Every one.
    Anybody,
    /// Those with this role.
    With(Role),
}

#[derive(Clone, Copy)]
enum Type {
    IdentityCreation,
    Delegation,
    JwsBypass,
    UserBinding,
}

const TYPES: &[(&str, Type)] = &[
    ("identity-creation", Type::IdentityCreation),
    ("delegation", Type::Delegation),
    ("jws-bypass", Type::JwsBypass),
    ("user-binding", Type::UserBinding),
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
        let kind = section.field("type").demanded("write identity-creation, delegation, jws-bypass or user-binding");
        let kind = match kind.choice(TYPES) {
            Some(Type::IdentityCreation) => identity_creation(section, known).map(FilterKind::IdentityCreation),
            Some(Type::Delegation) => Some(FilterKind::Delegation(delegation(section, known.environment))),
            Some(Type::JwsBypass) => Some(FilterKind::JwsBypass(jws_bypass(section))),
            Some(Type::UserBinding) => Some(FilterKind::UserBinding(username_mapper(section), place(section))),
            None => {
                section.leave_unread();
                None
            }
        };
        Some(NamedFilter { name: name.to_owned(), kind: kind? })
    })
}

fn identity_creation(section: &Section<'_>, known: &Known<'_>) -> Option<IdentityCreation> {
    let domain = section.field("domain").demanded("write the name of one of the domains");
    let domain = domain.reference("domain", known.domains);
    let realms: Vec<&Realm> =
        known.realms.iter().filter(|realm| domain.as_ref().is_none_or(|domain| *domain == realm.domain)).collect();
    let names: Vec<&str> = realms.iter().map(|realm| realm.name.as_str()).collect();
    let named = section.field("realms").each(|item| item.reference("realm", &names));
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
        level.fault(wrong, format!("write at most {highest}"));
    }
    let roles = section.field("roles");
    if roles.is_written() && told && !taken().any(|realm| realm.kind.gives_roles()) {
        roles.fault(
            "no realm that it takes gives roles: nobody would ever pass",
            "take this key away, or add a realm of type jwt",
        );
    }
    let roles = roles.each(|item| item.optional());
    let internal = [
        ("nobody", None),
        ("anybody", Some(InternalAccess::Anybody)),
        ("act-for", Some(InternalAccess::With(Role::ActFor))),
        ("admin", Some(InternalAccess::With(Role::Admin))),
    ];
    Some(IdentityCreation {
        open: section.field("open").or(false),
        level: level_value,
        max_age: section.field("max-age").optional(),
        realms: named,
        roles,
        internal_callers: section.field("internal-callers").choice(&internal).flatten(),
        domain: domain?,
    })
}

fn delegation(section: &Section<'_>, environment: &Environment) -> Vec<Rule> {
    let rules = section.field("rules").demanded("list rules such as AUTH:user.auth.UserId:X-User");
    rules.each(|item| {
        let text: String = item.optional()?;
        Rule::parse(&text, &|name| environment.variable(name))
            .map_err(|error| item.fault(unquoted(&error), "write <source>:<name>:<header>[:encoding]"))
            .ok()
    })
}

/// `keys` and `clock-skew`.
pub(super) fn jws_bypass(section: &Section<'_>) -> JwsBypass {
    let right = "name a folder with a public JWK for each target, in a file <target id>.json";
    JwsBypass {
        keys: section.field("keys").consulted(right, files::folder),
        clock_skew: section.field("clock-skew").or(Duration::from_secs(5 * 60)),
    }
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
        RuleError::Encoding(_) => "the encoding is none, base64 or urlencode".to_owned(),
        error => error.to_string(),
    }
}
