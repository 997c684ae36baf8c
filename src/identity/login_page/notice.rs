//! What a page has to say above its form.

/// Something to say above the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// Name or password wrong.
    Wrong,
    /// Too many attempts failed or are under way.
    TooMany,
    /// Too many logins at the same time, or a store is down.
    Unavailable,
    /// The form was too old or was changed.
    Stale,
    /// The session is there, but the page asks for a fresh login.
    Again,
    /// No name was typed.
    Unnamed,
    /// There is nobody of this name, where that is no secret.
    Unknown,
    /// The phone did not approve.
    NotApproved,
    /// The phone did not answer.
    TimedOut,
    /// What was begun elsewhere leads nowhere any more.
    Over,
}

impl Notice {
    /// What stands above a form; nothing without a notice.
    pub(super) fn paragraph(notice: Option<Self>) -> String {
        notice.map(|notice| format!("<p role=\"alert\">{}</p>", notice.text())).unwrap_or_default()
    }

    fn text(self) -> &'static str {
        match self {
            Self::Wrong => "The user name or the password is wrong.",
            Self::TooMany => "Too many attempts failed or are under way. Wait a moment, then try again.",
            Self::Unavailable => "The login is not available just now. Try again in a moment.",
            Self::Stale => "This form was too old. Please log in again.",
            Self::Again => "Please confirm that it is you by logging in again.",
            Self::Unnamed => "Please type your user name.",
            Self::Unknown => "There is no user of this name.",
            Self::NotApproved => "The login was not approved on the phone.",
            Self::TimedOut => "Nobody approved the login on the phone in time.",
            Self::Over => "This login is over. Please log in again.",
        }
    }
}
