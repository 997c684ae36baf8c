//! The JWS bypass: a phone changes its own dispatch target with nothing but a signature (`http-api.md` 1.1).

/// A modify request whose rows 1 to 10 of `http-api.md` 1.1 were checked. Only the filter makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedModify {
    target_id: String,
    change: TargetChange,
}

/// What a modify request asks to change; at least one member is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetChange {
    /// The new name.
    pub name: Option<String>,
    /// The new push token.
    pub target: Option<String>,
    /// The new default dispatcher.
    pub dispatcher: Option<String>,
}

impl VerifiedModify {
    /// The target that the path named and whose key signed.
    #[must_use]
    pub fn target_id(&self) -> &str {
        &self.target_id
    }

    /// The signed change.
    #[must_use]
    pub fn change(&self) -> &TargetChange {
        &self.change
    }
}
