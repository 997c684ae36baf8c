//! Where a phone redeems the token it was sent.

use crate::store::operation::OperationKind;

/// The redeem URL of each operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedeemUrls {
    /// Registration.
    pub registration: String,
    /// Authentication.
    pub authentication: String,
    /// Deregistration.
    pub deregistration: String,
}

impl RedeemUrls {
    /// The URLs below this `scheme://host[:port]`: what is not written in the configuration.
    #[must_use]
    pub fn below(public_url: &str) -> Self {
        let base = public_url.trim_end_matches('/');
        let url = |kind: OperationKind| format!("{base}/nevisfido/token/redeem/{}", kind.word());
        Self {
            registration: url(OperationKind::Reg),
            authentication: url(OperationKind::Auth),
            deregistration: url(OperationKind::Dereg),
        }
    }

    /// The URL for an operation, as it was written.
    #[must_use]
    pub fn of(&self, kind: OperationKind) -> &str {
        match kind {
            OperationKind::Reg => &self.registration,
            OperationKind::Auth => &self.authentication,
            OperationKind::Dereg => &self.deregistration,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_written_lies_below_the_public_url() {
        let below = RedeemUrls::below("https://siven.ch/");
        let urls = RedeemUrls { authentication: "https://a/b".into(), ..below };
        assert_eq!(urls.of(OperationKind::Reg), "https://siven.ch/nevisfido/token/redeem/registration");
        assert_eq!(urls.of(OperationKind::Auth), "https://a/b");
        assert_eq!(urls.of(OperationKind::Dereg), "https://siven.ch/nevisfido/token/redeem/deregistration");
    }
}
