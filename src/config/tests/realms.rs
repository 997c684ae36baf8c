//! What realms need, and where they lead.

use rstest::rstest;

use super::*;

/// A configuration with a realm of this text behind the others.
fn with_realm(realm: &str) -> String {
    let listener = "    address: 127.0.0.1:8443";
    let tls = format!("{listener}\n    tls: {{ certificate: gate.yml, key: gate.yml, client-ca: gate.yml }}");
    let more = "upstreams:\n  auth: { url: https://auth.example }\n  plain: { url: http://auth.example }\n  \
                two: { servers: [https://a.example, https://b.example] }\n";
    let text = BASE.replace(listener, &tls).replacen(
        "fido-uaf:\n  app-id",
        &format!("  more: {{ {realm} }}\nfido-uaf:\n  app-id"),
        1,
    );
    format!("{text}{more}")
}

#[test]
fn an_mtls_realm_of_two_kinds_of_authorities_is_noted() {
    let one = with_realm(MTLS);
    let listener = "  - class: internal\n    address: 127.0.0.1:8444\n    tls: { certificate: gate.yml, key: gate.yml, client-ca: CA }\n";
    let with = |ca: &str| one.replacen("domains:", &format!("{}domains:", listener.replace("CA", ca)), 1);
    let noted = |text: &str| {
        let notices = loaded(text).notices;
        notices
            .iter()
            .filter(|notice| notice.key == "realms.more.type")
            .map(|notice| notice.text.clone())
            .collect::<Vec<_>>()
    };
    assert!(noted(&one).is_empty() && noted(&with("gate.yml")).is_empty());
    let found = noted(&with("host"));
    assert!(found.len() == 1 && found[0].starts_with("listeners have different files in client-ca"), "{found:?}");
}

const MTLS: &str = "type: mtls, domain: main, users: [{ subject: CN=a, user: e-1 }]";
const FORWARD: &str = "type: forward, domain: main, upstream: auth, path: /verify, headers: [Cookie], user: X-User";

#[rstest]
#[case(MTLS, "users: [{ subject: CN=a, user: e-1 }]", "x: 1", 2, "11: realms.more.users: this key must be written")]
#[case(MTLS, "[{ subject: CN=a, user: e-1 }]", "[]", 1, "11: realms.more.users: no user is listed")]
#[case(MTLS, "subject: CN=a, ", "", 1, "11: realms.more.users[0]: a user is known by one name")]
#[case(MTLS, "subject: CN=a, ", "subject: a, email: b, ", 1, "11: realms.more.users[0]: a user is known by one name")]
#[case(MTLS, ", user: e-1", "", 1, "11: realms.more.users[0].user: this key must be written")]
#[case(
    MTLS,
    "user: e-1",
    "user: e-1, roles: ['a,b']",
    1,
    "11: realms.more.users[0].roles[0]: upstreams are told roles with"
)]
#[case(
    MTLS,
    "}]",
    "}, { subject: CN=a, user: e-2 }]",
    1,
    "11: realms.more.users[1].subject: this name is written for two"
)]
#[case(FORWARD, "upstream: auth", "upstream: auht", 1, "11: realms.more.upstream: there is no upstream of this name")]
#[case(FORWARD, "upstream: auth", "upstream: plain", 1, "11: realms.more.upstream: the upstream plain is plain http")]
#[case(FORWARD, "upstream: auth", "upstream: two", 1, "11: realms.more.upstream: the upstream two has several servers")]
#[case(
    FORWARD,
    "/verify",
    "verify",
    1,
    "11: realms.more.path: this is no path of the service; write the path at which"
)]
#[case(FORWARD, "[Cookie]", "[]", 1, "11: realms.more.headers: no header is listed")]
#[case(FORWARD, "[Cookie]", "[Host]", 1, "11: realms.more.headers[0]: the gateway sees to this header itself")]
#[case(FORWARD, "[Cookie]", "[Cookie, x_user]", 1, "11: realms.more.user: clients send this header")]
#[case(FORWARD, ", user: X-User", "", 1, "11: realms.more.user: this key must be written")]
#[case(FORWARD, "user:", "body: 65KiB, user:", 1, "11: realms.more.body: no filter is shown so much")]
#[case(FORWARD, "user:", "cache: 10m, user:", 1, "11: realms.more.cache: whom it does not let in any more")]
fn faults_of_other_realms_name_their_keys(
    #[case] good: &str,
    #[case] from: &str,
    #[case] to: &str,
    #[case] count: usize,
    #[case] expected: &str,
) {
    loaded(&with_realm(good));
    let found = faults(&with_realm(&good.replacen(from, to, 1)));
    assert_eq!(found.len(), count, "{found:#?}");
    assert!(found.iter().any(|fault| fault.starts_with(expected)), "{found:#?}");
}

#[rstest]
#[case(
    "domains:\n",
    "domains:\n  spare: {}\n",
    "domains.spare: no realm is of this domain, so nobody can log in to it"
)]
#[case(
    "main: {}",
    "main: { start-page: /none/ }",
    "domains.main.start-page: no row of public listeners has this path for"
)]
#[case(
    "https://gate.example\n",
    "http://gate.example:8443\n",
    "public-url: http://gate.example:8443 is plain http: the li"
)]
#[case("[Cookie]", "[Cookie, User-Agent]", "realms.more.headers[1]: every browser sends this by itself")]
fn what_leads_nowhere_is_noted(#[case] from: &str, #[case] to: &str, #[case] expected: &str) {
    let good = with_realm(FORWARD);
    assert!(good.contains(from), "{good}");
    let told = |text: &str| loaded(text).notices.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (before, found) = (told(&good), told(&good.replacen(from, to, 1)));
    assert!(!before.iter().any(|note| note.starts_with(expected)), "{before:#?}");
    assert!(found.iter().any(|note| note.starts_with(expected)), "{found:#?}");
}

#[rstest]
#[case(
    "renew: true",
    "11: realms.more.renew: this key is not known here; take it away: it is for realms that make sessions"
)]
#[case("path: ../a", "11: realms.more.path: this is no path of the service")]
fn a_key_of_other_realms_is_told_as_such(#[case] key: &str, #[case] expected: &str) {
    let realm = FORWARD.replace("path: /verify", if key.starts_with("path") { key } else { "path: /verify" });
    let realm = if key.starts_with("path") { realm } else { format!("{realm}, {key}") };
    let found = faults(&with_realm(&realm));
    assert!(found.len() == 1 && found[0].starts_with(expected), "{found:#?}");
}

#[rstest]
#[case("issuer: 'https://i '", "issuer: https://i", "issuers[0].issuer: it begins or ends with a blank")]
#[case("audience: ' a'", "audience: a", "issuers[0].audience: it begins or ends with a blank")]
fn what_tokens_are_compared_with_has_no_blank_around_it(#[case] bad: &str, #[case] good: &str, #[case] expected: &str) {
    let realm =
        "type: jwt, domain: main, issuers: [{ issuer: https://i, audience: a, algorithms: [ES256], jwks: gate.yml }]";
    loaded(&with_realm(realm));
    let found = faults(&with_realm(&realm.replace(good, bad)));
    assert!(found.len() == 1 && found[0].contains(expected), "{found:#?}");
}

#[test]
fn certificates_of_users_need_a_listener_that_asks_for_them() {
    let text = with_realm(MTLS).replace(", client-ca: gate.yml", "");
    assert_eq!(faults(&text).len(), 1);
    assert!(
        faults(&text)[0].starts_with("11: realms.more.type: no listener asks for certificates"),
        "{:?}",
        faults(&text)
    );
}
