mod app_links;
mod difference;
mod domains;
mod faults;
mod filters;
mod fronting;
mod overrides;
mod quoted;
mod realms;
mod rows;
mod samples;
mod slips;
mod upstreams;

use super::*;

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
  tell-other: {{ type: delegation, rules: ['CONST:b:X-B', 'CONST:b:x_a'] }}
routes:
  - {{ name: shop, path: '{path}', methods: [GET], filters: [{filters}], upstream: shop }}
"
    )
}
