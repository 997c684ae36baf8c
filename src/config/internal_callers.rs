//! `internal-callers`: relying parties and authentication services that call on internal listeners.

use std::path::PathBuf;

use sidegate_filters::Role;

use super::files;
use super::section::{Field, Section};

/// One that proves who it is with a static bearer (`gateway.md` 2.4).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InternalCaller {
    /// Its name, for audit lines.
    pub name: String,
    /// The file with its bearer; `None`: `<name>.token` in the data folder, made where it is missing.
    pub token_file: Option<PathBuf>,
    /// What it may do.
    pub roles: Vec<Role>,
}

const ROLES: &[(&str, Role)] = &[("act-for", Role::ActFor), ("admin", Role::Admin)];

pub(super) fn read(field: &Field<'_>) -> Vec<InternalCaller> {
    field.named(|name, section| Some(caller(name, section)))
}

fn caller(name: &str, section: &Section<'_>) -> InternalCaller {
    let right =
        "name a readable file that holds the bearer only, or remove the key for one that is made in the data folder";
    let token_file = section.field("token-file").existing(right, files::readable);
    let mut roles = section.field("roles").each(|role| role.choice(ROLES));
    roles.dedup();
    InternalCaller { name: name.to_owned(), token_file, roles }
}
