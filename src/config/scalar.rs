//! Single values: text of the file to a checked type. A refusal never quotes the value, which may be a secret.

use std::net::SocketAddr;
use std::time::Duration;

use http::{HeaderName, Method};
use sidegate_filters::PathTemplate;

use super::document::Value;
use super::units;

/// A type that a single value can become.
pub(super) trait Scalar: Sized {
    /// What would be right.
    const RIGHT: &'static str;

    /// The value, or what is wrong with it.
    fn read(text: &str) -> Result<Self, String>;
}

/// The text of a single value; numbers as they are written in decimal.
pub(super) fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::Text(text) => Ok(text.clone()),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Decimal => Err("a number with a fraction has no place here".to_owned()),
        Value::Null | Value::Unsubstituted => Err("the value is missing".to_owned()),
        Value::List(_) => Err("this is a list".to_owned()),
        Value::Map(_) => Err("this is a section".to_owned()),
    }
}

fn fits<T>(value: Option<T>, wrong: &str) -> Result<T, String> {
    value.ok_or_else(|| wrong.to_owned())
}

impl Scalar for String {
    const RIGHT: &'static str = "write a text that is not empty";
    fn read(text: &str) -> Result<Self, String> {
        fits((!text.is_empty()).then(|| text.to_owned()), "the text is empty")
    }
}

impl Scalar for bool {
    const RIGHT: &'static str = "write true or false";
    fn read(text: &str) -> Result<Self, String> {
        fits(text.parse().ok(), "this is neither true nor false")
    }
}

impl Scalar for u8 {
    const RIGHT: &'static str = "write a whole number from 0 to 255";
    fn read(text: &str) -> Result<Self, String> {
        fits(text.parse().ok(), "this is no such number")
    }
}

impl Scalar for usize {
    const RIGHT: &'static str = "write a whole number above zero";
    fn read(text: &str) -> Result<Self, String> {
        fits(text.parse().ok().filter(|number| *number > 0), "this is no such number")
    }
}

impl Scalar for Duration {
    const RIGHT: &'static str = "write a number with ms, s, m, h or d, such as 30s; a bare number is seconds";
    fn read(text: &str) -> Result<Self, String> {
        fits(units::duration(text), "this is no duration, or it is zero")
    }
}

/// A number of bytes above zero.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes(pub(super) usize);

impl Scalar for Bytes {
    const RIGHT: &'static str = "write a number with KiB, MiB or GiB, such as 64KiB; a bare number is bytes";
    fn read(text: &str) -> Result<Self, String> {
        fits(units::size(text).map(Self), "this is no size, or it is zero")
    }
}

/// A share, 1 to 100.
#[derive(Debug, Clone, Copy)]
pub(super) struct Percent(pub(super) u8);

impl Scalar for Percent {
    const RIGHT: &'static str = "write a share from 1% to 100%";
    fn read(text: &str) -> Result<Self, String> {
        fits(units::percent(text).map(Self), "this is no share")
    }
}

impl Scalar for SocketAddr {
    const RIGHT: &'static str = "write ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:8080";
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| no_address(text).to_owned())
    }
}

fn no_address(text: &str) -> &'static str {
    let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
    let number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let named = host.starts_with(|first: char| first.is_ascii_alphabetic()) && !host.contains(':');
    match (number, named) {
        (true, _) if port.parse::<u16>().is_err() => "the port is above 65535",
        (_, true) => "this is a name, and names are not taken: localhost is 127.0.0.1",
        _ => "this is no address with a port",
    }
}

impl Scalar for HeaderName {
    const RIGHT: &'static str = "write the name of a header, such as X-Employee";
    fn read(text: &str) -> Result<Self, String> {
        fits(text.parse().ok(), "this is no name of a header")
    }
}

impl Scalar for Method {
    const RIGHT: &'static str = "write one of GET, POST, PUT, PATCH, DELETE, OPTIONS; HEAD follows GET";
    fn read(text: &str) -> Result<Self, String> {
        let known = [Self::GET, Self::POST, Self::PUT, Self::PATCH, Self::DELETE, Self::OPTIONS];
        let in_capitals = known.iter().any(|method| method.as_str().eq_ignore_ascii_case(text));
        let wrong = if in_capitals { "methods are written in capitals" } else { "this method is not served" };
        fits(known.into_iter().find(|method| method.as_str() == text), wrong)
    }
}

/// A path that others begin with: without a slash at its end, and of characters that need no escape.
#[derive(Debug, Clone)]
pub(super) struct Prefix(pub(super) String);

impl Scalar for Prefix {
    const RIGHT: &'static str =
        "write a path such as /partners/auth, of letters, digits, -, _ and ., with no slash at its end";
    fn read(text: &str) -> Result<Self, String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let fits_one = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(plain);
        let is_path = text.strip_prefix('/').is_some_and(|rest| rest.split('/').all(fits_one));
        fits(is_path.then(|| Self(text.to_owned())), "this is no path that others can begin with")
    }
}

/// A route's path, as written and parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    template: PathTemplate,
}

impl Pattern {
    /// The pattern as it is written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The same for a server that takes small and capital ASCII letters for the same.
    #[must_use]
    pub(super) fn in_any_case(self) -> Self {
        Self { template: self.template.in_any_case(), ..self }
    }

    /// What the router matches with.
    #[must_use]
    pub fn template(&self) -> &PathTemplate {
        &self.template
    }
}

impl Scalar for Pattern {
    const RIGHT: &'static str = "write a path such as /shop/*, /shop/{id} or /shop/cart";
    fn read(text: &str) -> Result<Self, String> {
        let template = PathTemplate::parse(text).map_err(|error| error.to_string())?;
        Ok(Self { text: text.to_owned(), template })
    }
}
