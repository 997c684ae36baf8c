//! A FIDO2 server of another house behind the gate: registration takes a password here, authentication is open, and a
//! browser with a virtual authenticator goes through both.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::before;
use crate::support::browser::Browser;
use crate::support::gateway::Gateway;
use crate::support::http::{Client, Protocols};
use crate::support::independent_jose::{PYTHON, verify};
use crate::support::phone::Phone;

const SCRIPT: &str = "tests/tools/fido2_server.py";

const FILTERS: &str = "  logged-in: {type: identity-creation, domain: main}";
const ROUTES: &str = "routes:
  - {name: keys-page, path: /webauthn/page, methods: [GET], filters: [logged-in], upstream: fido-server}
  - name: keys-registration
    path: /webauthn/registration/*
    methods: [POST]
    filters: [logged-in, tell-who]
    upstream: fido-server
  - {name: keys-authentication, path: /webauthn/authentication/*, methods: [POST], filters: [], upstream: fido-server}
";

/// The server as a process.
struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(root.join(PYTHON).exists(), "{PYTHON} is missing: run `make deps`");
        let mut python = Command::new(root.join(PYTHON));
        let mut process = python.arg(root.join(SCRIPT)).stdout(Stdio::piped()).spawn().unwrap();
        let mut port = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
        let port = port.trim().parse().unwrap_or_else(|_| panic!("{SCRIPT} does not start: run `make deps`"));
        Self { process, address: ([127, 0, 0, 1], port).into() }
    }

    /// What it was told of each POST: path, user, authorization.
    async fn told(&self, gateway: &Gateway) -> Vec<Value> {
        let client = Client::new(Protocols::default().http1(), format!("http://{}", self.address), gateway.secrets());
        client.get("/told").send().await.expect(200).json().as_array().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn it_registers_whom_the_gate_names_and_the_key_is_good() {
    let server = Server::start();
    let setup = before(server.address).under("filters", FILTERS).append(ROUTES);
    let gateway = setup.user("jeff").start().await;
    let mut jeff = Phone::new(&gateway, "jeff");
    jeff.login_password().await;

    let begin = "/webauthn/registration/begin";
    gateway.public().post(begin).header("x-user", "eve").body("{}").send().await.problem(401);
    assert!(server.told(&gateway).await.is_empty());
    jeff.client().post(begin).header("x-user", "eve").body("{}").send().await.expect(200);

    let browser = Browser::open().await;
    browser.add_authenticator().await;
    browser.go(&format!("http://localhost:{}/webauthn/page", gateway.address("public").port())).await;
    browser.log_in("jeff", gateway.password("jeff")).await;
    assert_eq!(browser.run_async("return register()").await, json!({"registered": jeff.ext_id()}));
    let script = format!("return authenticate({})", json!(jeff.ext_id()));
    assert_eq!(browser.run_async(&script).await, json!({"authenticated": jeff.ext_id()}));
    browser.close().await;

    let keys = gateway.public().get("/.well-known/jwks.json").send().await.expect(200).json();
    let told = server.told(&gateway).await;
    assert_eq!(told.len(), 5, "{told:#?}");
    for request in &told {
        if request["path"].as_str().unwrap().contains("authentication") {
            assert!(request["user"].is_null() && request["authorization"].is_null(), "{request}");
            continue;
        }
        assert_eq!(request["user"], jeff.ext_id());
        let token = request["authorization"].as_str().unwrap().strip_prefix("Bearer ").unwrap();
        gateway.secrets().add("SecToken", token.rsplit('.').next().unwrap());
        let (_, claims) = verify(&keys, token);
        assert_eq!((&claims["aud"], &claims["sub"]), (&json!("fido-server"), &json!(jeff.ext_id())));
    }
}
