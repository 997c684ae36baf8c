//! For a gateway before another UAF server: what that server's request issued, and whether an answer belongs to it
//! before it is passed on. Nothing here verifies a signature; the other server does.
//!
//! ```
//! use sidegate_uaf::relay::{Claim, Issue};
//! use sidegate_uaf::wire::Operation;
//! use sidegate_uaf::{Error, Incoming};
//!
//! /// Whether the answer belongs to the request, and names only keys that the request let answer.
//! fn may_pass(request: &str, uaf_response: &str) -> Result<bool, Error> {
//!     let issue = Issue::authentication(request, &[])?; // kept when the request passes; serde writes it
//!     let incoming = Incoming::parse(Operation::Auth, uaf_response, None)?;
//!     issue.check(&incoming)?;
//!     Ok(matches!(issue.claim(&incoming)?, Claim::Keys { allowed: true, .. }))
//! }
//! # assert_eq!(may_pass("[]", "[]"), Err(Error::NotUaf("empty array")));
//! ```

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::aaid::KeyRef;
use crate::denial::Denial;
use crate::deregistration::Deregistration;
use crate::encoding;
use crate::error::Error;
use crate::incoming::{Asserted, Incoming};
use crate::wire::{
    AppId, AuthenticationRequest, Challenge, DeregisterAuthenticator, DeregistrationRequest, MatchCriteria, Operation,
    OperationHeader, Policy, RegistrationRequest, ServerDataText, Transaction, UAFV1TLV, Version,
};

/// What one request of another server issued: to be kept until its answer comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    operation: Operation,
    challenge: Challenge,
    server_data: ServerDataText,
    policy: Policy,
    app_id: Option<AppId>,
}

/// What an answer claims. Whether it is true only the server that issued the request can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Possession of these keys, one or more.
    Keys {
        /// The keys, as the signed parts of the assertions name them.
        keys: Vec<KeyRef>,
        /// Whether the request let each of them answer: an authentication names them one by one, a registration
        /// their models.
        allowed: bool,
    },
    /// The user or the device said no.
    Denial(Denial),
}

impl Issue {
    /// Reads a registration request: a message with exactly one dictionary, and serverData in it.
    ///
    /// # Errors
    /// [`Error`]: what is wrong with the message.
    pub fn registration(message: &str) -> Result<Self, Error> {
        single(message)?;
        let request = RegistrationRequest::from_message(message)?;
        Self::new(request.header, request.challenge, request.policy)
    }

    /// Reads an authentication request. It must ask for this transaction, in one of its renderings at least: one that is
    /// dropped on the way would become an approval of nothing. What the user's keys can't show the server may leave out.
    ///
    /// # Errors
    /// [`Error`]: what is wrong with the message; [`Error::TransactionHash`] if it asks for another transaction.
    pub fn authentication(message: &str, transaction: &[Transaction]) -> Result<Self, Error> {
        single(message)?;
        let request = AuthenticationRequest::from_message(message)?;
        let is_ours = |sent: &Transaction| transaction.iter().any(|ours| sent.renders(ours));
        if request.transaction.is_empty() != transaction.is_empty() || !request.transaction.iter().all(is_ours) {
            return Err(Error::TransactionHash);
        }
        Self::new(request.header, request.challenge, request.policy)
    }

    fn new(header: OperationHeader, challenge: Challenge, policy: Policy) -> Result<Self, Error> {
        let server_data = header.server_data.ok_or(Error::ServerDataMissing)?;
        Ok(Self { operation: header.op, challenge, server_data, policy, app_id: header.app_id })
    }

    /// The nonce by which an answer is found again.
    #[must_use]
    pub const fn challenge(&self) -> &Challenge {
        &self.challenge
    }

    /// The application that the answering keys are for.
    #[must_use]
    pub fn app_id(&self) -> Option<&AppId> {
        self.app_id.as_ref()
    }

    /// Whether every alternative of its policy names keys, as the request for a known user does.
    #[must_use]
    pub fn names_keys(&self) -> bool {
        self.policy.accepted.iter().all(|alternative| !alternative.is_empty() && alternative.iter().all(names_key))
    }

    /// The keys that its policy names one by one.
    pub fn named_keys(&self) -> impl Iterator<Item = KeyRef> {
        let naming = self.policy.accepted.iter().flatten().filter(|criterion| names_key(criterion));
        naming.flat_map(|criterion| {
            criterion
                .aaid
                .iter()
                .flat_map(|aaid| criterion.key_ids.iter().map(|key_id| KeyRef { aaid: *aaid, key_id: key_id.clone() }))
        })
    }

    /// Whether the answer bears this challenge where the signature covers it, and the serverData issued beside it.
    ///
    /// # Errors
    /// [`Error::FcParamsEncoding`], [`Error::FcParams`], [`Error::ChallengeMismatch`], [`Error::WrongOperation`],
    /// [`Error::ServerDataOfAnotherOperation`]. None of them may move any state.
    pub fn check(&self, incoming: &Incoming) -> Result<(), Error> {
        if incoming.final_challenge()?.challenge != self.challenge {
            return Err(Error::ChallengeMismatch);
        }
        if incoming.header().op != self.operation {
            return Err(Error::WrongOperation);
        }
        if incoming.header().server_data.as_ref() != Some(&self.server_data) {
            return Err(Error::ServerDataOfAnotherOperation);
        }
        Ok(())
    }

    /// What the answer claims.
    ///
    /// # Errors
    /// [`Error::NoAssertions`]; those of an assertion that can't be read.
    pub fn claim(&self, incoming: &Incoming) -> Result<Claim, Error> {
        if let Some(denial) = incoming.denial()? {
            return Ok(Claim::Denial(denial));
        }
        let asserted = incoming.asserted()?;
        let allowed = asserted.iter().all(|of| self.allows(of));
        Ok(Claim::Keys { keys: asserted.into_iter().map(|of| of.key).collect(), allowed })
    }

    fn allows(&self, asserted: &Asserted) -> bool {
        let explicit = self.operation == Operation::Auth;
        let accepts = |of: &MatchCriteria| covers(of, &asserted.key) && (names_key(of) || !explicit);
        self.policy.accepted.iter().flatten().any(accepts)
            && !self.policy.disallowed.iter().any(|of| refuses(of, asserted))
    }
}

fn names_key(criterion: &MatchCriteria) -> bool {
    !criterion.aaid.is_empty() && !criterion.key_ids.is_empty()
}

/// Whether everything that a criterion says is so of this key. What it says of a model is for the server to judge, which
/// knows the models.
fn refuses(criterion: &MatchCriteria, asserted: &Asserted) -> bool {
    let MatchCriteria { authentication_algorithms: algorithms, assertion_schemes: schemes, .. } = criterion;
    let told_by_assertions = MatchCriteria {
        aaid: criterion.aaid.clone(),
        vendor_id: criterion.vendor_id.clone(),
        key_ids: criterion.key_ids.clone(),
        authentication_algorithms: algorithms.clone(),
        assertion_schemes: schemes.clone(),
        authenticator_version: criterion.authenticator_version,
        ..MatchCriteria::default()
    };
    *criterion == told_by_assertions
        && covers(criterion, &asserted.key)
        && (algorithms.is_empty() || algorithms.contains(&asserted.algorithm))
        && (schemes.is_empty() || schemes.iter().any(|scheme| scheme == UAFV1TLV))
        && criterion.authenticator_version.is_none_or(|lowest| lowest <= asserted.version)
}

/// Whether nothing that a criterion says of vendor, model and key id speaks against this key.
fn covers(criterion: &MatchCriteria, key: &KeyRef) -> bool {
    let vendor = key.aaid.vendor();
    let of_vendor = criterion.vendor_id.iter().any(|id| id.as_str().eq_ignore_ascii_case(vendor));
    (criterion.aaid.is_empty() || criterion.aaid.contains(&key.aaid))
        && (criterion.vendor_id.is_empty() || of_vendor)
        && (criterion.key_ids.is_empty() || criterion.key_ids.contains(&key.key_id))
}

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

/// With a dictionary for each version a client could answer one that was not looked at.
fn single(message: &str) -> Result<(), Error> {
    match encoding::parse::<Vec<IgnoredAny>>(message)?.len() {
        0 => Err(Error::NotUaf("empty array")),
        1 => Ok(()),
        _ => Err(Error::SeveralMessages),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::authentication::Claimant;
    use crate::authenticator::{Authenticator, DeviceKey, black_png};
    use crate::policy::Policy;
    use crate::registration::NewRegistration;
    use crate::relying_party::Start;
    use crate::testing::{key_ref, relying_party};
    use crate::wire::{Reply, Response};

    fn phone() -> Authenticator {
        Authenticator::new("D0D0#0001".parse().unwrap())
    }

    fn start(byte: u8) -> Start<'static> {
        let challenge = Challenge::new([byte; 32]).unwrap();
        Start { operation_id: "operation", purpose: "test", challenge, expires_at: 1_000 }
    }

    fn registration(registered: &[KeyRef]) -> RegistrationRequest {
        let policy = Policy::any();
        let new = NewRegistration { start: start(1), user: "jeff", username: "jeff", policy, registered };
        relying_party().start_registration(new).unwrap().0.into_request()
    }

    fn authentication(byte: u8, policy: Policy, transaction: Vec<Transaction>) -> AuthenticationRequest {
        let server = relying_party();
        let asking = server.asking(&policy, Claimant::Anyone, &transaction).unwrap();
        server.start_authentication(start(byte), asking).unwrap().0.into_request()
    }

    fn registered() -> (DeviceKey, Response) {
        let (response, key) = phone().register(&registration(&[]), &[]).unwrap();
        (key, response)
    }

    /// Answers with the key whatever the policy says.
    fn answered(request: &AuthenticationRequest, key: &DeviceKey) -> Response {
        phone().draft_authentication(request, key, &[9; 16]).unwrap().sign(key.private_key()).unwrap()
    }

    fn incoming(operation: Operation, response: &Response) -> Incoming {
        Incoming::parse(operation, &response.to_message(), None).unwrap()
    }

    #[test]
    fn an_answer_belongs_to_the_request_with_its_challenge_and_server_data() {
        let (key, _) = registered();
        let policy = Policy::of_keys(&[key.key_ref()]).unwrap();
        let (own, other) = (authentication(1, policy.clone(), vec![]), authentication(2, policy, vec![]));
        let issue = Issue::authentication(&own.to_message(), &[]).unwrap();
        assert_eq!(issue.check(&incoming(Operation::Auth, &answered(&own, &key))), Ok(()));
        let foreign = answered(&other, &key);
        assert_eq!(issue.check(&incoming(Operation::Auth, &foreign)), Err(Error::ChallengeMismatch));
        let mut swapped = answered(&own, &key);
        swapped.header.server_data = other.header.server_data;
        let swapped = incoming(Operation::Auth, &swapped);
        assert_eq!(issue.check(&swapped), Err(Error::ServerDataOfAnotherOperation));
        let kept = serde_json::to_string(&issue).unwrap();
        assert_eq!(serde_json::from_str::<Issue>(&kept).unwrap(), issue);
    }

    #[test]
    fn only_keys_that_the_request_names_are_allowed() {
        let (key, _) = registered();
        for (policy, names_keys, allowed) in [
            (Policy::of_keys(&[key_ref("D0D0#0001", 1), key.key_ref()]).unwrap(), true, true),
            (Policy::of_keys(&[key_ref("D0D0#0001", 1)]).unwrap(), true, false),
            (Policy::any(), false, false),
        ] {
            let request = authentication(1, policy, vec![]);
            let issue = Issue::authentication(&request.to_message(), &[]).unwrap();
            assert_eq!(issue.names_keys(), names_keys);
            assert_eq!(issue.named_keys().any(|named| named == key.key_ref()), allowed);
            let claim = issue.claim(&incoming(Operation::Auth, &answered(&request, &key))).unwrap();
            assert_eq!(claim, Claim::Keys { keys: vec![key.key_ref()], allowed });
        }
    }

    #[test]
    fn a_registration_allows_what_it_does_not_refuse() {
        let (key, response) = registered();
        for (known, allowed) in [(key_ref("D0D0#0001", 1), true), (key.key_ref(), false)] {
            let issue = Issue::registration(&registration(&[known]).to_message()).unwrap();
            let claim = issue.claim(&incoming(Operation::Reg, &response)).unwrap();
            assert_eq!(claim, Claim::Keys { keys: vec![key.key_ref()], allowed });
        }
    }

    #[rstest]
    #[case(json!({"aaid": ["D0D0#0001"]}), false)]
    #[case(json!({"aaid": ["D0D0#0001"], "authenticatorVersion": 5}), true)]
    #[case(json!({"aaid": ["D0D0#0001"], "authenticatorVersion": 1}), false)]
    #[case(json!({"aaid": ["D0D0#0001"], "attachmentHint": 2}), true)]
    #[case(json!({"aaid": ["D0D0#0002"], "authenticatorVersion": 1}), true)]
    #[case(json!({"authenticationAlgorithms": [1], "assertionSchemes": ["UAFV1TLV"], "vendorID": ["d0d0"]}), false)]
    #[case(json!({"authenticationAlgorithms": [2], "assertionSchemes": ["UAFV1TLV"], "vendorID": ["D0D0"]}), true)]
    #[case(json!({"authenticationAlgorithms": [1], "assertionSchemes": ["WAV1CBOR"], "vendorID": ["D0D0"]}), true)]
    #[case(json!({"authenticationAlgorithms": [1], "assertionSchemes": ["UAFV1TLV"], "keyProtection": 1}), true)]
    #[case(json!({"aaid": ["D0D0#0001"], "exts": [{"id": "x", "data": "", "fail_if_unknown": false}]}), true)]
    fn a_key_is_refused_by_what_its_assertion_tells(#[case] disallowed: serde_json::Value, #[case] allowed: bool) {
        let (key, _) = registered();
        let mut request = authentication(1, Policy::of_keys(&[key.key_ref()]).unwrap(), vec![]);
        request.policy.disallowed.push(serde_json::from_value(disallowed).unwrap());
        let issue = Issue::authentication(&request.to_message(), &[]).unwrap();
        let claim = issue.claim(&incoming(Operation::Auth, &answered(&request, &key))).unwrap();
        assert_eq!(claim, Claim::Keys { keys: vec![key.key_ref()], allowed });
    }

    #[test]
    fn a_denial_says_why() {
        let request = authentication(1, Policy::any(), vec![]);
        let issue = Issue::authentication(&request.to_message(), &[]).unwrap();
        let message = phone().deny(&request).unwrap().to_message();
        let silent = Incoming::parse(Operation::Auth, &message, None).unwrap();
        assert_eq!(issue.claim(&silent), Err(Error::NoAssertions));
        let reply = Reply { client_error_code: Some(3), ..Reply::default() };
        let context = serde_json::to_string(&reply).unwrap();
        let said = Incoming::parse(Operation::Auth, &message, Some(&context)).unwrap();
        let denial = Denial { asm_status_code: None, client_error_code: Some(3) };
        assert_eq!(issue.claim(&said), Ok(Claim::Denial(denial)));
        assert_eq!(said.to_transport().context.as_deref(), Some(r#"{"clientErrorCode":3}"#));
    }

    #[test]
    fn a_request_is_one_dictionary_with_server_data_and_the_transaction_that_was_asked_for() {
        let pay = Transaction::text("Pay 1").unwrap();
        let picture = Transaction::png(&black_png(2, 2).unwrap()).unwrap();
        let request = authentication(1, Policy::any(), vec![pay.clone()]);
        let message = request.to_message();
        assert!(Issue::authentication(&message, std::slice::from_ref(&pay)).is_ok());
        for other in [vec![], vec![Transaction::text("Pay 2").unwrap()], vec![picture.clone()]] {
            assert_eq!(Issue::authentication(&message, &other), Err(Error::TransactionHash));
        }
        assert!(Issue::authentication(&message, &[picture.clone(), pay.clone()]).is_ok(), "one is left out");
        let twice = format!("[{0},{0}]", &message[1..message.len() - 1]);
        assert_eq!(Issue::authentication(&twice, &[pay]), Err(Error::SeveralMessages));
        assert_eq!(Issue::registration(&message), Err(Error::Member("[0]: username missing".into())));
        let mut bare = registration(&[]);
        bare.header.server_data = None;
        assert_eq!(Issue::registration(&bare.to_message()), Err(Error::ServerDataMissing));
        assert_eq!(check_deregistration("[]", &DeregisterAuthenticator::Everything), Err(Error::NotUaf("empty array")));
    }

    #[test]
    fn a_picture_is_for_the_displays_that_its_header_says() {
        let picture = Transaction::png(&black_png(2, 2).unwrap()).unwrap();
        let sent = |transaction| authentication(1, Policy::any(), vec![transaction]).to_message();
        assert!(Issue::authentication(&sent(picture.clone()), std::slice::from_ref(&picture)).is_ok());
        for lie in ["\"width\":2,", "\"height\":2,"] {
            let lying = sent(picture.clone()).replace(lie, &lie.replace('2', "3"));
            let refused = Issue::authentication(&lying, std::slice::from_ref(&picture));
            assert_eq!(refused, Err(Error::TransactionHash), "{lie}");
        }
        let mut silent: serde_json::Value = serde_json::from_str(&sent(picture.clone())).unwrap();
        silent[0]["transaction"][0].as_object_mut().unwrap().remove("tcDisplayPNGCharacteristics").unwrap();
        let refused = Issue::authentication(&silent.to_string(), std::slice::from_ref(&picture));
        assert_eq!(refused, Err(Error::TransactionHash));
    }

    #[test]
    fn a_phone_is_told_in_the_servers_place() {
        let (phone, request) = (phone(), registration(&[]));
        let (_, key) = phone.register(&request, &[]).unwrap();
        let issue = Issue::registration(&request.to_message()).unwrap();
        let message = deregistration(issue.app_id().unwrap().clone(), &Deregistration::Keys(key.key_ref(), vec![]));
        check_deregistration(&message, &DeregisterAuthenticator::Key(key.key_ref())).unwrap();
        let mut keys = vec![key];
        phone.deregister(&DeregistrationRequest::from_message(&message).unwrap(), &mut keys);
        assert!(keys.is_empty());
    }
}
