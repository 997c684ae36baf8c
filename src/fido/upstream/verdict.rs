//! What the upstream makes of an answer, and how far that settles it.

use sidegate_uaf::wire::ServerResponse;
use sidegate_uaf::{Incoming, StatusCode};

use super::super::{AnswerAt, FidoError};
use super::refused_there;
use super::transport::Place;

/// What the upstream made of an answer.
pub(super) enum Verdict {
    /// It took it for good.
    Good,
    /// It did not take it, or never got it.
    Refused(FidoError),
    /// It may have taken it.
    Unknown(FidoError),
}

impl Place {
    /// Asks about an answer, as it was understood here.
    pub(super) async fn verdict(&self, at: AnswerAt, incoming: &Incoming) -> Verdict {
        let path = if at == AnswerAt::Registration { "registration" } else { "authentication" };
        match self.post::<ServerResponse>(path, &incoming.to_transport()).await {
            Ok(ServerResponse { status_code: StatusCode::OK, .. }) => Verdict::Good,
            Ok(ServerResponse { status_code, .. }) => {
                let refusal = refused_there(status_code);
                if leaves_open(&refusal) { Verdict::Unknown(refusal) } else { Verdict::Refused(refusal) }
            }
            Err(reason) => {
                let fault = FidoError::Refused(StatusCode::INTERNAL);
                if reason.is_unheard() { Verdict::Refused(fault) } else { Verdict::Unknown(fault) }
            }
        }
    }
}

/// A fault of the upstream's own leaves open what comes of it; so does what settles nothing. A refusal that was heard is
/// believed: else whoever sends a copy of another's key could have that key refused here, or removed over there.
const fn leaves_open(refusal: &FidoError) -> bool {
    matches!(refusal, FidoError::Refused(StatusCode::INTERNAL))
}
