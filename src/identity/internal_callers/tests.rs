//! Callers with what they show each time; those with tokens are tried over sockets.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use sidegate_filters::Role;
use sidegate_filters::clock::{ManualClock, Millis};

use super::*;

fn of(callers: Vec<(KnownCaller, Proof)>) -> Result<ConfiguredCallers, BearerError> {
    ConfiguredCallers::new(callers, Vec::new(), Arc::new(ManualClock::new(Millis(0))))
}

fn client() -> Client {
    crate::identity::testing::exchange(http::Method::GET, &[]).client
}

fn caller(name: &str) -> KnownCaller {
    KnownCaller { name: name.to_owned(), roles: vec![Role::ActFor] }
}

#[tokio::test]
async fn a_made_bearer_is_recognised() {
    let dir = tempfile::tempdir().unwrap();
    let folder = DataFolder::open(dir.path().join("var")).unwrap();
    let hash = BearerHash::read_or_make(&folder, "internal.token").unwrap();
    assert!(BearerHash::read_or_make(&folder, "internal.token").unwrap() == hash, "it is made once");
    let other = BearerHash::read_or_make(&folder, "other.token").unwrap();
    let callers = [(caller("a"), Proof::Bearer(hash)), (caller("b"), Proof::Bearer(other))];
    let callers = of(callers.into()).unwrap();
    let text = fs::read_to_string(folder.file("internal.token")).unwrap();
    assert_eq!(callers.find(text.trim(), &client()).await.unwrap(), Ok(caller("a")));
    for wrong in ["", "x", &text, &text.trim()[1..], &text.to_lowercase()] {
        assert!(callers.find(wrong, &client()).await.unwrap().is_err());
    }
}

#[test]
fn a_file_must_be_private_and_hold_a_bearer() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t");
    let write = |content: &str, mode: u32| {
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        BearerHash::read(&path)
    };
    assert!(matches!(BearerHash::read(&path), Err(BearerError::Missing(_))));
    assert!(write(&"a".repeat(32), 0o600).is_ok());
    assert!(write(&format!("{}\n", "a".repeat(32)), 0o400).is_ok());
    assert!(matches!(write(&"a".repeat(32), 0o640), Err(BearerError::Io(_))));
    assert!(matches!(write(&"a".repeat(31), 0o600), Err(BearerError::Content(_))));
    assert!(matches!(write(&"a b".repeat(32), 0o600), Err(BearerError::Content(_))));
    assert!(matches!(write("", 0o600), Err(BearerError::Content(_))));
}

#[test]
fn two_callers_never_share_a_bearer() {
    let bearer = Proof::Bearer(BearerHash::of(&[b'a'; 40]).unwrap());
    let [first, second] = [1, 2].map(|byte| CertificateDigest([byte; 32]));
    let both = Proof::Certificates(vec![first, second]);
    for (proof, other) in [(bearer.clone(), bearer), (both, Proof::Certificates(vec![second]))] {
        let callers = vec![(caller("a"), proof), (caller("b"), other)];
        assert!(matches!(of(callers), Err(BearerError::Shared(..))));
    }
}

#[tokio::test]
async fn a_certificate_proves_the_caller_that_it_is_configured_for() {
    let [first, second, other] = [1, 2, 3].map(|byte| CertificateDigest([byte; 32]));
    let proofs = [("a", vec![first]), ("b", vec![second])];
    let callers = proofs.map(|(name, known)| (caller(name), Proof::Certificates(known)));
    let callers = of(callers.into()).unwrap();
    assert_eq!(callers.of_certificate(&second).await.unwrap(), Some(caller("b")));
    assert_eq!(callers.of_certificate(&other).await.unwrap(), None);
    assert!(callers.find("", &client()).await.unwrap().is_err());
}
