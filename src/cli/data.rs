//! What several commands share: the files of the data folder, and how passwords are made and read.

use std::io::{self, Read};

use sidegate_filters::jws::base64url;
use zeroize::Zeroizing;

use crate::jose::{self, CryptoError};

/// The users' file.
pub(super) const USERS: &str = "users";
/// The durable store's file.
pub(super) const STORE: &str = "sidegate.redb";
/// The password of the user `demo`, made at the first start.
pub(super) const DEMO_PASSWORD: &str = "demo.password";
/// The same before the user is there: it gets its name once the user is.
pub(super) const DEMO_BEGUN: &str = "demo.password.begun";

/// What is said when a command made the data folder: a mistyped name would else pass for the gateway's.
pub(super) const MADE: &str =
    "the folder was not there and is made anew; if the gateway has another, name that with --data or --config";

/// What is said when an empty folder that others could read was taken as data folder.
pub(super) const CLOSED: &str = "the empty folder was open to others; it has mode 700 now";

/// What is said when a gateway that is not for trying out begins with nothing in its data folder: no first start may be
/// taken for the next one of a gateway whose folder is elsewhere or not mounted.
pub(super) const ANEW: &str = "the data folder is made anew: no users, no keys; if a gateway ran before, stop this one and \
     check `data`, and that what it names is mounted";

/// The longest password taken, in bytes.
const LONGEST: u64 = 1024;

/// Standard input has no password for us.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoPassword {
    #[error("the password is empty, not UTF-8, or longer than {LONGEST} bytes")]
    Unfit,
    #[error("standard input: {0}")]
    Io(io::Error),
}

/// A password: the whole input without one line end.
pub(super) fn read_password(input: &mut dyn Read) -> Result<Zeroizing<String>, NoPassword> {
    let mut text = Zeroizing::new(String::new());
    input.take(LONGEST + 3).read_to_string(&mut text).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => NoPassword::Unfit,
        _ => NoPassword::Io(error),
    })?;
    let password = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    let fits = (1..=LONGEST).contains(&u64::try_from(password.len()).unwrap_or(u64::MAX));
    if fits { Ok(Zeroizing::new(password.to_owned())) } else { Err(NoPassword::Unfit) }
}

/// A new password: 120 random bits in 20 characters.
pub(super) fn new_password() -> Result<Zeroizing<String>, CryptoError> {
    let bytes = Zeroizing::new(jose::random::<15>()?);
    Ok(Zeroizing::new(base64url::encode(bytes.as_slice())))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(b"secret\n", Some("secret"))]
    #[case(b"secret\r\n", Some("secret"))]
    #[case(b" two words \n\n", Some(" two words \n"))]
    #[case(b"secret", Some("secret"))]
    #[case(b"\n", None)]
    #[case(b"", None)]
    #[case(b"\xff\n", None)]
    #[case(&[b'a'; 1025], None)]
    fn the_password_is_the_input_without_one_line_end(#[case] input: &[u8], #[case] expected: Option<&str>) {
        let password = read_password(&mut { input });
        assert_eq!(password.ok().as_deref().map(String::as_str), expected);
    }
}
