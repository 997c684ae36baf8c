//! Realms of type `forward`: which service is asked, what it is shown, and what it says.

use std::time::Duration;

use http::{HeaderName, header};
use sidegate_filters::delegation::{fold, is_reserved};
use sidegate_filters::identity_creation::ReturnTarget;

use crate::config::field::Field;
use crate::config::scalar::{Bytes, Scalar};
use crate::config::section::Section;
use crate::identity::forward::Terms;

/// The most of a body that is shown.
const LONGEST: usize = 64 * 1024;
/// The longest time for which an answer is believed.
const OLDEST: Duration = Duration::from_secs(5 * 60);

/// An authentication service that is there already.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forward {
    /// The upstream that it is; one of the configured ones.
    pub upstream: String,
    /// Its path there, with a query if there is one.
    pub path: String,
    /// What it is shown and what it says.
    pub terms: Terms,
    /// For one question.
    pub timeout: Duration,
}

pub(super) fn read(section: &Section<'_>, upstreams: &[&str]) -> Option<Forward> {
    let upstream = section.field("upstream").demanded("write the name of one of the upstreams");
    let upstream = upstream.reference("upstream", upstreams);
    let path: Option<AskedAt> = section.field("path").required();
    let shown = section.field("headers").demanded("list what it knows users by, such as [Authorization] or [Cookie]");
    let headers = shown.each(header);
    if shown.is_written() && shown.is_all(0) {
        shown.fault("no header is listed, so it could know nobody", "list what it knows users by, such as [Cookie]");
    }
    let body = section.field("body");
    let limit: Option<Bytes> = body.optional();
    if limit.is_some_and(|Bytes(limit)| limit > LONGEST) {
        body.fault("no filter is shown so much of a body", "write at most 64KiB");
    }
    let said = |key| said(&section.field(key), &headers);
    let (user, name, roles, session) = (said("user"), said("name"), said("roles"), said("session"));
    section.field("user").demand("write the header of its answer that has the user, such as X-User");
    let (cache, timeout) = (age(&section.field("cache")), section.field("timeout").or(Duration::from_secs(5)));
    Some(Forward {
        upstream: upstream?,
        path: path?.0,
        terms: Terms {
            headers: (!headers.is_empty()).then_some(headers)?,
            body: limit.map(|Bytes(limit)| limit),
            user: user?,
            name,
            roles,
            session,
            cache,
        },
        timeout,
    })
}

/// What says nothing of who sends it.
const SENT_BY_ALL: [HeaderName; 5] =
    [header::USER_AGENT, header::ACCEPT, header::ACCEPT_LANGUAGE, header::ACCEPT_ENCODING, header::REFERER];

/// The path of the service at which it is asked.
struct AskedAt(String);

impl Scalar for AskedAt {
    const RIGHT: &'static str = "write the path at which the service is asked, such as /verify";
    fn read(text: &str) -> Result<Self, String> {
        let path = ReturnTarget::parse(text).map(|path| Self(path.as_str().to_owned()));
        path.ok_or_else(|| "this is no path of the service".to_owned())
    }
}

/// How long an answer is believed.
fn age(field: &Field<'_>) -> Option<Duration> {
    let age: Option<Duration> = field.optional();
    if age.is_some_and(|age| age > OLDEST) {
        field.fault("whom it does not let in any more would be let in for so long", "write at most 5m");
    }
    age
}

/// A header of the client's.
fn header(item: &Field<'_>) -> Option<HeaderName> {
    let name: HeaderName = item.optional()?;
    if is_reserved(&name) && name != header::COOKIE && name != header::AUTHORIZATION {
        item.fault("the gateway sees to this header itself", "list what a client shows to be known");
        return None;
    }
    if SENT_BY_ALL.contains(&name) {
        item.notice(
            "every browser sends this by itself: whoever comes is asked about, logged in or not, and all who send the \
             same wait for each other's guesses; list what only users send",
        );
    }
    Some(name)
}

/// A header of the service's.
fn said(field: &Field<'_>, shown: &[HeaderName]) -> Option<HeaderName> {
    let name: HeaderName = field.optional()?;
    if shown.iter().any(|header| fold(header.as_str()) == fold(name.as_str())) {
        field.fault(
            "clients send this header, and a service that echoes it would let them say who they are",
            "have it answer with another header",
        );
    }
    Some(name)
}
