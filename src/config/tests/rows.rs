//! `routes` and `default-rows`.

use rstest::rstest;

use super::*;

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
    bodies-of: [GET]
  - name: target-create
    on: [internal]
    protection: internal
"
    ));
    let row = |name: &str| config.routes.iter().find(|row| row.name == name).unwrap();
    assert_eq!(row("target-create").on, [ListenerClass::Internal]);
    let shop = row("shop");
    assert!(shop.allow.empty_segments && !shop.allow.parameters && shop.body_limit.is_none());
    assert_eq!(shop.bodies_of, [http::Method::GET]);
    let LeadsTo::Upstream { name, filters } = &shop.leads_to else { panic!("an upstream") };
    assert_eq!((name.as_str(), filters.len()), ("shop", 2));
    assert_eq!(config.routes.last().unwrap().name, "shop");
}

#[test]
fn rows_without_their_service_are_left_out() {
    let config = loaded("public-url: https://gate.example\nlisteners: [{class: public, address: '127.0.0.1:1'}]\n");
    let names: Vec<_> = config.routes.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["jwks", "jwks-upstream", "liveness", "health", "metrics", "openapi"]);
}

#[test]
fn a_row_serves_a_method() {
    let found = fault_of(&one_row("/shop", "customers").replace("methods: [GET]", "methods: []"));
    assert!(found.contains("routes[0].methods: the list is empty; list the methods"), "{found}");
}

#[test]
fn nobody_means_to_listen_nowhere() {
    let found = faults("public-url: https://gate.example\nlisteners: []\n");
    assert!(found.iter().any(|fault| fault.contains("listeners: there is no listener")), "{found:?}");
}

fn notices_of(text: &str) -> Vec<String> {
    let config = loaded(&format!("{BASE}{text}"));
    config.notices.iter().map(|notice| format!("{}: {notice}", config.places.line(&notice.key))).collect()
}

#[rstest]
#[case("internal", "nobody reaches the row shop")]
#[case("public, internal", "the row shop is on public listeners alone")]
#[case("public", "")]
#[case("", "")]
fn a_row_without_a_listener_is_noted(#[case] on: &str, #[case] expected: &str) {
    let row = one_row("/shop", "customers").replace("upstream: shop }", &format!("upstream: shop, on: [{on}] }}"));
    let found = notices_of(&row);
    let noted: Vec<_> = found.iter().filter(|note| note.contains("no listener has the class")).collect();
    assert_eq!(noted.len(), usize::from(!expected.is_empty()), "{noted:?}");
    let begins = |note: &&&String| {
        note.starts_with("22: routes[0].on: no listener has the class internal") && note.contains(expected)
    };
    assert!(noted.iter().all(|note| begins(&note)), "{noted:?}");
}

#[test]
fn rows_without_a_listener_for_browsers_and_callers_without_one_are_noted() {
    let text = format!("{BASE}{}", one_row("/shop", "customers")).replace("class: public", "class: management");
    let config = loaded(&format!("{text}internal-callers: {{ bank: {{}}, house: {{}} }}\n"));
    let noted: Vec<_> = config
        .notices
        .iter()
        .filter(|notice| notice.text.contains("no listener has"))
        .map(ToString::to_string)
        .collect();
    let row = "routes[0].path: no listener has the class public, so nobody reaches the row shop";
    let callers = "internal-callers: no listener has the class internal, so these can't call: bank, house";
    assert_eq!(noted, [row, callers]);
}

#[test]
fn a_default_row_that_is_moved_to_no_listener_is_noted() {
    let noted = notices_of("routes: [{ name: status, on: [internal] }]\n");
    assert!(noted.iter().any(|note| note.contains("so nobody reaches the row status")), "{noted:?}");
    let noted = notices_of("");
    assert!(!noted.iter().any(|note| note.contains("no listener has")), "others stay where they are: {noted:?}");
}

fn with_websocket(written: &str) -> String {
    one_row("/shop", "customers").replace("upstream: shop }", &format!("upstream: shop, websocket: {written} }}"))
}

#[rstest]
#[case("perhaps", "this is neither true nor false")]
#[case("{ origins: [] }", "nobody could open a WebSocket")]
#[case("{ origins: ['https://a/b'] }", "the URL has a path or a query; write scheme, host and port")]
#[case("{ idle: 0s }", "this is no duration")]
#[case("{ origin: https://a }", "this key is not known; did you mean origins?")]
fn terms_of_websockets_are_checked(#[case] written: &str, #[case] expected: &str) {
    let found = fault_of(&with_websocket(written));
    assert!(found.contains("routes[0].websocket") && found.contains(expected), "{found}");
}

#[test]
fn a_websocket_is_opened_by_get_and_by_the_gateways_own_pages_unless_others_are_named() {
    let found = fault_of(&with_websocket("true").replace("methods: [GET]", "methods: [POST]"));
    assert!(found.contains("a WebSocket is opened by GET"), "{found}");
    let terms = |written: &str| {
        let config = loaded(&format!("{BASE}{}", with_websocket(written)));
        config.routes.last().unwrap().websocket.as_ref().map(|websocket| websocket.of(&config.public_url))
    };
    assert_eq!(terms("false"), None);
    let own = terms("true").unwrap();
    assert_eq!((own.origins.as_slice(), own.without_origin), (["https://gate.example".to_owned()].as_slice(), false));
    assert_eq!((own.idle.as_secs(), own.lifetime.as_secs(), own.bytes), (60, 8 * 3600, None));
    assert_eq!(terms("{ idle: 60s }"), Some(own));
    let other = terms("{ origins: [HTTPS://App.example:443/, none], bytes: 1KiB, lifetime: 1h }").unwrap();
    assert_eq!((other.origins.as_slice(), other.without_origin), (["https://app.example".to_owned()].as_slice(), true));
    assert_eq!((other.bytes, other.lifetime.as_secs()), (Some(1024), 3600));
}

#[rstest]
#[case("POST", "bodies of this method pass anyway")]
#[case("DELETE", "the row does not serve this method")]
fn bodies_are_named_only_where_they_would_stay_here(#[case] method: &str, #[case] expected: &str) {
    let row = format!("path: /x, methods: [GET, POST], filters: [], upstream: shop, bodies-of: [{method}]");
    let found = fault_of(&format!("upstreams:\n  shop: {{ url: http://x }}\nroutes:\n  - {{ name: x, {row} }}\n"));
    assert!(found.contains(expected), "{found}");
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

/// Rows in this order, each as its path, methods and filters, and where a row is served.
fn rows(written: &[(&str, &str, &str, &str)]) -> String {
    let one = one_row("/x", "");
    let (before, _) = one.split_once("routes:\n").unwrap();
    let rows = written.iter().zip(["one", "two", "three"]).map(|((path, methods, filters, on), name)| {
        format!(
            "  - {{ name: {name}, path: '{path}', methods: [{methods}], filters: [{filters}], on: [{on}], upstream: shop }}\n"
        )
    });
    format!("{before}routes:\n{}", rows.collect::<String>())
}

/// Whether there is a note of this kind at this key, and what it says.
fn check_note(text: &str, key: &str, kind: &str, expected: Option<&str>) {
    let config = loaded(text);
    let found = config.notices.iter().find(|notice| notice.text.contains(kind));
    assert_eq!(found.is_some(), expected.is_some(), "{found:?}");
    assert!(found.is_none_or(|found| found.text.contains(expected.unwrap()) && found.key == key), "{found:?}");
}

#[rstest]
#[case("/shop/*", "/shop/late/*")]
#[case("/*", "/shop")]
#[case("/shop/{any}", "/shop/late")]
#[case("/shop/*", "/shop/")]
fn a_stricter_row_behind_a_broader_one_is_a_fault(#[case] broad: &str, #[case] narrow: &str) {
    let both = [(broad, "GET, POST", "guests", "public, internal"), (narrow, "GET, PUT", "customers", "public")];
    let found = fault_of(&rows(&both));
    let expected = format!(
        "23: routes[1].path: GET never reaches the row two: the row one in line 22 comes first and has all of {broad}; put \
         two before one: the first row that fits is taken"
    );
    assert_eq!(found, expected);
    let [one, two] = both;
    drop(loaded(&format!("{BASE}{}", rows(&[two, one]))));
}

#[rstest]
#[case(("/shop/*", "GET", "public"), ("/shop/late/*", "POST", "public"))]
#[case(("/shop/*", "GET", "internal"), ("/shop/late/*", "GET", "public"))]
#[case(("/shop/*", "GET", "public"), ("/shops/*", "GET", "public"))]
#[case(("/shop/{id}", "GET", "public"), ("/shop/*", "GET", "public"))]
#[case(("/shop/{id}", "GET", "public"), ("/shop/", "GET", "public"))]
#[case(("/shop/late", "GET", "public"), ("/shop/{id}", "GET", "public"))]
fn a_row_that_is_reached_is_none(#[case] first: (&str, &str, &str), #[case] second: (&str, &str, &str)) {
    let both = [first, second].map(|(path, methods, on)| (path, methods, "customers", on));
    drop(loaded(&format!("{BASE}{}", rows(&both))));
}

#[rstest]
#[case(&[("/shop/pay/*", "POST", "customers", "public"), ("/shop/*", "GET, POST", "guests", "public")], Some("GET on public"))]
#[case(&[("/shop/pay/*", "GET", "customers", "internal"), ("/shop/*", "GET", "guests", "public")], Some("GET on public"))]
#[case(&[("/shop/pay/*", "GET, POST", "customers", "public"), ("/shop/*", "GET, POST", "guests", "public")], None)]
#[case(&[("/shop/pay/*", "POST", "guests", "public"), ("/shop/*", "GET, POST", "guests, tell-key", "public")], None)]
#[case(&[("/shop/pay/*", "POST", "customers", "public"), ("/shop/pay/*", "GET", "guests", "public")], None)]
#[case(&[("/shop/pay/*", "POST", "customers", "public"), ("/shop/pay/*", "GET", "customers", "public"), ("/shop/*", "GET, POST", "guests", "public")], None)]
fn what_passes_by_a_row_to_a_looser_one_is_noted(
    #[case] written: &[(&str, &str, &str, &str)],
    #[case] expected: Option<&str>,
) {
    check_note(&format!("{BASE}{}", rows(written)), "routes[1].methods", "falls to the row", expected);
}

#[rstest]
#[case(&[("/shop/pay", "GET", "customers", "public"), ("/shop/*", "GET", "guests", "public")], Some("/shop/pay/ and what is below it, GET on public"))]
#[case(&[("/shop/pay/", "GET", "customers", "public"), ("/shop/*", "GET", "guests", "public")], Some("write /shop/pay/* there"))]
#[case(&[("/shop/{id}", "GET, POST", "customers", "public"), ("/*", "GET", "guests", "public")], Some("/shop/{id}/ and what is below it, GET on public"))]
#[case(&[("/shop/pay", "POST", "customers", "public"), ("/shop/*", "GET", "guests", "public")], None)]
#[case(&[("/shop/pay", "GET", "customers", "internal"), ("/shop/*", "GET", "guests", "public")], None)]
#[case(&[("/shop/pay", "GET", "customers", "public"), ("/shop/*", "GET", "customers", "public")], None)]
#[case(&[("/shop/pay/*", "GET", "customers", "public"), ("/shop/*", "GET", "guests", "public")], None)]
#[case(&[("/", "GET", "customers", "public"), ("/*", "GET", "guests", "public")], None)]
fn what_is_below_a_row_and_falls_to_a_looser_one_is_noted(
    #[case] written: &[(&str, &str, &str, &str)],
    #[case] expected: Option<&str>,
) {
    check_note(&format!("{BASE}{}", rows(written)), "routes[1].path", "and what is below it", expected);
}

#[test]
fn what_is_below_a_row_may_have_one_of_its_own() {
    let written = [("/pay", "customers"), ("/pay/*", "customers"), ("/*", "guests")];
    let written = written.map(|(path, filters)| (path, "GET", filters, "public"));
    check_note(&format!("{BASE}{}", rows(&written)), "routes[2].path", "and what is below it", None);
}

#[rstest]
#[case(&[("/a/{id}/c", "GET", "guests", "public"), ("/a/b/*", "GET, POST", "customers", "public")], Some("GET on public"))]
#[case(&[("/a/b/*", "GET", "customers", "public"), ("/a/{id}/c", "GET", "guests", "public")], Some("/a/b/*"))]
#[case(&[("/a/{id}/c", "GET", "customers", "public"), ("/a/b/*", "GET", "customers", "public")], None)]
#[case(&[("/a/{id}/c", "GET", "guests", "public"), ("/a/b/*", "POST", "customers", "public")], None)]
#[case(&[("/a/{id}/c", "GET", "guests", "internal"), ("/a/b/*", "GET", "customers", "public")], None)]
#[case(&[("/a/{id}/c", "GET", "guests", "public"), ("/a/b/d/*", "GET", "customers", "public")], None)]
#[case(&[("/a/{id}/c", "GET", "guests", "public"), ("/a/b", "GET", "customers", "public")], None)]
fn which_of_two_rows_has_what_both_could_is_noted_where_their_filters_differ(
    #[case] written: &[(&str, &str, &str, &str)],
    #[case] expected: Option<&str>,
) {
    check_note(&format!("{BASE}{}", rows(written)), "routes[1].path", "which comes first", expected);
}

/// A row takes over no filter of a broader one, whatever it demands beside.
#[rstest]
#[case("customers", "customers, bosses", Some("without bosses; no row takes over filters"))]
#[case("customers, tell-key", "customers, tell-who", None)]
#[case("customers, slow", "customers, slower", None)]
#[case("fresh", "customers, bosses", Some("without bosses; no row takes over filters"))]
#[case("fresh, tell-who", "local, customers, bosses", Some("without local, bosses; no row"))]
#[case("local", "local, customers", Some("without customers; no row"))]
#[case("local, fresh", "customers", None)]
#[case("fresh, bosses", "customers, some", None)]
#[case("callers", "customers", None)]
fn a_row_without_a_filter_of_the_broader_one_is_noted(
    #[case] narrow: &str,
    #[case] broad: &str,
    #[case] expected: Option<&str>,
) {
    let both = [("/shop/pay/*", "GET", narrow, "public"), ("/shop/*", "GET", broad, "public")];
    let text =
        with_demands(&rows(&both)).replace("routes:\n", "  local: { type: ip-list, allow: [127.0.0.1/32] }\nroutes:\n");
    check_note(&text, "routes[1].path", "which comes first", expected);
}

/// Filters that differ from `customers` in nothing but what they demand.
fn with_demands(rows: &str) -> String {
    let more = "  fresh: { type: identity-creation, domain: main, level: 2, max-age: 5m }
  fresher: { type: identity-creation, domain: main, level: 2, max-age: 1m, realms: [fido-uaf], roles: [boss] }
  callers: { type: identity-creation, domain: main, internal-callers: anybody }
  bosses: { type: role, one-of: [boss] }
  some: { type: role, one-of: [boss, teller] }
  slow: { type: rate-limit, per: user, burst: 2, every: 1s }
  slower: { type: rate-limit, per: user, burst: 1, every: 9s }
";
    format!("{BASE}{}", rows.replace("routes:\n", &format!("{more}routes:\n")))
}

/// A stricter row before another is what the documentation recommends: nobody is told to turn the two round.
#[rstest]
#[case("fresh", "customers", false)]
#[case("fresher", "fresh", false)]
#[case("customers, bosses", "customers", false)]
#[case("fresh, bosses", "customers, some", false)]
#[case("customers", "fresh", true)]
#[case("fresh", "fresher", true)]
#[case("customers", "customers, bosses", true)]
#[case("customers, some", "customers, bosses", true)]
#[case("fresh", "callers", true)]
#[case("callers", "fresh", true)]
#[case("fresh, tell-who", "customers", true)]
#[case("fresh", "", true)]
fn a_row_that_only_demands_more_may_have_what_both_could(
    #[case] first: &str,
    #[case] second: &str,
    #[case] is_noted: bool,
) {
    let both = [("/a/{id}/c", "GET", first, "public"), ("/a/b/*", "GET", second, "public")];
    let expected = is_noted.then_some("GET on public");
    check_note(&with_demands(&rows(&both)), "routes[1].path", "which comes first", expected);
}

#[rstest]
#[case("customers", "fresh", false)]
#[case("fresh", "customers", true)]
fn what_falls_to_a_row_that_demands_as_much_is_not_noted(
    #[case] narrow: &str,
    #[case] broad: &str,
    #[case] is_noted: bool,
) {
    let both = [("/shop/pay/*", "POST", narrow, "public"), ("/shop/*", "GET, POST", broad, "public")];
    let expected = is_noted.then_some("GET on public");
    check_note(&with_demands(&rows(&both)), "routes[1].methods", "falls to the row", expected);
}

#[test]
fn a_bad_name_hides_no_other_fault_of_its_row() {
    let more = one_row("/shop", "nobody").replace("name: shop, ", "name: 'a shop', websockets: true, ");
    let found = faults(&format!("{BASE}{more}")).join("\n");
    for expected in ["routes[0].name: this is no name", "routes[0].filters[0]", "routes[0].websockets"] {
        assert!(found.contains(expected), "{found}");
    }
}

#[rstest]
#[case("tell-who", Some(0))]
#[case("tell-session", Some(0))]
#[case("tell-key, tell-session", Some(1))]
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
                "22: routes[0].filters[{at}]: its rules of AUTH, SESSION or CALLER say who is calling, and no filter before it \
                 finds that out; put a filter of type identity-creation before it"
            )
        ),
        None => drop(loaded(&format!("{BASE}{more}"))),
    }
}

#[rstest]
#[case("tell-key, tell-other", Some(1))]
#[case("tell-key, customers, tell-key", Some(2))]
#[case("customers, tell-who, tell-other", Some(2))]
#[case("customers, tell-session, tell-other", None)]
fn a_header_is_set_by_one_filter_of_a_row(#[case] filters: &str, #[case] at: Option<usize>) {
    let more = one_row("/shop/*", filters);
    match at {
        Some(at) => {
            let found = fault_of(&more);
            let expected =
                format!("22: routes[0].filters[{at}]: one of its rules sets a header that a filter before it");
            assert!(found.starts_with(&expected), "{found}");
        }
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
        assert!(found.starts_with("22: routes[0].path: requests for this path are taken for another one"), "{found}");
    }
}

/// A row with `pass-on`, and with `more` in place of parts of what it stands on.
fn passing(words: &str, filters: &str, more: &[(&str, &str)]) -> String {
    let row = one_row("/shop", filters).replace("http://x", "https://x");
    let row = row.replace("upstream: shop }", &format!("upstream: shop, pass-on: {words} }}"));
    more.iter().fold(row, |text, (from, to)| text.replace(from, to))
}

const TOKEN_IS_TOLD: &[(&str, &str)] = &[(
    "tell-key: { type: delegation, rules: ['CONST:a:X-A'",
    "tell-key: { type: delegation, rules: ['CONST:a:Authorization'",
)];

#[rstest]
#[case::word("[cookie]", "customers", &[], "this word is not known here")]
#[case::nobody_asks("[session-cookie]", "", &[], "no filter of the row finds out who is calling")]
#[case::signed("[bearer]", "customers, signed", &[("filters:\n", "filters:\n  signed: { type: jws-bypass }\n"), ("/shop'", "/shop/{id}'"), ("[GET]", "[PATCH]")], "jws-bypass drops cookies and bearers")]
#[case::plain("[session-cookie]", "customers", &[("https://x", "http://x")], "by plain http")]
#[case::ours(
    "[bearer]",
    "customers, tell-key",
    TOKEN_IS_TOLD,
    "the row shop passes bearers on, and what the upstream shop reads in Authorization is the gateway's word"
)]
#[case::kept_off("[bearer]", "customers", &[("https://x", "https://x, remove-headers: [Authorization]")], "or remove-headers names it")]
#[case::no_cookie("[session-cookie]", "known", &[("filters:\n", "filters:\n  known: { type: identity-creation, domain: main, realms: [staff] }\n")], "there is no cookie to pass on")]
#[case::no_bearer("[bearer]", "known", &[("filters:\n", "filters:\n  known: { type: identity-creation, domain: main, realms: [staff], internal-callers: anybody }\n")], "takes no bearer")]
fn what_cannot_be_passed_on_is_a_fault(
    #[case] words: &str,
    #[case] filters: &str,
    #[case] more: &[(&str, &str)],
    #[case] expected: &str,
) {
    let realm = "realms:\n  staff: { type: forward, domain: main, upstream: door, path: /, headers: [X-Ticket], user: X-User }\n";
    let base = BASE.replace("realms:\n", realm);
    let text = passing(words, filters, more).replace("upstreams: { ", "upstreams: { door: { url: https://door }, ");
    let found = faults(&format!("{base}{text}"));
    assert!(found.len() == 1 && found[0].contains(expected), "{found:#?}");
    assert!(found[0].contains(": routes[0].pass-on"), "{found:#?}");
}

#[rstest]
#[case("[session-cookie]", "customers", &[], "the session-cookie of")]
#[case("[session-cookie, bearer]", "customers", &[], "the session-cookie and the bearer of")]
#[case("[session-cookie]", "customers, tell-key", TOKEN_IS_TOLD, "the session-cookie of")]
#[case("[session-cookie]", "customers", &[("https://x", "http://127.0.0.1")], "the session-cookie of")]
fn what_is_passed_on_is_noted(
    #[case] words: &str,
    #[case] filters: &str,
    #[case] more: &[(&str, &str)],
    #[case] expected: &str,
) {
    let config = loaded(&format!("{BASE}{}", passing(words, filters, more)));
    let found: Vec<_> = config.notices.iter().filter(|notice| notice.key == "routes[0].pass-on").collect();
    assert!(found.len() == 1 && found[0].text.contains(expected), "{found:#?}");
    assert_eq!(format!("[{}]", config.routes.last().unwrap().passed_on.words().join(", ")), words);
}

/// The same rows, of which those of these names take letters in any case.
fn blind(written: &[(&str, &str, &str, &str)], names: &[&str]) -> String {
    let mut text = rows(written);
    for name in names {
        text = text.replace(&format!("name: {name}, "), &format!("name: {name}, ignore-case: true, "));
    }
    format!("{BASE}{text}")
}

#[rstest]
#[case(&["two"], Some("GET of /shop/pay/* in other letters is refused with 400"))]
#[case(&["one"], None)]
#[case(&["one", "two"], None)]
#[case(&[], None)]
fn a_row_that_minds_the_case_before_one_that_does_not_is_noted(#[case] names: &[&str], #[case] expected: Option<&str>) {
    let written = [("/shop/pay/*", "GET", "customers", "public"), ("/Shop/*", "GET, POST", "guests", "public")];
    check_note(&blind(&written, names), "routes[1].ignore-case", "minds the case", expected);
    for (one, other, spoken) in [("/1/*", "/*", false), ("/a/{id}/c", "/A/*", true), ("/b", "/A/*", false)] {
        let config = loaded(&blind(&[(one, "GET", "", "public"), (other, "GET", "", "public")], &["two"]));
        assert_eq!(config.notices.iter().any(|notice| notice.text.contains("minds the case")), spoken, "{one} {other}");
    }
}

#[rstest]
#[case::methods("/shop/pay/*", "POST", "/Shop/*", &["one", "two"], "falls to the row")]
#[case::overlap("/a/{id}/c", "GET", "/A/b/*", &["two"], "which comes first")]
#[case::overlap_of_the_first("/A/{id}/c", "GET", "/a/b/*", &["one"], "which comes first")]
fn what_is_noted_of_two_rows_goes_by_letters_in_any_case(
    #[case] one: &str,
    #[case] method: &str,
    #[case] two: &str,
    #[case] names: &[&str],
    #[case] expected: &str,
) {
    let written = [(one, method, "customers", "public"), (two, "GET, POST", "guests", "public")];
    let said = |names: &[&str]| loaded(&blind(&written, names)).notices.iter().any(|note| note.text.contains(expected));
    assert!(said(names) && !said(&[]));
}

#[rstest]
#[case("/shop/*", "/SHOP/cart", &["one"], "GET never reaches the row two")]
#[case("/shop", "/SHOP", &["one", "two"], "has this path and method too")]
#[case("/nevisfido/x/", "/y", &["one"], "requests for this path are taken for another one")]
#[case("/NEVISFIDO/X/", "/y", &["one"], "requests for this path are taken for another one")]
fn a_row_that_no_spelling_reaches_is_a_fault(
    #[case] one: &str,
    #[case] two: &str,
    #[case] names: &[&str],
    #[case] expected: &str,
) {
    let found = faults(&blind(&[(one, "GET", "", "public"), (two, "GET", "", "public")], names));
    assert!(found.len() == 1 && found[0].contains(expected), "{found:#?}");
}
