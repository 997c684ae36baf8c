//! The crate's small traits kept in memory: for tests, and for plug-in users who need nothing that outlives the
//! process. All are bounded: what does not fit is refused, never dropped silently.

mod callers;
mod replay_guard;
mod sec_tokens;
mod sessions;
mod target_keys;

pub use callers::MemoryCallers;
pub use replay_guard::MemoryReplayGuard;
pub use sec_tokens::MemorySecTokens;
pub use sessions::MemorySessions;
pub use target_keys::MemoryTargetKeys;

/// There is no room for one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the memory is full")]
pub struct Full;

#[cfg(test)]
mod tests;
