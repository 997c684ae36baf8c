//! `fido-uaf.metadata`: what is known of authenticator models.

use std::path::PathBuf;

use sidegate_uaf::Aaid;

use super::super::field::Field;
use super::super::files;
use super::super::section::Section;

/// What is known of authenticator models.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// The metadata statement, or the folder of several; `None`: there is none.
    pub statements: Option<PathBuf>,
    /// What to do with models that no statement describes.
    pub unknown_models: UnknownModels,
    /// Models that are refused whatever is known of them.
    pub revoked: Vec<Aaid>,
    /// Models whose attestation certificates may have ended or be signed with SHA-1.
    pub outdated_attestation: Vec<Aaid>,
}

/// Models without a metadata statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownModels {
    /// Registration is refused.
    Refuse,
    /// Taken with surrogate attestation: nothing vouches for the model.
    Surrogate,
}

impl Metadata {
    pub(super) fn none() -> Self {
        let (revoked, outdated_attestation) = (Vec::new(), Vec::new());
        Self { statements: None, unknown_models: UnknownModels::Refuse, revoked, outdated_attestation }
    }
}

pub(super) fn read(section: &Section<'_>) -> Metadata {
    Metadata {
        statements: section.field("statements").existing(
            "name a folder with a .json file for each authenticator model, or a single such file",
            files::file_or_folder,
        ),
        unknown_models: unknown_models(section),
        revoked: models(&section.field("revoked")),
        outdated_attestation: models(&section.field("outdated-attestation")),
    }
}

fn unknown_models(section: &Section<'_>) -> UnknownModels {
    let field = section.field("unknown-models");
    let words = [("refuse", UnknownModels::Refuse), ("surrogate", UnknownModels::Surrogate)];
    let models = field.choice(&words).unwrap_or(UnknownModels::Refuse);
    if models == UnknownModels::Surrogate {
        field.notice("surrogate: any authenticator is taken, and nothing vouches for its model");
    }
    models
}

pub(super) fn models(field: &Field<'_>) -> Vec<Aaid> {
    field.each(|item| {
        let text: String = item.optional()?;
        let aaid = text.parse();
        aaid.map_err(|_| item.fault("this is no AAID", "write four hexadecimal digits, # and four more: D0D0#0001"))
            .ok()
    })
}
