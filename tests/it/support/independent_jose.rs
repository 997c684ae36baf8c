//! JOSE by somebody else's hand: Python's joserfc, in the virtual environment that `make deps` makes.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// The interpreter of that environment.
pub(crate) const PYTHON: &str = "target/jose-venv/bin/python";
const SCRIPT: &str = "tests/tools/jose.py";

/// A new key pair of type and size or curve: the members `private` and `public`.
pub(crate) fn keygen(kty: &str, size: &Value) -> Value {
    run(&json!({"do": "keygen", "kty": kty, "size": size}))
}

/// A compact JWS.
pub(crate) fn sign(key: &Value, header: &Value, payload: &str) -> String {
    let signed = run(&json!({"do": "sign", "key": key, "header": header, "payload": payload}));
    signed["jws"].as_str().unwrap().to_owned()
}

/// Header and payload of a compact JWS that one of the keys signed.
pub(crate) fn verify(keys: &Value, jws: &str) -> (Value, Value) {
    let opened = run(&json!({"do": "verify", "keys": keys, "jws": jws}));
    (opened["header"].clone(), serde_json::from_str(opened["payload"].as_str().unwrap()).unwrap())
}

/// Header and payload of a compact JWE.
pub(crate) fn decrypt(key: &Value, jwe: &str) -> (Value, Value) {
    let opened = run(&json!({"do": "decrypt", "key": key, "jwe": jwe}));
    (opened["header"].clone(), serde_json::from_str(opened["payload"].as_str().unwrap()).unwrap())
}

fn run(command: &Value) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(root.join(PYTHON).exists(), "{PYTHON} is missing: run `make deps`");
    let mut python = Command::new(root.join(PYTHON))
        .arg(root.join(SCRIPT))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(json!([command]).to_string().as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "{SCRIPT} failed on {}", command["do"]);
    serde_json::from_slice::<Vec<Value>>(&output.stdout).unwrap().swap_remove(0)
}
