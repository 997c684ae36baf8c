//! The frame of every page, and escaping.

use std::fmt;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use crate::jose;

/// The media type of pages.
pub const HTML: &str = "text/html; charset=utf-8";

const STYLE: &str = include_str!("style.css");

/// Nothing but our own style, named by its hash; forms only to ourselves; never in a frame.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = STANDARD.encode(jose::sha256(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
});

/// Text inside HTML, in elements and quoted attributes.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => fmt::Write::write_char(f, other)?,
            }
        }
        Ok(())
    }
}

/// A whole page; `title` and `body` are HTML.
pub(super) fn page(status: StatusCode, title: &str, body: &str) -> Response<Bytes> {
    page_with(status, title, "", body)
}

/// The same, which the browser loads anew after so many seconds.
pub(super) fn renewed_page(seconds: u8, title: &str, body: &str) -> Response<Bytes> {
    page_with(StatusCode::OK, title, &format!("<meta http-equiv=\"refresh\" content=\"{seconds}\">"), body)
}

fn page_with(status: StatusCode, title: &str, head: &str, body: &str) -> Response<Bytes> {
    let text = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">{head}<style>{STYLE}</style></head>\
         <body><main>{body}</main></body></html>"
    );
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_TYPE, HTML);
    set(header::CACHE_CONTROL, "no-store");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // Not `no-referrer`: browsers would then send `Origin: null` with the form.
    set(header::REFERRER_POLICY, "same-origin");
    if let Ok(policy) = HeaderValue::from_str(&POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
