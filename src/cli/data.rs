//! The files of the data folder that the command line and the running gateway share.

use sidegate_filters::jws::base64url;
use zeroize::Zeroizing;

use crate::jose::{self, CryptoError};

/// The users' file.
pub(super) const USERS: &str = "users";
/// The password of the user `demo`, made at the first start.
pub(super) const DEMO_PASSWORD: &str = "demo.password";

/// What is said when an empty folder that others could read was taken as data folder.
pub(super) const CLOSED: &str = "the empty folder was open to others; it has mode 700 now";

/// A new password: 120 random bits in 20 characters.
pub(super) fn new_password() -> Result<Zeroizing<String>, CryptoError> {
    let bytes = Zeroizing::new(jose::random::<15>()?);
    Ok(Zeroizing::new(base64url::encode(bytes.as_slice())))
}
