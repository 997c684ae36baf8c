//! The trial of `docs/operations.md`: the sample before the server of `tools`, asked as a reader would paste it.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::support::gateway::{Gateway, Setup};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The server of the trial, and the folder with its certificate.
struct Echo {
    process: Child,
    lines: BufReader<ChildStdout>,
    port: String,
    certificates: tempfile::TempDir,
}

impl Echo {
    fn start() -> Self {
        let certificates = tempfile::tempdir().unwrap();
        let mut sidegate = Command::new(env!("CARGO_BIN_EXE_sidegate"));
        let made = sidegate.args(["keygen", "--self-signed"]).arg(certificates.path()).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        let mut echo = Command::new(Path::new(ROOT).join("tools/echo-server.py"));
        let mut process = echo.arg(certificates.path()).arg("0").stdout(Stdio::piped()).spawn().unwrap();
        let mut port = String::new();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        lines.read_line(&mut port).unwrap();
        assert!(!port.is_empty(), "it does not start");
        Self { process, lines, port: port.trim().to_owned(), certificates }
    }
}

impl Echo {
    /// What it said of requests, which is written before each is answered.
    fn ended(mut self) -> String {
        let _ = self.process.kill();
        let mut told = String::new();
        self.lines.read_to_string(&mut told).unwrap();
        told
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The shell block of the trial, for this gateway.
fn script(gateway: &Gateway) -> String {
    let operations = std::fs::read_to_string(Path::new(ROOT).join("docs/operations.md")).unwrap();
    let section = operations.split("\n## Before a FIDO server that is there already\n").nth(1).unwrap();
    let block = section.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    block.replace("localhost:8443", &gateway.tls_address().to_string()).replace("conf/certs", "certs")
}

#[tokio::test]
async fn it_shows_the_sec_token_and_the_refusal_when_pasted() {
    let echo = Echo::start();
    let authority = format!("ca: {}/ca.pem", echo.certificates.path().display());
    let setup = Setup::sample("fronting.yml").replace("ca: certs/ca.pem", authority);
    let gateway = setup.replace("127.0.0.1:9443", format!("127.0.0.1:{}", echo.port)).user("jeff").start().await;
    let folder = gateway.data().parent().unwrap().to_owned();
    std::fs::write(folder.join("fronting.password"), gateway.password("jeff")).unwrap();
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", &script(&gateway)]).current_dir(&folder).env("NO_PROXY", "*");
    let output = bash.stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));

    let answers: Vec<Value> = serde_json::Deserializer::from_str(&told).into_iter().map(Result::unwrap).collect();
    let [login, jeff, eve] = &answers[..] else { panic!("three answers: {told}") };
    let cookies = std::fs::read_to_string(folder.join("fronting.cookies")).unwrap();
    gateway.secrets().add("session cookie", cookies.split_whitespace().last().unwrap());
    let headers = jeff["headers"].as_object().unwrap();
    let said = |name: &str| headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).unwrap().1.clone();
    gateway.secrets().add("SecToken", said("authorization").as_str().unwrap());
    assert_eq!(jeff["path"], "/nevisfido/uaf/1.1/request/registration");
    assert_eq!(said("x-user"), login["extId"], "{told}");
    assert_eq!(eve["status"], 403, "{told}");

    let lines = echo.ended();
    let line = lines.lines().find(|line| line.starts_with("POST /nevisfido/uaf/1.1/request/registration with "));
    let line = line.unwrap_or_else(|| panic!("a line for each request: {lines}")).to_ascii_lowercase();
    assert!(line.contains("authorization") && line.contains("x-user") && !line.contains("bearer"), "{line}");
    assert!(!lines.contains(login["extId"].as_str().unwrap()), "names of headers, not values: {lines}");
}
