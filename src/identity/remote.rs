//! A server that is asked about callers: one URL, one request, one answer, within bounds of time and size. No proxy of the
//! environment is used and no redirect followed, so that nobody else answers in its place.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use reqwest::{Client, ClientBuilder, Response, StatusCode, Url, redirect};

use crate::fido::{EndpointFault, secured};
use crate::jose::UpstreamTls;

/// The settings of a server can't be used: a fault at start.
#[derive(Debug, thiserror::Error)]
pub enum RemoteFault {
    /// The URL.
    #[error("its URL can't be used: {0}")]
    Url(String),
    /// What is shown and believed over TLS.
    #[error(transparent)]
    Tls(#[from] EndpointFault),
    /// TLS can't be set up.
    #[error("no client can be made for it: {0}")]
    Client(#[from] reqwest::Error),
}

/// No usable answer. The text is for the log.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// It can't be reached, broke off, or was too slow.
    #[error("{0}")]
    Failed(String),
    /// Another status than was hoped for.
    #[error("it answered with HTTP status {0}")]
    Status(StatusCode),
    /// More bytes than are taken.
    #[error("its answer is longer than {0} bytes")]
    TooLong(usize),
}

/// The server.
pub struct Remote {
    client: Client,
    url: Url,
    shown: String,
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Connecting, TLS included.
    pub connect: Duration,
    /// The whole exchange.
    pub total: Duration,
}

impl Remote {
    /// What is at this URL; over TLS with the name that its certificate must bear, the host of the URL where none is given.
    ///
    /// # Errors
    /// What can't be used.
    pub fn new(url: &str, tls: Option<(Option<&str>, &UpstreamTls)>, patience: Patience) -> Result<Self, RemoteFault> {
        let mut url = Url::parse(url).map_err(|error| RemoteFault::Url(error.to_string()))?;
        let shown = format!("{}{}", url.origin().ascii_serialization(), url.path());
        let mut builder = ClientBuilder::new()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .http1_only()
            .connect_timeout(patience.connect)
            .timeout(patience.total);
        if let Some((name, tls)) = tls {
            let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
            builder = secured(builder, name.unwrap_or(&host), tls, &mut url)?;
        }
        Ok(Self { client: builder.build()?, url, shown })
    }

    /// Where it is, for the log: server and path, without a query, which may hold a secret.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// What a GET is answered with 200.
    ///
    /// # Errors
    /// Why there is none, or more than `longest` bytes of it.
    pub async fn get(&self, longest: usize) -> Result<Vec<u8>, Unanswered> {
        let answer = self.client.get(self.url.clone()).header("accept", "application/json").send().await?;
        if answer.status() != StatusCode::OK {
            return Err(Unanswered::Status(answer.status()));
        }
        read(answer, longest).await
    }
}

impl Remote {
    /// Asks with these headers: by POST where there is a body, else by GET. The body of the answer is left.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn ask(&self, headers: HeaderMap, body: Option<Bytes>) -> Result<(StatusCode, HeaderMap), Unanswered> {
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let request = self.client.request(method, self.url.clone()).headers(headers);
        let request = if let Some(body) = body { request.body(body) } else { request };
        let answer = request.send().await?;
        Ok((answer.status(), answer.headers().clone()))
    }
}

async fn read(mut answer: Response, longest: usize) -> Result<Vec<u8>, Unanswered> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len().saturating_add(chunk.len()) > longest {
            return Err(Unanswered::TooLong(longest));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

impl From<reqwest::Error> for Unanswered {
    /// With all that it came from: what is wrong with a certificate stands last.
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
        let texts = std::iter::once(error.to_string()).chain(causes.map(ToString::to_string));
        Self::Failed(texts.collect::<Vec<_>>().join(": "))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// Behind TLS as well, where the URL that is asked has the name of the certificate in place of the server.
    #[rstest]
    #[case("http://127.0.0.1:8080/verify?key=s3cret#a", "http://127.0.0.1:8080/verify")]
    #[case("https://eve:s3cret@[::1]:8443/keys", "https://[::1]:8443/keys")]
    #[case("https://idp.example", "https://idp.example/")]
    fn no_secret_is_shown(#[case] url: &str, #[case] expected: &str) {
        let patience = Patience { connect: Duration::from_secs(1), total: Duration::from_secs(1) };
        let tls = UpstreamTls { authorities: None, verify: true, client: None };
        let tls = url.starts_with("https").then_some((Some("other.example"), &tls));
        assert_eq!(Remote::new(url, tls, patience).unwrap().shown(), expected);
    }
}
