//! Who may call, in the words of OpenAPI.

use serde_json::{Map, Value, json};

use super::Described;
use crate::routes::ListenerClass;
use crate::routes::rows::Protection;

const BEARER: &str = "internal-caller";
const CERTIFICATE: &str = "internal-certificate";
/// A session as clients without cookies show it (`http-api.md` 7, `additionalTokens`).
const TOKEN: &str = "session-token";

/// What a caller shows: one of these. Nothing where everybody may call, or where the body itself is signed.
pub(super) fn demands(row: &Described<'_>) -> Value {
    let by_session = matches!(row.protection, Protection::Session | Protection::FidoUaf);
    let internal = by_session && row.on.contains(&ListenerClass::Internal)
        || matches!(row.protection, Protection::Internal | Protection::Admin);
    let session = row.cookie.filter(|_| by_session).into_iter().flat_map(|cookie| [cookie, TOKEN]);
    let internal = [BEARER, CERTIFICATE].into_iter().filter(|_| internal);
    session.chain(internal).map(|scheme| json!({ scheme: [] })).collect()
}

/// The ways to show who is calling. A session is named by its cookie.
pub(super) fn schemes(rows: &[Described<'_>]) -> Value {
    let cookies = rows.iter().filter_map(|row| row.cookie);
    let sessions = cookies.map(|name| (name.to_owned(), json!({ "type": "apiKey", "in": "cookie", "name": name })));
    let others = [
        (BEARER.to_owned(), json!({ "type": "http", "scheme": "bearer" })),
        (CERTIFICATE.to_owned(), json!({ "type": "mutualTLS" })),
        (TOKEN.to_owned(), json!({ "type": "http", "scheme": "bearer", "bearerFormat": "JWT" })),
    ];
    sessions.chain(others).collect::<Map<_, _>>().into()
}
