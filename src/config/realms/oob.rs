//! Realms of type `oob`: how the token of a login reaches the phone.

use crate::config::section::Section;
use crate::config::suggest::listed;
use crate::config::{Dispatcher, FidoUaf, Realm, RealmKind};

/// A login of a browser that the phone approves.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Oob {
    /// The type of one of `fido-uaf.dispatchers`.
    pub dispatcher: String,
}

pub(super) fn read(section: &Section<'_>) -> Oob {
    Oob { dispatcher: section.field("dispatcher").or("link".to_owned()) }
}

impl Oob {
    /// The realms of this type.
    pub(in crate::config) fn of(realms: &[Realm]) -> impl Iterator<Item = (&Realm, &Self)> {
        realms.iter().filter_map(|realm| match &realm.kind {
            RealmKind::Oob(oob) => Some((realm, oob)),
            _ => None,
        })
    }

    /// Why its logins can't be asked for, and what would be right; nothing where they can.
    pub(in crate::config) fn unfit(&self, fido_uaf: &FidoUaf) -> Option<(String, String)> {
        let words: Vec<_> = fido_uaf.dispatchers.iter().map(Dispatcher::word).collect();
        if words.contains(&self.dispatcher.as_str()) {
            return None;
        }
        let right = match &words[..] {
            [] => "add a dispatcher of this type to fido-uaf.dispatchers".to_owned(),
            words => format!("write one of {}", listed(words.iter().copied())),
        };
        Some(("its dispatcher is not configured".to_owned(), right))
    }
}
