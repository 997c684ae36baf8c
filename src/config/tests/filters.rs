//! Filters that stand on rows of one's own, by themselves and beside others.

use rstest::rstest;

use super::*;

/// A filter with these keys, `f`, and a row to a shop with these filters; `customers` are those of a realm.
fn with(filter: &str, chain: &str) -> String {
    let line = "  fido-uaf: { type: fido-uaf, domain: main }\n";
    let issuer = "{issuer: 'https://a', audience: b, algorithms: [ES256], jwks: 'https://a/keys'}";
    let realm = format!("{line}  partners: {{ type: jwt, domain: main, issuers: [{issuer}] }}\n");
    format!(
        "{}upstreams: {{ shop: {{ url: http://x }} }}
filters:
  f: {{ {filter} }}
  anybody: {{ type: identity-creation, domain: main }}
  customers: {{ type: identity-creation, domain: main, realms: [password] }}
  partners: {{ type: identity-creation, domain: main, realms: [partners] }}
  guests: {{ type: identity-creation, domain: main, open: true }}
routes:
  - {{ name: shop, path: '/shop/{{item}}', methods: [GET], filters: [{chain}], upstream: shop }}
",
        BASE.replace(line, &realm)
    )
}

/// The one fault, without its line.
fn fault_in(filter: &str, chain: &str) -> String {
    let found = faults(&with(filter, chain));
    assert_eq!(found.len(), 1, "{found:#?}");
    found[0].split_once(": ").unwrap().1.to_owned()
}

fn notices(filter: &str, chain: &str) -> Vec<String> {
    let notices = loaded(&with(filter, chain)).notices;
    notices.into_iter().filter(|notice| notice.key.starts_with("routes")).map(|notice| notice.text).collect()
}

#[rstest]
#[case("[192.0.2.7/24]", "filters.f.allow[0]: the address has bits behind the prefix; write 192.0.2.0/24")]
#[case("[10.0.0.0/8, 192.0.2.7]", "filters.f.allow[1]: the length of the prefix is missing; write 192.0.2.7/32")]
#[case("['2001:db8::1/64']", "filters.f.allow[0]: the address has bits behind the prefix; write 2001:db8::/64")]
#[case("['::ffff:192.0.2.7']", "filters.f.allow[0]: the length of the prefix is missing; write 192.0.2.7/32")]
#[case(
    "[localhost/8]",
    "filters.f.allow[0]: this is no network; write ADDRESS/LENGTH, such as 192.0.2.0/24 or 2001:db8::/32"
)]
#[case("[]", "filters.f.allow: the list is empty; list networks such as 192.0.2.0/24, or take the key away")]
#[case("[192.0.2.0/24], deny: ['::ffff:192.0.2.0/120']", "filters.f.deny[0]: this network is in allow, too; keep one")]
#[case("[192.0.2.0/24], deny: []", "filters.f.deny: the list is empty")]
fn a_network_is_written_in_its_one_way(#[case] allow: &str, #[case] expected: &str) {
    let found = fault_in(&format!("type: ip-list, allow: {allow}"), "f, customers");
    assert!(found.starts_with(expected), "{found}");
}

#[rstest]
#[case("level: 1")]
#[case("realms: [password]")]
#[case("roles: [boss]")]
#[case("max-age: 1m")]
fn what_would_say_nothing_beside_open_is_a_fault(#[case] demand: &str) {
    let found = fault_in(&format!("type: identity-creation, domain: main, open: true, {demand}"), "f");
    let key = demand.split_once(':').unwrap().0;
    assert!(found.starts_with(&format!("filters.f.{key}: with open: true everybody passes")), "{found}");
    let closed = format!("type: identity-creation, domain: main, open: false, {demand}");
    loaded(&with(&closed, "f"));
}

#[test]
fn an_ip_list_lists_something() {
    let found = fault_in("type: ip-list", "f");
    assert!(found.starts_with("filters.f: neither allow nor deny is written"), "{found}");
}

#[rstest]
#[case("allow: [192.0.2.0/24]", "f", "is open: whoever calls from its networks and reaches its listeners")]
#[case("deny: [192.0.2.0/24]", "f", "is open: whoever reaches its listeners")]
fn a_row_for_networks_asks_nobody_who_he_is(#[case] lists: &str, #[case] chain: &str, #[case] expected: &str) {
    let noted = notices(&format!("type: ip-list, {lists}"), chain);
    assert!(noted.iter().any(|text| text.contains(expected)), "{noted:?}");
}

#[rstest]
#[case("one-of: [staff]", "f", "put a filter of type identity-creation before it")]
#[case("one-of: [staff]", "f, partners", "put a filter of type identity-creation before it")]
#[case("one-of: []", "partners, f", "filters.f.one-of: the list is empty")]
#[case("all-of: [a], one-of: []", "partners, f", "filters.f.one-of: the list is empty")]
#[case("internal-callers: admin", "partners, f", "filters.f: neither one-of nor all-of is written")]
fn roles_are_those_of_somebody(#[case] keys: &str, #[case] chain: &str, #[case] expected: &str) {
    let found = fault_in(&format!("type: role, {keys}"), chain);
    assert!(found.contains(expected), "{found}");
}

#[rstest]
#[case("one-of: [staff]", "partners, f")]
#[case("one-of: [staff]", "anybody, f")]
#[case("one-of: [staff], all-of: [a, b]", "guests, f")]
#[case("one-of: [staff]", "customers, f")]
fn somebody_may_pass(#[case] keys: &str, #[case] chain: &str) {
    let notices = notices(&format!("type: role, {keys}"), chain);
    assert!(!notices.iter().any(|text| text.contains("is open")), "{notices:?}");
}

const CALM: &str = "type: rate-limit, burst: 2, every: 1s";

#[rstest]
#[case("type: rate-limit, per: address, burst: 2", "f", "filters.f.every: this key must be written")]
#[case("type: rate-limit, per: address, every: 1s", "f", "filters.f.burst: this key must be written")]
#[case("type: rate-limit, per: address, every: 1s, burst: 0", "f", "filters.f.burst: this is no such number")]
#[case("type: rate-limit, per: address, every: 1s, burst: 4294967296", "f", "filters.f.burst: this is no limit")]
#[case("type: rate-limit, burst: 2, every: 1s", "f", "filters.f.per: this key must be written")]
#[case("type: rate-limit, burst: 2, every: 1s, per: target", "f", "filters.f.per: this word is not known here")]
#[case("type: rate-limit, burst: 2, every: 1s, per: segment", "f", "filters.f.segment: this key must be written")]
#[case("type: rate-limit, burst: 2, every: 1s, per: user, segment: item", "customers, f", "per is not segment")]
fn a_limit_is_written_in_full(#[case] filter: &str, #[case] chain: &str, #[case] expected: &str) {
    let found = fault_in(filter, chain);
    assert!(found.contains(expected), "{found}");
}

#[rstest]
#[case("per: user", "f, customers", "it counts by who is calling")]
#[case("per: session", "f", "it counts by who is calling")]
#[case("per: address, internal-callers: exempt", "f, customers", "it counts by who is calling")]
#[case("per: segment, segment: id", "f", "it counts by the segment {id}")]
#[case("per: address", "f, customers, f", "it stands here twice")]
fn what_is_counted_is_there(#[case] keys: &str, #[case] chain: &str, #[case] expected: &str) {
    let found = fault_in(&format!("{CALM}, {keys}"), chain);
    assert!(found.starts_with("routes[0].filters[") && found.contains(expected), "{found}");
}

#[rstest]
#[case("per: user", "customers, f", false)]
#[case("per: session", "guests, f", true)]
#[case("per: address, internal-callers: exempt", "customers, f", false)]
#[case("per: segment, segment: item", "f, customers", false)]
#[case("per: address, internal-callers: counted", "f", true)]
fn a_limit_lets_everybody_pass_in_the_end(#[case] keys: &str, #[case] chain: &str, #[case] is_open: bool) {
    let noted = notices(&format!("{CALM}, {keys}"), chain);
    assert_eq!(noted.iter().any(|text| text.contains("is open")), is_open, "{noted:?}");
}

#[rstest]
#[case("request: {set: {X-User: a, x_user: b}}", "filters.f.request.set.x_user: this header is changed twice")]
#[case("request: {set: {X-A: a}, remove: [x-a]}", "filters.f.request.remove[0]: this header is changed twice")]
#[case("response: {set: {X-A: a}, add: {X.A: b}}", "filters.f.response.add.X.A: this header is changed twice")]
#[case("request: {set: {X-Forwarded-For: a}}", "filters.f.request.set.X-Forwarded-For: this header says who is")]
#[case("request: {remove: [Cookie]}", "filters.f.request.remove[0]: this header says who is")]
#[case("request: {add: {Transfer-Encoding: a}}", "filters.f.request.add.Transfer-Encoding: a message or a connection")]
#[case("response: {set: {Set-Cookie: a=b}}", "filters.f.response.set.Set-Cookie: sessions and logins hang on this")]
#[case("request: {set: {X A: a}}", "filters.f.request.set.X A: this is no name of a header")]
#[case("request: {set: {X-A: \"a\\nX-User: eve\"}}", "filters.f.request.set.X-A: this fits into no header")]
#[case("request: {set: {X-A: }}", "filters.f.request.set.X-A: this key must be written")]
#[case("request: {set: [X-A]}", "filters.f.request.set: this must be a section")]
#[case("response: {remove: {X-A: a}}", "filters.f.response.remove: this must be a list")]
#[case("requests: {}", "filters.f.requests: this key is not known; did you mean request?")]
fn a_header_is_changed_where_nothing_hangs_on_it(#[case] keys: &str, #[case] expected: &str) {
    let found = faults(&with(&format!("type: headers, {keys}"), "customers, f"));
    assert!(found.iter().any(|fault| fault.contains(expected)), "{found:#?}");
    assert!(!found.iter().any(|fault| fault.contains("eve")), "no value is told: {found:#?}");
}

#[rstest]
#[case("")]
#[case(", request: {}")]
#[case(", response: {set: {}}")]
fn changing_nothing_is_a_fault(#[case] keys: &str) {
    assert!(fault_in(&format!("type: headers{keys}"), "customers, f").starts_with("filters.f: nothing is changed"));
}

#[test]
fn headers_let_everybody_pass() {
    let filter = "type: headers, request: {set: {X-Tenant: bank}}, response: {remove: [Server]}";
    let noted = notices(filter, "f");
    assert!(noted.iter().any(|text| text.contains("is open")), "{noted:?}");
}

#[test]
fn one_filter_alone_finds_out_who_is_calling() {
    for chain in ["customers, partners", "guests, customers", "anybody, f, anybody"] {
        let found = fault_in("type: headers, request: { set: { X-A: a } }", chain);
        assert!(found.contains("this one would know nobody; keep one of them"), "{chain}: {found}");
    }
}

/// The same with a realm of a service, on this machine, that judges `X-Api-Key`, and more keys of it.
fn with_service(more: &str, filter: &str, chain: &str) -> String {
    let terms = format!("upstream: shop, path: /v, headers: [X-Api-Key], user: X-U{more}");
    let realms = format!("  corporate: {{ type: forward, domain: main, {terms} }}\n  partners: {{ type: jwt");
    with(filter, chain).replace("  partners: { type: jwt", &realms).replace("http://x", "http://127.0.0.1:1")
}

#[test]
fn no_filter_before_changes_what_a_service_judges() {
    let written = |change: &str, chain: &str| with_service("", &format!("type: headers, request: {change}"), chain);
    for change in ["{ add: { X-Api-Key: corp } }", "{ set: { x_api_key: corp } }", "{ remove: [X.Api.Key] }"] {
        let found = faults(&written(change, "f, anybody"));
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].contains("changes x-api-key, by which a realm of type forward knows users"), "{found:#?}");
        for chain in ["anybody, f", "f, customers"] {
            loaded(&written(change, chain));
        }
    }
}

#[test]
fn a_service_that_judges_what_strangers_show_has_a_limit_before_it() {
    let noted_of = |shown: &str, per: &str, chain: &str| {
        let limit = format!("type: rate-limit, per: {per}, burst: 2, every: 1s");
        loaded(&with_service("", &limit, chain).replace("[X-Api-Key]", shown))
            .notices
            .iter()
            .filter(|notice| {
                notice.key.ends_with("].filters") && notice.text.contains("nothing here slows guesses at them")
            })
            .inspect(|notice| assert!(notice.text.contains("(realm corporate)"), "{}", notice.text))
            .count()
            > 0
    };
    let noted = |per: &str, chain: &str| noted_of("[X-Api-Key, Cookie]", per, chain);
    assert!(
        noted("address", "anybody") && noted("address", "anybody, f") && noted("segment, segment: item", "f, anybody")
    );
    assert!(!noted("address", "f, anybody") && !noted("address", "customers"));
    assert!(!noted_of("[X-Api-Key]", "address", "anybody"), "refusals of anything else are slowed");
}

#[rstest]
#[case("realms: [corporate], max-age: 5m", true)]
#[case("realms: [corporate, password], level: 2, max-age: 5m", true)]
#[case("realms: [corporate, password], max-age: 5m", false)]
#[case("realms: [corporate, partners], max-age: 5m", false)]
#[case("realms: [corporate], level: 2", false)]
#[case("max-age: 5m", false)]
fn an_age_is_told_by_some_realm(#[case] keys: &str, #[case] faulty: bool) {
    let written = with_service(", level: 2", &format!("type: identity-creation, domain: main, {keys}"), "f");
    if faulty {
        let found = faults(&written);
        assert!(found.len() == 1 && found[0].contains("filters.f.max-age: none of its realms"), "{found:#?}");
    } else {
        loaded(&written);
    }
}

#[rstest]
#[case("realms: []", "filters.f.realms: the list is empty")]
#[case("roles: []", "filters.f.roles: the list is empty")]
fn an_empty_list_is_not_taken_for_none_that_was_written(#[case] keys: &str, #[case] expected: &str) {
    let found = fault_in(&format!("type: identity-creation, domain: main, {keys}"), "f");
    assert!(found.contains(expected), "{found}");
}

#[rstest]
#[case("type: role, one-of: [x], internal-callers: admin", "roles: [act-for]", "no internal caller has the role admin")]
#[case("type: role, one-of: [x], internal-callers: admin", "roles: [admin]", "")]
#[case(
    "type: identity-creation, domain: main, internal-callers: act-for",
    "",
    "no internal caller has the role act-for"
)]
#[case("type: identity-creation, domain: main, internal-callers: anybody", "", "")]
fn a_role_that_no_caller_has_is_noted(#[case] filter: &str, #[case] caller: &str, #[case] expected: &str) {
    let chain = if filter.contains("role, ") { "anybody, f" } else { "f" };
    let config = loaded(&format!("{}internal-callers: {{ bank: {{ {caller} }} }}\n", with(filter, chain)));
    let noted: Vec<_> =
        config.notices.iter().map(ToString::to_string).filter(|note| note.contains("internal caller has")).collect();
    assert_eq!(noted.len(), usize::from(!expected.is_empty()), "{noted:?}");
    assert!(noted.iter().all(|note| note.starts_with(&format!("filters.f.internal-callers: {expected}"))), "{noted:?}");
}
