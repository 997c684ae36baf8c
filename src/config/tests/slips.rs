//! One slip of an operator is one fault.

use rstest::rstest;

use super::*;

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

#[test]
fn a_misspelt_redeem_url_is_not_said_to_be_missing_too() {
    let found =
        fault_of("  dispatchers: [{type: link, base-url: https://a, registration-redem-url: https://a/redeem}]\n");
    let expected = "registration-redem-url: this key is not known; did you mean registration-redeem-url?";
    assert!(found.contains(expected), "{found}");
    // A key that is like none of the three hides nothing.
    let found = faults(&format!("{BASE}  dispatchers: [{{type: link, base-url: https://a, colour: red}}]\n"));
    assert!(found.len() == 2 && found.iter().any(|fault| fault.contains("no redeem URL is written")), "{found:#?}");
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

/// Whoever names files that are missing has written the key all the same.
#[rstest]
#[case("certificate: gate.yml, key: gate.yml, client-ca: ca.pem", "ca.pem does not exist")]
#[case("certificate: no.pem, key: gate.yml, client-ca: gate.yml", "no.pem does not exist")]
fn a_missing_file_of_a_listener_is_no_fault_of_a_caller(#[case] tls: &str, #[case] expected: &str) {
    let listener = format!("  - {{ class: internal, address: '127.0.0.1:8444', tls: {{ {tls} }} }}\ndomains:");
    let caller = "internal-callers: { a: { client-certificate: gate.yml } }\n";
    let found = faults(&(BASE.replace("domains:", &listener) + caller));
    assert!(found.len() == 1 && found[0].contains(expected), "{found:#?}");
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

const WHOLE: &str = "\
public-url: https://gate.example
listeners:
  - class: public
    address: 127.0.0.1:8443
domains:
  main: {}
realms:
  pwd: { type: password, domain: main }
  fido-uaf: { type: fido-uaf, domain: main }
  phone: { type: oob, domain: main }
fido-uaf:
  app-id: https://gate.example/nevisfido/uaf/1.1/facets
  facets: [https://gate.example]
  dispatchers:
  - type: link
    base-url: app://open
    authentication-redeem-url: https://gate.example/nevisfido/token/redeem/authentication
upstreams: {shop: {url: 'https://shop'}}
filters:
  f: {type: identity-creation, domain: main, realms: [pwd]}
routes:
  - {name: a, path: /a, methods: [GET], filters: [f], upstream: shop}
  - {name: b, path: /b, methods: [GET], filters: [f], upstream: shop}
";

/// What was named and is itself at fault is there: whoever refers to it is right.
#[rstest]
#[case(WHOLE, "\n  main: {}", "\n  main: zz", "domains.main: this must be a section")]
#[case(WHOLE, "domains:\n  main: {}", "domains: zz", "domains: this must be a section of names")]
#[case(WHOLE, "public-url: https://gate.example", "public-url: '?!'", "public-url: this is no URL")]
#[case(WHOLE, "type: link", "type: '?!'", "fido-uaf.dispatchers[0].type: this word is not known here")]
#[case(WHOLE, "dispatchers:", "dispatches:", "fido-uaf.dispatches: this key is not known; did you mean dispatchers?")]
#[case(WHOLE, "type: password", "type: pazz", "realms.pwd.type: this word is not known here")]
#[case(WHOLE, "shop: {url: 'https://shop'}", "shop: zz", "upstreams.shop: this must be a section")]
#[case(
    WHOLE,
    "upstreams: {shop: {url: 'https://shop'}}",
    "upstreams: zz",
    "upstreams: this must be a section of names"
)]
#[case(
    WHOLE,
    "filters:\n  f: {type: identity-creation, domain: main, realms: [pwd]}",
    "filters: zz",
    "filters: this must be"
)]
#[case(
    WHOLE,
    "\n  f: {",
    "\n  ff: {",
    "routes[0].filters[0]: there is no filter of this name, which line 23 names too; did you mean ff?"
)]
fn what_refers_to_something_at_fault_is_not(
    #[case] text: &str,
    #[case] right: &str,
    #[case] wrong: &str,
    #[case] expected: &str,
) {
    assert!(load_text(text, &Overrides::default()).is_ok() && text.contains(right));
    let found = faults(&text.replacen(right, wrong, 1));
    assert!(found.len() == 1 && found[0].contains(expected), "{found:#?}");
}
