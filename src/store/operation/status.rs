//! An operation as the status service shows it (`http-api.md` 5), derived from the record and the moment.

use serde::Serialize;
use sidegate_filters::clock::Millis;

use super::phase::Phase;
use super::{Authenticator, Dispatch, Operation, OperationKind, Outcome};
use crate::store::ExtId;

/// The `status` member. An operation that is not known any more has none: it is `unknown`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// Made, and handed to the dispatcher if one was asked.
    TokenCreated,
    /// The registration request was handed out.
    ClientRegistering,
    /// The authentication request was handed out.
    ClientAuthenticating,
    /// Ended well.
    Succeeded,
    /// Ended otherwise.
    Failed,
}

/// The `tokenResult` member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum TokenResult {
    /// The request was handed out.
    TokenRedeemed,
    /// It was not, in time.
    TokenTimedOut,
}

/// What became of the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenInformation {
    /// None while it is free.
    pub result: Option<TokenResult>,
    /// How it was dispatched.
    pub dispatch: Option<Dispatch>,
}

/// An operation as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Where it stands.
    pub stage: Stage,
    /// When it came there.
    pub timestamp: Millis,
    /// Whose it is, where known.
    pub user: Option<ExtId>,
    /// The UAF status code, once final.
    pub uaf_status_code: Option<u16>,
    /// The ASM's code of a denial.
    pub asm_status_code: Option<i64>,
    /// The UAF client's code of a denial.
    pub client_error_code: Option<i64>,
    /// The credentials that took part.
    pub authenticators: Vec<Authenticator>,
    /// About the token, if there was one.
    pub token: Option<TokenInformation>,
}

impl Operation {
    /// What the status service shows at this moment; nothing (`unknown`) past the retention.
    #[must_use]
    pub fn status(&self, now: Millis) -> Option<Status> {
        let mut token_result = Some(TokenResult::TokenRedeemed);
        let mut status = match self.phase(now) {
            Phase::Forgotten => return None,
            Phase::Free | Phase::Claimed(_) => {
                token_result = None;
                self.plain(Stage::TokenCreated, self.created)
            }
            Phase::TokenTimedOut => {
                token_result = Some(TokenResult::TokenTimedOut);
                self.plain(Stage::Failed, self.token_deadline.unwrap_or(self.created))
            }
            Phase::HandedOut { redeemed, .. } | Phase::Answered { redeemed } => self.plain(self.client(), redeemed),
            Phase::AnswerTimedOut { deadline } => {
                Status { uaf_status_code: Some(1408), ..self.plain(Stage::Failed, deadline) }
            }
            Phase::Done { at, outcome, redeemed } => {
                token_result = redeemed.then_some(TokenResult::TokenRedeemed);
                self.ended(at, outcome)
            }
        };
        status.token = self
            .token_deadline
            .is_some()
            .then(|| TokenInformation { result: token_result, dispatch: self.dispatch.clone() });
        Some(status)
    }

    fn client(&self) -> Stage {
        if self.kind == OperationKind::Reg { Stage::ClientRegistering } else { Stage::ClientAuthenticating }
    }

    fn ended(&self, at: Millis, outcome: &Outcome) -> Status {
        match outcome {
            Outcome::Succeeded { authenticators, .. } => Status {
                uaf_status_code: Some(1200),
                authenticators: authenticators.clone(),
                ..self.plain(Stage::Succeeded, at)
            },
            Outcome::Failed { code, asm_status_code, client_error_code } => Status {
                uaf_status_code: Some(*code),
                asm_status_code: *asm_status_code,
                client_error_code: *client_error_code,
                ..self.plain(Stage::Failed, at)
            },
        }
    }

    fn plain(&self, stage: Stage, timestamp: Millis) -> Status {
        Status {
            stage,
            timestamp,
            user: self.user.clone(),
            uaf_status_code: None,
            asm_status_code: None,
            client_error_code: None,
            authenticators: Vec::new(),
            token: None,
        }
    }
}
