//! Why a request is refused, in one word: for the log of whoever mounts filters, never for the client.

use http::StatusCode;

macro_rules! reasons {
    ($($(#[$doc:meta])+ $name:ident = $word:literal,)+) => {
        /// A word of a closed set: nothing that a client sent can be in it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Reason { $($(#[$doc])+ $name,)+ }

        impl Reason {
            /// Each of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The word.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }
        }
    };
}

reasons! {
    /// It can't be read as it is.
    Malformed = "malformed",
    /// How its head says where its body ends.
    Framing = "framing",
    /// Its head is too long, or has too many fields.
    HeadTooLong = "head-too-long",
    /// `Host`, or what names it a second time.
    Host = "host",
    /// How the path is spelt.
    PathSpelling = "path-spelling",
    /// The version of HTTP.
    Version = "version",
    /// The method is not served, here or anywhere.
    Method = "method",
    /// What it expects by `Expect`.
    Expectation = "expectation",
    /// Authorities of client certificates are others than when the connection was made.
    Misdirected = "misdirected",
    /// There is no such thing.
    NotFound = "not-found",
    /// It has a query where none may be.
    Query = "query",
    /// It has a body where none may be.
    Body = "body",
    /// The body is too long.
    TooLong = "too-long",
    /// Head or body came too slowly.
    TooSlow = "too-slow",
    /// The type or the coding of the body.
    MediaType = "media-type",
    /// What it accepts is not to be had.
    Accept = "accept",
    /// It can be read, and makes no sense.
    Unprocessable = "unprocessable",
    /// Where it comes from.
    Address = "address",
    /// A page of another site sent it.
    OtherSite = "other-site",
    /// A WebSocket is opened in another way.
    Handshake = "handshake",
    /// Nothing was shown that tells who is calling.
    NoCredential = "no-credential",
    /// The session that was shown has ended, or is none.
    SessionEnded = "session-ended",
    /// Several session cookies.
    SeveralCookies = "several-cookies",
    /// A bearer token that is not taken; the audit line `login-failed` says why.
    Token = "token",
    /// The certificate that was shown names nobody here.
    Certificate = "certificate",
    /// The authentication service that was asked names nobody.
    Service = "authentication-service",
    /// The session's level is too low.
    Level = "level",
    /// The session's authentication is too long ago.
    Age = "age",
    /// The session is by another realm.
    Realm = "realm",
    /// The user lacks a role.
    Role = "role",
    /// The internal caller lacks a role, or none may come.
    CallerRole = "caller-role",
    /// No bearer or certificate of an internal caller.
    NoCaller = "no-caller",
    /// A bearer that is no internal caller's.
    UnknownCaller = "unknown-caller",
    /// What was shown, such as a password, is not good.
    Credential = "credential",
    /// It names another user than whose session it is.
    OtherUser = "other-user",
    /// It names no user, or no target.
    Unnamed = "unnamed",
    /// It says something to a user, and is nobody's who may.
    Stranger = "stranger",
    /// It is for another operation than the row.
    OtherOperation = "other-operation",
    /// It is for another target than the path.
    OtherTarget = "other-target",
    /// The header of a signed message, its algorithm say.
    Algorithm = "algorithm",
    /// A signature is wrong.
    Signature = "signature",
    /// It was signed too long ago, or in the future.
    Time = "time",
    /// It was sent before.
    Replayed = "replayed",
    /// Not allowed, and no other word says it closer.
    Forbidden = "forbidden",
    /// Too often.
    TooMany = "too-many",
    /// Too many at once.
    Full = "full",
    /// Too many at once from one network.
    Share = "share",
    /// Something that it needs is out of reach for now.
    Unavailable = "unavailable",
    /// A server behind can't be reached, or answers in a broken way.
    Broken = "broken",
    /// A server behind did not answer in time.
    Timeout = "timeout",
    /// A fault of the program.
    Fault = "fault",
}

impl Reason {
    /// What an answer with this status says by itself; `None`: it is no refusal.
    #[must_use]
    pub fn of(status: StatusCode) -> Option<Self> {
        Some(match status {
            StatusCode::UNAUTHORIZED => Self::Credential,
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::Method,
            StatusCode::NOT_ACCEPTABLE => Self::Accept,
            StatusCode::REQUEST_TIMEOUT => Self::TooSlow,
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLong,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::MediaType,
            StatusCode::EXPECTATION_FAILED => Self::Expectation,
            StatusCode::MISDIRECTED_REQUEST => Self::Misdirected,
            StatusCode::UNPROCESSABLE_ENTITY => Self::Unprocessable,
            StatusCode::UPGRADE_REQUIRED => Self::Handshake,
            StatusCode::TOO_MANY_REQUESTS => Self::TooMany,
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Self::HeadTooLong,
            StatusCode::BAD_GATEWAY => Self::Broken,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            StatusCode::GATEWAY_TIMEOUT => Self::Timeout,
            StatusCode::HTTP_VERSION_NOT_SUPPORTED => Self::Version,
            StatusCode::BAD_REQUEST => Self::Malformed,
            status if status.is_client_error() => Self::Forbidden,
            status if status.is_server_error() => Self::Fault,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_has_a_word_of_its_own() {
        let words: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.word()).collect();
        assert_eq!(words.len(), Reason::ALL.len());
        assert!(words.iter().all(|word| word.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase())));
    }

    #[test]
    fn a_status_is_a_refusal_or_none() {
        let of = |status| Reason::of(StatusCode::from_u16(status).unwrap()).map(Reason::word);
        for (status, expected) in [
            (200, None),
            (302, None),
            (400, Some("malformed")),
            (401, Some("credential")),
            (403, Some("forbidden")),
            (418, Some("forbidden")),
            (500, Some("fault")),
            (503, Some("unavailable")),
        ] {
            assert_eq!(of(status), expected, "{status}");
        }
    }
}
