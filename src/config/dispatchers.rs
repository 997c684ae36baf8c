//! `fido-uaf.dispatchers`: how tokens reach a phone (`http-api.md` 10). Keys and values are those of the original's
//! dispatcher blocks.

use crate::dispatchers::{BaseUrl, RedeemUrls};

use super::field::Field;
use super::section::Section;
use super::url::{PublicUrl, STAND_IN, WebUrl};

/// A configured dispatcher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dispatcher {
    /// Type `link`: a link in the answer.
    Link(Link),
}

impl Dispatcher {
    /// What clients send as `dispatcher`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Link(_) => "link",
        }
    }
}

/// A dispatcher of type `link`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Link {
    /// What links begin with, exactly as written.
    pub base_url: BaseUrl,
    /// Where tokens are redeemed.
    pub redeem: RedeemUrls,
}

#[derive(Clone, Copy, PartialEq)]
enum Type {
    Link,
}

const TYPES: &[(&str, Type)] = &[("link", Type::Link)];

pub(super) fn read(field: &Field<'_>, public_url: Option<&PublicUrl>) -> Vec<Dispatcher> {
    let mut seen: Vec<(&'static str, u64)> = Vec::new();
    field.each(|item| {
        let dispatcher = item.section(|section| dispatcher(section, public_url)).flatten()?;
        match seen.iter().find(|(word, _)| *word == dispatcher.word()) {
            Some((word, line)) => item.fault(
                format!("the dispatcher in line {line} has the type {word} too"),
                "keep one of each type: clients name a dispatcher by its type",
            ),
            None => seen.push((dispatcher.word(), item.line())),
        }
        Some(dispatcher)
    })
}

fn dispatcher(section: &Section<'_>, public_url: Option<&PublicUrl>) -> Option<Dispatcher> {
    let kind = section.field("type").demanded("write link");
    match kind.choice(TYPES) {
        Some(Type::Link) => {
            let base_url = section.field("base-url").required();
            let redeem = redeem_urls(section, public_url);
            Some(Dispatcher::Link(Link { base_url: base_url?, redeem: redeem? }))
        }
        None => {
            section.leave_unread();
            None
        }
    }
}

/// At least one URL must be written, as the original documents it.
fn redeem_urls(section: &Section<'_>, public_url: Option<&PublicUrl>) -> Option<RedeemUrls> {
    let keys = ["registration-redeem-url", "authentication-redeem-url", "deregistration-redeem-url"];
    let fields = keys.map(|key| section.field(key));
    if !fields.iter().any(Field::is_written) && !section.misspells(&keys) {
        section.fault(
            "no redeem URL is written",
            "write at least one, such as authentication-redeem-url: ${public-url}/nevisfido/token/redeem/authentication",
        );
    }
    let [registration, authentication, deregistration] =
        fields.map(|field| field.optional::<WebUrl>().map(|url| url.text().to_owned()));
    // Where the public URL is at fault that is told there: the dispatcher is none the worse.
    let below = RedeemUrls::below(public_url.map_or(STAND_IN, PublicUrl::text));
    Some(RedeemUrls {
        registration: registration.unwrap_or(below.registration),
        authentication: authentication.unwrap_or(below.authentication),
        deregistration: deregistration.unwrap_or(below.deregistration),
    })
}
