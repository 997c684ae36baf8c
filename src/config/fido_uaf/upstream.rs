//! The UAF server behind.

use sidegate_filters::CanonicalPath;

use crate::config::section::Section;

/// A UAF server behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UafUpstream {
    /// One of the configured upstreams.
    pub name: String,
    /// The path above `request/registration` and the others.
    pub path: String,
}

/// Keys that only the embedded server has.
const EMBEDDED: &[&str] = &[
    "app-id",
    "wildcards-for-testing",
    "metadata",
    "old-clients",
    "policies",
    "hide-users",
    "decoy-models",
    "fold-content-codes",
    "tls-certificates",
];

/// Where UAF servers of this family have their endpoints.
const UAF_PATH: &str = "/nevisfido/uaf/1.1";

/// `upstream` and `upstream-path`.
pub(super) fn read(section: &Section<'_>, known: &[&str]) -> Option<UafUpstream> {
    let (field, path) = (section.field("upstream"), section.field("upstream-path"));
    if !field.is_written() {
        if path.is_written() {
            path.fault(
                "there is no upstream",
                "write upstream with the name of one of the upstreams, or leave this key",
            );
        }
        return None;
    }
    for key in EMBEDDED {
        let own = section.field(key);
        if own.is_written() {
            own.fault("the UAF server behind decides this", "leave this key, or leave upstream");
        }
    }
    let name = field.reference("upstream", known)?;
    let text = path.or(UAF_PATH.to_owned());
    if !CanonicalPath::parse(&text).is_ok_and(|canonical| canonical.as_str() == text) {
        path.fault("this is no path", format!("write the path above request/registration, such as {UAF_PATH}"));
    }
    Some(UafUpstream { name, path: text })
}
