use std::error::Error;

use sidegate_uaf::authentication::{AuthenticationOutcome, AuthenticationState, Claimant, VerifiedKey};
use sidegate_uaf::deregistration::Deregistration;
use sidegate_uaf::facets::MEDIA_TYPE;
use sidegate_uaf::policy::Policy;
use sidegate_uaf::registration::{RegistrationOutcome, RegistrationState};
use sidegate_uaf::wire::{Challenge, Operation, SendUafResponse};
use sidegate_uaf::{Arrival, Credential, Decoys, Error as Refused, KeyRef, Opened, RelyingParty, Start};

/// What operations are started for: each has a place of its own for answers.
const REGISTRATION: &str = "registration";
const LOGIN: &str = "login";

trait Store {
    fn keep<T: serde::Serialize>(&self, operation: &str, challenge: &Challenge, state: &T);
    /// What was kept, if this challenge was not taken before: in one step, and for good.
    fn take<T: serde::de::DeserializeOwned>(&self, operation: &str, challenge: &Challenge) -> Option<T>;
    /// The credentials under these keys, whoever owns them.
    fn credentials(&self, keys: &[KeyRef]) -> Vec<Credential>;
    fn of_user(&self, user: &str) -> Vec<Credential>;
    /// Adds them all, or none and tells so where a key is there.
    fn add(&self, new: &[Credential]) -> bool;
    /// Moves all counters, or none and tells so where one is neither greater than the stored one nor 0 like it.
    fn count(&self, keys: &[VerifiedKey]) -> bool;
    fn remove(&self, key: &KeyRef);
}

/// What stands at the appID: `GET` of that URL gives it, with this media type.
fn facets(server: &RelyingParty) -> Result<(&'static str, String), Box<dyn Error>> {
    Ok((MEDIA_TYPE, serde_json::to_string(&server.facets().document())?))
}

/// Reads an answer at the place for this purpose. The context has to come along: a refusal says there why.
fn open(server: &RelyingParty, purpose: &str, answer: &SendUafResponse) -> Result<Opened, Refused> {
    let operation = if purpose == REGISTRATION { Operation::Reg } else { Operation::Auth };
    let opened = server.open(operation, &answer.uaf_response, answer.context.as_deref())?;
    if opened.server_data().purpose() == purpose { Ok(opened) } else { Err(Refused::ChallengeSpent) }
}

/// Ends a registration. Whether a key is taken already only the store knows, so it is asked for all that the answer bears.
/// A decoy is taken as well: the key that it is to be mistaken for would be.
fn registered(
    server: &RelyingParty,
    store: &impl Store,
    decoys: &Decoys,
    (answer, now): (&SendUafResponse, u64),
) -> Result<(), Box<dyn Error>> {
    let opened = open(server, REGISTRATION, answer)?;
    let state: Option<RegistrationState> = store.take(opened.operation_id(), opened.challenge());
    let known = [store.credentials(opened.keys()), decoys.among(&opened, "")?].concat();
    let taken: Vec<KeyRef> = known.iter().map(Credential::key_ref).collect();
    let arrival = Arrival { now, channels: &[] };
    match server.finish_registration(&state.ok_or(Refused::ChallengeSpent)?, &opened, &taken, &arrival)? {
        RegistrationOutcome::Registered { credentials, .. } if store.add(&credentials) => Ok(()),
        RegistrationOutcome::Registered { .. } => Err(Refused::AlreadyRegistered.into()),
        RegistrationOutcome::Denied(denial) => Err(format!("{denial:?}").into()),
    }
}

/// Asks a user for a key. Who does not exist, or has none that fits, is asked for a decoy's: the request tells nobody.
/// Decoys are of the name that whoever asks calls the user by, as typed: here users are kept under that very name.
fn ask(
    server: &RelyingParty,
    store: &impl Store,
    decoys: &Decoys,
    (user, policy): (&str, &Policy),
    start: Start<'_>,
) -> Result<String, Box<dyn Error>> {
    let credentials = store.of_user(user);
    let claimant = Claimant::Named { user, credentials: &credentials, decoys: Some(decoys.of(user)) };
    let asking = server.asking(policy, claimant, &[])?;
    let (operation, challenge) = (start.operation_id, start.challenge.clone());
    let (request, state) = server.start_authentication(start, asking)?;
    store.keep(operation, &challenge, &state);
    Ok(request.to_message())
}

/// Ends a login, and tells whose it was. An answer by a decoy is checked like any other, and fails like one.
fn authenticated(
    server: &RelyingParty,
    store: &impl Store,
    decoys: &Decoys,
    (answer, now): (&SendUafResponse, u64),
) -> Result<String, Box<dyn Error>> {
    let opened = open(server, LOGIN, answer)?;
    let state: Option<AuthenticationState> = store.take(opened.operation_id(), opened.challenge());
    let state = state.ok_or(Refused::ChallengeSpent)?;
    let mut credentials = store.credentials(opened.keys());
    if let Some(user) = state.decoyed() {
        credentials.extend(decoys.among(&opened, user)?);
    }
    match server.finish_authentication(&state, &opened, &credentials, &Arrival { now, channels: &[] })? {
        AuthenticationOutcome::Authenticated { user, keys } if store.count(&keys) => Ok(user),
        AuthenticationOutcome::Authenticated { .. } => Err(Refused::SignCounter.into()),
        AuthenticationOutcome::Denied(denial) => Err(format!("{denial:?}").into()),
    }
}

/// Removes a key here, and makes the message that has the phone remove it. Nothing comes back.
fn deregistered(server: &RelyingParty, store: &impl Store, key: &KeyRef) -> String {
    store.remove(key);
    server.deregistration(&Deregistration::Keys(key.clone(), Vec::new())).to_message()
}
