//! Every command of the README, run as a reader would paste them, and what it says the build takes; and those of
//! `docs/operations.md` by which somebody plays the phone. And whatever the documents name of the repository is there.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::support::gateway::Gateway;

/// Between the outputs of two blocks.
const SEPARATOR: &str = "-- next block --";

/// A document of the repository.
fn document(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// Its shell blocks, in their order, as one script.
fn blocks(text: &str) -> String {
    let fenced = text.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    fenced.collect::<Vec<_>>().join(&format!("\necho; echo '{SEPARATOR}'\n"))
}

/// What a script prints in the folder of this gateway, in place of the one that `make run` starts. It must succeed.
fn pasted(gateway: &Gateway, mut script: String) -> String {
    let folder = gateway.data().parent().unwrap().to_owned();
    std::os::unix::fs::symlink(gateway.data(), folder.join("var")).unwrap();
    for (written, real) in [
        ("127.0.0.1:8080", gateway.address("public").to_string()),
        ("127.0.0.1:8081", gateway.address("internal").to_string()),
        ("127.0.0.1:9089", gateway.address("management").to_string()),
        ("target/release/sidegate", env!("CARGO_BIN_EXE_sidegate").to_owned()),
    ] {
        script = script.replace(written, &real);
    }
    let programs = Path::new(env!("CARGO_BIN_EXE_sidegate")).parent().unwrap().display();
    let search = format!("{programs}:{}", std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", &script]).current_dir(&folder).stdin(Stdio::null());
    bash.env("NO_PROXY", "*").env("PATH", search);
    let output = bash.output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    told
}

/// The answer of the dispatch that a script left, and its secrets.
fn dispatched(gateway: &Gateway) -> Value {
    let answer: Value =
        serde_json::from_slice(&std::fs::read(gateway.data().with_file_name("dispatched.json")).unwrap()).unwrap();
    for member in ["token", "sessionId"] {
        gateway.secrets().add(member, answer[member].as_str().unwrap());
    }
    answer
}

#[tokio::test]
async fn the_walk_through_works_when_pasted() {
    let gateway = Gateway::standalone(&[]).await;
    let told = pasted(&gateway, blocks(&document("README.md")));
    dispatched(&gateway);
    let cookies = std::fs::read_to_string(gateway.data().with_file_name("cookies.txt")).unwrap();
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

#[tokio::test]
async fn whoever_plays_the_phone_approves_by_the_lines_of_the_operations() {
    let gateway = Gateway::standalone(&[]).await;
    let operations = document("docs/operations.md");
    let section = operations.split("\n## Approving by hand\n").nth(1).unwrap();
    // The rest of it is the same for a gateway of another name.
    let section = section.split("With a certificate of your own making").next().unwrap();
    let here = format!("sidegate() {{ command sidegate \"$@\" --gateway http://{}; }}", gateway.address("public"));
    let told = pasted(&gateway, format!("{here}\n{}", blocks(section)));
    assert!(told.contains("sidegate://"), "{told}");
    let session = json!({"sessionId": dispatched(&gateway)["sessionId"]});
    let stands = gateway.internal().json("/nevisfido/status", &session).await.json();
    assert_eq!(stands["status"], "succeeded", "{told}");
    let [sent, shown] =
        ["picture.png", "shown.png"].map(|name| std::fs::read(gateway.data().with_file_name(name)).unwrap());
    assert!(told.contains("to confirm: a picture of 320 by 480 pixels") && sent == shown, "{told}");
    assert!(!gateway.data().with_file_name("phone.json").exists(), "{told}");
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
    assert!(document("README.md").contains(&format!("with Rust {wanted} or later")));
}

/// Of these folders all is in the repository, but for what a reader makes.
const FOLDERS: [&str; 6] = ["tests/", "src/", "filters/", "uaf/", "conf/", "tools/"];
const MADE: &str = "conf/certs";

#[test]
fn what_the_documents_name_of_the_repository_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().file_name());
    let docs = docs.map(|name| format!("docs/{}", name.to_str().unwrap())).filter(|name| name.ends_with(".md"));
    let mut named = 0;
    for name in docs.chain(["README.md".to_owned()]) {
        let text = document(&name);
        for path in text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)) {
            if FOLDERS.iter().any(|folder| path.starts_with(folder)) && !path.contains([' ', '*']) && path != MADE {
                let is_there = root.join(path).exists() || root.join(format!("{path}.rs")).exists();
                assert!(is_there, "{name} names {path}");
                named += 1;
            }
        }
    }
    assert!(named > 20, "{named}");
}
