use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use sidegate_filters::clock::Millis;

use super::*;
use crate::cli::keygen;
use crate::jose::sample;

fn checked(source: &Source) -> (bool, String) {
    let mut out = Vec::new();
    let good = run(source, &Environment::new(|_| None), &mut out).unwrap();
    (good, String::from_utf8(out).unwrap())
}

#[test]
fn four_faults_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gate.yml");
    std::fs::write(&path, include_str!("four-faults.yml")).unwrap();
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

/// Each needs the certificates of `sidegate keygen --self-signed conf/certs`, and nothing else.
#[test]
fn the_samples_are_good() {
    let folder = tempfile::tempdir().unwrap();
    let conf = folder.path().join("conf");
    keygen::certificates(&conf.join("certs"), &[], &mut Vec::new()).unwrap();
    for name in ["standalone.yml", "hybrid.yml", "hybrid-upstream.yml", "api.yml", "domains.yml"] {
        let path = conf.join(name);
        fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("conf").join(name), &path).unwrap();
        let (good, text) = checked(&Source::File(path));
        assert!(good, "{name}: {text}");
    }
}

#[test]
fn a_missing_file_is_a_fault() {
    let (good, text) = checked(&Source::File(PathBuf::from("/nowhere/gate.yml")));
    assert!(!good);
    assert_eq!(text, "/nowhere/gate.yml: the file does not exist; name a readable YAML file\n");
}

/// A configuration whose every file is there; what is in them is another matter.
const WITH_FILES: &str = "\
public-url: https://gate.example
listeners:
  - { class: public, address: '127.0.0.1:0', tls: { certificate: server.pem, key: server.key } }
domains: { main: {} }
realms:
  password: { type: password, domain: main }
  fido-uaf: { type: fido-uaf, domain: main }
internal-callers: { bank: { token-file: bank.token } }
fido-uaf:
  app-id: https://gate.example/nevisfido/uaf/1.1/facets
  facets: [https://gate.example]
  policies: policies
  tls-certificates: [front.pem]
upstreams: { shop: { url: 'https://shop.example', tls: { ca: ca.pem } } }
";

/// A folder with this configuration and good files, to be spoilt.
fn files(more: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let sample = sample::self_signed(&sample::Host::local()).unwrap();
    let policy = r#"{"accepted":[[{"authenticationAlgorithms":[1],"assertionSchemes":["UAFV1TLV"]}]]}"#;
    fs::create_dir(folder.path().join("policies")).unwrap();
    for (name, content) in [
        ("gate.yml", format!("{WITH_FILES}{more}").as_bytes()),
        ("server.pem", &sample.server.certificate),
        ("server.key", &sample.server.key),
        ("client.key", &sample.client.key),
        ("ca.pem", &sample.ca.certificate),
        ("front.pem", &sample.ca.certificate),
        ("bank.token", &[b'a'; 32]),
        ("policies/default.json", policy.as_bytes()),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    }
    folder
}

fn checked_in(folder: &Path) -> (bool, String) {
    let (good, text) = checked(&Source::File(folder.join("gate.yml")));
    (good, text.replace(&folder.display().to_string(), "FOLDER"))
}

#[test]
fn good_files_are_good() {
    let folder = files("");
    let (good, text) = checked_in(folder.path());
    assert!(good, "{text}");
    assert!(!folder.path().join("var").exists(), "a check leaves nothing behind");
    assert!(text.lines().last().unwrap().starts_with("good: 1 listener, "), "{text}");
}

#[test]
fn files_that_would_stop_the_start_are_faults_all_at_once() {
    let folder = files("");
    fs::copy(folder.path().join("client.key"), folder.path().join("server.key")).unwrap();
    fs::write(folder.path().join("ca.pem"), "no certificate").unwrap();
    fs::write(folder.path().join("front.pem"), "no certificate").unwrap();
    fs::set_permissions(folder.path().join("bank.token"), Permissions::from_mode(0o644)).unwrap();
    fs::write(folder.path().join("policies/default.json"), "{").unwrap();
    let (good, text) = checked_in(folder.path());
    assert!(!good);
    let lines: Vec<&str> = text.lines().collect();
    for (line, start, contains) in [
        (0, "3: listeners[0].tls", "server.key is not the key of the certificate in FOLDER/server.pem"),
        (1, "8: internal-callers.bank.token-file", "chmod 600"),
        (2, "12: fido-uaf.policies", "policies/default.json"),
        (3, "13: fido-uaf.tls-certificates[0]", "front.pem holds no PEM certificates"),
        (4, "14: upstreams.shop.tls.ca", "ca.pem holds no PEM certificates"),
    ] {
        let found = lines[line];
        assert!(found.starts_with(&format!("FOLDER/gate.yml:{start}: ")) && found.contains(contains), "{text}");
    }
    assert_eq!(lines.len(), 5, "{text}");
}

#[test]
fn what_is_shown_to_an_upstream_is_a_certificate_with_its_key() {
    let folder = files("");
    let file = fs::read_to_string(folder.path().join("gate.yml")).unwrap();
    let shows = |key: &str| {
        let shown = format!("tls: {{ client-certificate: server.pem, client-key: {key},");
        fs::write(folder.path().join("gate.yml"), file.replace("tls: { ca:", &format!("{shown} ca:"))).unwrap();
        checked_in(folder.path())
    };
    let (good, text) = shows("client.key");
    let fault = "upstreams.shop.tls.client-certificate: FOLDER/client.key is not the key of the certificate in";
    assert!(!good && text.contains(fault), "{text}");
    fs::set_permissions(folder.path().join("server.key"), Permissions::from_mode(0o644)).unwrap();
    let (good, text) = shows("server.key");
    assert!(
        good && text
            .contains("note: FOLDER/gate.yml:14: upstreams.shop.tls.client-key: FOLDER/server.key has mode 644"),
        "{text}"
    );
}

#[test]
fn a_certificate_and_a_key_that_are_swapped_are_told_as_that() {
    let folder = files("");
    let text = fs::read_to_string(folder.path().join("gate.yml")).unwrap();
    for (certificate, key, expected) in [
        ("server.key", "server.pem", "server.key: this file holds a private key, not the certificate: are"),
        ("server.pem", "server.pem", "server.pem: this file holds a certificate, not the private key: are"),
    ] {
        let tls = format!("certificate: {certificate}, key: {key}");
        let text = text.replace("certificate: server.pem, key: server.key", &tls);
        fs::write(folder.path().join("gate.yml"), text).unwrap();
        let (good, text) = checked_in(folder.path());
        assert!(!good && text.contains(expected) && !text.contains("error:"), "{text}");
    }
}

#[test]
fn a_websocket_needs_an_upstream_of_http_1() {
    let of = |protocol: &str| {
        let row =
            "routes: [{ name: feed, path: /feed, methods: [GET], filters: [], upstream: shop, websocket: true }]\n";
        let folder = files(row);
        let (path, url) = (folder.path().join("gate.yml"), "url: 'https://shop.example'");
        let text = fs::read_to_string(&path).unwrap().replace(url, &format!("{url}, protocol: {protocol}"));
        fs::write(&path, text).unwrap();
        checked_in(folder.path())
    };
    assert!(of("auto").0);
    let (good, text) = of("h2");
    assert!(!good && text.contains("upstreams.shop.protocol: the row feed has WebSockets, which need"), "{text}");
}

#[test]
fn parts_that_do_not_fit_together_are_a_fault() {
    let folder = files(
        "\
filters: { who: { type: delegation, rules: ['CONST:a:X-User', 'HEADER:x_user:X-Copy'] } }
routes: [{ name: shop, path: /shop/*, methods: [GET], filters: [who], upstream: shop }]
",
    );
    let (good, text) = checked_in(folder.path());
    assert!(!good);
    assert!(text.starts_with("FOLDER/gate.yml:15: filters.who.rules: filter who: "), "{text}");
}

/// A good folder with these settings of `fido-uaf`, and a policy of a model besides.
fn with_settings(settings: &str) -> tempfile::TempDir {
    let folder = files("");
    fs::write(folder.path().join("policies/other.json"), r#"{"accepted":[[{"aaid":["D0D0#0002"]}]]}"#).unwrap();
    let file = fs::read_to_string(folder.path().join("gate.yml")).unwrap();
    let file = file.replace("fido-uaf:\n  app-id", &format!("fido-uaf:\n{settings}\n  app-id"));
    fs::write(folder.path().join("gate.yml"), file).unwrap();
    folder
}

#[rstest::rstest]
#[case::of_a_model_that_is_refused("  decoy-models: [D0D0#0001]", "D0D0#0001 is no model of a decoy: ")]
#[case::of_a_model_that_one_policy_does_not_take(
    "  decoy-models: [D0D0#0001]\n  metadata: { unknown-models: surrogate }",
    "no decoy fits the policy other, so whoever has no key for it would show"
)]
#[case::of_no_model_written("  metadata: { unknown-models: surrogate }", "")]
#[case::where_nobody_is_hidden("  hide-users: false\n  metadata: { unknown-models: surrogate }", "")]
#[case::of_a_policy_that_nobody_can_meet("  metadata: { unknown-models: surrogate, revoked: [D0D0#0002] }", "")]
#[case::of_a_model_that_is_revoked(
    "  decoy-models: [D0D0#0001, D0D0#0002]\n  metadata: { unknown-models: surrogate, revoked: [D0D0#0002] }",
    ""
)]
fn every_policy_has_a_decoy_where_users_are_hidden(#[case] settings: &str, #[case] fault: &str) {
    let folder = with_settings(settings);
    let (good, text) = checked_in(folder.path());
    assert_eq!(good, fault.is_empty(), "{text}");
    assert!(fault.is_empty() || text.contains("fido-uaf.decoy-models: ") && text.contains(fault), "{text}");
}

#[test]
fn of_several_broken_policies_and_statements_each_is_told() {
    let folder = with_settings("  metadata: { statements: models }");
    fs::create_dir(folder.path().join("models")).unwrap();
    for (name, text) in [
        ("models/a.json", "{\n\"aaid\" 1}"),
        ("models/b.json", r#"{"aaid": "D0D0#0001", "protocolFamily": "uaf"}"#),
        ("policies/default.json", "{"),
        ("policies/other.json", "{}"),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let (good, text) = checked_in(folder.path());
    assert!(!good && text.lines().count() == 4, "{text}");
    for expected in [
        "models/a.json: statement: not JSON: expected `:` at line 2 column 8",
        "models/b.json: neither schema nor assertionScheme: a statement of version 3 says \"schema\": 3",
        "policies/default.json: policy: not JSON: EOF while parsing an object at line 1 column 1",
        "policies/other.json: policy: member accepted missing",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[rstest::rstest]
#[case::nothing_is_known("", "fido-uaf.metadata: no model of authenticators is known")]
#[case::all_is("  metadata: { unknown-models: surrogate }", "")]
#[case::what_it_wants_is_revoked(
    "  hide-users: false\n  metadata: { unknown-models: surrogate, revoked: [D0D0#0002] }",
    "fido-uaf.policies: no key can meet the policy other: "
)]
fn a_policy_that_no_key_can_meet_is_noted(#[case] settings: &str, #[case] note: &str) {
    let folder = with_settings(settings);
    let (good, text) = checked_in(folder.path());
    assert!(good, "{text}");
    let notes: Vec<_> =
        text.lines().filter(|line| line.contains("no key can meet") || line.contains("no model of")).collect();
    assert_eq!(notes.len(), usize::from(!note.is_empty()), "{text}");
    assert!(
        notes.iter().all(|line| line.starts_with("note: FOLDER/gate.yml:") && line.contains(&format!(": {note}"))),
        "{text}"
    );
}

/// What a phone has to do before a payment is known of no model without a statement.
#[test]
fn the_samples_policies_fit_where_no_model_has_a_statement() {
    let folder = tempfile::tempdir().unwrap();
    let (conf, path) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("conf"), folder.path().join("standalone.yml"));
    fs::create_dir(folder.path().join("policies")).unwrap();
    for name in ["policies/default.json", "policies/payment.json"] {
        fs::copy(conf.join(name), folder.path().join(name)).unwrap();
    }
    let sample = fs::read_to_string(conf.join("standalone.yml")).unwrap();
    let file = sample.replace("  # policies: policies ", "  policies: policies ");
    assert_ne!(file, sample);
    fs::write(&path, file).unwrap();
    let (good, text) = checked(&Source::File(path));
    assert!(good, "{text}");
}

/// One of two models is found to be broken while a policy wants what it alone has.
#[test]
fn a_model_is_revoked_whatever_policy_wants_it() {
    let folder = files("");
    let statement = |aaid: &str, algorithm: &str, format: &str| {
        serde_json::json!({
            "aaid": aaid, "description": "a model", "protocolFamily": "uaf", "schema": 3,
            "authenticatorVersion": 1, "upv": [{"major": 1, "minor": 1}],
            "authenticationAlgorithms": [algorithm], "publicKeyAlgAndEncodings": [format],
            "attestationTypes": ["basic_surrogate"], "attestationRootCertificates": [],
            "userVerificationDetails": [[{"userVerificationMethod": "fingerprint_internal"}]],
            "keyProtection": ["software"], "matcherProtection": ["software"], "attachmentHint": ["internal"],
            "tcDisplay": [], "isKeyRestricted": true
        })
    };
    fs::create_dir(folder.path().join("models")).unwrap();
    for (name, text) in [
        ("models/a.json", statement("D0D0#0001", "secp256r1_ecdsa_sha256_raw", "ecc_x962_raw").to_string()),
        ("models/b.json", statement("D0D0#0002", "rsassa_pss_sha256_raw", "rsa_2048_raw").to_string()),
        (
            "policies/rsa.json",
            r#"{"accepted":[[{"authenticationAlgorithms":[3],"assertionSchemes":["UAFV1TLV"]}]]}"#.to_owned(),
        ),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let file = fs::read_to_string(folder.path().join("gate.yml")).unwrap();
    for revoked in ["", ", revoked: [D0D0#0002]"] {
        let metadata = format!("fido-uaf:\n  metadata: {{ statements: models{revoked} }}\n  app-id");
        fs::write(folder.path().join("gate.yml"), file.replace("fido-uaf:\n  app-id", &metadata)).unwrap();
        let (good, text) = checked_in(folder.path());
        assert!(good, "{text}");
    }
}

#[test]
fn what_clients_will_hold_against_a_certificate_is_noted() {
    let folder = files("");
    let (good, text) = checked_in(folder.path());
    let stranger = "note: FOLDER/gate.yml:3: listeners[0].tls.certificate: FOLDER/server.pem does not name gate.example, the host of public-url";
    assert!(good && text.contains(stranger) && !text.contains("expired") && !text.contains("tls.key"), "{text}");

    let source = Source::File(folder.path().join("gate.yml"));
    let config = config::load(&source, &Overrides::default(), &Environment::new(|_| None)).unwrap();
    let later = Millis(SystemClock.now().0 + 400 * 24 * 3600 * 1000);
    let texts: Vec<_> = compose::notes(&config, later).into_iter().map(|notice| notice.text).collect();
    assert!(texts.iter().any(|text| text.contains("server.pem has expired")), "{texts:?}");

    let file = fs::read_to_string(folder.path().join("gate.yml")).unwrap();
    fs::write(folder.path().join("gate.yml"), file.replace("https://gate.example\nl", "https://localhost\nl")).unwrap();
    let (good, text) = checked_in(folder.path());
    assert!(good && !text.contains("does not name"), "{text}");
}

#[test]
fn a_certificate_that_phones_have_no_hash_for_is_noted() {
    let folder = files("");
    let front = include_bytes!("../../jose/server_certificate/ed25519.pem");
    fs::write(folder.path().join("front.pem"), front).unwrap();
    let (good, text) = checked_in(folder.path());
    let expected =
        "note: FOLDER/gate.yml:13: fido-uaf.tls-certificates[0]: FOLDER/front.pem is signed with Ed25519 or RSASSA-PSS";
    assert!(good && text.contains(expected), "{text}");
    assert_eq!(text.matches("serverEndPoint").count(), 1, "{text}");
}

#[test]
fn a_key_that_others_may_read_is_noted() {
    let folder = files("");
    fs::set_permissions(folder.path().join("server.key"), Permissions::from_mode(0o644)).unwrap();
    let (good, text) = checked_in(folder.path());
    assert!(
        good && text.contains("note: FOLDER/gate.yml:3: listeners[0].tls.key: FOLDER/server.key has mode 644"),
        "{text}"
    );
}

/// Which headers tell an upstream who is calling, only all rows together know.
#[test]
fn a_header_that_tells_who_is_calling_is_changed_by_no_filter_of_another_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gate.yml");
    let rows = "upstreams: { shop: { url: 'http://127.0.0.1:1' } }
filters:
  known: { type: identity-creation, domain: main }
  tell-who: { type: delegation, rules: ['AUTH:user.auth.UserId:X-User'] }
  house: { type: headers, request: { set: { x_user: eve } } }
routes:
  - { name: shop, path: /shop/*, methods: [GET], filters: [known, tell-who], upstream: shop }
  - { name: open, path: /open/*, methods: [GET], filters: [house], upstream: shop }
";
    fs::write(&path, format!("{}\n{rows}", crate::config::STANDALONE)).unwrap();
    let (good, text) = checked(&Source::File(path));
    assert!(
        !good
            && text.contains(
                "filters.house.request: `x_user` tells the upstream shop who is calling: a delegation sets it"
            ),
        "{text}"
    );
}
