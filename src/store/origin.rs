//! On whose account a record is kept in memory (`gateway.md` 5).

use serde::{Deserialize, Serialize};
pub use sidegate_filters::network::SourceNetwork;

use crate::store::ExtId;

/// Who caused a record: decides whose share of the memory it uses.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Origin {
    /// An internal caller: counted, never refused.
    Internal,
    /// Nobody that we know, calling from this network.
    Network(SourceNetwork),
    /// A user with a session.
    User(ExtId),
}
