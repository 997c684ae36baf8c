//! `/nevisfido/token/dispatch/targets` (`http-api.md` 1).

mod create;
mod delete;
mod list;
mod modify;

pub use create::CreateTargetEndpoint;
pub use delete::DeleteTargetEndpoint;
pub use list::ListTargetsEndpoint;
pub use modify::ModifyTargetEndpoint;
