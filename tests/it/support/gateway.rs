//! The built binary, running with a data folder of its own on free ports.

mod reload;
mod rows;
mod setup;
#[cfg(test)]
mod tests;
mod upgrade;

use std::collections::HashMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use serde::Deserialize;
use tempfile::TempDir;

use super::http::{Client, Protocols};
use super::logs::Logs;
use super::secrets::Secrets;
use super::wait;
pub(crate) use rows::Row;
pub(crate) use setup::Setup;

/// The program under test.
const BINARY: &str = env!("CARGO_BIN_EXE_sidegate");
/// Start and stop, on a loaded machine with a debug build.
const PATIENCE: Duration = Duration::from_secs(120);

/// A listener as the gateway wrote it down.
#[derive(Deserialize)]
struct Bound {
    class: String,
    address: SocketAddr,
    tls: bool,
}

/// A running gateway. When it goes, it is stopped and its logs are searched for each secret of the test.
pub(crate) struct Gateway {
    folder: TempDir,
    config: Option<PathBuf>,
    open_files: Option<u32>,
    environment: Vec<(&'static str, String)>,
    process: Option<Child>,
    /// Public, internal, management, public with TLS.
    ports: [u16; 4],
    bound: Vec<Bound>,
    protocols: Protocols,
    passwords: HashMap<String, String>,
    logs: Logs,
    secrets: Secrets,
}

impl Gateway {
    /// The built-in standalone with these users.
    pub(crate) async fn standalone(users: &[&str]) -> Self {
        users.iter().fold(Setup::default(), |setup, user| setup.user(user)).start().await
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.process.as_ref().expect("it runs").id()
    }

    pub(crate) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Everything logged so far.
    pub(crate) fn log(&self) -> String {
        self.logs.text()
    }

    /// The password of a user that the test added.
    pub(crate) fn password(&self, user: &str) -> &str {
        &self.passwords[user]
    }

    /// The bound address of the plain listener of a class.
    pub(crate) fn address(&self, class: &str) -> SocketAddr {
        self.bound.iter().find(|bound| bound.class == class && !bound.tls).unwrap().address
    }

    /// The bound address of the public TLS listener, where the configuration has one.
    pub(crate) fn tls_address(&self) -> SocketAddr {
        self.bound.iter().find(|bound| bound.class == "public" && bound.tls).unwrap().address
    }

    /// HTTP/1.1 to the first public listener, as nobody.
    pub(crate) fn public(&self) -> Client {
        let first = self.bound.iter().find(|bound| bound.class == "public").unwrap();
        self.client(self.protocols.http1(), if first.tls { "https" } else { "http" }, first.address)
    }

    /// HTTP/1.1 over TLS to the internal listener, without a certificate.
    pub(crate) fn internal_tls(&self) -> Client {
        self.client(self.protocols.http1(), "https", self.internal_address())
    }

    /// Where it listens for internal callers.
    pub(crate) fn internal_address(&self) -> SocketAddr {
        self.bound.iter().find(|bound| bound.class == "internal").unwrap().address
    }

    /// HTTP/2 to the public listener, as nobody.
    pub(crate) fn public_http2(&self) -> Client {
        self.client(self.protocols.http2(), "http", self.address("public"))
    }

    /// HTTP/1.1 over TLS to the public listener, as nobody.
    pub(crate) fn public_tls(&self) -> Client {
        self.client(self.protocols.http1(), "https", self.tls_address())
    }

    /// HTTP/2 over TLS to the public listener, as nobody.
    pub(crate) fn public_tls_http2(&self) -> Client {
        self.client(self.protocols.http2(), "https", self.tls_address())
    }

    /// HTTP/1.1 to the internal listener, as nobody.
    pub(crate) fn internal_as_nobody(&self) -> Client {
        self.client(self.protocols.http1(), "http", self.address("internal"))
    }

    /// HTTP/1.1 to the internal listener, as the internal caller of the data folder.
    pub(crate) fn internal(&self) -> Client {
        let token = std::fs::read_to_string(self.data().join("internal.token")).unwrap();
        self.internal_as_nobody().bearer(token.trim())
    }

    /// HTTP/1.1 to the management listener.
    pub(crate) fn management(&self) -> Client {
        self.client(self.protocols.http1(), "http", self.address("management"))
    }

    fn client(&self, http: reqwest::Client, scheme: &str, address: SocketAddr) -> Client {
        Client::new(http, format!("{scheme}://{address}"), &self.secrets)
    }

    /// Adds a user beside the running gateway, or before its start.
    pub(crate) fn add_user(&mut self, name: &str) {
        let password = uuid::Uuid::new_v4().simple().to_string();
        self.secrets.add("password", &password);
        let output = self.command(&["user", "add", name, "--password-stdin"], &password);
        assert!(output.status.success(), "{output:?}");
        self.passwords.insert(name.to_owned(), password);
    }

    /// Starts a command of the program on this data folder, for what is done while it runs.
    pub(crate) fn spawn(&self, arguments: &[&str], stdin: &str) -> Child {
        let mut program = self.program();
        program.args(arguments);
        // A phone that logs in with no password needs no data folder.
        if !matches!(arguments, ["device", action, ..] if !["demo", "register"].contains(action)) {
            program.arg("--data").arg(self.data());
        }
        let mut child = program.spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        child
    }

    /// Runs a command of the program on this data folder; its output counts as log.
    pub(crate) fn command(&self, arguments: &[&str], stdin: &str) -> Output {
        let output = self.spawn(arguments, stdin).wait_with_output().unwrap();
        self.logs.collect(std::io::Cursor::new(output.stdout.clone()));
        self.logs.collect(std::io::Cursor::new(output.stderr.clone()));
        output
    }

    /// Stops with SIGTERM and asserts the exit code of a good end.
    pub(crate) fn stop(&mut self) {
        let status = self.end("-TERM").expect("it ends after SIGTERM");
        assert_eq!(status.code(), Some(0), "{}", self.logs.text());
    }

    /// Its resident memory in bytes.
    pub(crate) fn resident(&self) -> usize {
        let id = self.process.as_ref().expect("it runs").id();
        let pages = std::fs::read_to_string(format!("/proc/{id}/statm")).unwrap();
        pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
    }

    /// The processor time that it has had, its own and the system's on its behalf, in steps of 10 ms.
    pub(crate) fn cpu(&self) -> Duration {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap();
        // `utime` and `stime` (proc(5)), counted from behind the name, which may hold anything.
        let fields = text.rsplit_once(") ").unwrap().1.split(' ').skip(11).take(2);
        let ticks: u64 = fields.map(|ticks| ticks.parse::<u64>().unwrap()).sum();
        Duration::from_millis(ticks * 10)
    }

    /// Sends SIGHUP, as an operator who changed the configuration does.
    pub(crate) fn hang_up(&self) {
        self.signal("-HUP");
    }

    /// Sends SIGTERM, as a supervisor does.
    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Sends SIGINT, as Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        self.signal("-INT");
    }

    /// Sends SIGKILL, as the system does for want of memory.
    pub(crate) fn crash(&self) {
        self.signal("-KILL");
    }

    fn signal(&self, signal: &str) {
        let id = self.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Waits for its end, which was asked for, and tells the exit code.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        let mut child = self.process.take().expect("it runs");
        let status = wait::blocking(PATIENCE, || child.try_wait().ok().flatten());
        if status.is_none() {
            let _ = child.kill();
        }
        self.logs.finish();
        status.and_then(|status| status.code())
    }

    /// Kills it without a chance to tidy up.
    pub(crate) fn kill(&mut self) {
        self.end("-KILL").expect("it ends after SIGKILL");
    }

    /// Runs again on the same folder and the same addresses.
    pub(crate) async fn restart(&mut self) {
        assert!(self.process.is_none(), "stop or kill it first");
        self.run().await;
    }

    async fn run(&mut self) {
        self.begin().await;
        let management = self.management();
        wait::until("ready", PATIENCE, async || {
            let answer = management.get("/nevisfido/health").try_send().await.ok()?;
            (answer.status == 200).then_some(())
        })
        .await;
        self.register_own_secrets();
    }

    /// Starts it and waits for its addresses, but not until it answers.
    pub(crate) async fn begin(&mut self) {
        let _ = std::fs::remove_file(self.data().join("addresses.json"));
        self.launch();
        self.bound = wait::until("the addresses", PATIENCE, async || self.read_addresses()).await;
    }

    /// Starts it and waits for nothing.
    pub(crate) fn launch(&mut self) {
        let mut child = self.program().args(self.serve_arguments()).spawn().unwrap();
        self.logs.collect(child.stdout.take().unwrap());
        self.logs.collect(child.stderr.take().unwrap());
        self.process = Some(child);
    }

    fn program(&self) -> Command {
        let mut command = match self.open_files {
            None => Command::new(BINARY),
            Some(limit) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", "ulimit -n \"$0\" && exec \"$@\"", &limit.to_string(), BINARY]);
                shell
            }
        };
        command.env("SIDEGATE_LOG", "trace").env("RUST_LOG", "trace").current_dir(self.folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Hardly a test needs the system's authorities, and reading them was half of what a start took.
        command.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "/dev/null");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn serve_arguments(&self) -> Vec<String> {
        let mut arguments = vec!["serve".to_owned(), "--data".to_owned(), self.data().display().to_string()];
        if let Some(file) = &self.config {
            arguments.extend(["--config".to_owned(), file.display().to_string()]);
        }
        let text = self.config.as_ref().map(|file| std::fs::read_to_string(file).unwrap());
        let flags = [("--listen", "public"), ("--internal", "internal"), ("--management", "management")];
        for ((flag, class), port) in flags.iter().zip(self.ports) {
            let has_listener = |text: &String| text.contains(&format!("class: {class}"));
            if text.as_ref().is_none_or(has_listener) {
                arguments.extend([(*flag).to_owned(), format!("127.0.0.1:{port}")]);
            }
        }
        arguments
    }

    fn read_addresses(&mut self) -> Option<Vec<Bound>> {
        if let Some(status) = self.process.as_mut().unwrap().try_wait().unwrap() {
            self.logs.finish();
            panic!("the gateway ended with {status}:\n{}", self.logs.text());
        }
        let text = std::fs::read_to_string(self.data().join("addresses.json")).ok()?;
        serde_json::from_str(&text).ok()
    }

    fn register_own_secrets(&self) {
        for file in ["internal.token", "demo.password"] {
            if let Ok(text) = std::fs::read_to_string(self.data().join(file)) {
                self.secrets.add(file, text.trim());
            }
        }
    }

    /// Sends the signal and waits; one that does not end is killed, and has no status.
    fn end(&mut self, signal: &str) -> Option<ExitStatus> {
        let mut child = self.process.take()?;
        let _ = Command::new("kill").args([signal, &child.id().to_string()]).status();
        let status = wait::blocking(PATIENCE, || child.try_wait().ok().flatten());
        if status.is_none() {
            let _ = child.kill();
        }
        self.logs.finish();
        status
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let running = self.process.is_some();
        let status = self.end("-TERM");
        let leaks = self.secrets.leaks(&self.logs.text());
        if std::thread::panicking() {
            eprintln!("{}\nleaks: {leaks:#?}", self.logs.text());
            return;
        }
        assert!(!running || status.is_some_and(|status| status.success()), "{status:?}: {}", self.logs.text());
        assert!(leaks.is_empty(), "secrets in the log: {leaks:#?}");
    }
}
