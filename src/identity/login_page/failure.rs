//! The pages for a browser that gets no further.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};

use super::html::{self, Escaped};

/// For a page of a domain that this form does not log in to: after it, the page would ask again.
pub(super) fn no_login() -> Response<Bytes> {
    let body = "<h1>No login here</h1><p role=\"alert\">There is no page to log in to this part of the site.</p>";
    html::page(StatusCode::UNAUTHORIZED, "No login here", body)
}

/// For a browser at an address where nothing is. It repeats nothing of the request.
#[must_use]
pub fn not_found() -> Response<Bytes> {
    let body = "<h1>Not found</h1><p>There is no page at this address.</p>";
    html::page(StatusCode::NOT_FOUND, "Not found", body)
}

/// For a browser whose request failed here or behind: `status` is a 5xx, `headers` belong to the answer, and the help desk
/// finds the reason in the log under `request_id`. It repeats nothing of the request.
#[must_use]
pub fn failed(status: StatusCode, headers: HeaderMap, request_id: &str) -> Response<Bytes> {
    let (title, text) = if status == StatusCode::INTERNAL_SERVER_ERROR {
        ("Something went wrong", "This page could not be made.")
    } else {
        ("Not available just now", "This page can't be reached at the moment. Try again in a while.")
    };
    let body = format!(
        "<h1>{title}</h1><p role=\"alert\">{text}</p>\
         <p>If it stays like this, tell the help desk this number: <code>{}</code></p>",
        Escaped(request_id)
    );
    let mut page = html::page(status, title, &body);
    // The page's own come last: none of them is to be replaced.
    let own = std::mem::replace(page.headers_mut(), headers);
    page.headers_mut().extend(own);
    page
}
