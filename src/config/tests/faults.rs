//! Each fault names its line, its key, what is wrong and what would be right.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

#[rstest]
#[case("limit: {}\n", "13: limit: this key is not known; did you mean limits?")]
#[case("zzz: 1\n", "13: zzz: this key is not known; known here: ")]
#[case("limits: { idle: 5 minutes }\n", "13: limits.idle: this is no duration")]
#[case("limits: 5\n", "13: limits: this must be a section")]
#[case("  old-clients: always\n", "13: fido-uaf.old-clients: this word is not known here; write one of false")]
#[case("  upstream-path: /a\n", "13: fido-uaf.upstream-path: there is no upstream")]
#[case("default-rows: [statsu]\n", "13: default-rows[0]: there is no default row of this name; did you mean status?")]
#[case("internal-callers: { a: { provision: true } }\n", "13: internal-callers.a.roles: who may not name users")]
#[case(
    "internal-callers: { a: { provision: true, roles: [admin, admin] } }\n",
    "13: internal-callers.a.roles: who may not name users"
)]
#[case(
    "  username-mapper: ext-id\ninternal-callers: { a: { provision: true, roles: [act-for] } }\n",
    "14: internal-callers: a has provision: true"
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
    "internal-callers: { a: { token-file: gate.yml, jwt: { issuer: i, audience: b, algorithms: [ES256], jwks: gate.yml, subject: s } } }\n",
    "13: internal-callers.a.jwt: a caller proves itself in one way"
)]
#[case(
    "internal-callers: { a: { client-certificate: gate.yml } }\n",
    "13: internal-callers.a.client-certificate: no internal listener asks for certificates"
)]
#[case("limits: { header-size: 1.5 }\n", "13: limits.header-size: a number with a fraction")]
#[case("limits: { idle: 1s, idle: 2s }\n", "13: limits.idle: this key is written twice, first in line 13")]
#[case("domains: {}\n", "13: domains: this key is written twice, first in line 5")]
#[case("sec-token: { lifetime: 2h }\n", "13: sec-token.lifetime: a SecToken that lives so long")]
#[case("sec-token: { keys-kept: 500ms }\n", "13: sec-token.keys-kept: upstreams keep keys for whole seconds")]
#[case("sec-token: { keys-kept: 2d }\n", "13: sec-token.keys-kept: upstreams keep keys for whole seconds")]
#[case("log: { level: loud }\n", "13: log.level: this word is not known here; write one of error, warn, info")]
#[case(
    "internal-callers: { rp: { token-file: /nowhere/t } }\n",
    "13: internal-callers.rp.token-file: /nowhere/t does not exist"
)]
#[case(
    "internal-callers: { rp: { roles: [actfor] } }\n",
    "13: internal-callers.rp.roles[0]: this word is not known here; did you mean act-for?"
)]
#[case(
    "filters: { f: { type: delegation, rules: [\"AUTH:x:Y\"] } }\n",
    "13: filters.f.rules[0]: AUTH has no such name"
)]
#[case(
    "filters: { f: { type: delegation, rules: [\"AUTH:user.auth.LoginID:Y\"] } }\n",
    "13: filters.f.rules[0]: AUTH has no such name; it knows user.auth.SecToken, .UserId, .LoginId, .AuthLevel, \
     .Roles, .Realm; did you mean user.auth.LoginId?"
)]
#[case(
    "filters: { f: { type: delegation, rules: [\"SESSION:when:Y\"] } }\n",
    "13: filters.f.rules[0]: SESSION has no such name; it knows sid, domain, authenticated-at; write one of these"
)]
#[case(
    "filters: { f: { type: delegation, rules: [\"AUTH:user.auth.UserId\"] } }\n",
    "13: filters.f.rules[0]: it has not three parts, or four with an encoding; write <source>:<name>:<header>[:encoding]"
)]
#[case(
    "filters: { f: { type: delegation, rules: [\"CONST:https://a:X-A:none\"] } }\n",
    "13: filters.f.rules[0]: a constant with a colon comes through ENV"
)]
#[case(
    "filters: { f: { type: delegation, rules: [\"AUTH:user.auth.Roles: X-Roles\"] } }\n",
    "13: filters.f.rules[0]: a blank is in it"
)]
#[case(
    "filters: { f: { type: delegation, rules: [ 'CONST:a:X-User', 'CONST:b:x_user' ] } }\n",
    "13: filters.f.rules[1]: a rule before it sets this header too"
)]
#[case(
    "filters: { f: { type: delegation, rules: [ AUTH:user.auth.Roles: X-Roles ] } }\n",
    "13: filters.f.rules[0]: a blank is in it"
)]
#[case(
    "filters: { f: { type: identity-creation, domain: mian } }\n",
    "13: filters.f.domain: there is no domain of this name; did you mean main?"
)]
#[case(
    "filters: { f: { type: identity-creation, domain: main, level: 3 } }\n",
    "13: filters.f.level: no realm of the domain gives this level; write at most 2, or add a realm that gives it: fido-uaf and oob give 2, other types 1, or what their level says"
)]
#[case(
    "  metadata: { statements: /nowhere }\n",
    "13: fido-uaf.metadata.statements: /nowhere does not exist; name a folder with a .json file"
)]
#[case("  metadata: { revoked: ['D0D0'] }\n", "13: fido-uaf.metadata.revoked[0]: this is no AAID; write four")]
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
#[case(
    "  dispatchers: [{type: link, base-url: 'https://a?b=c&dispatchTokenResponse=x', registration-redeem-url: https://a}]\n",
    "13: fido-uaf.dispatchers[0].base-url: the query of the URL has a dispatchTokenResponse already, which is what links bear \
     their token in: leave it out"
)]
#[case("  dispatchers: [{type: link, base-url: https://a}]\n", "13: fido-uaf.dispatchers[0]: no redeem URL is written")]
#[case(
    "  dispatchers: [{type: lnik, base-url: https://a}]\n",
    "13: fido-uaf.dispatchers[0].type: this word is not known here; did you mean link?"
)]
#[case("  metadata: { unknown-models: full }\n", "13: fido-uaf.metadata.unknown-models: this word is not known")]
#[case("routes: [{name: target-modify, protection: open}]\n", "13: routes[0].protection: this row is called by phones")]
#[case("routes: [{name: admin-users-list, protection: internal}]\n", "13: routes[0].protection: this row shows or")]
#[case("routes: [{name: admin-users-remove, on: [public]}]\n", "13: routes[0].on: this row shows or removes")]
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
#[case(
    "127.0.0.1:8443",
    "127.0.0.1:8443\n    proxy-protocol: true",
    "5: listeners[0].proxy-protocol: this must be a list"
)]
#[case(
    "127.0.0.1:8443",
    "127.0.0.1:8443\n    proxy-protocol: []",
    "5: listeners[0].proxy-protocol: nobody could connect; list the networks of your balancers"
)]
#[case(
    "127.0.0.1:8443",
    "127.0.0.1:8443\n    proxy-protocol: [10.0.0.0/8, 10.1.0.7/16]",
    "5: listeners[0].proxy-protocol[1]: the address has bits behind the prefix; write 10.1.0.0/16"
)]
#[case(
    "127.0.0.1:8443",
    "127.0.0.1:8443\n    proxy-protocol: ['::/0']",
    "5: listeners[0].proxy-protocol: whoever may connect could say that it is somebody else"
)]
#[case(
    "127.0.0.1:8443",
    "127.0.0.1:8443\n    forwarded: {from: [10.0.0.0/8]}",
    "5: listeners[0].forwarded.header: this key must be written; name the one header that your proxies write"
)]
#[case(
    "127.0.0.1:8443",
    "127.0.0.1:8443\n    forwarded: {header: forwarded}",
    "5: listeners[0].forwarded.from: this key must be written; list the networks of your proxies"
)]
#[case(
    "127.0.0.1:8443",
    "127.0.0.1:8443\n    forwarded: {from: [], header: forwarded}",
    "5: listeners[0].forwarded.from: nobody would be believed; list the networks of your proxies"
)]
#[case(
    "127.0.0.1:8443",
    "127.0.0.1:8443\n    forwarded: {from: [0.0.0.0/0], header: forwarded}",
    "5: listeners[0].forwarded.from: whoever may connect could say that it is somebody else"
)]
#[case(
    "127.0.0.1:8443",
    "127.0.0.1:8443\n    forwarded: {from: [10.0.0.0/8], header: x-real-ip}",
    "5: listeners[0].forwarded.header: this word is not known here; write one of x-forwarded-for, forwarded"
)]
#[case(
    "127.0.0.1:8443",
    "127.0.0.1:8443\n    proxy-protocol: [10.0.0.0/8]\n    forwarded: {from: [10.0.0.0/8], header: forwarded}",
    "6: listeners[0].forwarded: proxy-protocol says already who the client is; keep one of them"
)]
#[case("class: public", "class: pubic", "3: listeners[0].class: this word is not known here; did you mean public?")]
#[case("domain: main }\nfido", "domain: min }\nfido", "9: realms.fido-uaf.domain: there is no domain of this name")]
#[case("password, domain: main", "password, domain: main, level: 2", "9: realms.fido-uaf.level: a login by password")]
#[case("fido-uaf, domain: main", "fido-uaf, domain: main, level: 1", "9: realms.fido-uaf.level: a login by password")]
#[case(
    "realms:\n  password: { type: password, domain: main }",
    "  b: {}\nrealms:\n  password: { type: password, domain: b }",
    "11: fido-uaf: its rows demand a session of main, but no realm of that domain has the type password"
)]
#[case("  fido-uaf: { type: fido-uaf, domain: main }\n", "", "9: fido-uaf: its rows demand a session")]
#[case("  password: { type: password, domain: main }\n", "", "9: fido-uaf: its rows demand a session")]
#[case(
    "\nfido-uaf:",
    "\n  oob: { type: oob, domain: main, dispatcher: link }\nfido-uaf:",
    "10: realms.oob.dispatcher: its dispatcher is not configured"
)]
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

/// A realm beside the others of a configuration whose dispatchers are there.
#[rstest]
#[case("oob: { type: oob, domain: main }", None)]
#[case("oob: { type: oob, domain: main, level: 1 }", Some("10: realms.oob.level: a login by password would do"))]
#[case("oob: { type: oob, domain: main, dispatcher: png }", Some("10: realms.oob.dispatcher: its dispatcher is not"))]
#[case(
    "oob: { type: oob, domain: main }\n  oob-2: { type: oob, domain: main }",
    Some("11: realms.oob-2.type: realm oob of the same domain has this type too")
)]
fn what_a_realm_of_phones_that_approve_needs(#[case] realm: &str, #[case] expected: Option<&str>) {
    let text = BASE.replacen("\nfido-uaf:", &format!("\n  {realm}\nfido-uaf:"), 1);
    let text = format!(
        "{text}  dispatchers: [{{ type: link, base-url: 'https://siven.ch', \
         authentication-redeem-url: 'https://gate.example/nevisfido/token/redeem/authentication' }}]\n"
    );
    match expected {
        None => assert!(loaded(&text).routes.iter().any(|row| row.name == "login-oob-standing")),
        Some(expected) => {
            let found = faults(&text);
            assert!(found[0].starts_with(expected), "{found:#?}");
        }
    }
}

#[rstest]
#[case(
    "domain: main",
    "domain: other",
    "domains:\n",
    "domains:\n  other: {}\n",
    "f.domain: no realm has this domain, so nobody could pass"
)]
#[case("domain: main", "domain: main, level: 0", "", "", "")]
#[case("domain: main", "domain: other, open: true", "domains:\n", "domains:\n  other: {}\n", "")]
#[case("domain: main", "domain: other, internal-callers: anybody", "domains:\n", "domains:\n  other: {}\n", "")]
fn somebody_can_pass(
    #[case] from: &str,
    #[case] to: &str,
    #[case] before: &str,
    #[case] after: &str,
    #[case] expected: &str,
) {
    let filter = "filters: { f: { type: identity-creation, domain: main } }\n".replace(from, to);
    let text = format!("{BASE}{filter}").replacen(before, after, usize::from(!before.is_empty()));
    if expected.is_empty() {
        drop(loaded(&text));
        return;
    }
    let found = faults(&text);
    assert!(found.len() == 1 && found[0].contains(expected), "{found:#?}");
}

#[rstest]
#[case("main:{}", "domains: this must be a section of names; a blank is missing behind a colon")]
#[case("main:\n    start-page:/shop/", "domains.main: this must be a section; a blank is missing behind a colon")]
#[case("main: 7", "domains.main: this must be a section; write its keys below it, indented")]
fn a_blank_that_is_missing_is_told(#[case] written: &str, #[case] expected: &str) {
    let found = faults(&BASE.replace("main: {}", written));
    assert!(found.iter().any(|fault| fault.contains(expected)), "{found:#?}");
}

#[test]
fn what_nothing_refers_to_is_noted() {
    let more = "upstreams: { shop: { url: http://127.0.0.1:1 }, spare: { url: http://127.0.0.1:2 } }
filters: { local: { type: ip-list, allow: [127.0.0.1/32] }, lost: { type: ip-list, allow: [127.0.0.1/32] } }
routes: [ { name: shop, path: /shop/*, methods: [GET], filters: [local], upstream: shop } ]
";
    let notices = loaded(&format!("{BASE}{more}")).notices;
    let of = |text: &str| -> Vec<String> {
        notices.iter().filter(|notice| notice.text.contains(text)).map(|notice| notice.key.clone()).collect()
    };
    assert_eq!(
        (of("no row has this filter"), of("nothing leads to")),
        (vec!["filters.lost".into()], vec!["upstreams.spare".into()])
    );
}

#[rstest]
#[case("realm_access/roles", true)]
#[case("/realm_access/roles", false)]
#[case("https://example.com/roles", false)]
#[case("roles", false)]
fn a_way_into_claims_without_its_slash_is_noted(#[case] claim: &str, #[case] is_noted: bool) {
    let issuer = format!(
        "issuers: [ {{ issuer: 'https://i.example', audience: a, algorithms: [ES256], jwks: 'https://i.example/k', roles: '{claim}' }} ]"
    );
    let realm = format!("  more: {{ type: jwt, domain: main, {issuer} }}\nfido-uaf:");
    let notices = loaded(&BASE.replace("fido-uaf:\n  app-id", &format!("{realm}\n  app-id"))).notices;
    let found: Vec<_> = notices.iter().filter(|notice| notice.key == "realms.more.issuers[0].roles").collect();
    assert_eq!(found.len(), usize::from(is_noted), "{notices:?}");
}

#[test]
fn a_phone_is_asked_only_where_the_services_are() {
    let end = BASE.find("fido-uaf:\n  app-id").unwrap();
    let text =
        BASE[..end].replace("  fido-uaf: { type: fido-uaf, domain: main }", "  oob: { type: oob, domain: main }");
    let found = faults(&text);
    assert!(
        found.len() == 1
            && found[0].contains("realms.oob.type: this realm asks phones, and there is no section fido-uaf"),
        "{found:#?}"
    );
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

const CALLER: &str = "issuer: i, audience: b, algorithms: [ES256], jwks: 'https://idp.example/keys', subject: s";

/// Two callers with tokens of the issuer of a realm.
fn with_callers(shop: &str, portal: &str) -> String {
    let callers = format!("internal-callers:\n  shop: {{ jwt: {{ {shop} }} }}\n  portal: {{ jwt: {{ {portal} }} }}\n");
    with_issuer(ISSUER) + &callers
}

#[rstest]
#[case("audience: b", "audience: a", "shop.jwt: realm partners takes tokens of this issuer and audience as users'")]
#[case(", subject: s", "", "shop.jwt.subject: this key must be written")]
#[case("audience: b, ", "", "shop.jwt.audience: this key must be written")]
#[case("issuer: i, ", "", "shop.jwt.issuer: this key must be written")]
#[case("[ES256]", "[HS256]", "shop.jwt.algorithms[0]: HMAC is refused")]
#[case("https:", "http:", "shop.jwt.jwks: plain http")]
#[case("subject: s", "subject: s, claim: azp", "shop.jwt.claim: claim and value belong together")]
#[case("subject: s", "subject: s, value: shop", "shop.jwt.claim: claim and value belong together")]
#[case("subject: s", "subject: s, roles: roles", "shop.jwt.roles: this key is not known")]
#[case("subject: s", "subject: s, keys: { keep: 1m }", "shop.jwt.keys.keep: a set would be given up")]
fn faults_of_callers_with_tokens_name_their_keys(#[case] from: &str, #[case] to: &str, #[case] expected: &str) {
    loaded(&with_callers(CALLER, &CALLER.replace("subject: s", "subject: t")));
    let found = faults(&with_callers(&CALLER.replace(from, to), &CALLER.replace("subject: s", "subject: t")));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].contains(&format!("internal-callers.{expected}")), "{found:#?}");
}

#[rstest]
#[case("", "", true)]
#[case("", ", claim: azp, value: b", true)]
#[case(", claim: azp, value: a", ", claim: azp, value: a", true)]
#[case(", claim: azp, value: a", ", claim: scope, value: b", true)]
#[case(", claim: azp, value: a", ", claim: azp, value: b", false)]
fn a_token_proves_one_caller(#[case] shop: &str, #[case] portal: &str, #[case] faulty: bool) {
    let gate = with_callers(&format!("{CALLER}{shop}"), &format!("{CALLER}{portal}"));
    if faulty {
        let found = faults(&gate);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].contains("internal-callers.portal.jwt: a token could prove shop too"), "{found:#?}");
    } else {
        loaded(&gate);
    }
}

/// A realm of type jwt among the others, with one issuer of these keys.
fn with_issuer(issuer: &str) -> String {
    let realm = format!("  partners: {{ type: jwt, domain: main, issuers: [{{ {issuer} }}] }}\nfido-uaf:");
    BASE.replacen("fido-uaf:\n  app-id", &format!("{realm}\n  app-id"), 1)
}

const ISSUER: &str = "issuer: i, audience: a, algorithms: [ES256], jwks: 'https://idp.example/keys'";

#[rstest]
#[case("audience: a, ", "", "10: realms.partners.issuers[0].audience: this key must be written")]
#[case("issuer: i, ", "", "10: realms.partners.issuers[0].issuer: this key must be written")]
#[case("algorithms: [ES256], ", "", "10: realms.partners.issuers[0].algorithms: this key must be written")]
#[case("[ES256]", "[]", "10: realms.partners.issuers[0].algorithms: no algorithm is listed")]
#[case(
    "[ES256]",
    "[HS256]",
    "10: realms.partners.issuers[0].algorithms[0]: HMAC is refused: whoever verifies its tokens could make them; write one of"
)]
#[case("[ES256]", "[ES265]", "10: realms.partners.issuers[0].algorithms[0]: this word is not known here; did you mean")]
#[case("[ES256]", "[none]", "10: realms.partners.issuers[0].algorithms[0]: this word is not known here; write one of")]
#[case("https://idp.example/keys", "http://idp.example/keys", "10: realms.partners.issuers[0].jwks: plain http")]
#[case("https://idp.example/keys", "/nowhere", "10: realms.partners.issuers[0].jwks: /nowhere does not exist")]
#[case("https://idp", "https://me:pw@idp", "10: realms.partners.issuers[0].jwks: the URL holds a user name")]
#[case(
    "'https://idp.example/keys'",
    "gate.yml, ca: gate.yml",
    "10: realms.partners.issuers[0].ca: the key set is a file"
)]
#[case("a, alg", "a, level: 2, alg", "10: realms.partners.issuers[0].level: this key is not known")]
#[case(
    "keys'",
    "keys' }, { issuer: i, audience: a, algorithms: [ES256], jwks: gate.yml",
    "10: realms.partners.issuers[1].issuer: this issuer is listed twice"
)]
#[case("keys' }] }", "keys' }], keys: { keep: 1m } }", "10: realms.partners.keys.keep: a set would be given up")]
#[case("type: jwt, ", "type: jwt, renew: true, ", "10: realms.partners.renew: this key is not known")]
#[case(
    "\nfido-uaf:",
    "\n  more: { type: jwt, domain: main, issuers: [{ issuer: i, audience: a, algorithms: [ES256], jwks: gate.yml }] }\nfido-uaf:",
    "11: realms.more.type: realm partners of the same domain has this type too"
)]
#[case("jwks:", "levels: [{ acr: 'a b', level: 2 }], jwks:", "10: realms.partners.issuers[0].levels[0].acr: it holds")]
#[case("jwks:", "levels: [{ acr: a, level: 0 }], jwks:", "10: realms.partners.issuers[0].levels[0].level: level 0")]
#[case("jwks:", "levels: [{ acr: a }], jwks:", "10: realms.partners.issuers[0].levels[0].level: this key must be")]
fn faults_of_issuers_name_their_keys(#[case] from: &str, #[case] to: &str, #[case] expected: &str) {
    let good = with_issuer(ISSUER);
    loaded(&good);
    let found = faults(&good.replace(from, to));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with(expected), "{found:#?}");
}

/// Where a colon lacks its blank, that is told; a URL, or a text in quotes, lacks none.
#[rstest]
#[case("upstreams: { u: 'http://127.0.0.1:9' }\n", "13: upstreams.u: this must be a section; write its keys below it")]
#[case("upstreams: { u: 'url: https://u' }\n", "13: upstreams.u: this must be a section; write its keys below it")]
#[case(
    "upstreams: { u: 'connect-timeout:3s' }\n",
    "13: upstreams.u: this must be a section; a blank is missing behind"
)]
fn a_text_in_place_of_a_section(#[case] more: &str, #[case] expected: &str) {
    let found = fault_of(more);
    assert!(found.starts_with(expected), "{found}");
}

#[test]
fn a_list_whose_dashes_lack_their_blank_is_told_as_such() {
    let found = fault_of("routes:\n  -name\n");
    assert!(found.ends_with("this must be a list; a blank is missing behind a dash below it: - VALUE"), "{found}");
}

#[test]
fn a_file_in_another_encoding_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gate.yml");
    std::fs::write(&path, [BASE.as_bytes(), b"# Stra\xdfe\n"].concat()).unwrap();
    let faults = load(&Source::File(path), &Overrides::default(), &environment()).unwrap_err();
    let told: Vec<_> = faults.iter().map(|fault| (fault.line, fault.wrong.as_str(), fault.right.as_str())).collect();
    assert_eq!(told, [(13, "a letter in this line is no UTF-8", "save the file as UTF-8")]);
}

#[test]
fn a_start_page_of_ones_own_is_where_a_row_is() {
    let rows = "routes: [{ name: a, path: /a/*, methods: [GET], filters: [], upstream: u }]\nupstreams: { u: { url: https://u } }\n";
    let text = BASE.replace("main: {}", "main: { start-page: '/a/b?c' }") + rows;
    assert!(!loaded(&text).notices.iter().any(|note| note.key.contains("start-page")));
    let text = text.replace("[GET]", "[POST]");
    assert!(loaded(&text).notices.iter().any(|note| note.key == "domains.main.start-page"));
}
