//! Several session domains with logins of their own.

use rstest::rstest;

use super::*;

/// [`BASE`] with further domains, each with this much written, and a realm of type password in each.
fn beside(domains: &[(&str, &str)]) -> String {
    let sections: String = domains.iter().map(|(name, written)| format!("\n  {name}: {{{written}}}")).collect();
    let realm = |(name, _): &(&str, &str)| format!("  {name}-password: {{ type: password, domain: {name} }}\n");
    let realms: String = domains.iter().map(realm).collect();
    let text = BASE.replacen("  main: {}", &format!("  main: {{}}{sections}"), 1);
    text.replacen("fido-uaf:\n  app-id", &format!("{realms}fido-uaf:\n  app-id"), 1)
}

/// Its login rows, as `name METHOD path`.
fn rows(config: &Config, domain: Option<&str>) -> Vec<String> {
    let is_login = |row: &&Row| {
        matches!(row.leads_to, LeadsTo::Service(service, _) if service.is_login()) && row.domain.as_deref() == domain
    };
    let told = |row: &Row| format!("{} {} {}", row.name, row.methods[0], row.pattern.text());
    config.routes.iter().filter(is_login).map(told).collect()
}

#[test]
fn each_domain_has_login_rows_of_its_own() {
    let config = loaded(&beside(&[("partners", ""), ("staff", "path: /office/in")]));
    assert_eq!(config.own_domain(), Some("main"));
    assert_eq!(rows(&config, None).len(), 7, "as if it were alone: {:?}", rows(&config, None));
    assert_eq!(
        rows(&config, Some("partners")),
        [
            "partners-login-page GET /auth/partners/login",
            "partners-login-password POST /auth/partners/pwd",
            "partners-logout-page GET /auth/partners/logout",
            "partners-logout POST /auth/partners/logout",
        ]
    );
    assert_eq!(rows(&config, Some("staff"))[0], "staff-login-page GET /office/in/login");
    assert_eq!(config.notices, [], "two domains are nothing to be warned of");
}

#[test]
fn phones_approve_in_each_domain_that_has_a_realm_for_it() {
    let realm = "  partners-phone: { type: oob, domain: partners }\nfido-uaf:\n  app-id";
    let text = beside(&[("partners", "")]).replacen("fido-uaf:\n  app-id", realm, 1);
    let config = loaded(&format!(
        "{text}  dispatchers: [{{ type: link, base-url: 'https://a', authentication-redeem-url: 'https://b' }}]\n"
    ));
    let rows = rows(&config, Some("partners"));
    for row in ["partners-login-oob POST /auth/partners/oob", "partners-login-oob-standing GET /auth/partners/oob"] {
        assert!(rows.iter().any(|found| found == row), "{rows:?}");
    }
    assert!(!config.routes.iter().any(|row| row.name == "login-oob"), "the other domain has none");
}

#[test]
fn rows_of_a_further_domain_are_changed_and_listed_by_their_names() {
    let text = beside(&[("partners", "")]);
    let config = loaded(&format!("{text}routes: [{{ name: partners-login-page, on: [] }}]\n"));
    let row = |name: &str| config.routes.iter().find(|row| row.name == name).unwrap();
    assert!(row("partners-login-page").on.is_empty() && !row("login-page").on.is_empty());
    let config = loaded(&format!("{text}default-rows: [login-page, partners-login-password]\n"));
    assert!(rows(&config, None).len() == 1 && rows(&config, Some("partners")).len() == 1);
    let found = faults(&format!("{text}default-rows: [partner-login-page]\n"));
    assert!(found[0].contains("did you mean partners-login-page?"), "{found:#?}");
}

#[rstest]
#[case::the_services("main", "path: /in", "6: domains.main.path: logins of this domain are at /auth, where apps look")]
#[case::a_row("partners", "path: /auth/pwd", "7: domains.partners.path: the default row login-password and")]
#[case::below_a_row("partners", "path: /auth/pwd/b", "7: domains.partners.path: the default row login-password and")]
#[case::above_rows("partners", "path: /auth", "7: domains.partners.path: the default row login-page and")]
#[case::an_alias("partners", "path: /nevisfido/dispatch/targets", "7: domains.partners.path: requests below")]
#[case::no_path("partners", "path: auth", "7: domains.partners.path: this is no path that others can begin with")]
#[case::a_slash("partners", "path: /in/", "7: domains.partners.path: this is no path that others can begin with")]
#[case::two_slashes("partners", "path: /a//b", "7: domains.partners.path: this is no path that others can begin with")]
#[case::dots("partners", "path: /a/../b", "7: domains.partners.path: this is no path that others can begin with")]
#[case::a_segment("partners", "path: '/{id}'", "7: domains.partners.path: this is no path that others can begin with")]
#[case::a_mark("partners", "path: '/a\"b'", "7: domains.partners.path: this is no path that others can begin with")]
#[case::unnamed("pwd", "", "7: domains.pwd.path: the default row login-password and logins at /auth/pwd would get")]
#[case::fidouaf("fidouaf", "", "7: domains.fidouaf.path: the default row login-fidouaf and logins at /auth/fidouaf")]
#[case::capitals("Main", "", "7: domains.Main: this is no name")]
#[case::two_dashes("a--b", "", "7: domains.a--b: this is no name")]
#[case::a_dot("main.login", "", "7: domains.main.login: this is no name")]
fn paths_that_get_in_each_others_way(#[case] domain: &str, #[case] written: &str, #[case] expected: &str) {
    let text = if domain == "main" {
        BASE.replacen("  main: {}", &format!("  main: {{{written}}}"), 1)
    } else {
        beside(&[(domain, written)])
    };
    let found = faults(&text);
    assert!(found[0].starts_with(expected), "{found:#?}");
}

#[rstest]
#[case("path: /in", "path: /in")]
#[case("path: /in", "path: /in/b")]
#[case("path: /in/a", "path: /in")]
#[case("", "path: /auth/a")]
#[case("path: /auth/b", "")]
fn no_two_domains_share_a_path(#[case] first: &str, #[case] second: &str) {
    let found = faults(&beside(&[("a", first), ("b", second)]));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with("8: domains.b.path: logins of the domain a and logins at /"), "{found:#?}");
}

#[test]
fn names_that_begin_alike_are_two_domains() {
    let config = loaded(&beside(&[("main-b", ""), ("mai", ""), ("main2", "")]));
    let names = |domain| rows(&config, Some(domain)).first().cloned();
    assert_eq!(names("main-b").as_deref(), Some("main-b-login-page GET /auth/main-b/login"));
    assert_eq!(names("mai").as_deref(), Some("mai-login-page GET /auth/mai/login"));
    let mut all: Vec<_> = config.routes.iter().map(|row| row.name.as_str()).collect();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count, "no two rows have one name");
}

#[test]
fn a_row_of_the_files_own_does_not_stand_where_one_logs_in() {
    let text = format!("{}{}", beside(&[("partners", "")]), one_row("/auth/partners/login", "customers"));
    let found = faults(&text);
    assert!(found[0].contains("the default row partners-login-page has this path and method"), "{found:#?}");
}

#[test]
fn a_path_without_logins_is_a_fault() {
    let found = faults(&BASE.replacen("  main: {}", "  main: {}\n  b: { path: /in }", 1));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with("7: domains.b.path: no realm of this domain has logins"), "{found:#?}");
}

#[test]
fn keys_log_in_to_one_domain_and_passwords_of_another_are_no_way_to_it() {
    let text = beside(&[("partners", "")]);
    let second = "  partners-key: { type: fido-uaf, domain: partners }\nfido-uaf:\n  app-id";
    let found = faults(&text.replacen("fido-uaf:\n  app-id", second, 1));
    assert!(found[0].contains("partners-key.type: realm fido-uaf of the domain main has this type too"), "{found:#?}");
    let found = faults(&text.replacen("  password: { type: password, domain: main }\n", "", 1));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].contains("a session of main, but no realm of that domain has the type password"), "{found:#?}");
    // A level counts in its own domain alone.
    loaded(&text.replacen("password, domain: partners", "password, domain: partners, level: 3", 1));
}

#[test]
fn without_keys_the_first_realm_with_logins_is_that_of_the_services() {
    let text = "public-url: https://gate.example\nlisteners: [{class: public, address: '127.0.0.1:1'}]\n\
                domains: {b: {}, a: {}}\nrealms:\n  one: { type: password, domain: a }\n  two: { type: password, domain: b }\n";
    let config = loaded(text);
    assert_eq!(config.own_domain(), Some("a"));
    assert_eq!(rows(&config, None)[0], "login-page GET /auth/login");
    assert_eq!(rows(&config, Some("b"))[0], "b-login-page GET /auth/b/login");
}
