//! What a login is for: where it leads, and by which ways one gets in there.

use std::fmt;

use sidegate_filters::identity_creation::ReturnTarget;

/// The page that a login leads to, with what is known of its demand: what does not help there is offered neither at first
/// nor after an attempt that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    /// Where it leads.
    pub target: ReturnTarget,
    /// What helps.
    pub by: By,
}

/// What a login for a page may be by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Whatever the domain has.
    Any,
    /// A password: a phone's approval would not do.
    Password,
    /// A phone's approval: a password would not do.
    Approval,
}

impl Goal {
    /// A page that demands nothing in particular.
    #[must_use]
    pub fn any(target: ReturnTarget) -> Self {
        Self { target, by: By::Any }
    }

    /// Reads what [`Goal`] writes, which is the target alone where anything helps.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let ways = [By::Password, By::Approval].into_iter();
        let known = ways.filter_map(|by| Some((by, text.strip_prefix(by.prefix())?))).next();
        let (by, target) = known.unwrap_or((By::Any, text));
        Some(Self { target: ReturnTarget::parse(target)?, by })
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", self.by.prefix(), self.target.as_str())
    }
}

impl By {
    /// No target begins like this.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Any => "",
            Self::Password => "password:",
            Self::Approval => "approval:",
        }
    }

    /// Whether a password helps.
    #[must_use]
    pub fn password(self) -> bool {
        self != Self::Approval
    }

    /// Whether a phone's approval helps.
    #[must_use]
    pub fn approval(self) -> bool {
        self != Self::Password
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(By::Any, "/app?a=password:/b")]
    #[case(By::Password, "password:/app?a=password:/b")]
    #[case(By::Approval, "approval:/app?a=password:/b")]
    fn what_is_written_is_read_again(#[case] by: By, #[case] text: &str) {
        let goal = Goal { target: ReturnTarget::parse("/app?a=password:/b").unwrap(), by };
        assert_eq!((goal.to_string().as_str(), Goal::parse(text)), (text, Some(goal)));
    }

    #[rstest]
    #[case("")]
    #[case("password:")]
    #[case("password:approval:/app")]
    #[case("approval://evil.example")]
    #[case("phone:/app")]
    fn nothing_else_is_one(#[case] text: &str) {
        assert_eq!(Goal::parse(text), None);
    }
}
