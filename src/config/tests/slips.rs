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

/// Nor which level its realm would have given.
#[rstest]
#[case("[ES256]", "[HS256]", "HMAC is refused")]
#[case("audience: a", "audiance: a", "audiance: this key is not known; did you mean audience?")]
#[case("[ES256]", "[]", "no algorithm is listed")]
fn nothing_follows_from_an_issuer_at_fault(#[case] right: &str, #[case] wrong: &str, #[case] expected: &str) {
    let realm = "  more: { type: jwt, domain: main, level: 7, issuers: [{ issuer: i, audience: a, algorithms: [ES256], jwks: gate.yml }] }\n";
    let filters = "filters:\n  one: { type: identity-creation, domain: main, realms: [more], level: 7 }\n  \
         all: { type: identity-creation, domain: main, level: 7 }\n";
    let good = BASE.replacen("fido-uaf:\n  app-id", &format!("{realm}fido-uaf:\n  app-id"), 1) + filters;
    loaded(&good);
    let found = faults(&good.replacen(right, wrong, 1));
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

/// What comes after [`BASE`] in [`whole`].
const MORE: &str = "  dispatchers:
  - type: link
    base-url: app://open
    authentication-redeem-url: https://gate.example/nevisfido/token/redeem/authentication
upstreams: {shop: {url: 'https://shop'}}
filters:
  f: {type: identity-creation, domain: main, realms: [password]}
routes:
  - {name: a, path: /a, methods: [GET], filters: [f], upstream: shop}
  - {name: b, path: /b, methods: [GET], filters: [f], upstream: shop}
";

/// [`BASE`] with something of each kind that others refer to.
fn whole() -> String {
    BASE.replace("\nfido-uaf:", "\n  phone: { type: oob, domain: main }\nfido-uaf:") + MORE
}

/// What was named and is itself at fault is there: whoever refers to it is right.
#[rstest]
#[case("\n  main: {}", "\n  main: zz", "domains.main: this must be a section")]
#[case("domains:\n  main: {}", "domains: zz", "domains: this must be a section of names")]
#[case("public-url: https://gate.example", "public-url: '?!'", "public-url: this is no URL")]
#[case("type: link", "type: '?!'", "fido-uaf.dispatchers[0].type: this word is not known here")]
#[case("dispatchers:", "dispatches:", "fido-uaf.dispatches: this key is not known; did you mean dispatchers?")]
#[case("type: password", "type: pazz", "realms.password.type: this word is not known here")]
#[case("shop: {url: 'https://shop'}", "shop: zz", "upstreams.shop: this must be a section")]
#[case("upstreams: {shop: {url: 'https://shop'}}", "upstreams: zz", "upstreams: this must be a section of names")]
#[case(
    "filters:\n  f: {type: identity-creation, domain: main, realms: [password]}",
    "filters: zz",
    "filters: this must be"
)]
#[case(
    "\n  f: {",
    "\n  ff: {",
    "routes[0].filters[0]: there is no filter of this name, which line 23 names too; did you mean ff?"
)]
fn what_refers_to_something_at_fault_is_not(#[case] right: &str, #[case] wrong: &str, #[case] expected: &str) {
    let text = whole();
    assert!(load_text(&text, &Overrides::default()).is_ok() && text.contains(right));
    let found = faults(&text.replacen(right, wrong, 1));
    assert!(found.len() == 1 && found[0].contains(expected), "{found:#?}");
}

#[test]
fn one_misspelt_name_is_one_fault_with_each_line_of_it() {
    let row =
        |name: &str| format!("  - {{ name: {name}, path: /{name}, methods: [GET], filters: [], upstream: shap }}\n");
    let rows = ["a", "b", "c"].map(row).concat();
    let found = faults(&format!("{BASE}upstreams: {{ shop: {{ url: http://x }} }}\nroutes:\n{rows}"));
    let expected =
        "15: routes[0].upstream: there is no upstream of this name, which lines 16, 17 name too; did you mean shop?";
    assert_eq!(found, [expected]);
}

/// A misspelt key of a section is not said to be missing there too, neither alone nor as one of several.
#[rstest]
#[case("filters: { f: { type: role, one-off: [x] } }", "filters.f.one-off", "one-of")]
#[case("filters: { f: { type: role, allof: [x] } }", "filters.f.allof", "all-of")]
#[case("filters: { f: { type: ip-list, alow: [10.0.0.0/8] } }", "filters.f.alow", "allow")]
#[case("filters: { f: { type: ip-list, denny: [10.0.0.0/8] } }", "filters.f.denny", "deny")]
#[case("filters: { f: { type: headers, requst: { set: { a: b } } } }", "filters.f.requst", "request")]
#[case("filters: { f: { type: headers, request: { st: { a: b } } } }", "filters.f.request.st", "set")]
#[case("filters: { f: { type: rate-limit, pr: address, burst: 4, every: 1s } }", "filters.f.pr", "per")]
#[case("filters: { f: { type: rate-limit, per: address, brst: 4, every: 1s } }", "filters.f.brst", "burst")]
#[case(
    "filters: { f: { type: rate-limit, per: segment, segmnt: a, burst: 4, every: 1s } }",
    "filters.f.segmnt",
    "segment"
)]
#[case("filters: { f: { type: delegation, rule: ['CONST:a:X-A'] } }", "filters.f.rule", "rules")]
#[case("filters: { f: { type: identity-creation, domian: main } }", "filters.f.domian", "domain")]
#[case("upstreams: { a: { ur: 'https://x' } }", "upstreams.a.ur", "url")]
#[case("upstreams: { a: { server: ['https://x'] } }", "upstreams.a.server", "servers")]
#[case("internal-callers: { a: { token-fil: gate.yml } }", "internal-callers.a.token-fil", "token-file")]
#[case(
    "upstreams: { a: { url: 'https://x', tls: { client-certificat: gate.yml, client-key: gate.yml } } }",
    "upstreams.a.tls.client-certificat",
    "client-certificate"
)]
#[case(
    "  dispatchers: [{ type: link, base-ul: https://a, registration-redeem-url: https://a }]",
    "fido-uaf.dispatchers[0].base-ul",
    "base-url"
)]
fn a_misspelt_key_is_not_missing_too(#[case] more: &str, #[case] key: &str, #[case] meant: &str) {
    let expected = format!("13: {key}: this key is not known; did you mean {meant}?");
    assert_eq!(fault_of(&format!("{more}\n")), expected);
}

/// The same of realms, each as it would be with its other keys.
#[rstest]
#[case("type: jwt, issuer: []", "issuer", "issuers")]
#[case("type: forward, upstrem: a, path: /a, headers: [Cookie], user: X-User", "upstrem", "upstream")]
#[case("type: forward, upstream: a, path: /a, header: [Cookie], user: X-User", "header", "headers")]
fn a_misspelt_key_of_a_realm_is_not_missing_too(#[case] keys: &str, #[case] key: &str, #[case] meant: &str) {
    let realm = format!("realms:\n  r: {{ domain: main, {keys} }}\n");
    let found = faults(&format!("{}upstreams: {{ a: {{ url: 'https://x' }} }}\n", BASE.replace("realms:\n", &realm)));
    assert_eq!(found, [format!("8: realms.r.{key}: this key is not known; did you mean {meant}?")]);
}

#[rstest]
#[case("servers: ['127.0.0.1:9000']", "servers[0]")]
#[case("servers: ['shop:9000']", "servers[0]")]
#[case("url: '127.0.0.1:9000'", "url")]
#[case("url: 'shop.internal'", "url")]
fn a_server_without_a_scheme_is_one_fault(#[case] written: &str, #[case] key: &str) {
    let expected = format!(
        "13: upstreams.a.{key}: the scheme is missing; write scheme, host and port only, such as http://127.0.0.1:9000 or \
         https://shop.internal:8443"
    );
    assert_eq!(fault_of(&format!("upstreams: {{ a: {{ {written} }} }}\n")), expected);
}

/// A list that names none is one fault too, and an item of it that is no server at all is as well.
#[rstest]
#[case("servers: []", "servers: no server is named")]
#[case("servers: [~]", "servers[0]: this item is empty")]
fn no_server_is_told_once(#[case] written: &str, #[case] expected: &str) {
    let found = fault_of(&format!("upstreams: {{ a: {{ {written} }} }}\n"));
    assert!(found.contains(expected), "{found}");
}

#[rstest]
#[case("level: 2", "write it in the filter of type identity-creation that stands in filters")]
#[case("max-age: 5m", "write it in the filter of type identity-creation that stands in filters")]
#[case("realms: [fido-uaf]", "write it in the filter of type identity-creation that stands in filters")]
#[case("roles: [boss]", "write it in the filter of type identity-creation that stands in filters")]
#[case("one-of: [boss]", "write it in the filter of type role that stands in filters")]
fn what_a_row_demands_belongs_to_a_filter(#[case] written: &str, #[case] expected: &str) {
    let key = written.split(':').next().unwrap();
    let own = one_row("/shop/*", "customers").replace("name: shop, ", &format!("name: shop, {written}, "));
    assert_eq!(fault_of(&own), format!("22: routes[0].{key}: this key is not known here; {expected}"));
    let default = format!("routes: [{{ name: status, {written} }}]\n");
    assert_eq!(
        fault_of(&default),
        format!("13: routes[0].{key}: this key is not known here; what a default row demands is its protection")
    );
}
