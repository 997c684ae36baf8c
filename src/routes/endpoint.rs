//! What answers a request inside the gateway.

use async_trait::async_trait;
use sidegate_filters::{Exchange, Reply};
use sidegate_uaf::facets::MEDIA_TYPE;

use crate::identity::login_page::HTML;

/// A media type that endpoints take or give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// `application/json`.
    Json,
    /// `application/fido+uaf`; answers add `;charset=UTF-8`.
    FidoUaf,
    /// `application/jose`.
    Jose,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `text/html`.
    Html,
    /// `application/fido.trusted-apps+json`.
    TrustedApps,
    /// Prometheus text, version 0.0.4.
    Metrics,
}

impl Medium {
    /// Type and subtype, without parameters: what requests are compared with.
    #[must_use]
    pub fn essence(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::FidoUaf => "application/fido+uaf",
            Self::Jose => "application/jose",
            Self::Form => "application/x-www-form-urlencoded",
            Self::Html => "text/html",
            Self::TrustedApps => MEDIA_TYPE,
            Self::Metrics => "text/plain",
        }
    }

    /// The `Content-Type` of answers.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::FidoUaf => "application/fido+uaf;charset=UTF-8",
            Self::Jose => "application/jose;charset=UTF-8",
            Self::Html => HTML,
            Self::Metrics => "text/plain; version=0.0.4; charset=utf-8",
            Self::Json | Self::Form | Self::TrustedApps => self.essence(),
        }
    }
}

/// What an endpoint takes and gives: checked before it runs, 415 then 406 (`http-api.md` 0.1).
#[derive(Debug, Clone, Copy)]
pub struct Media {
    /// Accepted request types; empty where the endpoint takes no body.
    pub takes: &'static [Medium],
    /// Answer types; a request whose `Accept` names none of them is 406.
    pub gives: &'static [Medium],
}

/// A local service behind a route. It gets the exchange with its body read (at most the route's limit).
#[async_trait]
pub trait Endpoint: Send + Sync {
    /// The media types to check first.
    fn media(&self) -> Media;

    /// Answers the request.
    async fn answer(&self, exchange: Exchange) -> Reply;
}
