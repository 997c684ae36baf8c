//! Every secret that a test makes, and the search of the logs for all of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// A part of a secret this long counts as the secret: long enough that no ordinary text holds it by chance. Of two UUIDs
/// parts of 12 may be alike in all but 30 bits, and a soak logs and makes tens of thousands.
const PART: usize = 16;
/// Shorter values can't be searched without false alarms; tests make longer ones.
const SHORTEST: usize = 8;

/// The secrets of one gateway's test.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Arc<Mutex<HashMap<Vec<u8>, String>>>);

/// A secret found in the logs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Leak {
    /// What leaked.
    pub(crate) label: String,
    /// In which spelling.
    pub(crate) form: &'static str,
    /// The log line.
    pub(crate) line: String,
}

impl Secrets {
    /// Registers a secret under the name that a leak is reported with.
    pub(crate) fn add(&self, label: &str, secret: impl AsRef<[u8]>) {
        let secret = secret.as_ref();
        assert!(secret.len() >= SHORTEST, "{label} is too short to be searched for");
        self.0.lock().unwrap().entry(secret.to_vec()).or_insert_with(|| label.to_owned());
    }

    /// All secrets that stand in the log, plain, encoded or in parts.
    pub(crate) fn leaks(&self, log: &str) -> Vec<Leak> {
        let needles = Needles::of(&self.0.lock().unwrap());
        needles.search(log)
    }
}

/// All spellings of all secrets, cut into parts of the same length so that one pass over the log finds any.
struct Needles {
    parts: HashMap<[u8; PART], (String, &'static str)>,
    whole: Vec<(Vec<u8>, String, &'static str)>,
    first_two: Vec<bool>,
}

impl Needles {
    fn of(secrets: &HashMap<Vec<u8>, String>) -> Self {
        let mut needles = Self { parts: HashMap::new(), whole: Vec::new(), first_two: vec![false; 1 << 16] };
        for (secret, label) in secrets {
            for (form, spelling) in spellings(secret) {
                needles.add(label, form, &spelling);
            }
        }
        needles
    }

    fn add(&mut self, label: &str, form: &'static str, spelling: &[u8]) {
        if spelling.len() < PART {
            self.whole.push((spelling.to_vec(), label.to_owned(), form));
        }
        for part in spelling.windows(PART) {
            self.first_two[pair(part)] = true;
            self.parts.entry(part.try_into().unwrap()).or_insert_with(|| (label.to_owned(), form));
        }
    }

    fn search(&self, log: &str) -> Vec<Leak> {
        let mut leaks = Vec::new();
        for line in log.lines() {
            let leak = |label: &String, form| Leak { label: label.clone(), form, line: line.to_owned() };
            let parts = line.as_bytes().windows(PART).filter(|part| self.first_two[pair(part)]);
            leaks.extend(parts.filter_map(|part| self.parts.get(part)).map(|(label, form)| leak(label, form)));
            let whole = self.whole.iter().filter(|(text, ..)| line.as_bytes().windows(text.len()).any(|w| w == text));
            leaks.extend(whole.map(|(_, label, form)| leak(label, form)));
        }
        leaks.dedup();
        leaks
    }
}

fn pair(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}

fn spellings(secret: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![("plain", secret.to_vec()), ("hex", hex.to_uppercase().into()), ("hex", hex.into())];
    for shift in 0..3 {
        forms.push(("base64", inner_base64(&STANDARD, secret, shift)));
        forms.push(("base64", inner_base64(&URL_SAFE, secret, shift)));
    }
    forms
}

/// The base64 characters that depend on nothing but the secret, when it starts `shift` bytes into a group of three.
fn inner_base64(engine: &impl Engine, secret: &[u8], shift: usize) -> Vec<u8> {
    let text = engine.encode([&vec![0; shift][..], secret].concat());
    let end = (shift + secret.len()) * 8 / 6;
    text.as_bytes()[(shift * 8).div_ceil(6)..end].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "f3b1c2d4-9a77-4e21-8c55-0d1e2f3a4b5c";

    fn secrets() -> Secrets {
        let secrets = Secrets::default();
        secrets.add("dispatch token", SECRET);
        secrets
    }

    fn forms(log: &str) -> Vec<&'static str> {
        let mut forms: Vec<_> = secrets().leaks(log).into_iter().map(|leak| leak.form).collect();
        forms.dedup();
        forms
    }

    #[test]
    fn a_planted_secret_is_found_plain_and_in_parts() {
        assert_eq!(forms(&format!("all good\nredeem token={SECRET} done\n")), ["plain"]);
        assert_eq!(forms("token 9a77-4e21-8c55-0… shortened for the log"), ["plain"]);
    }

    #[test]
    fn a_planted_secret_is_found_in_base64_at_every_alignment() {
        for before in ["", "{", "{\"", "{\"t", "{\"token\":\""] {
            let text = format!("{before}{SECRET}\"}}");
            assert!(forms(&STANDARD.encode(&text)).contains(&"base64"), "{before}");
            assert!(forms(&URL_SAFE.encode(&text)).contains(&"base64"), "{before}");
        }
    }

    #[test]
    fn a_planted_secret_is_found_as_hex() {
        let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(forms(&hex), ["hex"]);
    }

    #[test]
    fn a_short_secret_is_found_whole() {
        let secrets = Secrets::default();
        secrets.add("pin", "geheim99");
        assert_eq!(secrets.leaks("pin=geheim99").len(), 1);
        assert!(secrets.leaks("pin=geheim9").is_empty());
    }

    #[test]
    fn other_text_is_no_leak() {
        assert!(secrets().leaks("redeem ok, request id 11111111-2222-4333-8444-555555555555").is_empty());
    }
}
