//! Every check has a test that names it: a variant of an error that no test here names fails.

use std::path::Path;

/// Where only somebody else can tell, or nothing can be done from outside.
const ELSEWHERE: &[&str] = &[
    // The store, or the caller, tells.
    "Error::ChallengeSpent",
    "Error::UserNotAuthenticated",
    // OpenSSL failed, or refuses by a rule that no certificate here breaks.
    "Error::Internal",
    "CertificateError::Refused",
];

const ENUMS: [(&str, &str); 4] = [
    ("Error", include_str!("../../src/error.rs")),
    ("TlvError", include_str!("../../src/tlv.rs")),
    ("KeyError", include_str!("../../src/crypto/verify.rs")),
    ("CertificateError", include_str!("../../src/crypto/path/fault.rs")),
];

/// The variants of an enum, as tests name them.
fn variants(name: &str, source: &str) -> Vec<String> {
    let (_, body) = source.split_once(&format!("pub enum {name} {{")).unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let lines =
        body.lines().filter_map(|line| line.strip_prefix("    ")).filter(|line| line.starts_with(char::is_uppercase));
    lines.map(|line| format!("{name}::{}", line.split(|c: char| !c.is_alphanumeric()).next().unwrap())).collect()
}

/// Whether a text names the variant, and no longer name that begins with it.
fn names(text: &str, variant: &str) -> bool {
    text.match_indices(variant).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + variant.len()..].chars().next();
        ![before, after].into_iter().flatten().any(char::is_alphanumeric)
    })
}

#[test]
fn every_check_is_named_by_a_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let tests: String = files
        .filter(|path| !path.ends_with("coverage.rs"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let all: Vec<String> = ENUMS.iter().flat_map(|(name, source)| variants(name, source)).collect();
    assert!(all.len() > 70, "the enums were not found: {all:?}");
    let missing: Vec<_> =
        all.iter().filter(|variant| !names(&tests, variant) && !ELSEWHERE.contains(&variant.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
    for elsewhere in ELSEWHERE {
        assert!(all.iter().any(|variant| variant == elsewhere), "{elsewhere} is gone");
    }
}

#[test]
fn a_name_is_whole() {
    assert!(names("a(Error::Tlv)", "Error::Tlv"));
    assert!(!names("TlvError::Length", "Error::Length") && !names("Error::Lengthy", "Error::Length"));
}
