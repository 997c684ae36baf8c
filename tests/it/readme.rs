//! Every command of the README, run as a reader would paste them, and what it says the build takes.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::gateway::Gateway;

/// Between the outputs of two blocks.
const SEPARATOR: &str = "-- next block --";

/// The shell blocks, in their order.
fn blocks() -> Vec<String> {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let fenced = readme.split("```sh\n").skip(1);
    fenced.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

/// One script of all blocks against this gateway in place of the one that `make run` starts.
fn script(gateway: &Gateway) -> String {
    let mut script = blocks().join(&format!("\necho; echo '{SEPARATOR}'\n"));
    for (written, real) in [
        ("127.0.0.1:8080", gateway.address("public").to_string()),
        ("127.0.0.1:8081", gateway.address("internal").to_string()),
        ("127.0.0.1:9089", gateway.address("management").to_string()),
        ("target/release/sidegate", env!("CARGO_BIN_EXE_sidegate").to_owned()),
    ] {
        assert!(script.contains(written), "the README does not mention {written}");
        script = script.replace(written, &real);
    }
    format!("set -euo pipefail\n{script}")
}

#[tokio::test]
async fn the_walk_through_works_when_pasted() {
    let gateway = Gateway::standalone(&[]).await;
    let folder = gateway.data().parent().unwrap().to_owned();
    std::os::unix::fs::symlink(gateway.data(), folder.join("var")).unwrap();
    let mut bash = Command::new("bash");
    bash.args(["-c", &script(&gateway)]).current_dir(&folder).env("NO_PROXY", "*").stdin(Stdio::null());
    let output = bash.output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));

    let dispatched: Value = serde_json::from_slice(&std::fs::read(folder.join("dispatched.json")).unwrap()).unwrap();
    for member in ["token", "sessionId"] {
        gateway.secrets().add(member, dispatched[member].as_str().unwrap());
    }
    let cookies = std::fs::read_to_string(folder.join("cookies.txt")).unwrap();
    gateway.secrets().add("session cookie", cookies.split_whitespace().last().unwrap());

    let answers: Vec<_> = told.split(SEPARATOR).collect();
    let expected: [&[&str]; 7] = [
        &["UP"],
        &["succeeded", "extId"],
        &["dispatched", "sidegate://"],
        &["tokenCreated"],
        &["1200", "1403"],
        &["404"],
        &["bypass", "targets-list"],
    ];
    assert_eq!(answers.len(), expected.len(), "a block without an expectation: {told}");
    for (answer, words) in answers.iter().zip(expected) {
        for word in words {
            assert!(answer.contains(word), "{word} is not in {answer}");
        }
    }
}

/// Looks for what a build takes, with this as the compiler's word about itself: bash takes a function from there first.
fn deps_with(rustc: &str) -> Output {
    let deps = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/deps.sh");
    Command::new(deps).env("BASH_FUNC_rustc%%", format!("() {{ echo '{rustc}'; }}")).output().unwrap()
}

#[test]
fn an_old_compiler_is_told_before_the_build_and_the_readme_names_the_version() {
    let wanted = env!("CARGO_PKG_RUST_VERSION");
    for (rustc, good) in [
        ("rustc 1.9.0 (59807616e 2026-04-14)".to_owned(), false),
        (format!("rustc {wanted}.0 (59807616e 2026-04-14)"), true),
        ("rustc 1.1000.0-nightly (59807616e 2026-04-14)".to_owned(), true),
    ] {
        let output = deps_with(&rustc);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.success(), good, "{rustc}: {told}");
        let remedy = told.contains(&format!("{wanted} or later")) && told.contains("rustup");
        assert_eq!(remedy, !good, "{rustc}: {told}");
    }
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&format!("with Rust {wanted} or later")));
}
