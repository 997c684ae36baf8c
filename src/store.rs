//! What Sidegate remembers, by kind of data: one trait each, and implementations that all pass the same contract suite
//! (`gateway.md` 5).
//!
//! Every trait is asynchronous and fallible: a store that can't be reached answers [`StoreError::Unavailable`] and the
//! client sees 503. What was acknowledged is kept.

pub mod account;
pub mod belongings;
pub mod challenges;
#[cfg(test)]
pub(crate) mod contract;
pub mod credentials;
pub mod embedded;
pub mod eras;
pub mod ext_id;
pub mod file_stamp;
pub mod folder;
pub mod keys_behind;
pub mod memory;
pub mod operation;
pub mod operations;
pub mod origin;
pub mod orphans;
pub(crate) mod private_file;
pub mod replays;
pub mod sessions;
pub mod targets;
pub mod users;

pub use account::Account;
pub use belongings::{Belongings, Removed};
pub use challenges::{ChallengeDigest, Challenges};
pub use credentials::{CounterError, Credential, CredentialError, CredentialKey, Credentials, Removal};
pub use embedded::{Embedded, EmbeddedError};
pub use eras::{Ended, Eras};
pub use ext_id::ExtId;
pub use file_stamp::FileStamp;
pub use folder::{DataFolder, FolderError};
pub use keys_behind::{KeyBehind, KeysBehind, Retired, Standing};
pub use memory::budget::Growth;
pub use operation::{Operation, OperationId};
pub use operations::{Operations, Transition, TransitionError};
pub use origin::{Origin, SourceNetwork};
pub use orphans::Orphans;
pub use replays::Replays;
pub use sessions::{AddedLogin, SessionKey, SessionRecord, Sessions};
pub use targets::{PushToken, Target, TargetError, TargetUpdate, Targets};
pub use users::{PasswordHash, PasswordStamp, User, UserError, Users, UsersFile, UsersFileError};

/// A store could not do what was asked. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store can't be reached, read or written just now; the text is for the log.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// No room: the store's limit, or the caller's share of it, is used up (503 to the client).
    #[error("the store has no room left for this caller")]
    Full,
    /// A record with this identifier is there already.
    #[error("a record with this identifier exists")]
    Exists,
}
