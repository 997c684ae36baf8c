//! The tags of the UAF registry 1.1.

use std::fmt;

/// A tag value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tag(
    /// As in the registry.
    pub u16,
);

/// Set where a receiver that cannot process the element must drop the whole message.
const CRITICAL: u16 = 0x2000;
/// Highest value that is in use.
const HIGHEST: u16 = 0x3fff;

macro_rules! tags {
    ($($name:ident = $value:literal, $text:literal;)*) => {
        $(#[doc = concat!($text, " (", stringify!($value), ").")] pub const $name: Tag = Tag($value);)*

        impl Tag {
            /// The name in the registry, if it has the tag.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

tags! {
    REG_ASSERTION = 0x3e01, "UAFV1_REG_ASSERTION";
    AUTH_ASSERTION = 0x3e02, "UAFV1_AUTH_ASSERTION";
    KRD = 0x3e03, "UAFV1_KRD";
    SIGNED_DATA = 0x3e04, "UAFV1_SIGNED_DATA";
    ATTESTATION_CERT = 0x2e05, "ATTESTATION_CERT";
    SIGNATURE = 0x2e06, "SIGNATURE";
    BASIC_FULL = 0x3e07, "ATTESTATION_BASIC_FULL";
    BASIC_SURROGATE = 0x3e08, "ATTESTATION_BASIC_SURROGATE";
    ECDAA = 0x3e09, "ATTESTATION_ECDAA";
    KEYID = 0x2e09, "KEYID";
    FINAL_CHALLENGE_HASH = 0x2e0a, "FINAL_CHALLENGE_HASH";
    AAID = 0x2e0b, "AAID";
    PUB_KEY = 0x2e0c, "PUB_KEY";
    COUNTERS = 0x2e0d, "COUNTERS";
    ASSERTION_INFO = 0x2e0e, "ASSERTION_INFO";
    AUTHENTICATOR_NONCE = 0x2e0f, "AUTHENTICATOR_NONCE";
    TRANSACTION_CONTENT_HASH = 0x2e10, "TRANSACTION_CONTENT_HASH";
    EXTENSION_CRITICAL = 0x3e11, "EXTENSION (critical)";
    EXTENSION = 0x3e12, "EXTENSION";
    EXTENSION_ID = 0x2e13, "EXTENSION_ID";
    EXTENSION_DATA = 0x2e14, "EXTENSION_DATA";
    RAW_USER_VERIFICATION_INDEX = 0x0103, "RAW_USER_VERIFICATION_INDEX";
    USER_VERIFICATION_INDEX = 0x0104, "USER_VERIFICATION_INDEX";
    RAW_USER_VERIFICATION_STATE = 0x0105, "RAW_USER_VERIFICATION_STATE";
    USER_VERIFICATION_STATE = 0x0106, "USER_VERIFICATION_STATE";
}

impl Tag {
    /// Whether a receiver that does not know the tag may go on without it.
    #[must_use]
    pub const fn may_be_skipped(self) -> bool {
        self.name().is_none() && self.0 & CRITICAL == 0 && self.0 <= HIGHEST
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "tag {:#06x}", self.0),
        }
    }
}
