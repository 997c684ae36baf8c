//! `fronting`: an existing FIDO server behind.

use rstest::rstest;

use super::samples::uncommented;
use super::*;

/// A gateway before a FIDO server, without more than it needs.
const FRONTING: &str = "\
public-url: https://gate.example
listeners:
  - class: public
    address: 127.0.0.1:8443
domains: { main: {} }
realms: { password: { type: password, domain: main } }
upstreams: { fido: { url: http://x } }
filters:
  customers: { type: identity-creation, domain: main }
  tell-who: { type: delegation, rules: ['AUTH:user.auth.UserId:X-User'] }
  tell-key: { type: delegation, rules: ['CONST:a:X-A'] }
  bind: { type: user-binding }
  patches: { type: jws-bypass }
";

#[test]
fn a_server_behind_answers_every_row_of_the_fido_services_and_no_other() {
    let config = loaded(&format!("{FRONTING}fronting: {{ upstream: fido, delegation: tell-who }}\n"));
    for row in &config.routes {
        let is_fronted = matches!(&row.leads_to, LeadsTo::Fronted { upstream, .. } if upstream == "fido");
        let is_ours = ["login-", "logout", "jwks", "liveness", "health", "metrics", "openapi", "admin-"].iter();
        assert_ne!(is_fronted, is_ours.clone().any(|name| row.name.starts_with(name)), "{}", row.name);
    }
    let fronted = config.routes.iter().filter(|row| matches!(row.leads_to, LeadsTo::Fronted { .. })).count();
    assert_eq!(fronted, crate::routes::rows::ROWS.iter().filter(|row| row.service.is_of_fido_server()).count());
    let fronting = config.fronting.unwrap();
    assert_eq!(fronting.user_binding, Some(sidegate_filters::UsernameMapper::Name));
    assert!(!fronting.anonymous_content);
    assert_eq!(fronting.jws_bypass.clock_skew.as_secs(), 300);
}

#[rstest]
#[case("", true)]
#[case("routes: [{ name: target-create, protection: session }, { name: target-delete, on: [] }]\n", true)]
#[case(
    "routes:
  - { name: target-create, protection: session }
  - { name: target-delete, protection: internal }
  - { name: uaf-request-deregistration, on: [] }
  - { name: dispatch-deregistration, on: [] }
  - { name: create-deregistration, protection: session }
",
    false
)]
fn rows_that_nobody_can_pass_are_noted(#[case] routes: &str, #[case] noted: bool) {
    let config = loaded(&format!("{FRONTING}fronting: {{ upstream: fido, delegation: tell-who }}\n{routes}"));
    let found = config.notices.iter().find(|notice| notice.key == "fronting");
    assert_eq!(found.is_some(), noted, "{found:?}");
    assert!(found.is_none_or(|found| found.text.contains("target-create") == routes.is_empty()), "{found:?}");
}

#[rstest]
#[case("fronting: { delegation: tell-who }\n", "14: fronting.upstream: this key must be written")]
#[case("fronting: { upstream: fido }\n", "14: fronting.delegation: this key must be written")]
#[case("fronting: { upstream: f, delegation: tell-who }\n", "14: fronting.upstream: there is no upstream of this name")]
#[case(
    "fronting: { upstream: fido, delegation: customers }\n",
    "14: fronting.delegation: this filter tells an upstream nothing"
)]
#[case(
    "fronting: { upstream: fido, delegation: tell-who, keys: /nowhere }\n",
    "14: fronting.keys: /nowhere does not exist"
)]
#[case(
    "fronting: { upstream: fido, delegation: tell-who }\nfido-uaf: { app-id: https://gate.example/f, facets: [https://gate.example] }\n",
    "14: fronting: the section fido-uaf has the same rows"
)]
#[case(
    "routes: [{ name: a, path: '/t/{id}', methods: [POST], filters: [patches], upstream: fido }]\n",
    "14: routes[0].filters: jws-bypass lets signed changes"
)]
#[case(
    "routes: [{ name: a, path: '/t/x', methods: [PATCH], filters: [patches], upstream: fido }]\n",
    "14: routes[0].filters: jws-bypass lets signed changes"
)]
#[case(
    "routes: [{ name: a, path: '/t', methods: [POST], filters: [bind, customers], upstream: fido }]\n",
    "14: routes[0].filters[0]: it compares whom a request names"
)]
fn what_fronting_needs(#[case] more: &str, #[case] expected: &str) {
    let found = faults(&format!("{FRONTING}{more}"));
    assert!(found.iter().any(|fault| fault.starts_with(expected)), "{found:#?}");
}

#[test]
fn words_of_strangers_are_noted() {
    let config =
        loaded(&format!("{FRONTING}fronting: {{ upstream: fido, delegation: tell-who, anonymous-content: true }}\n"));
    assert!(config.notices.iter().any(|notice| notice.key == "fronting.anonymous-content"), "{:?}", config.notices);
    assert!(config.fronting.unwrap().anonymous_content);
}

#[test]
fn of_two_servers_for_one_service_nothing_else_is_told() {
    let both = "fronting: { upstream: fido, delegation: tell-who }\nfido-uaf: {}\n";
    let found = faults(&format!("{FRONTING}{both}"));
    assert!(found.len() == 1 && found[0].contains("keep fronting for a FIDO server behind"), "{found:#?}");
}

#[rstest]
#[case("{ servers: [https://x, https://y] }", true)]
#[case("{ servers: [https://x] }", false)]
fn servers_that_take_turns_are_noted(#[case] fido: &str, #[case] noted: bool) {
    let text = FRONTING.replace("{ url: http://x }", fido);
    let sessions = "routes: [".to_owned()
        + &[
            "target-create",
            "target-delete",
            "uaf-request-deregistration",
            "dispatch-deregistration",
            "create-deregistration",
        ]
        .map(|name| format!("{{ name: {name}, protection: session }}"))
        .join(", ");
    let config = loaded(&format!("{text}fronting: {{ upstream: fido, delegation: tell-who }}\n{sessions}]\n"));
    let found = config.notices.iter().find(|notice| notice.key == "fronting");
    assert_eq!(found.is_some_and(|found| found.text.contains("take turns")), noted, "{found:?}");
}

/// Two rows for signed changes, or one beside the fronted one, to upstreams at `x` under these names.
fn changing(upstream: &str, filter: &str, more: &str) -> String {
    let text = FRONTING
        .replace(
            "{ fido: { url: http://x } }",
            "{ fido: { url: http://x }, two: { url: 'http://x:80' }, three: { url: http://y } }",
        )
        .replace(
            "  patches: { type: jws-bypass }\n",
            "  patches: { type: jws-bypass }\n  keyed: { type: jws-bypass, keys: . }\n",
        );
    format!(
        "{text}{more}  - {{ name: a, path: '/t/{{id}}', methods: [PATCH], filters: [{filter}], upstream: {upstream} }}\n"
    )
}

const ONE_MORE: &str =
    "routes:\n  - { name: b, path: '/u/{id}', methods: [PATCH], filters: [patches], upstream: fido }\n";
const FRONTED: &str = "fronting: { upstream: fido, delegation: tell-who }\nroutes:\n";

#[rstest]
#[case(ONE_MORE, "routes: the row a has keys for signed changes, and b before")]
#[case(FRONTED, "fronting: the row a has keys for signed changes, and target-modify before")]
fn rows_to_one_server_have_keys_or_none(#[case] more: &str, #[case] expected: &str) {
    for upstream in ["fido", "two"] {
        let found = faults(&changing(upstream, "keyed", more));
        assert!(found.len() == 1 && found[0].contains(expected), "{found:#?}");
        drop(loaded(&changing(upstream, "patches", more)));
    }
    drop(loaded(&changing("three", "keyed", more)));
    let off = format!("{more}  - {{ name: target-modify, on: [] }}\n");
    assert_eq!(load_text(&changing("two", "keyed", &off), &Overrides::default()).is_ok(), more == FRONTED);
}

#[test]
fn a_row_has_one_bypass() {
    let found = faults(&changing("three", "patches, patches", "routes:\n"));
    assert!(
        found.len() == 1 && found[0].contains("routes[0].filters: a signed change is used up by one"),
        "{found:#?}"
    );
}

#[test]
fn every_filter_may_stand_on_an_own_row() {
    let rows = "routes:
  - { name: a, path: '/t/{id}', methods: [PATCH], filters: [patches], upstream: fido }
  - { name: b, path: '/t', methods: [POST], filters: [customers, bind, tell-who], upstream: fido }
";
    let config = loaded(&format!("{FRONTING}{rows}"));
    assert!(config.notices.iter().all(|notice| !notice.key.starts_with("routes")), "{:?}", config.notices);
}

#[test]
fn every_commented_key_of_the_sample_is_right() {
    let sample = include_str!("../../../conf/fronting.yml");
    let config = uncommented(sample);
    assert!(config.upstreams[0].tls.as_ref().unwrap().client.is_some());
    assert!(config.fronting.unwrap().jws_bypass.keys.is_some());
    assert!(config.notices.iter().all(|notice| notice.key != "fronting"), "{:?}", config.notices);
    assert_eq!(config.routes.last().map(|row| row.name.as_str()), Some("webauthn"));
}
