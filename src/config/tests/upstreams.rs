//! `upstreams`, and a UAF server behind.

use rstest::rstest;

use super::*;

#[rstest]
#[case("upstreams: { shop: { url: htps://x } }\n", "13: upstreams.shop.url: the scheme is neither http nor https")]
#[case("upstreams: { shop: { url: http://x, tls: {} } }\n", "13: upstreams.shop.tls: the URL is plain http")]
#[case(
    "upstreams: { shop: { url: https://10.0.0.1 } }\n",
    "13: upstreams.shop.tls.server-name: certificates are verified by name"
)]
#[case(
    "upstreams: { shop: { url: https://x, tls: { server-name: 10.0.0.1 } } }\n",
    "13: upstreams.shop.tls.server-name: this is no name of a server"
)]
#[case(
    "upstreams: { shop: { url: https://x, tls: { server-name: 10.0.0.1, verify: none } } }\n",
    "13: upstreams.shop.tls.server-name: this is no name of a server"
)]
#[case(
    "upstreams: { shop: { url: https://x, tls: { server-name: '127.1', verify: none } } }\n",
    "13: upstreams.shop.tls.server-name: this is no name of a server"
)]
#[case(
    "upstreams: { shop: { url: https://x, tls: { server-name: '[::1]', verify: none } } }\n",
    "13: upstreams.shop.tls.server-name: this is no name of a server"
)]
#[case(
    "upstreams: { shop: { url: https://x, tls: { server-name: '::1', verify: none } } }\n",
    "13: upstreams.shop.tls.server-name: this is no name of a server"
)]
#[case("upstreams: { Shop: { url: http://x } }\n", "13: upstreams.Shop: this is no name")]
#[case("upstreams: { shop: { read-timeout: 1s } }\n", "13: upstreams.shop.url: this key must be written")]
#[case("upstreams: { shop: { url: http://x/app } }\n", "13: upstreams.shop.url: the URL has a path or a query")]
#[case(
    "upstreams: { shop: { url: http://x, servers: [http://y] } }\n",
    "13: upstreams.shop.servers: url is written too; write url for one server"
)]
#[case("upstreams: { shop: { servers: [] } }\n", "13: upstreams.shop.servers: no server is named")]
#[case(
    "upstreams: { shop: { servers: [http://x, https://y] } }\n",
    "13: upstreams.shop.servers[1]: some servers are http and some https"
)]
#[case(
    "upstreams: { shop: { servers: [http://x, 'http://x:80'] } }\n",
    "13: upstreams.shop.servers[1]: this server is named twice"
)]
#[case(
    "upstreams: { shop: { servers: ['http://localhost:1', 'http://[::1]:1'] } }\n",
    "13: upstreams.shop.servers[1]: this server is named twice"
)]
#[case("upstreams: { shop: { url: 'http://0.0.0.0:1' } }\n", "13: upstreams.shop.url: this address is no server's")]
#[case(
    "upstreams: { shop: { servers: [https://x, https://10.0.0.1] } }\n",
    "13: upstreams.shop.tls.server-name: certificates are verified by name"
)]
#[case("upstreams: { shop: { url: http://x, protocol: auto } }\n", "13: upstreams.shop.protocol: servers without TLS")]
#[case("upstreams: { shop: { url: http://x, protocol: h3 } }\n", "13: upstreams.shop.protocol: this word is not known")]
#[case(
    "upstreams: { shop: { url: https://x, tls: { client-certificate: gate.yml, client-key: none.key } } }\n",
    "13: upstreams.shop.tls.client-key: "
)]
#[case(
    "upstreams: { shop: { url: http://x, remove-headers: [X-A, Host] } }\n",
    "13: upstreams.shop.remove-headers[1]: the gateway sees to this header itself"
)]
#[case(
    "upstreams: { shop: { url: http://x, remove-headers: [content_length] } }\n",
    "13: upstreams.shop.remove-headers[0]: the gateway sees to this header itself"
)]
#[case(
    "upstreams: { shop: { url: http://x, remove-headers: [Connection] } }\n",
    "13: upstreams.shop.remove-headers[0]: the gateway sees to this header itself"
)]
#[case(
    "upstreams: { shop: { url: http://x, remove-headers: [Transfer-Encoding] } }\n",
    "13: upstreams.shop.remove-headers[0]: the gateway sees to this header itself"
)]
#[case(
    "upstreams: { shop: { url: http://x, remove-headers: [X-Forwarded-For] } }\n",
    "13: upstreams.shop.remove-headers[0]: the gateway sees to this header itself"
)]
#[case(
    "upstreams: { shop: { url: http://x, remove-headers: ['X Employee'] } }\n",
    "13: upstreams.shop.remove-headers[0]: this is no name of a header; write the name of a header, such as X-Employee"
)]
#[case(
    "upstreams: { shop: { url: http://x, balance: cookie } }\n",
    "13: upstreams.shop.balance: this word is not known"
)]
#[case(
    "upstreams: { shop: { url: http://x, health-check: { codes: [200] } } }\n",
    "13: upstreams.shop.health-check.path: this key must be written; write a path as it is sent"
)]
#[case(
    "upstreams: { shop: { url: http://x, health-check: { path: health } } }\n",
    "13: upstreams.shop.health-check.path: this is no path that can be sent"
)]
#[case(
    "upstreams: { shop: { url: http://x, health-check: { path: '/a/../b' } } }\n",
    "13: upstreams.shop.health-check.path: this is no path that can be sent"
)]
#[case(
    "upstreams: { shop: { url: http://x, health-check: { path: '/a?b c' } } }\n",
    "13: upstreams.shop.health-check.path: this is no path that can be sent"
)]
#[case(
    "upstreams: { shop: { url: http://x, health-check: { path: /a, codes: [299-200] } } }\n",
    "13: upstreams.shop.health-check.codes[0]: these are no status codes; write a status code"
)]
#[case(
    "upstreams: { shop: { url: http://x, health-check: { path: /a, codes: [100] } } }\n",
    "13: upstreams.shop.health-check.codes[0]: these are no status codes"
)]
#[case(
    "upstreams: { shop: { url: http://x, health-check: { path: /a, codes: [] } } }\n",
    "13: upstreams.shop.health-check.codes: no answer would be good enough"
)]
#[case(
    "upstreams: { shop: { url: http://x, health-check: { path: /a, interval: 99ms } } }\n",
    "13: upstreams.shop.health-check.interval: each server would be asked too often; write 100ms or more"
)]
#[case(
    "upstreams: { shop: { url: http://x, health-check: { path: /a, failures: 0 } } }\n",
    "13: upstreams.shop.health-check.failures: this is no such number"
)]
#[case(
    "upstreams: { shop: { url: http://x, remove-headers: X-Employee } }\n",
    "13: upstreams.shop.remove-headers: this must be a list"
)]
fn a_fault_names_what_is_wrong(#[case] more: &str, #[case] expected: &str) {
    let found = fault_of(more);
    assert!(found.starts_with(expected), "{found}");
}

#[test]
fn a_health_check_needs_a_path_alone() {
    let check = |written: &str| {
        let text = format!("{BASE}upstreams: {{ shop: {{ url: http://x, health-check: {{ {written} }} }} }}\n");
        loaded(&text).upstreams[0].health_check.clone().unwrap()
    };
    let few = check("path: /health");
    assert_eq!((few.codes.clone(), few.failures, few.successes), (vec![200..=299], 3, 2));
    assert_eq!((few.interval.as_secs(), few.timeout.as_secs()), (10, 2));
    let all = check("path: '/h?a=b', codes: [204, 300-399], interval: 1s, timeout: 500ms, failures: 1, successes: 4");
    assert_eq!((all.path.as_str(), all.failures, all.successes), ("/h?a=b", 1, 4));
    assert!(all.accepts(204) && all.accepts(302) && !all.accepts(200));
}

#[rstest]
#[case("url: http://x", Some("upstreams.shop.url"))]
#[case("servers: [http://127.0.0.1, http://x]", Some("upstreams.shop.servers"))]
#[case("url: http://127.0.0.1:1", None)]
#[case("url: 'http://localhost.:1'", None)]
#[case("url: https://x", None)]
fn plain_http_to_another_machine_is_noted(#[case] servers: &str, #[case] key: Option<&str>) {
    let config = loaded(&format!("{BASE}upstreams: {{ shop: {{ {servers} }} }}\n"));
    let keys: Vec<_> = config.notices.iter().filter(|notice| notice.text.contains("plain http")).collect();
    assert_eq!(keys.first().map(|notice| notice.key.as_str()), key, "{keys:?}");
}

#[rstest]
#[case("/shop/{id}/*", "/app/*")]
#[case("/shop/*", "/app")]
#[case("/shop", "/app/*")]
fn an_upstream_path_is_one_prefix_for_another(#[case] path: &str, #[case] there: &str) {
    let row =
        one_row(path, "customers").replace("upstream: shop }", &format!("upstream: shop, upstream-path: '{there}' }}"));
    let found = fault_of(&row);
    assert!(found.contains("routes[0].upstream-path: what stands before * can be put"), "{found}");
}

#[rstest]
#[case("url: https://x, tls: { server-name: shop.internal }")]
#[case("url: https://10.0.0.1, tls: { server-name: shop_a.internal, verify: none }")]
#[case("url: https://10.0.0.1, tls: { verify: none }")]
#[case("url: 'https://[::1]', tls: { verify: none }")]
fn a_server_has_a_name_or_is_not_verified(#[case] upstream: &str) {
    assert_eq!(loaded(&format!("{BASE}upstreams: {{ shop: {{ {upstream} }} }}\n")).upstreams.len(), 1);
}

#[rstest]
#[case("[https://a]", "[https://a]", true)]
#[case("[https://a]", "['https://A:443']", true)]
#[case("[https://a]", "['https://a.']", true)]
#[case("['https://localhost:1']", "['https://[::1]:1']", true)]
#[case("['http://[::ffff:127.0.0.1]:1']", "['https://127.0.0.1:1']", true)]
#[case("[https://a, https://m]", "[https://b, https://m]", true)]
#[case("[https://a]", "[https://b]", false)]
#[case("['https://a:1']", "['https://a:2']", false)]
fn upstreams_with_a_server_in_common_are_joined(#[case] one: &str, #[case] two: &str, #[case] joined: bool) {
    let tls = if one.contains("http:") { "" } else { ", tls: { server-name: x }" };
    let upstreams = format!(
        "upstreams: {{ two: {{ servers: {two}, tls: {{ server-name: x }} }}, one: {{ servers: {one}{tls} }} }}\n"
    );
    let found = loaded(&format!("{BASE}{upstreams}")).upstreams;
    let (two, one) = (Joined::of(&found[0], &found), Joined::of(&found[1], &found));
    assert!(one.includes("one") && two.includes("two"));
    assert_eq!((one.includes("two"), two.includes("one"), one.server() == two.server()), (joined, joined, joined));
}

#[test]
fn upstreams_are_joined_by_way_of_each_other() {
    let upstreams = "upstreams:
  a: { servers: [https://one, https://two] }
  b: { servers: [https://two, https://three] }
  c: { servers: [https://three] }
  d: { servers: [https://four] }
";
    let found = loaded(&format!("{BASE}{upstreams}")).upstreams;
    for upstream in &found[..3] {
        let joined = Joined::of(upstream, &found);
        assert!(["a", "b", "c"].iter().all(|name| joined.includes(name)) && !joined.includes("d"), "{joined:?}");
        assert_eq!(joined.server(), "one:443");
    }
}

/// [`BASE`] with a UAF server behind.
fn with_upstream(fido_uaf: &str, url: &str, more: &str) -> String {
    let base = BASE.replace("  app-id: https://gate.example/nevisfido/uaf/1.1/facets\n", "");
    format!("{base}  upstream: uaf\n{fido_uaf}upstreams: {{ uaf: {{ url: '{url}'{more} }} }}\n")
}

#[test]
fn the_uaf_server_may_be_an_upstream() {
    let config = loaded(&with_upstream("  time-limits: { lease: 5s }\n", "https://uaf.example", ""));
    let fido_uaf = config.fido_uaf.unwrap();
    let expected = UafUpstream { name: "uaf".into(), path: "/nevisfido/uaf/1.1".into() };
    assert_eq!((fido_uaf.upstream, fido_uaf.time_limits.lease.as_secs()), (Some(expected), 5));
    let fits = loaded(&with_upstream("", "https://uaf.example", ", read-timeout: 25s"));
    assert!(!fits.fido_uaf.as_ref().unwrap().hide_users, "only the server behind could");
    assert_eq!(fits.upstreams[0].read_timeout.map(|time| time.as_secs()), Some(25));
    let has_facets = |config: &Config| config.routes.iter().any(|row| row.name == "uaf-facets");
    let without = with_upstream("", "http://127.0.0.1:1", "").replace("  facets: [https://gate.example]\n", "");
    assert!(config.routes.iter().any(|row| row.name == "uaf-facets") && !has_facets(&loaded(&without)));
}

#[rstest]
#[case("  fold-content-codes: true\n", "https://u", "", "13: fido-uaf.fold-content-codes: the UAF server behind")]
#[case("  hide-users: true\n", "https://u", "", "13: fido-uaf.hide-users: the UAF server behind decides this")]
#[case("  app-id: https://a\n", "https://u", "", "13: fido-uaf.app-id: the UAF server behind decides this")]
#[case("  metadata: {}\n", "https://u", "", "13: fido-uaf.metadata: the UAF server behind decides this")]
#[case("  upstream-path: a\n", "https://u", "", "13: fido-uaf.upstream-path: this is no path")]
#[case("  upstream-path: /a/../b\n", "https://u", "", "13: fido-uaf.upstream-path: this is no path")]
#[case("", "http://u", "", "10: fido-uaf: its upstream uaf is plain http")]
#[case(
    "",
    "https://u",
    ", read-timeout: 26s",
    "10: fido-uaf: a redeem keeps its token for 30s, and its upstream uaf may take 31s"
)]
#[case(
    "  time-limits: { lease: 5s }\n",
    "https://u",
    ", read-timeout: 1s",
    "10: fido-uaf: a redeem keeps its token for 5s"
)]
#[case(
    "",
    "https://u",
    ", tls: { client-key: gate.yml }",
    "13: upstreams.uaf.tls.client-certificate: this key must be"
)]
#[case(
    "",
    "https://u",
    ", tls: { client-certificate: gate.yml }",
    "13: upstreams.uaf.tls.client-key: this key must be"
)]
fn faults_of_a_uaf_server_behind(
    #[case] fido_uaf: &str,
    #[case] url: &str,
    #[case] more: &str,
    #[case] expected: &str,
) {
    let found = faults(&with_upstream(fido_uaf, url, more));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with(expected), "{found:#?}");
}

#[rstest]
#[case("uaf", "https://other", true)]
#[case("alias", "https://U.:443", true)]
#[case("alias", "https://other", false)]
fn no_row_leads_to_the_uaf_server_behind(#[case] upstream: &str, #[case] alias: &str, #[case] refused: bool) {
    let row = format!("path: /x, methods: [POST], filters: [], upstream: {upstream}");
    let more = format!(" }}, alias: {{ url: '{alias}' }} }}\nroutes: [{{ name: x, {row} }}]\n");
    let text = with_upstream("", "https://u", "").replace(" } }\n", &more);
    if refused {
        let found = faults(&text);
        assert!(found.len() == 1 && found[0].contains("the row x leads to the UAF server behind"), "{found:#?}");
    }
    let served = if refused { text.replace("name: x,", "name: x, on: [],") } else { text };
    assert!(loaded(&served).routes.iter().any(|row| row.name == "x"));
}

#[test]
fn a_uaf_server_behind_is_one_server() {
    let several = with_upstream("", "https://u", "").replace("url: 'https://u'", "servers: [https://u, https://v]");
    let found = faults(&several);
    assert!(
        found.len() == 1 && found[0].starts_with("10: fido-uaf: its upstream uaf has several servers"),
        "{found:#?}"
    );
}
