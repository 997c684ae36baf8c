//! What unit tests share.

use std::collections::BTreeSet;

use crate::encoding::Text;
use crate::facets::{SOFTWARE_FACET, TrustedFacets};
use crate::metadata::{Models, UnknownModels};
use crate::server_data::ServerDataKey;
use crate::{Algorithm, KeyId, KeyRef, RelyingParty};

pub(crate) fn key_ref(aaid: &str, byte: u8) -> KeyRef {
    KeyRef { aaid: aaid.parse().unwrap(), key_id: KeyId::new([byte; 32]).unwrap() }
}

pub(crate) fn relying_party() -> RelyingParty {
    let all = BTreeSet::from_iter(Algorithm::ALL.iter().copied());
    RelyingParty::new(
        Some(Text::new("https://uaf.example/facets").unwrap()),
        TrustedFacets::new([Text::new(SOFTWARE_FACET).unwrap()]),
        Models::new(UnknownModels::Surrogate(all)),
        ServerDataKey::new(&[7; 32]).unwrap(),
    )
}
