//! The house rules that a compiler does not know: who may import whom, which crate is named where, and how long a file
//! is (`docs/architecture.md`).

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

mod imports;
mod sources;

use imports::imported_modules;
use sources::{Source, sources};

/// A file that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Breach {
    path: String,
    line: usize,
    rule: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.path, self.line, self.rule)
    }
}

/// What each module of the crate `sidegate` may import. One that is not listed is a breach, so that a new module
/// finds its place here first.
const MODULES: &[(&str, &[&str])] = &[
    ("telemetry", &[]),
    ("jose", &[]),
    ("store", &["jose"]),
    ("seats", &["store"]),
    ("dispatchers", &["jose", "store", "telemetry"]),
    ("fido", &["jose", "seats", "store", "telemetry"]),
    ("identity", &["fido", "jose", "seats", "store", "telemetry"]),
    ("oob", &["dispatchers", "fido", "jose", "store", "telemetry"]),
    ("routes", &["dispatchers", "fido", "identity", "jose", "oob", "store", "telemetry"]),
    // The rows and listener classes that a configuration may name, and the types that its values become.
    ("config", &["dispatchers", "identity", "oob", "routes"]),
    ("gateway", &["identity", "jose", "routes", "seats", "store", "telemetry"]),
    (
        "cli",
        &[
            "config",
            "dispatchers",
            "fido",
            "gateway",
            "identity",
            "jose",
            "oob",
            "routes",
            "seats",
            "store",
            "telemetry",
        ],
    ),
];

/// Crates and the only places that may name them.
const CRATES: &[(&str, &[&str])] = &[
    ("pingora", &["src/gateway"]),
    ("josekit", &["src/jose"]),
    ("jsonwebtoken", &["src/jose"]),
    ("openssl", &["src/jose", "src/gateway/tls", "filters/src/jws", "uaf/src/crypto"]),
    ("redb", &["src/store"]),
    // The UAF server behind, servers that are asked about callers, and the phone of the command line.
    ("reqwest", &["src/fido/upstream", "src/identity/remote", "src/cli/device"]),
    // A phone's keys are imported once and kept where they encrypt and where they verify.
    ("moka", &["src/store", "src/dispatchers/recipients", "src/oob/bypass", "src/fido/upstream/named"]),
    ("clap", &["src/cli"]),
    ("serde_saphyr", &["src/config"]),
];

/// The most lines of a file.
const LONGEST: usize = 600;

fn breaches(sources: &[Source]) -> Vec<Breach> {
    let mut found = Vec::new();
    for source in sources {
        let mut breach = |line, rule| found.push(Breach { path: source.path.clone(), line, rule });
        if source.path.ends_with("/mod.rs") {
            breach(1, "a module x is x.rs, never x/mod.rs".to_owned());
        }
        let lines = source.text.lines().count();
        if lines > LONGEST {
            breach(lines, format!("{lines} lines; the most is {LONGEST}"));
        }
        for (line, name) in source.named_crates() {
            let Some((known, places)) = CRATES.iter().find(|(known, _)| is_of(name, known)) else { continue };
            if !places.iter().any(|place| source.is_in(place)) {
                breach(line, format!("{known} is named in {} only", places.join(", ")));
            }
        }
        let Some(module) = source.module() else { continue };
        let Some((_, allowed)) = MODULES.iter().find(|(name, _)| *name == module) else {
            breach(1, format!("the module {module} has no place in the architecture test"));
            continue;
        };
        for (line, imported) in imported_modules(source) {
            if imported != module && !allowed.contains(&imported.as_str()) && !source.is_test() {
                breach(line, format!("{module} may not import {imported}"));
            }
        }
    }
    found
}

/// `pingora_proxy` is of `pingora`.
fn is_of(name: &str, known: &str) -> bool {
    name.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

#[test]
fn the_house_is_in_order() {
    let sources = sources(Path::new(env!("CARGO_MANIFEST_DIR")));
    assert!(sources.len() > 50, "the sources were not found");
    let found: Vec<String> = breaches(&sources).iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// That the filters are a plug-in shows in how little a proxy needs around them.
#[test]
fn the_proxy_that_mounts_the_filters_has_under_100_lines() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("filters/examples");
    let names = |folder: &Path| {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        entries.collect::<BTreeSet<_>>()
    };
    assert_eq!(names(&folder), BTreeSet::from(["bare_proxy".to_owned()]));
    let folder = folder.join("bare_proxy");
    assert_eq!(names(&folder), BTreeSet::from(["main.rs", "tests.rs"].map(str::to_owned)));
    let lines = std::fs::read_to_string(folder.join("main.rs")).unwrap().lines().count();
    assert!(lines < 100, "{lines} lines");
}

#[test]
fn every_planted_breach_is_found() {
    let long = "\n".repeat(LONGEST + 1);
    for (path, text, expected) in [
        ("src/store/x.rs", "use crate::routes::Router;", "store may not import routes"),
        ("src/store/x.rs", "use crate::{jose, oob::Target};", "store may not import oob"),
        ("src/store/x.rs", "use crate::{\n    jose::{self, mac},\n    cli,\n};", "store may not import cli"),
        ("src/store/x.rs", "fn f() -> crate::gateway::Stop {}", "store may not import gateway"),
        ("src/store/x.rs", "use super::super::fido;", "store may not import fido"),
        ("src/jose.rs", "use super::store;", "jose may not import store"),
        ("src/store/x.rs", "mod tests {\n    use super::super::super::oob;\n}", "store may not import oob"),
        ("src/store/attests.rs", "use crate::oob;", "store may not import oob"),
        ("src/oob/tests.rs", "use moka::sync::Cache;", "moka is named in"),
        ("src/config/x.rs", "use crate::gateway;", "config may not import gateway"),
        ("src/gateway/x.rs", "use crate::config::Config;", "gateway may not import config"),
        ("src/gateway/x.rs", "use crate::oob::Target;", "gateway may not import oob"),
        ("src/oob/x.rs", "use reqwest::Client;", "reqwest is named in"),
        ("src/routes/router.rs", "use crate::config;", "routes may not import config"),
        ("src/news.rs", "", "the module news has no place"),
        ("src/routes/x.rs", "use pingora::proxy;", "pingora is named in src/gateway only"),
        ("src/routes/x.rs", "use pingora_core::Server;", "pingora is named in src/gateway only"),
        ("src/cli/x.rs", "fn f() { openssl::sha::sha256(b\"\") }", "openssl is named in"),
        ("src/gateway/x.rs", "use openssl::ssl;", "openssl is named in"),
        ("src/oob/x.rs", "    use moka::sync::Cache;", "moka is named in"),
        ("src/oob/x.rs", "use redb;", "redb is named in"),
        ("src/oob/x.rs", "use ::josekit::jwe;", "josekit is named in"),
        ("src/identity/x.rs", "use jsonwebtoken as jwt;", "jsonwebtoken is named in"),
        ("filters/src/x.rs", "use openssl::sign::Signer;", "openssl is named in"),
        ("filters/src/jws_bypass/x.rs", "use openssl::sha::sha256;", "openssl is named in"),
        ("src/store/mod.rs", "", "never x/mod.rs"),
        ("uaf/src/x.rs", &long, "the most is 600"),
    ] {
        let planted = [Source { path: path.to_owned(), text: text.to_owned() }];
        let found = breaches(&planted);
        assert!(found.iter().any(|breach| breach.rule.contains(expected)), "{path}: {text}: {found:?}");
    }
}

#[test]
fn what_is_allowed_is_no_breach() {
    for (path, text) in [
        ("src/oob/x.rs", "use crate::store::{self, Targets};\nuse super::dispatch;"),
        ("src/oob/x.rs", "// crate::gateway reads this\n/// See [`crate::cli`].\nuse crate::oob;"),
        ("src/oob/x.rs", "mod tests {\n    use super::super::redeem;\n}"),
        ("src/oob/x/y.rs", "use super::super::redeem;"),
        ("src/fido/tests.rs", "use crate::oob::Redeem;"),
        ("src/fido/tests/answer.rs", "use crate::oob::Redeem;"),
        ("src/gateway/tls.rs", "use openssl::ssl;\nuse pingora::tls;"),
        ("src/routes/x.rs", "let redbud = mokalike::freeopenssl();"),
        ("src/main.rs", "fn main() { sidegate::cli::run() }"),
        ("filters/src/jws/x.rs", "use openssl::sign::Verifier;"),
    ] {
        let source = [Source { path: path.to_owned(), text: text.to_owned() }];
        assert_eq!(breaches(&source), [], "{path}: {text}");
    }
}

#[test]
fn the_inner_crates_know_nothing_of_the_outer_ones() {
    for (manifest, forbidden) in [
        (include_str!("../../uaf/Cargo.toml"), ["sidegate-filters", "pingora", "tokio"]),
        (include_str!("../../filters/Cargo.toml"), ["sidegate-uaf", "pingora", "redb"]),
    ] {
        let dependencies = manifest.split_once("[dependencies]").unwrap().1;
        let dependencies = dependencies.split("\n[").next().unwrap();
        for name in forbidden {
            let named = dependencies.lines().any(|line| line.starts_with(name));
            assert!(!named, "{name} is a dependency");
        }
    }
}
