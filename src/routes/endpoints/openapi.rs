//! GET `/openapi.json` (`gateway.md` 6.4): which services are served where, who may call them, and in which media types
//! they speak, as OpenAPI 3.1 for programs. It is made of the rows that are served, so it can't say anything else. Bodies
//! are in the contract (`http-api.md`); rows that lead to an operator's own servers have descriptions of their own there.

mod security;

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use sidegate_filters::{Exchange, Reply};

use super::answers::whole;
use crate::routes::rows::{Protection, Service};
use crate::routes::{Endpoint, ListenerClass, Media, Medium};

const VERSION: &str = "3.1.0";

/// A service as its row serves it.
pub struct Described<'a> {
    /// The row's name.
    pub name: &'a str,
    /// The methods.
    pub methods: &'a [Method],
    /// The path, with `{name}` segments.
    pub path: &'a str,
    /// The listeners.
    pub on: &'a [ListenerClass],
    /// What answers.
    pub service: Service,
    /// What it demands.
    pub protection: Protection,
    /// The cookie of the sessions that it takes; `None`: there is no session domain.
    pub cookie: Option<&'a str>,
    /// What it takes and gives; `None` where a server behind answers.
    pub media: Option<Media>,
}

/// The document, rendered once; empty until all rows are known.
#[derive(Default)]
pub struct OpenApiEndpoint(Bytes);

impl OpenApiEndpoint {
    /// Describes these rows, for callers who reach public listeners at this URL.
    #[must_use]
    pub fn new(rows: &[Described<'_>], public_url: &str) -> Self {
        let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
        for row in rows {
            let path = paths.entry(row.path).or_default();
            for method in row.methods {
                path.insert(method.as_str().to_ascii_lowercase(), row.operation(method));
            }
        }
        let document = json!({
            "openapi": VERSION,
            "info": { "title": "Sidegate", "version": env!("CARGO_PKG_VERSION") },
            "servers": [{ "url": public_url, "description": "public listeners" }],
            "paths": paths,
            "components": {
                "securitySchemes": security::schemes(rows),
                "schemas": { "Problem": problem() },
            },
        });
        // Values always have a text.
        Self(Bytes::from(serde_json::to_vec(&document).unwrap_or_default()))
    }
}

#[async_trait]
impl Endpoint for OpenApiEndpoint {
    fn media(&self) -> Media {
        Media { takes: &[], gives: &[Medium::Json] }
    }

    async fn answer(&self, _: Exchange) -> Reply {
        Reply::Response(whole(StatusCode::OK, Medium::Json, self.0.clone()))
    }
}

impl Described<'_> {
    fn operation(&self, method: &Method) -> Value {
        let several = self.methods.len() > 1;
        let gives = self.media.map_or(&[][..], |media| media.gives);
        let takes = self.media.map_or(&[][..], |media| media.takes);
        let body = (!takes.is_empty()).then(|| ("requestBody", json!({ "required": true, "content": content(takes) })));
        let parameters: Vec<Value> = parameters(self.path).collect();
        let parameters = (!parameters.is_empty()).then(|| ("parameters", Value::Array(parameters)));
        let operation = [
            ("operationId", if several { format!("{}-{method}", self.name) } else { self.name.to_owned() }.into()),
            ("summary", self.service.summary().into()),
            ("x-listeners", json!(self.on)),
            ("x-protection", self.protection.name().into()),
            ("security", security::demands(self)),
            ("responses", responses(gives)),
        ];
        let members = operation.into_iter().chain(parameters).chain(body);
        members.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()
    }
}

fn responses(gives: &[Medium]) -> Value {
    json!({
        "2XX": { "description": "done", "content": content(gives) },
        "default": {
            "description": "refused or failed, and why (RFC 9457)",
            "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
        },
    })
}

fn content(media: &[Medium]) -> Value {
    media.iter().map(|medium| (medium.essence().to_owned(), json!({}))).collect::<Map<_, _>>().into()
}

fn parameters(path: &str) -> impl Iterator<Item = Value> {
    let names = path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    names.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
}

/// As filters and endpoints refuse (`http-api.md` 0.2).
fn problem() -> Value {
    let text = || json!({ "type": "string" });
    json!({
        "type": "object",
        "required": ["title", "status", "detail", "instance"],
        "properties": {
            "title": text(), "status": { "type": "integer" }, "detail": text(), "instance": text(),
        },
    })
}

#[cfg(test)]
mod tests;
