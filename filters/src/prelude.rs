//! What whoever mounts filters names: `use sidegate_filters::prelude::*`, beside the prelude of the proxy.

pub use crate::admitted::Admitted;
pub use crate::body::{BodySource, Pieces};
pub use crate::chain::Chain;
pub use crate::delegation::{DelegationFilter, RemovedHeaders};
pub use crate::exchange::{Client, Exchange};
pub use crate::identity_creation::{IdentityCreationFilter, SessionDomain};
pub use crate::jws_bypass::JwsBypassFilter;
pub use crate::path::PathTemplate;
pub use crate::reply::{Problem, Reply};
