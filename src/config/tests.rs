mod fronting;
mod upstreams;

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::dispatchers::BaseUrl;
use crate::routes::Protocol;

/// A configuration that is right, to be spoilt in one respect.
const BASE: &str = "\
public-url: https://gate.example
listeners:
  - class: public
    address: 127.0.0.1:8443
domains:
  main: {}
realms:
  password: { type: password, domain: main }
  fido-uaf: { type: fido-uaf, domain: main }
fido-uaf:
  app-id: https://gate.example/nevisfido/uaf/1.1/facets
  facets: [https://gate.example]
";

fn environment() -> Environment {
    Environment::new(|name| match name {
        "HOST" => Some("env.example".to_owned()),
        "HEADERS" => Some("50".to_owned()),
        _ => None,
    })
}

fn load_text(text: &str, overrides: &Overrides) -> Result<Config, Faults> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("host"), "file.example\n").unwrap();
    let path = folder.path().join("gate.yml");
    std::fs::write(&path, text).unwrap();
    load(&Source::File(path), overrides, &environment())
}

fn loaded(text: &str) -> Config {
    load_text(text, &Overrides::default()).unwrap_or_else(|faults| panic!("{faults}"))
}

/// Faults as `line: key: wrong; right`.
fn faults(text: &str) -> Vec<String> {
    let faults = load_text(text, &Overrides::default()).expect_err("no fault was found");
    faults.iter().map(|fault| format!("{}: {}: {}; {}", fault.line, fault.key, fault.wrong, fault.right)).collect()
}

/// The one fault of [`BASE`] with more text after it.
fn fault_of(more: &str) -> String {
    let found = faults(&format!("{BASE}{more}"));
    assert_eq!(found.len(), 1, "{found:#?}");
    found[0].clone()
}

fn texts(facets: &[sidegate_uaf::wire::FacetId]) -> Vec<&str> {
    facets.iter().map(|facet| facet.as_str()).collect()
}

#[test]
fn the_built_in_configuration_is_the_sample() {
    let built_in = load(&Source::BuiltIn, &Overrides::default(), &environment()).unwrap();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("conf/standalone.yml");
    let file = load(&Source::File(path), &Overrides::default(), &environment()).unwrap();
    assert_eq!(format!("{built_in:?}"), format!("{file:?}"));
    assert_eq!(built_in.public_url.text(), "http://127.0.0.1:8080");
    assert_eq!(built_in.data, PathBuf::from("./var"));
    let fido_uaf = built_in.fido_uaf.unwrap();
    assert_eq!(fido_uaf.app_id, None);
    assert_eq!(texts(&fido_uaf.facets), ["http://127.0.0.1:8080", sidegate_uaf::facets::SOFTWARE_FACET]);
    assert_eq!(built_in.routes.len(), crate::routes::rows::ROWS.len());
    let noticed: Vec<_> = built_in.notices.iter().map(|notice| notice.key.as_str()).collect();
    assert_eq!(noticed, ["public-url", "fido-uaf.metadata.unknown-models", "fido-uaf.anonymous-content"]);
}

/// A sample with every key that it has in comments, and the files that it names.
fn uncommented(sample: &str) -> Config {
    let folder = tempfile::tempdir().unwrap();
    for file in [
        "certs/server.pem",
        "certs/server.key",
        "certs/ca.pem",
        "certs/client.pem",
        "certs/client.key",
        "front.pem",
        "users",
        "policies/default.json",
    ] {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "x").unwrap();
    }
    // Comments of keys begin with `# ` right before a key or a dash; prose does not.
    let text: Vec<String> = sample
        .lines()
        .map(|line| match line.split_once("# ") {
            Some((indent, key)) if indent.trim().is_empty() && is_key(key.trim_start()) => format!("{indent}{key}"),
            _ => line.to_owned(),
        })
        .collect();
    let path = folder.path().join("all.yml");
    std::fs::create_dir_all(folder.path().join("target-keys")).unwrap();
    std::fs::write(&path, text.join("\n")).unwrap();
    load(&Source::File(path), &Overrides::default(), &environment()).unwrap_or_else(|f| panic!("{f}"))
}

#[test]
fn every_commented_key_of_the_sample_is_right() {
    let config = uncommented(STANDALONE);
    assert_eq!((config.limits.operations, config.limits.sessions), (256 << 20, 64 << 20));
    assert!(config.listeners[0].tls.is_some());
    assert_eq!(config.fido_uaf.unwrap().tls_certificates.len(), 1);
    assert_eq!(config.routes.last().map(|row| row.name.as_str()), Some("shop"));
}

fn is_key(text: &str) -> bool {
    let word = text.strip_prefix("- ").unwrap_or(text);
    let key = word.split(':').next().unwrap_or(word);
    text.starts_with("- ") || (word.contains(':') && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'))
}

#[test]
fn command_line_values_go_first() {
    let overrides = Overrides {
        data: Some(PathBuf::from("/elsewhere")),
        listen: Some("127.0.0.1:1".parse().unwrap()),
        internal: Some("127.0.0.1:2".parse().unwrap()),
        management: Some("[::1]:3".parse().unwrap()),
    };
    let config = load(&Source::BuiltIn, &overrides, &environment()).unwrap();
    let addresses: Vec<_> = config.listeners.iter().map(|listener| listener.address.to_string()).collect();
    assert_eq!(addresses, ["127.0.0.1:1", "127.0.0.1:2", "[::1]:3"]);
    assert_eq!(config.public_url.text(), "http://127.0.0.1:1");
    assert_eq!(config.data, PathBuf::from("/elsewhere"));
    let faults = load_text(BASE, &overrides).unwrap_err().to_string();
    assert!(faults.contains("no internal listener") && faults.contains("no management listener"), "{faults}");
    let outside = Overrides { listen: Some("0.0.0.0:1".parse().unwrap()), ..Overrides::default() };
    let faults = load(&Source::BuiltIn, &outside, &environment()).unwrap_err().to_string();
    let told = "--listen: without TLS, everybody on the way reads and changes what is sent; give an address";
    assert!(faults.starts_with(told) && faults.lines().count() == 1, "{faults}");
}

#[test]
fn a_flag_that_is_refused_is_named_and_not_the_key_that_it_stands_in_for() {
    let internal = |address: &str| Overrides { internal: Some(address.parse().unwrap()), ..Overrides::default() };
    let told = |overrides| load(&Source::BuiltIn, &overrides, &environment()).unwrap_err().to_string();
    let faults = told(internal("127.0.0.1:8080"));
    assert!(faults.starts_with("--internal: this address is taken by the listener in line "), "{faults}");
    let faults = told(Overrides { listen: Some("127.0.0.1:8081".parse().unwrap()), ..Overrides::default() });
    assert!(faults.starts_with("--listen: this address is taken by the listener in line "), "{faults}");
    let faults = told(Overrides { management: Some("0.0.0.0:1".parse().unwrap()), ..internal("[::]:2") });
    let flags: Vec<_> = faults.lines().filter_map(|line| line.split_once(": without TLS")).collect();
    assert_eq!(flags.iter().map(|(flag, _)| *flag).collect::<Vec<_>>(), ["--internal", "--management"], "{faults}");

    let folder = tempfile::tempdir().unwrap();
    for file in ["cert.pem", "key.pem"] {
        std::fs::write(folder.path().join(file), "x").unwrap();
    }
    let path = folder.path().join("gate.yml");
    let tls = "127.0.0.1:8443\n    tls: { certificate: cert.pem, key: key.pem }";
    std::fs::write(&path, format!("try-out: true\n{}", BASE.replace("127.0.0.1:8443", tls))).unwrap();
    let overrides = Overrides { listen: Some("0.0.0.0:1".parse().unwrap()), ..Overrides::default() };
    let faults = load(&Source::File(path), &overrides, &environment()).unwrap_err().to_string();
    assert!(faults.starts_with("--listen: it can be reached from elsewhere") && !faults.contains("remove"), "{faults}");
}

#[rstest]
#[case("address", "adress", "4: listeners[0].adress: this key is not known; did you mean address?")]
#[case("listeners", "listners", "2: listners: this key is not known; did you mean listeners?")]
#[case("public-url", "publik-url", "1: publik-url: this key is not known; did you mean public-url?")]
#[case("127.0.0.1:8443", "localhost:8443", "4: listeners[0].address: this is a name, and names are not taken")]
#[case("127.0.0.1:8443", "127.0.0.1:118443", "4: listeners[0].address: the port is above 65535")]
#[case("127.0.0.1:8443", "'[::1]:65536'", "4: listeners[0].address: the port is above 65535")]
#[case("127.0.0.1:8443", "127.0.0.1", "4: listeners[0].address: this is no address with a port")]
fn one_slip_is_one_fault(#[case] right: &str, #[case] wrong: &str, #[case] expected: &str) {
    let found = faults(&BASE.replacen(right, wrong, 1));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with(expected), "{found:#?}");
}

/// Nothing that stands on a misspelt or faulty key is said to be missing.
#[rstest]
#[case(STANDALONE, "\nrealms:", "\nrealm:", "realm: this key is not known; did you mean realms?")]
#[case(STANDALONE, "\ndomains:", "\ndomain:", "domain: this key is not known; did you mean domains?")]
#[case(STANDALONE, "try-out: true", "try-out: yes", "try-out: this is neither true nor false")]
#[case(STANDALONE, "try-out: true", "tryout: true", "tryout: this key is not known; did you mean try-out?")]
#[case(STANDALONE, "class: public", "clas: public", "listeners[0].clas: this key is not known; did you mean class?")]
#[case(STANDALONE, "- type: link", "- type: lonk", "fido-uaf.dispatchers[0].type: this word is not known here; did")]
#[case(BASE, "facets: [", "facet: [", "fido-uaf.facet: this key is not known; did you mean facets?")]
fn nothing_follows_from_a_slip(#[case] text: &str, #[case] right: &str, #[case] wrong: &str, #[case] expected: &str) {
    let found = faults(&text.replacen(right, wrong, 1));
    assert!(found.len() == 1 && found[0].contains(expected), "{found:#?}");
}

#[rstest]
#[case("upstream: { shop: { url: https://shop } }\n", "upstream: this key is not known; did you mean upstreams?")]
#[case("upstreams: { my_shop: { url: https://shop } }\n", "upstreams.my_shop: this is no name")]
fn a_slip_in_a_name_is_told_once(#[case] upstreams: &str, #[case] expected: &str) {
    let name = if upstreams.contains("my_shop") { "my-shop" } else { "shop" };
    let row = format!("routes: [{{ name: s, path: /s, methods: [GET], filters: [], upstream: {name} }}]\n");
    let found = fault_of(&format!("{upstreams}{row}"));
    assert!(found.contains(expected), "{found}");
}

#[test]
fn a_key_that_is_not_indented_is_told_as_that() {
    let found = faults(&BASE.replace("  main: {}", "main: {}"));
    assert!(found[0].contains("main: this key is not known; if it belongs to domains, indent it"), "{found:#?}");
}

#[test]
fn the_keys_of_the_root_are_those_that_are_read() {
    let found = fault_of("zzz: 1\n");
    let mut read: Vec<&str> = found.split_once("known here: ").unwrap().1.split(", ").collect();
    let mut listed = assembly::KEYS.to_vec();
    read.sort_unstable();
    listed.sort_unstable();
    assert_eq!(read, listed);
}

#[test]
fn a_misspelt_section_of_listeners_is_one_fault_where_the_public_url_stands_on_it() {
    let text = BASE.replace("public-url: https://gate.example", "try-out: true").replace("listeners", "listners");
    assert_eq!(faults(&text), ["2: listners: this key is not known; did you mean listeners?"]);
}

#[test]
fn the_original_dispatcher_blocks_load() {
    for base_url in [
        "nevisaccessapp://x-callback-url/authenticate?x-success=https://success.siven.ch&x-error=https://error.siven.ch&x-cancel=https://cancel.siven.ch",
        "https://siven.ch",
    ] {
        let config = loaded(&format!(
            "{BASE}  dispatchers:
    - type: link
      registration-redeem-url: https://siven.ch/nevisfido/token/redeem/registration
      authentication-redeem-url: https://siven.ch/nevisfido/token/redeem/authentication
      deregistration-redeem-url: https://siven.ch/nevisfido/token/redeem/deregistration
      base-url: {base_url}
"
        ));
        let [Dispatcher::Link(link)] = &config.fido_uaf.unwrap().dispatchers[..] else { panic!("one dispatcher") };
        assert_eq!(link.base_url, BaseUrl::parse(base_url).unwrap());
        assert_eq!(link.redeem.registration, "https://siven.ch/nevisfido/token/redeem/registration");
    }
}

#[test]
fn redeem_urls_that_are_not_written_are_below_the_public_url() {
    let more = "  dispatchers: [{type: link, base-url: https://a, authentication-redeem-url: https://b/c}]\n";
    let config = loaded(&format!("{BASE}{more}"));
    let [Dispatcher::Link(link)] = &config.fido_uaf.unwrap().dispatchers[..] else { panic!("one dispatcher") };
    assert_eq!(link.redeem.authentication, "https://b/c");
    assert_eq!(link.redeem.deregistration, "https://gate.example/nevisfido/token/redeem/deregistration");
}

#[test]
fn values_are_substituted_before_they_are_checked() {
    let text = BASE.replace("https://gate.example\nlisteners", "https://${env:HOST}\nlisteners");
    let text = text.replace("[https://gate.example]", "['${public-url}', 'https://${file:host}']");
    let config = loaded(&format!("{text}limits: {{ header-fields: '${{env:HEADERS}}' }}\n"));
    assert_eq!(config.public_url.text(), "https://env.example");
    assert_eq!(texts(&config.fido_uaf.unwrap().facets), ["https://env.example", "https://file.example"]);
    assert_eq!(config.limits.header_fields, 50);
}

#[test]
fn own_rows_follow_the_default_ones_and_change_them_by_name() {
    let config = loaded(&format!(
        "{BASE}upstreams:
  shop: {{ url: 'https://shop.internal:8443' }}
filters:
  customers: {{ type: identity-creation, domain: main, level: 2 }}
  tell-who: {{ type: delegation, rules: ['AUTH:user.auth.SecToken:Authorization'] }}
routes:
  - name: shop
    path: /shop/*
    methods: [GET, POST]
    filters: [customers, tell-who]
    upstream: shop
    allow: [empty-segments]
  - name: target-create
    on: [internal]
    protection: internal
"
    ));
    let row = |name: &str| config.routes.iter().find(|row| row.name == name).unwrap();
    assert_eq!(row("target-create").on, [ListenerClass::Internal]);
    let shop = row("shop");
    assert!(shop.allow.empty_segments && !shop.allow.parameters && shop.body_limit.is_none());
    let LeadsTo::Upstream { name, filters } = &shop.leads_to else { panic!("an upstream") };
    assert_eq!((name.as_str(), filters.len()), ("shop", 2));
    assert_eq!(config.routes.last().unwrap().name, "shop");
}

#[test]
fn a_listener_with_tls_may_be_reached_from_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["cert.pem", "key.pem", "ca.pem"] {
        std::fs::write(folder.path().join(file), "x").unwrap();
    }
    let tls =
        "address: 0.0.0.0:443\n    tls: { certificate: cert.pem, key: key.pem, client-ca: ca.pem }\n    http2: false";
    let path = folder.path().join("gate.yml");
    std::fs::write(&path, BASE.replace("address: 127.0.0.1:8443", tls)).unwrap();
    let config = load(&Source::File(path), &Overrides::default(), &environment()).unwrap();
    let [listener] = &config.listeners[..] else { panic!("one listener") };
    assert_eq!((listener.address.to_string().as_str(), listener.http2), ("0.0.0.0:443", false));
    let files = listener.tls.as_ref().unwrap();
    assert_eq!(files.client_ca.as_deref(), Some(folder.path().join("ca.pem").as_path()));
}

#[test]
fn the_rows_that_the_sample_shows_are_good() {
    let (written, shown) = STANDALONE.split_once("# upstreams:\n").unwrap();
    // Only the certificates are not there.
    let shown =
        shown.lines().map(|line| line.strip_prefix("# ").unwrap_or(line)).filter(|line| !line.contains(" certs/"));
    let config = loaded(&format!("{written}upstreams:\n{}\n", shown.collect::<Vec<_>>().join("\n")));
    let own: Vec<_> = config.routes.iter().filter(|row| matches!(row.leads_to, LeadsTo::Upstream { .. })).collect();
    let [payments, shop] = own[..] else { panic!("{own:?}") };
    let upstream = &config.upstreams[0];
    assert!(upstream.servers.len() == 2 && upstream.protocol == Protocol::Http1 && shop.upstream_path.is_some());
    let level = |name: &str| {
        let filter = config.filters.iter().find(|filter| filter.name == name).unwrap();
        if let FilterKind::IdentityCreation(demand) = &filter.kind { demand.level } else { panic!("{name}") }
    };
    // Nothing in a browser raises a session above what a password gives.
    assert!(shop.interception && level("customers") == 1);
    assert!(!payments.interception && level("payments") == 2);
}

#[test]
fn rows_without_their_service_are_left_out() {
    let config = loaded("public-url: https://gate.example\nlisteners: [{class: public, address: '127.0.0.1:1'}]\n");
    let names: Vec<_> = config.routes.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["jwks", "liveness", "health", "metrics"]);
}

#[rstest]
#[case("limit: {}\n", "13: limit: this key is not known; did you mean limits?")]
#[case("zzz: 1\n", "13: zzz: this key is not known; known here: ")]
#[case("limits: { idle: 5 minutes }\n", "13: limits.idle: this is no duration")]
#[case("limits: 5\n", "13: limits: this must be a section")]
#[case("  upstream-path: /a\n", "13: fido-uaf.upstream-path: there is no upstream")]
#[case("default-rows: [statsu]\n", "13: default-rows[0]: there is no default row of this name; did you mean status?")]
#[case("internal-callers: { a: { provision: true } }\n", "13: internal-callers.a.roles: who may not name users")]
#[case(
    "internal-callers: { a: { provision: true, roles: [admin, admin] } }\n",
    "13: internal-callers.a.roles: who may not name users"
)]
#[case(
    "internal-callers: { a: { provision: true, role: [act-for] } }\n",
    "13: internal-callers.a.role: this key is not"
)]
#[case("internal-callers: { a: { provision: true, roles: [actfor] } }\n", "13: internal-callers.a.roles[0]: this word")]
#[case(
    "internal-callers: { a: { token-file: gate.yml, client-certificate: gate.yml } }\n",
    "13: internal-callers.a.client-certificate: a caller proves itself in one way"
)]
#[case(
    "internal-callers: { a: { client-certificate: gate.yml } }\n",
    "13: internal-callers.a.client-certificate: no internal listener asks for certificates"
)]
#[case("limits: { header-size: 1.5 }\n", "13: limits.header-size: a number with a fraction")]
#[case("limits: { idle: 1s, idle: 2s }\n", "13: limits.idle: this key is written twice, first in line 13")]
#[case("domains: {}\n", "13: domains: this key is written twice, first in line 5")]
#[case("sec-token: { lifetime: 2h }\n", "13: sec-token.lifetime: a SecToken that lives so long")]
#[case("log: { level: loud }\n", "13: log.level: this word is not known here; write one of error, warn, info")]
#[case(
    "internal-callers: { rp: { token-file: /nowhere/t } }\n",
    "13: internal-callers.rp.token-file: /nowhere/t does not exist"
)]
#[case(
    "internal-callers: { rp: { roles: [actfor] } }\n",
    "13: internal-callers.rp.roles[0]: this word is not known here; did you mean act-for?"
)]
#[case("filters: { f: { type: delegation, rules: [\"AUTH:x:Y\"] } }\n", "13: filters.f.rules[0]: AUTH has no `x`")]
#[case(
    "filters: { f: { type: identity-creation, domain: mian } }\n",
    "13: filters.f.domain: there is no domain of this name; did you mean main?"
)]
#[case(
    "filters: { f: { type: identity-creation, domain: main, level: 3 } }\n",
    "13: filters.f.level: no realm of the domain gives this level; write at most 2"
)]
#[case(
    "filters: { f: { type: identity-creation, domain: main, roles: [staff] } }\n",
    "13: filters.f.roles: no realm gives roles: nobody would ever pass; take this key away"
)]
#[case(
    "  policies: /nowhere\n",
    "13: fido-uaf.policies: /nowhere does not exist; name a folder that holds default.json"
)]
#[case(
    "  dispatchers: [{type: link, base-url: 'https://a#b', registration-redeem-url: https://a}]\n",
    "13: fido-uaf.dispatchers[0].base-url: the URL has a fragment"
)]
#[case(
    "  dispatchers: [{type: link, base-url: 'https://a?b?c', registration-redeem-url: https://a}]\n",
    "13: fido-uaf.dispatchers[0].base-url: the URL has more than one question mark"
)]
#[case("  dispatchers: [{type: link, base-url: https://a}]\n", "13: fido-uaf.dispatchers[0]: no redeem URL is written")]
#[case(
    "  dispatchers: [{type: lnik, base-url: https://a}]\n",
    "13: fido-uaf.dispatchers[0].type: this word is not known here; did you mean link?"
)]
#[case("  metadata: { unknown-models: full }\n", "13: fido-uaf.metadata.unknown-models: this word is not known")]
#[case("routes: [{name: target-modify, protection: open}]\n", "13: routes[0].protection: this row is called by phones")]
#[case("routes: [{name: status, protection: jws-bypass}]\n", "13: routes[0].protection: nothing is signed on this row")]
#[case("routes: [{name: health, on: [public]}]\n", "13: routes[0].on[0]: management listeners serve health")]
#[case(
    "routes: [{name: statsu, on: []}]\n",
    "13: routes[0].name: there is no default row of this name; did you mean status?"
)]
#[case("routes: [{name: status, path: /x}]\n", "13: routes[0].path: a default row has its own")]
#[case("routes: [{name: status}, {name: status}]\n", "13: routes[1].name: the row in line 13 has this name too")]
#[case("internal-callers: { rp: { roles: [~] } }\n", "13: internal-callers.rp.roles[0]: this item is empty")]
#[case("try-out: 7\n", "13: try-out: this is neither true nor false")]
#[case("limits: { idle: '${env:NONE}' }\n", "13: limits.idle: the environment has no variable NONE")]
#[case("x: [\n", "13: : this is not YAML")]
fn each_fault_names_line_key_and_remedy(#[case] more: &str, #[case] expected: &str) {
    let found = fault_of(more);
    assert!(found.starts_with(expected), "{found}");
}

#[rstest]
#[case("public-url: https://gate.example\n", "", "1: public-url: this key must be written")]
#[case("https://gate.example\nlisteners", "https://0.0.0.0\nlisteners", "1: public-url: nobody can reach this address")]
#[case("127.0.0.1:8443", "0.0.0.0:8443", "4: listeners[0].address: without TLS")]
#[case("127.0.0.1:8443", "localhost:8443", "4: listeners[0].address: this is a name, and names are not taken")]
#[case("class: public", "class: pubic", "3: listeners[0].class: this word is not known here; did you mean public?")]
#[case("domain: main }\nfido", "domain: min }\nfido", "9: realms.fido-uaf.domain: there is no domain of this name")]
#[case("password, domain: main", "password, domain: main, level: 2", "9: realms.fido-uaf.level: a login by password")]
#[case("fido-uaf, domain: main", "fido-uaf, domain: main, level: 1", "9: realms.fido-uaf.level: a login by password")]
#[case(
    "realms:\n  password: { type: password, domain: main }",
    "  b: {}\nrealms:\n  password: { type: password, domain: b }",
    "10: realms.fido-uaf.domain: realm password has another domain"
)]
#[case("  fido-uaf: { type: fido-uaf, domain: main }\n", "", "9: fido-uaf: its rows demand a session")]
#[case(
    "https://gate.example\nlisteners",
    "${env:NONE}\nlisteners",
    "1: public-url: the environment has no variable NONE"
)]
#[case("[https://gate.example]", "['${env:NONE}']", "12: fido-uaf.facets[0]: the environment has no variable NONE")]
#[case("  main: {}", "  main: { idle: 9h }", "6: domains.main.idle: a session ends before")]
#[case("  main: {}", "  main: { start-page: //evil }", "6: domains.main.start-page: this is no path")]
#[case("  main: {}", "  main: { start-page: '/a#b' }", "6: domains.main.start-page: this is no path")]
#[case("  facets: [https://gate.example]\n", "", "10: fido-uaf.facets: this key must be written")]
#[case("[https://gate.example]", "['gate']", "12: fido-uaf.facets[0]: this is no facet")]
#[case(
    "  app-id: https://gate.example/nevisfido/uaf/1.1/facets\n",
    "",
    "10: fido-uaf.app-id: this key must be written"
)]
fn what_a_file_needs(#[case] from: &str, #[case] to: &str, #[case] expected: &str) {
    assert!(BASE.contains(from), "{from}");
    let found = faults(&BASE.replacen(from, to, 1));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with(expected), "{found:#?}");
}

#[test]
fn lengths_are_those_of_the_protocol() {
    let long = format!("https://gate.example/{}", "x".repeat(500));
    let found = faults(&BASE.replace("https://gate.example/nevisfido/uaf/1.1/facets", &long));
    assert!(found[0].starts_with("11: fido-uaf.app-id: the URL is too long"), "{found:#?}");
    let long = format!("ios:bundle-id:{}", "x".repeat(500));
    let found = faults(&BASE.replace("[https://gate.example]", &format!("['{long}']")));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("12: fido-uaf.facets[0]: no facet is longer"), "{found:#?}");
    let found = faults(&BASE.replace(" main", &format!(" {}", "m".repeat(33))));
    assert!(found[0].starts_with("6: domains.mmm") && found[0].contains("too long for a cookie"), "{found:#?}");
}

#[rstest]
#[case("/shop/{id}", "/shop/{other}", "the row one in line 16 has this path and method too")]
#[case("/nevisfido/status", "/x", "the default row status has this path and method")]
fn a_row_that_is_never_reached_is_a_fault(#[case] one: &str, #[case] two: &str, #[case] expected: &str) {
    let row = |name: &str, path: &str| {
        format!("  - {{ name: {name}, path: '{path}', methods: [GET, POST], filters: [], upstream: shop }}\n")
    };
    let more = format!("upstreams:\n  shop: {{ url: http://x }}\nroutes:\n{}{}", row("one", one), row("two", two));
    let found = fault_of(&more);
    assert!(found.contains(expected), "{found}");
}

/// An upstream, filters, and one row with this path and these filters.
fn one_row(path: &str, filters: &str) -> String {
    format!(
        "upstreams: {{ shop: {{ url: http://x }} }}
filters:
  customers: {{ type: identity-creation, domain: main }}
  guests: {{ type: identity-creation, domain: main, open: true }}
  tell-who: {{ type: delegation, rules: ['CONST:a:X-A', 'AUTH:user.auth.UserId:X-User'] }}
  tell-session: {{ type: delegation, rules: ['SESSION:sid:X-Sid'] }}
  tell-key: {{ type: delegation, rules: ['CONST:a:X-A'] }}
routes:
  - {{ name: shop, path: '{path}', methods: [GET], filters: [{filters}], upstream: shop }}
"
    )
}

#[rstest]
#[case("tell-who", Some(0))]
#[case("tell-session", Some(0))]
#[case("tell-key, tell-who", Some(1))]
#[case("tell-who, customers", Some(0))]
#[case("customers, tell-who", None)]
#[case("guests, tell-key, tell-session", None)]
#[case("tell-key", None)]
fn a_row_finds_out_who_is_calling_before_it_says_so(#[case] filters: &str, #[case] at: Option<usize>) {
    let more = one_row("/shop/*", filters);
    match at {
        Some(at) => assert_eq!(
            fault_of(&more),
            format!(
                "21: routes[0].filters[{at}]: its AUTH and SESSION rules say who is calling, and no filter before it \
                 finds that out; put a filter of type identity-creation before it"
            )
        ),
        None => drop(loaded(&format!("{BASE}{more}"))),
    }
}

#[rstest]
#[case("/shop/*", "", Some("the row shop is open: whoever reaches its listeners reaches the upstream shop"))]
#[case("/shop/*", "guests, tell-who", Some("the row shop is open"))]
#[case("/nevisfido/*", "tell-key", Some("so does what uaf-request-registration and other protected default rows"))]
#[case("/*", "", Some("so does what"))]
#[case("/shop/*", "customers", None)]
fn an_open_row_is_noted(#[case] path: &str, #[case] filters: &str, #[case] expected: Option<&str>) {
    let config = loaded(&format!("{BASE}{}", one_row(path, filters)));
    let found = config.notices.iter().find(|notice| notice.key == "routes[0].filters");
    assert_eq!(found.is_some(), expected.is_some(), "{found:?}");
    assert!(found.is_none_or(|found| found.text.contains(expected.unwrap())), "{found:?}");
}

#[test]
fn of_the_default_rows_only_some_may_be_served() {
    let names = |text: &str| loaded(text).routes.iter().map(|row| row.name.clone()).collect::<Vec<_>>();
    let some = format!("{BASE}default-rows: [health, status]\n{}", one_row("/shop/*", "customers"));
    assert_eq!(names(&some), ["status", "health", "shop"]);
    assert_eq!(names(&format!("{BASE}default-rows: []\n")), [""; 0]);
}

#[rstest]
#[case("default-rows: [target-create, targets-list]\n", true)]
#[case("default-rows: [target-create, login-password]\n", false)]
#[case("default-rows: [target-create, login-response]\n", false)]
#[case("default-rows: [targets-list, status]\n", false)]
#[case("default-rows: [target-create]\nroutes: [{ name: target-create, protection: internal }]\n", false)]
#[case("default-rows: [target-create]\nroutes: [{ name: target-create, on: [] }]\n", false)]
#[case("default-rows: [target-create, login-password]\nroutes: [{ name: login-password, on: [] }]\n", true)]
fn rows_that_demand_a_session_need_a_row_that_logs_in(#[case] more: &str, #[case] noted: bool) {
    let config = loaded(&format!("{BASE}{more}"));
    let found = config.notices.iter().find(|notice| notice.key == "default-rows");
    assert_eq!(found.is_some(), noted, "{found:?}");
    assert!(found.is_none_or(|found| found.text.contains("target-create demand a session")), "{found:?}");
}

#[rstest]
#[case("{ name: target-create, protection: open }", true)]
#[case("{ name: target-create, protection: internal }", false)]
#[case("{ name: status, protection: open }", false)]
fn a_default_row_that_is_opened_is_noted(#[case] row: &str, #[case] noted: bool) {
    let config = loaded(&format!("{BASE}routes: [{row}]\n"));
    let found = config.notices.iter().find(|notice| notice.key == "routes[0].protection");
    assert_eq!(found.is_some(), noted);
}

#[rstest]
#[case("/nevisfido/own/", false)]
#[case("/nevisfido/{id}/", false)]
#[case("/nevisfido/", false)]
#[case("/auth/own/", false)]
#[case("/nevisfido/dispatch/targets/{id}", false)]
#[case("/nevisfido/own", true)]
#[case("/auth/*", true)]
#[case("/shop/", true)]
fn a_path_that_requests_never_keep_is_a_fault(#[case] path: &str, #[case] good: bool) {
    let more = one_row(path, "customers");
    if good {
        drop(loaded(&format!("{BASE}{more}")));
    } else {
        let found = fault_of(&more);
        assert!(found.starts_with("21: routes[0].path: requests for this path are taken for another one"), "{found}");
    }
}

#[test]
fn a_key_without_a_value_is_a_default_but_a_section_without_keys_is_meant() {
    let config = loaded(&format!("{}limits:\nlog:\n  level:\n", BASE.replace("  main: {}", "  main:")));
    assert_eq!(config.limits.header_fields, 100);
    let found = faults(&BASE.replace("127.0.0.1:8443", "127.0.0.1:8443\n    tls:"));
    assert!(found[0].starts_with("5: listeners[0].tls.certificate: this key must be written"), "{found:#?}");
    let end = BASE.find("  app-id").unwrap();
    let found = faults(&BASE[..end]);
    assert!(found[0].starts_with("10: fido-uaf.app-id: this key must be written"), "{found:#?}");
}

#[test]
fn all_faults_come_at_once_in_the_order_of_the_file() {
    let text =
        BASE.replace("gate.example\nlisteners", "gate.example/x\nlisteners").replace("type: password", "type: pw");
    let lines: Vec<_> = faults(&format!("{text}limts: {{}}\n")).iter().map(|fault| fault[..2].to_owned()).collect();
    assert_eq!(lines, ["1:", "8:", "13"]);
}

proptest! {
    #[test]
    fn no_fault_quotes_a_value(noise in "[\\[\\]{}:,&*!|>'\"%@`#?$ -]{0,12}", line in 0usize..14) {
        let secret = format!("{noise}hunter2{noise}");
        let text: Vec<String> = BASE
            .lines()
            .enumerate()
            .map(|(index, text)| match text.rsplit_once(": ") {
                Some((key, _)) if index == line => format!("{key}: {secret}"),
                _ => text.to_owned(),
            })
            .collect();
        if let Err(faults) = load_text(&text.join("\n"), &Overrides::default()) {
            for fault in faults.iter() {
                prop_assert!(!fault.wrong.contains("hunter2") && !fault.right.contains("hunter2"), "{}", fault);
            }
        }
    }
}
