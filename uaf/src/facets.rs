//! Trusted facets: which apps and origins may act for an appID (FIDO AppID and facets 1.1).
//!
//! ```
//! use sidegate_uaf::encoding::Text;
//! use sidegate_uaf::facets::TrustedFacets;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let facets = TrustedFacets::new([Text::new("https://bank.example")?]);
//! assert!(facets.trusts("https://bank.example") && !facets.trusts("https://bank.example/"));
//! // To be published at the appID.
//! let document = serde_json::to_value(facets.document())?;
//! assert_eq!(document["trustedFacets"][0]["ids"][0], "https://bank.example");
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::wire::{FacetId, Version};

/// The facet of this crate's software authenticator: the form of an Android app, with the SHA-1 of
/// `sidegate software authenticator` in place of a certificate's.
pub const SOFTWARE_FACET: &str = "android:apk-key-hash:WrjZjrrv1cLr0tQPUUnzdJMW2JQ";

/// The media type to publish the list with.
pub const MEDIA_TYPE: &str = "application/fido.trusted-apps+json";

/// The facets a server trusts. Compared exactly: a facet id is an opaque string.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedFacets {
    ids: BTreeSet<String>,
    wildcards: bool,
}

impl TrustedFacets {
    /// Trusts these ids.
    #[must_use]
    pub fn new<I: IntoIterator<Item = FacetId>>(ids: I) -> Self {
        Self { ids: ids.into_iter().map(|id| id.as_str().to_owned()).collect(), wildcards: false }
    }

    /// For test set-ups: trusts every Android and iOS app besides. The published list stays as it is.
    #[must_use]
    pub fn with_wildcards_for_testing(self) -> Self {
        Self { wildcards: true, ..self }
    }

    /// Whether an answer from this facet is taken.
    #[must_use]
    pub fn trusts(&self, facet: &str) -> bool {
        let any_app = |prefix| facet.strip_prefix(prefix).is_some_and(|app: &str| !app.is_empty());
        self.ids.contains(facet) || self.wildcards && (any_app("android:apk-key-hash:") || any_app("ios:bundle-id:"))
    }

    /// The document for the appID's address: one entry for each version, since clients pick by version.
    #[must_use]
    pub fn document(&self) -> TrustedFacetsDocument {
        let entry = |version| TrustedFacetsEntry { version, ids: self.ids.iter().cloned().collect() };
        TrustedFacetsDocument { trusted_facets: vec![entry(Version::V1_1), entry(Version::V1_0)] }
    }
}

/// What stands at the appID's address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedFacetsDocument {
    /// One entry for each protocol version.
    #[serde(rename = "trustedFacets")]
    pub trusted_facets: Vec<TrustedFacetsEntry>,
}

/// The facets for one protocol version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedFacetsEntry {
    /// The version.
    pub version: Version,
    /// The facets.
    pub ids: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::Text;

    fn facets() -> TrustedFacets {
        TrustedFacets::new(["https://b.example", "android:apk-key-hash:AAAA"].map(|id| Text::new(id).unwrap()))
    }

    #[test]
    fn only_the_very_string_is_trusted() {
        let facets = facets();
        assert!(facets.trusts("https://b.example") && facets.trusts("android:apk-key-hash:AAAA"));
        for facet in ["", "https://b.example/", "https://B.example", "android:apk-key-hash:aaaa", "ios:bundle-id:a"] {
            assert!(!facets.trusts(facet), "{facet}");
        }
    }

    #[test]
    fn wildcards_take_apps_only_and_are_not_published() {
        let wild = facets().with_wildcards_for_testing();
        assert!(wild.trusts("android:apk-key-hash:other") && wild.trusts("ios:bundle-id:x.y"));
        for facet in ["https://c.example", "ios:bundle-id:", "android:apk-key-hash-sha256:AA"] {
            assert!(!wild.trusts(facet), "{facet}");
        }
        assert_eq!(wild.document(), facets().document());
    }

    #[test]
    fn the_document_has_an_entry_for_each_version() {
        let json = serde_json::to_value(facets().document()).unwrap();
        let ids = serde_json::json!(["android:apk-key-hash:AAAA", "https://b.example"]);
        assert_eq!(
            json,
            serde_json::json!({"trustedFacets": [
                {"version": {"major": 1, "minor": 1}, "ids": ids},
                {"version": {"major": 1, "minor": 0}, "ids": ids},
            ]})
        );
    }
}
