//! Why the phone did not get there, and how it does.

use sidegate_uaf::StatusCode;
use sidegate_uaf::authenticator::AuthenticatorError;

use crate::cli::data;
use crate::cli::program::command;
use crate::config::Faults;
use crate::store::FolderError;

/// What a gateway for phones has; one that has not is something else.
pub(super) const PASSWORD_LOGIN: &str = "password login";
/// The same.
pub(super) const LOGIN_REQUEST: &str = "login request";

/// In place of the detail that each refusal of a gateway has.
pub(super) const NO_DETAIL: &str = "no detail";

/// Why the phone did not get there.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum PhoneError {
    /// A SIGINT ended it.
    #[error("interrupted")]
    Interrupted,
    /// What it registered could not be removed.
    #[error("{why}; what this phone registered may be left on the gateway: {way_out}")]
    Left {
        /// Why it broke off.
        why: Box<PhoneError>,
        /// How to remove it.
        way_out: String,
    },
    /// A flag or argument is wrong.
    #[error("{0}")]
    Usage(String),
    /// What the phone keeps does not allow it.
    #[error("{0}")]
    State(String),
    /// What the phone keeps can't be written; the text names the file.
    #[error("{0}")]
    Keep(std::io::Error),
    /// The gateway can't be reached.
    #[error("the gateway can't be reached: {}", causes(.0))]
    Network(#[from] reqwest::Error),
    /// The same, with what may be the matter.
    #[error(
        "the gateway can't be reached at {gateway}: {}; is it running ({} or `make run` starts it)? --gateway URL names \
         another address{known}", causes(.why), command("")
    )]
    Unreached {
        /// What was tried.
        gateway: String,
        /// Where it may be.
        known: String,
        /// What happened.
        why: reqwest::Error,
    },
    /// What answers there is no gateway for phones.
    #[error("{why}: phones are not served at {gateway}; --gateway URL names another address{known}")]
    Elsewhere {
        /// What was tried.
        gateway: String,
        /// Where it may be.
        known: String,
        /// What it answered.
        why: Box<PhoneError>,
    },
    /// What answers there does not take the password of the data folder, which may be another gateway's.
    #[error(
        "{why}: demo.password is of the gateway whose data folder it is in, and {gateway} may be another one{known}; name \
         that folder's gateway with --gateway URL, or the data folder of this one with --data, or give the password with \
         --password-stdin"
    )]
    Stranger {
        /// What was tried.
        gateway: String,
        /// Where the data folder's is.
        known: String,
        /// What it answered.
        why: Box<PhoneError>,
    },
    /// The gateway refused.
    #[error("{what}: HTTP {status}: {detail}")]
    Refused {
        /// What was asked.
        what: &'static str,
        /// The HTTP status.
        status: u16,
        /// The problem's detail.
        detail: String,
    },
    /// The gateway answered with another UAF code.
    #[error("{what}: UAF status {code} {}", .code.meaning().trim_end_matches('.'))]
    Uaf {
        /// What was asked.
        what: &'static str,
        /// The code.
        code: StatusCode,
    },
    /// A link was redeemed that is good no more.
    #[error(
        "{}: a link is good once and for a while; ask for another one (redeem: UAF status {code})",
        if *.code == StatusCode::TIMEOUT { "this link is too old" } else { "this link was used already, or is over" }
    )]
    LinkOver {
        /// The code.
        code: StatusCode,
    },
    /// A message of the gateway is not as it should be.
    #[error("{0}")]
    Message(String),
    /// The phone has a key of the user; a second one would be refused too.
    #[error(
        "this phone has a key of the user already; {} removes it, --state FILE is another phone",
        command("device delete")
    )]
    Registered,
    /// The gateway asks for no key that the phone has.
    #[error(
        "{0}; the gateway may have lost this phone's key: {register} makes a new one, {delete} removes the old",
        register = command("device register"),
        delete = command("device delete")
    )]
    KeyLost(Box<PhoneError>),
    /// No key is left to delete the dispatch target with.
    #[error(
        "dispatch target {id} may be left on the gateway, which lost the key that could delete it: {register} makes a new \
         one, then {delete} removes both",
        register = command("device register"),
        delete = command("device delete")
    )]
    TargetLeft {
        /// Which target.
        id: String,
    },
    /// The authenticator can't answer.
    #[error("the authenticator can't answer: {0}")]
    Authenticator(AuthenticatorError),
    /// A key of the dispatch target can't be used.
    #[error("a key of the dispatch target can't be used: {0}")]
    Key(#[from] crate::jose::PrivateJwkError),
    /// The message is for another key, or was changed.
    #[error("the message can't be decrypted: {0}")]
    Decrypt(#[from] crate::jose::DecryptError),
    /// The cryptographic library failed.
    #[error(transparent)]
    Crypto(#[from] crate::jose::CryptoError),
    /// There is none where it was looked for.
    #[error(
        "{path} is not there: name the gateway's data folder with --data, or run this where the gateway was started; \
         only a gateway for trying out makes it"
    )]
    NoDemoPassword {
        /// Which file.
        path: String,
    },
    /// Nobody has the name that it is for.
    #[error(
        "{path} is of no use: there is no user demo; give another one with --user NAME --password-stdin: {list} lists \
         those who are there, {add} adds one"
    )]
    NoDemo {
        /// Which file.
        path: String,
        /// What lists users.
        list: String,
        /// What adds one.
        add: String,
    },
    /// What is in it does not log in.
    #[error("{path}: {why}; `{remedy}` puts a new one there")]
    DemoPassword {
        /// Which file.
        path: String,
        /// What is the matter.
        why: String,
        /// What makes it anew.
        remedy: String,
    },
    /// The configuration that should name the data folder has faults.
    #[error(transparent)]
    Config(#[from] Faults),
    /// The data folder can't be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// What was read is no password.
    #[error(transparent)]
    Password(#[from] data::NoPassword),
    /// A file can't be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

impl PhoneError {
    /// Whether the gateway said that a key is not registered with it; any other failure leaves that open.
    pub(super) fn is_refusal(&self) -> bool {
        match self {
            Self::Uaf { code, .. } => *code != StatusCode::INTERNAL,
            Self::Authenticator(AuthenticatorError::NoSuitableAuthenticator) => true,
            _ => false,
        }
    }

    /// Whether a login was refused as no gateway for phones refuses one.
    pub(super) fn is_of_a_stranger(&self) -> bool {
        match self {
            Self::Refused { what: PASSWORD_LOGIN | LOGIN_REQUEST, status, detail } => {
                matches!(status, 404 | 405 | 501) || *status < 500 && detail == NO_DETAIL
            }
            _ => false,
        }
    }

    /// Whether a SIGINT ended it.
    pub(in crate::cli) fn is_interruption(&self) -> bool {
        match self {
            Self::Interrupted => true,
            Self::Left { why, .. } => why.is_interruption(),
            _ => false,
        }
    }

    /// The same, with what it means of a link that was redeemed.
    pub(super) fn of_redeem(self) -> Self {
        match self {
            Self::Uaf { code: code @ (StatusCode::FORBIDDEN | StatusCode::TIMEOUT), .. } => Self::LinkOver { code },
            other => other,
        }
    }

    /// The same, with the way out where the gateway knows no key of the phone.
    pub(super) fn of_login(self) -> Self {
        match self {
            Self::Uaf { code: StatusCode::NOT_FOUND | StatusCode::UNKNOWN_KEY_ID, .. }
            | Self::Authenticator(AuthenticatorError::NoSuitableAuthenticator) => Self::KeyLost(Box::new(self)),
            other => other,
        }
    }
}

impl From<AuthenticatorError> for PhoneError {
    fn from(error: AuthenticatorError) -> Self {
        match error {
            AuthenticatorError::AlreadyRegistered => Self::Registered,
            other => Self::Authenticator(other),
        }
    }
}

/// An error with everything behind it: the outermost alone says that something failed and not what, and the ones that only
/// say so too are left out.
fn causes(error: &reqwest::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        texts.push(cause.to_string());
        source = cause.source();
    }
    texts.retain(|text| !text.starts_with("client error (") && text != "tcp connect error");
    texts.dedup();
    let text = if texts.is_empty() { error.to_string() } else { texts.join(": ") };
    if is_of_certificate(error) {
        format!("{text}; if the gateway's certificate is of your own making, name its authority with --ca FILE")
    } else {
        text
    }
}

/// Whether the gateway's certificate is not believed.
pub(super) fn is_of_certificate(error: &reqwest::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause.to_string().contains("certificate verify failed") {
            return true;
        }
        source = cause.source();
    }
    false
}
