//! The server of the README, run: it takes right answers once, and tells no more than the crate promises.

use std::cell::RefCell;
use std::collections::BTreeMap;

use sidegate_uaf::authenticator::{Authenticator, DeviceKey};
use sidegate_uaf::registration::NewRegistration;
use sidegate_uaf::tlv::tag;
use sidegate_uaf::wire::{AuthenticationRequest, RegistrationRequest, Reply, Response};

use crate::support::{AAID, END, NONCE, any_model, of_models, phone, server};

include!("readme_server.rs");

#[test]
fn what_runs_here_is_what_the_readme_shows() {
    assert!(include_str!("../../README.md").contains(concat!("```rust\n", include_str!("readme_server.rs"), "```")));
}

#[derive(Default)]
struct Memory {
    states: RefCell<BTreeMap<(String, Vec<u8>), serde_json::Value>>,
    keys: RefCell<BTreeMap<KeyRef, Credential>>,
}

impl Store for Memory {
    fn keep<T: serde::Serialize>(&self, operation: &str, challenge: &Challenge, state: &T) {
        let key = (operation.to_owned(), challenge.as_bytes().to_vec());
        self.states.borrow_mut().insert(key, serde_json::to_value(state).unwrap());
    }

    fn take<T: serde::de::DeserializeOwned>(&self, operation: &str, challenge: &Challenge) -> Option<T> {
        let state = self.states.borrow_mut().remove(&(operation.to_owned(), challenge.as_bytes().to_vec()))?;
        serde_json::from_value(state).ok()
    }

    fn credentials(&self, keys: &[KeyRef]) -> Vec<Credential> {
        keys.iter().filter_map(|key| self.keys.borrow().get(key).cloned()).collect()
    }

    fn of_user(&self, user: &str) -> Vec<Credential> {
        self.keys.borrow().values().filter(|key| key.user == user).cloned().collect()
    }

    fn add(&self, new: &[Credential]) -> bool {
        let mut keys = self.keys.borrow_mut();
        let is_new = new.iter().all(|credential| !keys.contains_key(&credential.key_ref()));
        keys.extend(new.iter().filter(|_| is_new).map(|credential| (credential.key_ref(), credential.clone())));
        is_new
    }

    fn count(&self, keys: &[VerifiedKey]) -> bool {
        let mut kept = self.keys.borrow_mut();
        let is_good = |key: &VerifiedKey| kept.get(&key.key).is_some_and(|old| key.counter > old.sign_counter);
        let is_good = keys.iter().all(is_good);
        for key in keys.iter().filter(|_| is_good) {
            kept.get_mut(&key.key).unwrap().sign_counter = key.counter;
        }
        is_good
    }

    fn remove(&self, key: &KeyRef) {
        self.keys.borrow_mut().remove(key);
    }
}

/// The server, its store and its users' phone.
struct Bank {
    server: RelyingParty,
    decoys: Decoys,
    store: Memory,
    phone: Authenticator,
    policy: Policy,
}

impl Bank {
    fn new() -> Self {
        let server = server(any_model());
        let decoys = Decoys::new(&[8; 32], &server, [AAID.parse().unwrap()]).unwrap();
        Self { server, decoys, store: Memory::default(), phone: phone(), policy: of_models(&[AAID]) }
    }

    fn start(purpose: &str, byte: u8) -> Start<'_> {
        Start { operation_id: "operation", purpose, challenge: Challenge::new([byte; 32]).unwrap(), expires_at: END }
    }

    fn asks_to_register(&self, user: &str, byte: u8) -> RegistrationRequest {
        let (start, policy) = (Self::start(REGISTRATION, byte), self.policy.clone());
        let challenge = start.challenge.clone();
        let new = NewRegistration { start, user, username: user, policy, registered: &[] };
        let (request, state) = self.server.start_registration(new).unwrap();
        self.store.keep("operation", &challenge, &state);
        RegistrationRequest::from_message(&request.to_message()).unwrap()
    }

    fn asks_for(&self, user: &str, (purpose, byte): (&str, u8)) -> AuthenticationRequest {
        let start = Self::start(purpose, byte);
        let message = ask(&self.server, &self.store, &self.decoys, (user, &self.policy), start).unwrap();
        AuthenticationRequest::from_message(&message).unwrap()
    }

    fn registers(&self, answer: &SendUafResponse) -> Result<(), Box<dyn Error>> {
        registered(&self.server, &self.store, &self.decoys, (answer, 1_000))
    }

    fn logs_in(&self, answer: &SendUafResponse) -> Result<String, Box<dyn Error>> {
        authenticated(&self.server, &self.store, &self.decoys, (answer, 1_000))
    }

    /// Jeff's only key.
    fn has_jeff(&self) -> DeviceKey {
        let (response, key) = self.phone.register(&self.asks_to_register("jeff", 1), &[]).unwrap();
        self.registers(&sent(&response)).unwrap();
        key
    }

    /// What comes of a key that eve registers under the id that a request for this user names.
    fn eve_registers_as(&self, user: &str, byte: u8) -> Refused {
        let named = self.asks_for(user, (LOGIN, byte)).policy.accepted[0][0].key_ids[0].clone();
        let request = self.asks_to_register("eve", byte);
        let (_, key) = self.phone.register(&request, &[]).unwrap();
        let mut draft = self.phone.draft_registration(&request, &key).unwrap();
        draft.fields.set(tag::KEYID, named.as_bytes());
        refusal(self.registers(&sent(&draft.sign(key.private_key()).unwrap())))
    }
}

fn sent(response: &Response) -> SendUafResponse {
    SendUafResponse::new(response, &Reply::default())
}

fn refusal<T>(end: Result<T, Box<dyn Error>>) -> Refused {
    *end.err().expect("it was taken").downcast::<Refused>().unwrap()
}

#[test]
fn a_key_is_registered_logs_in_and_is_removed() {
    let bank = Bank::new();
    assert!(facets(&bank.server).unwrap().1.contains("trustedFacets"));
    let mut keys = [bank.has_jeff()];
    let answer = sent(&bank.phone.authenticate(&bank.asks_for("jeff", (LOGIN, 2)), &mut keys, &NONCE).unwrap());
    assert_eq!(bank.logs_in(&answer).unwrap(), "jeff");
    assert_eq!(refusal(bank.logs_in(&answer)), Refused::ChallengeSpent);
    let left = keys[0].clone();
    let answer = sent(&bank.phone.authenticate(&bank.asks_for("jeff", (LOGIN, 3)), &mut keys, &NONCE).unwrap());
    assert!(deregistered(&bank.server, &bank.store, &left.key_ref()).contains("Dereg"));
    assert_eq!(refusal(bank.logs_in(&answer)), Refused::KeyUnknown { user_is_real: true });
}

#[test]
fn nobody_learns_by_registering_whether_a_key_is_somebodys() {
    let bank = Bank::new();
    bank.has_jeff();
    assert_eq!(bank.eve_registers_as("jeff", 2), Refused::AlreadyRegistered);
    assert_eq!(bank.eve_registers_as("nobody", 3), Refused::AlreadyRegistered);
}

#[test]
fn an_answer_for_another_purpose_is_none_and_moves_nothing() {
    let bank = Bank::new();
    let mut keys = [bank.has_jeff()];
    let request = bank.asks_for("jeff", ("transaction", 2));
    let answer = sent(&bank.phone.authenticate(&request, &mut keys, &NONCE).unwrap());
    assert_eq!(refusal(bank.logs_in(&answer)), Refused::ChallengeSpent);
    assert_eq!(bank.store.states.borrow().len(), 1);
}

#[test]
fn a_refusal_is_told_as_what_it_is() {
    let bank = Bank::new();
    bank.has_jeff();
    let no = Reply { asm_status_code: Some(3), ..Reply::default() };
    let denial = bank.phone.deny(&bank.asks_for("jeff", (LOGIN, 2))).unwrap();
    let told = bank.logs_in(&SendUafResponse::new(&denial, &no)).unwrap_err().to_string();
    assert_eq!(told, "Denial { asm_status_code: Some(3), client_error_code: None }");
    let (mut denial, _) = bank.phone.register(&bank.asks_to_register("jeff", 3), &[]).unwrap();
    denial.assertions.clear();
    assert_eq!(bank.registers(&SendUafResponse::new(&denial, &no)).unwrap_err().to_string(), told);
}
