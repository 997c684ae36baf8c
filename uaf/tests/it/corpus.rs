//! The corpus of the fuzzer (`make fuzz`), fed to what the fuzzer calls. Both are here: a package holds no crate within
//! it, which `fuzz/` is, and its tests run from what it holds.

#[path = "../corpus/inputs.rs"]
mod inputs;

use std::path::Path;

fn corpus(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(folder);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| (path.display().to_string(), std::fs::read(path).unwrap())).collect()
}

#[test]
fn what_authenticators_made_is_accepted_and_nothing_else() {
    let files = corpus("assertions");
    assert!(files.len() >= 3, "the corpus was not found");
    for (name, bytes) in files {
        let genuine = ["registration", "registration-full", "authentication"].iter().any(|seed| name.ends_with(seed));
        assert_eq!(inputs::assertion(&bytes), genuine, "{name}");
        assert!(!inputs::assertion(&bytes[1..]), "{name} without its first byte");
    }
}

#[test]
fn every_message_of_the_corpus_is_read() {
    let files = corpus("messages");
    assert!(files.len() >= 16, "the corpus was not found");
    for (name, bytes) in files {
        assert!(inputs::message(&bytes), "{name}");
        assert!(!inputs::message(&bytes[1..]), "{name} without its first byte");
    }
}
