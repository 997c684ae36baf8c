//! A real browser: Debian's Chromium, driven over WebDriver, with a profile of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::json;

use super::wait;

const DRIVER: &str = "chromedriver";
/// So often a driver is started anew that found its port taken.
const TRIES: usize = 5;
const FLAGS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A running browser; its driver goes with it.
pub(crate) struct Browser {
    pub(crate) page: Client,
    driver: Child,
    /// Where the driver listens.
    driver_port: u16,
    _profile: tempfile::TempDir,
}

impl Browser {
    pub(crate) async fn open() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let (driver, port) = driver();
        let mut arguments: Vec<_> = FLAGS.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let capabilities = json!({"goog:chromeOptions": {"args": arguments}});
        let mut builder = ClientBuilder::native();
        builder.capabilities(capabilities.as_object().unwrap().clone());
        let page = builder.connect(&format!("http://127.0.0.1:{port}")).await.unwrap();
        Self { page, driver, driver_port: port, _profile: profile }
    }

    pub(crate) async fn go(&self, url: &str) {
        self.page.goto(url).await.unwrap();
    }

    /// The text of the page.
    pub(crate) async fn text(&self) -> String {
        self.page.find(Locator::Css("body")).await.unwrap().text().await.unwrap()
    }

    /// The address of the page.
    pub(crate) async fn url(&self) -> String {
        self.page.current_url().await.unwrap().to_string()
    }

    pub(crate) async fn is_login_page(&self) -> bool {
        self.page.find(Locator::Css("input[name=isiwebpasswd]")).await.is_ok()
    }

    /// Fills in the login page and waits for the next one.
    pub(crate) async fn log_in(&self, name: &str, password: &str) {
        let field = async |css: &str| self.page.find(Locator::Css(css)).await.unwrap();
        let user = field("input[name=isiwebuserid]").await;
        user.clear().await.unwrap();
        user.send_keys(name).await.unwrap();
        let secret = field("input[name=isiwebpasswd]").await;
        secret.send_keys(password).await.unwrap();
        field("form [type=submit]").await.click().await.unwrap();
        wait::until("the page after the login", wait::BOUND, async || secret.tag_name().await.err().map(|_| ())).await;
    }

    /// Runs a script in the page.
    pub(crate) async fn run(&self, script: &str) -> serde_json::Value {
        self.page.execute(script, Vec::new()).await.unwrap()
    }

    /// Runs the body of an async function in the page and gives what it returns.
    pub(crate) async fn run_async(&self, body: &str) -> serde_json::Value {
        let script = format!(
            "const done = arguments[0]; (async () => {{ {body} }})().then(value => done([value]), fault => done(String(fault)))"
        );
        match self.page.execute_async(&script, Vec::new()).await.unwrap() {
            serde_json::Value::Array(mut returned) => returned.remove(0),
            fault => panic!("{body}: {fault}"),
        }
    }

    /// Gives the browser a FIDO2 authenticator whose user always consents (WebAuthn 11.2).
    pub(crate) async fn add_authenticator(&self) {
        let session = self.page.session_id().await.unwrap().unwrap();
        let url = format!("http://127.0.0.1:{}/session/{session}/webauthn/authenticator", self.driver_port);
        let authenticator = json!({"protocol": "ctap2", "transport": "internal", "hasResidentKey": true,
            "hasUserVerification": true, "isUserConsenting": true, "isUserVerified": true});
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let added = http.post(url).body(authenticator.to_string()).send().await.unwrap();
        assert!(added.status().is_success(), "{}", added.text().await.unwrap());
    }

    /// Waits until the page shows a text.
    pub(crate) async fn shows(&self, text: &str) {
        let bound = wait::BOUND;
        // Between two pages there may be no body, or one that is gone.
        let shown = async || self.page.find(Locator::Css("body")).await.ok()?.text().await.ok();
        wait::until(text, bound, async || shown().await.filter(|shown| shown.contains(text))).await;
    }

    /// Ends the session in order; without it the driver is killed all the same.
    pub(crate) async fn close(self) {
        self.page.clone().close().await.unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// A driver that listens, and its port.
///
/// It takes a free port on IPv4 and then wants the same on IPv6, which another program may have taken in between: then it
/// ends without a word on its port, and another is started.
fn driver() -> (Child, u16) {
    let mut tries = std::iter::repeat_with(|| {
        let mut driver = Command::new(DRIVER).arg("--port=0").stdout(Stdio::piped()).spawn().unwrap_or_else(|error| {
            panic!("{DRIVER} does not run ({error}): run `make deps`");
        });
        let Some(port) = port(&mut driver) else {
            driver.wait().unwrap();
            return None;
        };
        Some((driver, port))
    });
    tries.by_ref().take(TRIES).flatten().next().unwrap_or_else(|| panic!("{DRIVER} ended {TRIES} times at its start"))
}

/// The port that a driver says, if it does before its output ends.
fn port(driver: &mut Child) -> Option<u16> {
    let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let told = lines.map_while(Result::ok).find(|line| line.contains("started successfully on port"))?;
    told.rsplit(' ').next().unwrap().trim_end_matches('.').parse().ok()
}
