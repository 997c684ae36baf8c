//! Chunks are for clients who know them (RFC 9112 6.1): the proxy cuts every answer without a length into some, an HTTP/1.0
//! client's too, and for a server behind that speaks HTTP/2 after every other filter. A module comes last.

use std::any::Any;

use async_trait::async_trait;
use http::{Version, header};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::modules::http::{HttpModule, HttpModuleBuilder, Module};

/// Takes chunks from answers to HTTP/1.0: they end with their connection.
pub(super) struct Chunks;

impl HttpModuleBuilder for Chunks {
    fn init(&self) -> Module {
        Box::new(OfRequest { known: true })
    }
}

struct OfRequest {
    /// Whether this client knows them.
    known: bool,
}

#[async_trait]
impl HttpModule for OfRequest {
    async fn request_header_filter(&mut self, request: &mut RequestHeader) -> pingora::Result<()> {
        self.known = request.version > Version::HTTP_10;
        Ok(())
    }

    async fn response_header_filter(&mut self, response: &mut ResponseHeader, _: bool) -> pingora::Result<()> {
        if !self.known {
            response.remove_header(&header::TRANSFER_ENCODING);
        }
        Ok(())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Version::HTTP_10, false)]
    #[case(Version::HTTP_11, true)]
    #[tokio::test]
    async fn chunks_are_for_clients_who_know_them(#[case] version: Version, #[case] chunked: bool) {
        let mut module = Chunks.init();
        let mut request = RequestHeader::build("GET", b"/", None).unwrap();
        request.set_version(version);
        module.request_header_filter(&mut request).await.unwrap();
        let mut response = ResponseHeader::build(200, None).unwrap();
        response.insert_header(header::TRANSFER_ENCODING, "chunked").unwrap();
        module.response_header_filter(&mut response, false).await.unwrap();
        assert_eq!(response.headers.contains_key(header::TRANSFER_ENCODING), chunked);
    }
}
