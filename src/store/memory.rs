//! Stores in the memory of one gateway: operations, their challenges and sessions, on moka (`gateway.md` 5).
//!
//! Nothing is ever dropped to make room: moka has no capacity here, since its admission policy may silently refuse what
//! matters. A byte budget of our own refuses what is new instead. Records end by the injected clock; moka's own expiry
//! only backs the sweep up.

pub mod budget;
mod challenges;
mod operations;
mod sessions;
mod table;

pub use budget::Budget;
pub use challenges::{ChallengesLeft, MemoryChallenges};
pub use operations::{MemoryOperations, OperationsLeft};
pub use sessions::{MemorySessions, SessionsLeft};
