//! `fido-uaf`: the out-of-band services and the UAF server, inside or behind.

mod metadata;
mod time_limits;
mod upstream;

use std::path::{Path, PathBuf};

use sidegate_filters::UsernameMapper;
use sidegate_uaf::Aaid;
use sidegate_uaf::wire::{AppId, FacetId, Versions};

use super::app_links;
use super::dispatchers::{self, Dispatcher};
use super::field::Field;
use super::files;
use super::filters::username_mapper;
use super::scalar::Scalar as _;
use super::section::Section;
use super::url::PublicUrl;
use crate::dispatchers::AppLinks;

pub use metadata::{Metadata, UnknownModels};
pub use time_limits::TimeLimits;
pub use upstream::UafUpstream;

/// The out-of-band services and the UAF server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FidoUaf {
    /// The UAF server behind; `None`: the embedded one, which the next keys up to the policies are for.
    pub upstream: Option<UafUpstream>,
    /// The application's identifier; `None`, for trying out only: the one that the data folder keeps, else the facets'
    /// URL below the public one.
    pub app_id: Option<AppId>,
    /// The trusted facets, in the order they are published.
    pub facets: Vec<FacetId>,
    /// Takes any Android and iOS app (never published).
    pub wildcards_for_testing: bool,
    /// What is known of authenticator models.
    pub metadata: Metadata,
    /// Whether clients of UAF 1.0 are served as well, and whether their answers may lack what says which app they are.
    pub versions: Versions,
    /// The folder of policies, with `default.json` in it; `None`: the built-in one that takes every supported model.
    pub policies: Option<PathBuf>,
    /// Whether strangers are kept from learning who exists and has a key; never before a UAF server behind, which names the
    /// keys.
    pub hide_users: bool,
    /// The models that decoys are of, none of them revoked; none: those of the statements and policies.
    pub decoy_models: Vec<Aaid>,
    /// Whether anonymous callers may choose what the victim of a dispatch reads (`http-api.md` 0.3).
    pub anonymous_content: bool,
    /// What a user who has a credential needs for another one.
    pub additional_registration: AdditionalRegistration,
    /// Whether a status tells the dispatcher's response, and with it the token.
    pub status_response: bool,
    /// Whether the UAF codes 1480 to 1497 are told as 1498 (`uaf.md` A13).
    pub fold_content_codes: bool,
    /// PEM files: the certificates that phones see, beside those of our own public listeners, where another server ends
    /// TLS before the gateway.
    pub tls_certificates: Vec<PathBuf>,
    /// What `username` in requests means.
    pub username_mapper: UsernameMapper,
    /// How long things last.
    pub time_limits: TimeLimits,
    /// The dispatchers, each type at most once.
    pub dispatchers: Vec<Dispatcher>,
    /// The apps that open the links of the dispatcher of type `link`, where those are links of the web.
    pub app_links: Option<AppLinks>,
}

/// What a user who has a credential needs for another one (`http-api.md` 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdditionalRegistration {
    /// Any session, also one by password.
    Password,
    /// A session by FIDO UAF.
    StepUp,
}

impl FidoUaf {
    /// Whether the UAF server is one behind.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.upstream.is_some()
    }
}

const RIGHT_FACET: &str =
    "write https://host, android:apk-key-hash:... or ios:bundle-id:..., as the refused request's log line shows it";

/// What it refers to.
pub(super) struct Known<'a> {
    pub(super) public_url: Option<&'a PublicUrl>,
    pub(super) try_out: bool,
    pub(super) upstreams: &'a [&'a str],
}

pub(super) fn read(section: &Section<'_>, known: &Known<'_>) -> FidoUaf {
    let upstream = upstream::read(section, known.upstreams);
    let embedded = !section.field("upstream").is_written() && !section.misspells(&["upstream"]);
    let metadata = section.field("metadata").section(metadata::read).unwrap_or_else(Metadata::none);
    let hide_users = embedded && hide_users(&section.field("hide-users"));
    let decoys = section.field("decoy-models");
    let decoy_models = decoy_models(&decoys, &metadata);
    if hide_users && !known.try_out && decoy_models.is_empty() {
        note_surrogates(&decoys, &metadata);
    }
    let dispatchers = dispatchers::read(&section.field("dispatchers"), known.public_url);
    FidoUaf {
        upstream,
        app_id: app_id(&section.field("app-id"), embedded && !known.try_out),
        facets: facets(&section.field("facets"), embedded),
        wildcards_for_testing: risk(section, "wildcards-for-testing", "every Android and iOS app is taken for yours"),
        metadata,
        versions: versions(&section.field("old-clients")),
        policies: section.field("policies").existing("name a folder that holds default.json", policies),
        hide_users,
        decoy_models,
        anonymous_content: risk(
            section,
            "anonymous-content",
            "strangers may choose the text that a user is asked to confirm",
        ),
        additional_registration: additional_registration(&section.field("additional-registration")),
        status_response: section.field("status-response").or(false),
        fold_content_codes: section.field("fold-content-codes").or(false),
        tls_certificates: section.field("tls-certificates").each(|item| {
            item.existing("name a readable PEM file with the certificate that phones see", files::readable)
        }),
        username_mapper: username_mapper(section),
        time_limits: section.field("time-limits").section(time_limits::read).unwrap_or_else(TimeLimits::documented),
        app_links: app_links::read(&section.field("app-links"), &dispatchers, known.public_url),
        dispatchers,
    }
}

fn app_id(field: &Field<'_>, mandatory: bool) -> Option<AppId> {
    if mandatory {
        field.demand("write ${public-url}/nevisfido/uaf/1.1/facets; it can never change later");
    }
    field.optional()
}

/// A convenience, and what it costs, which is noted where it is on.
fn risk(section: &Section<'_>, key: &'static str, cost: &str) -> bool {
    let field = section.field(key);
    let taken = field.or(false);
    if taken {
        field.notice(format!("true: {cost}"));
    }
    taken
}

fn hide_users(field: &Field<'_>) -> bool {
    let hidden = field.or(true);
    if !hidden {
        field.notice("false: strangers may find out which users exist and have a key");
    }
    hidden
}

/// Without those that are revoked: taking a model away has to be possible at once.
fn decoy_models(field: &Field<'_>, metadata: &Metadata) -> Vec<Aaid> {
    let (revoked, taken): (Vec<_>, Vec<_>) =
        metadata::models(field).into_iter().partition(|aaid| metadata.revoked.contains(aaid));
    for aaid in revoked {
        field.notice(format!("{aaid} is revoked, so decoys are of the other models; take it out of the list"));
    }
    taken
}

/// What decoys of no model in particular are good for.
fn note_surrogates(field: &Field<'_>, metadata: &Metadata) {
    if metadata.unknown_models == UnknownModels::Surrogate {
        field.notice(
            "no model beside unknown-models: surrogate: who does not exist is shown with a model that no phone of yours \
             may be of, and so shows; list the models of your phones",
        );
    }
}

fn versions(field: &Field<'_>) -> Versions {
    let words =
        [("false", Versions::Only1_1), ("true", Versions::From1_0), ("incomplete", Versions::From1_0Incomplete)];
    let versions = field.choice(&words).unwrap_or_default();
    if versions == Versions::From1_0Incomplete {
        field.notice("incomplete: answers of UAF 1.0 need not say which app gives them, so any app may");
    }
    versions
}

fn additional_registration(field: &Field<'_>) -> AdditionalRegistration {
    let words = [("password", AdditionalRegistration::Password), ("step-up", AdditionalRegistration::StepUp)];
    field.choice(&words).unwrap_or(AdditionalRegistration::Password)
}

/// Behind a server that judges them the facets need only be listed to be published here.
fn facets(field: &Field<'_>, mandatory: bool) -> Vec<FacetId> {
    if mandatory {
        field.demand("list the facets of your apps and web pages");
    }
    field.each(|item| {
        let facet: String = item.optional()?;
        let native = ["android:apk-key-hash:", "ios:bundle-id:"].iter().any(|kind| {
            facet.strip_prefix(kind).is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
        });
        let web = facet.starts_with("http") && PublicUrl::read(&facet).is_ok();
        if !native && !web {
            item.fault("this is no facet", RIGHT_FACET);
        }
        let id = FacetId::new(facet).map_err(|_| item.fault("no facet is longer than 512 characters", RIGHT_FACET));
        id.ok().filter(|_| native || web)
    })
}

fn policies(folder: &Path) -> Result<(), String> {
    files::folder(folder)?;
    files::readable(&folder.join("default.json")).map_err(|reason| format!("has a default.json that {reason}"))
}
