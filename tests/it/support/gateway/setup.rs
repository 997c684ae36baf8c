//! What a gateway starts with.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::super::http::Protocols;
use super::super::logs::Logs;
use super::super::ports;
use super::super::secrets::Secrets;
use super::Gateway;

/// What a gateway starts with; the default is the built-in standalone.
#[derive(Default)]
pub(crate) struct Setup {
    /// A file of `conf/` in its place.
    sample: Option<&'static str>,
    users: Vec<String>,
    edits: Vec<Edit>,
    tls: bool,
    open_files: Option<u32>,
    environment: Vec<(&'static str, String)>,
    /// Where the certificates are, if they are not to be made.
    certificates: Option<PathBuf>,
}

/// A change to the configuration of the built-in standalone.
enum Edit {
    /// Lines below the key of a section.
    Under(&'static str, String),
    /// Sections at the end.
    Append(String),
    /// One text for another.
    Replace(String, String),
}

impl Setup {
    /// A file of `conf/`, with the certificates that it names, made anew or those of another gateway.
    pub(crate) fn sample(name: &'static str) -> Self {
        Self { sample: Some(name), tls: true, ..Self::default() }
    }

    /// Takes the certificates of a gateway that was started before.
    pub(crate) fn certificates_of(mut self, other: &Gateway) -> Self {
        self.certificates = Some(other.certificates());
        self
    }

    /// Adds a user with a random password before the start.
    pub(crate) fn user(mut self, name: &str) -> Self {
        self.users.push(name.to_owned());
        self
    }

    /// Adds indented lines below a section's key.
    pub(crate) fn under(mut self, section: &'static str, lines: impl Into<String>) -> Self {
        self.edits.push(Edit::Under(section, lines.into()));
        self
    }

    /// Adds sections.
    pub(crate) fn append(mut self, sections: impl Into<String>) -> Self {
        self.edits.push(Edit::Append(sections.into()));
        self
    }

    /// Replaces a text that must be there.
    pub(crate) fn replace(mut self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.edits.push(Edit::Replace(from.into(), to.into()));
        self
    }

    /// Sets one of `fido-uaf.time-limits`.
    pub(crate) fn seconds(self, limit: &str, seconds: u64) -> Self {
        self.under("fido-uaf", format!("  time-limits: {{{limit}: {seconds}s}}"))
    }

    /// The most files that it may have open.
    pub(crate) fn open_files(mut self, limit: u32) -> Self {
        self.open_files = Some(limit);
        self
    }

    /// Sets a variable of its environment.
    pub(crate) fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// Opens a second public listener, with TLS and a certificate of its own making.
    pub(crate) fn tls(mut self) -> Self {
        self.tls = true;
        let listener = "  - class: public\n    address: 127.0.0.1:TLS_PORT\n    tls: {certificate: CERTS/server.pem, key: CERTS/server.key}\n";
        // Behind the plain one, which the command line's address is for.
        self.replace("  - class: internal", format!("{listener}  - class: internal"))
    }

    /// Runs it and waits until it is ready.
    pub(crate) async fn start(self) -> Gateway {
        let mut gateway = Gateway {
            folder: tempfile::tempdir().unwrap(),
            config: None,
            open_files: self.open_files,
            environment: self.environment,
            process: None,
            ports: [(); 4].map(|()| ports::free()),
            bound: Vec::new(),
            protocols: Protocols::default(),
            passwords: HashMap::new(),
            logs: Logs::default(),
            secrets: Secrets::default(),
        };
        for user in &self.users {
            gateway.add_user(user);
        }
        match &self.certificates {
            Some(others) => std::os::unix::fs::symlink(others, gateway.certificates()).unwrap(),
            None if self.tls => gateway.make_certificate(),
            None => {}
        }
        if self.sample.is_some() || !self.edits.is_empty() {
            gateway.write_config(self.sample.unwrap_or("standalone.yml"), self.edits);
        }
        gateway.run().await;
        gateway
    }
}

impl Gateway {
    /// Where its certificates are, with those of their authority.
    pub(crate) fn certificates(&self) -> PathBuf {
        self.folder.path().join("certs")
    }

    /// Replaces a text of its configuration, which must be there, for the next start.
    pub(crate) fn reconfigure(&self, from: &str, to: &str) {
        let file = self.config.as_ref().expect("its configuration is not the built-in one");
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.contains(from), "the configuration has no {from:?}");
        std::fs::write(file, text.replace(from, to)).unwrap();
    }

    fn make_certificate(&self) {
        let certs = self.certificates();
        let output = self.program().arg("keygen").arg("--self-signed").arg(&certs).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    fn write_config(&mut self, sample: &str, edits: Vec<Edit>) {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("conf").join(sample);
        let sample = std::fs::read_to_string(sample).unwrap();
        let text = edits.into_iter().fold(sample, |text, edit| edit.apply(&text));
        let certs = self.certificates().display().to_string();
        let [public, _, _, tls] = self.ports.map(|port| port.to_string());
        let text = text.replace("PUBLIC_PORT", &public).replace("TLS_PORT", &tls).replace("CERTS", &certs);
        let file = self.folder.path().join("sidegate.yml");
        std::fs::write(&file, text).unwrap();
        self.config = Some(file);
    }
}

impl Edit {
    fn apply(self, text: &str) -> String {
        let (from, to) = match self {
            Self::Under(section, lines) => (format!("\n{section}:\n"), format!("\n{section}:\n{lines}\n")),
            Self::Append(sections) => return format!("{text}\n{sections}\n"),
            Self::Replace(from, to) => (from, to),
        };
        assert!(text.contains(&from), "the configuration has no {from:?}");
        text.replacen(&from, &to, 1)
    }
}
