//! What the `/auth` endpoints answer alike.

use bytes::Bytes;
use http::{Response, StatusCode, header};
use sidegate_filters::{Exchange, Problem, Reason, Reply};

use crate::identity::{LoginPages, same_origin};

/// A browser goes on to `target` with a GET.
pub(super) fn see_other(target: &str) -> Result<Response<Bytes>, http::Error> {
    Response::builder()
        .status(StatusCode::SEE_OTHER)
        .header(header::LOCATION, target)
        .header(header::CACHE_CONTROL, "no-store")
        .body(Bytes::new())
}

/// Refuses what another site's page may have sent.
pub(super) fn check_site(exchange: &Exchange) -> Result<(), Problem> {
    let forbidden = |refused: same_origin::CrossSite| {
        Problem::new(StatusCode::FORBIDDEN, refused.to_string()).because(Reason::OtherSite)
    };
    same_origin::check(&exchange.headers, &exchange.client.origin).map_err(forbidden)
}

/// The answer to a form post that may come from another site's page.
pub(super) fn cross_site(exchange: &Exchange, pages: &LoginPages, html: bool) -> Option<Reply> {
    let refused = check_site(exchange).err()?;
    Some(if html { Reply::refusal(pages.refused(), Reason::OtherSite) } else { refused.into() })
}

/// The session that the request came with.
pub(super) fn session(exchange: &Exchange) -> Option<&sidegate_filters::AuthenticatedSession> {
    if let sidegate_filters::Caller::User(session) = &exchange.caller { Some(session) } else { None }
}
