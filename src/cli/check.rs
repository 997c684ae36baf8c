//! `sidegate check`: every fault of a configuration, one a line.

use std::io::{self, Write};

use crate::config::{self, Environment, Overrides, Source};

/// Prints every fault, or that there is none and what an operator should know. Whether the configuration is good.
pub(super) fn run(source: &Source, environment: &Environment, out: &mut dyn Write) -> io::Result<bool> {
    match config::load(source, &Overrides::default(), environment) {
        Ok(config) => {
            for notice in &config.notices {
                writeln!(out, "note: {notice}")?;
            }
            writeln!(out, "good: {} listeners, {} routes", config.listeners.len(), config.routes.len())?;
            Ok(true)
        }
        Err(faults) => {
            writeln!(out, "{faults}")?;
            Ok(false)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn checked(source: &Source) -> (bool, String) {
        let mut out = Vec::new();
        let good = run(source, &Environment::new(|_| None), &mut out).unwrap();
        (good, String::from_utf8(out).unwrap())
    }

    #[test]
    fn four_faults_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate.yml");
        std::fs::write(&path, include_str!("check/four-faults.yml")).unwrap();
        std::fs::write(folder.path().join("server.key"), "").unwrap();
        let (good, text) = checked(&Source::File(path));
        assert!(!good);
        insta::assert_snapshot!(text.replace(&folder.path().display().to_string(), "FOLDER"));
    }

    #[test]
    fn a_good_file_says_what_an_operator_should_know() {
        let (good, text) = checked(&Source::BuiltIn);
        assert!(good);
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_missing_file_is_a_fault() {
        let (good, text) = checked(&Source::File(PathBuf::from("/nowhere/gate.yml")));
        assert!(!good);
        assert_eq!(text, "/nowhere/gate.yml: the file does not exist; name a readable YAML file\n");
    }
}
