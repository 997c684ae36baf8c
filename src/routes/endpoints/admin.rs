//! `/nevisfido/admin/…`: what internal callers with the role `admin` see and remove (`http-api.md` 8).

mod list;
mod query;
mod remove;

use sidegate_filters::{Caller, Exchange, Problem, Role};

pub use list::AdminListEndpoint;
pub use remove::AdminRemoveEndpoint;

/// The name of the internal caller. The route lets in nobody without the role, however it is configured.
fn administrator(exchange: &Exchange) -> Result<&str, Problem> {
    match &exchange.caller {
        Caller::Internal(caller) if caller.may(Role::Admin) => Ok(&caller.name),
        _ => Err(super::problems::no_admin()),
    }
}
