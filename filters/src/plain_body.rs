//! Heads of bodies that mean the same to every reader: one media type, in UTF-8, not compressed, and all of the request.

use http::{HeaderMap, StatusCode, header};

use crate::exchange::Exchange;
use crate::filter::Verdict;
use crate::media::{BadType, content_type};
use crate::reason::Reason;
use crate::reply::Problem;

/// What a filter says of a head before the body is read, which has to be of one of these media types: a body in another
/// encoding or form may say something else to another reader, and so may members that a reader takes out of a query.
pub(crate) fn before(exchange: &Exchange, types: &[&str]) -> Verdict {
    match check_media(&exchange.headers, types).and_then(|()| check_query(exchange.query.as_deref())) {
        Ok(()) => Verdict::Pass,
        Err(problem) => Verdict::Answer(problem.into()),
    }
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
