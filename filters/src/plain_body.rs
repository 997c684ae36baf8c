//! Heads of bodies that mean the same to every reader: one media type, in UTF-8, not compressed, and all of the request.

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};

use crate::body::BodySource;
use crate::exchange::Exchange;
use crate::media::{BadType, content_type};
use crate::reason::Reason;
use crate::reply::Problem;

/// Reads a body of one of these media types, once the head is found to be plain: a body in another encoding or form may say
/// something else to another reader, and so may members that a reader takes out of a query.
pub(crate) async fn read(
    exchange: &mut Exchange,
    body: &mut dyn BodySource,
    types: &[&str],
    limit: usize,
) -> Result<Bytes, Problem> {
    check_media(&exchange.headers, types)?;
    check_query(exchange.query.as_deref())?;
    exchange.read_body(body, limit).await
}

fn check_query(query: Option<&str>) -> Result<(), Problem> {
    match query {
        None | Some("") => Ok(()),
        Some(_) => {
            let detail = "this request takes no query: say everything in the body";
            Err(Problem::bad_request(detail).because(Reason::Query))
        }
    }
}

fn check_media(headers: &HeaderMap, types: &[&str]) -> Result<(), Problem> {
    let refused = |detail: String| Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail);
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(refused("the body must not be compressed, and have no Content-Encoding".to_owned()));
    }
    content_type(headers, types).map_err(|bad| {
        refused(match bad {
            BadType::NotOne => format!("send one Content-Type: {}", types.join(" or ")),
            BadType::Other => format!("the body must be of type {}", types.join(" or ")),
            BadType::Parameter => {
                "the body must be in UTF-8: Content-Type may say charset=UTF-8 and no more".to_owned()
            }
        })
    })
}
