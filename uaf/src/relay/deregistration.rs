//! Messages that tell a phone to remove keys, which no answer follows.

use super::single;
use crate::deregistration::Deregistration;
use crate::error::Error;
use crate::wire::{AppId, DeregisterAuthenticator, DeregistrationRequest, Operation, OperationHeader, Version};

/// Checks that a message tells a phone to remove keys, and no others than were `asked` for.
///
/// # Errors
/// [`Error`]: what is wrong with the message; [`Error::BeyondScope`].
pub fn check_deregistration(message: &str, asked: &DeregisterAuthenticator) -> Result<(), Error> {
    single(message)?;
    let request = DeregistrationRequest::from_message(message)?;
    if request.authenticators.iter().all(|entry| asked.covers(entry)) { Ok(()) } else { Err(Error::BeyondScope) }
}

/// The message that tells a phone to remove these keys of an application, for a server that has removed them and whose
/// own message got lost.
#[must_use]
pub fn deregistration(app_id: AppId, keys: &Deregistration) -> String {
    let (upv, op, app_id) = (Version::V1_1, Operation::Dereg, Some(app_id));
    let header = OperationHeader { upv, op, app_id, server_data: None, exts: Vec::new() };
    keys.to_request(header).to_message()
}
