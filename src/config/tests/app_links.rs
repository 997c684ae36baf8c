//! The apps that open links of the web.

use rstest::rstest;
use serde_json::json;

use super::*;

const PRINT: &str = "14:6D:E9:83:C5:73:06:50:D8:EE:B9:95:2F:34:FC:64:16:A0:83:42:E6:1D:BE:A8:8A:04:96:B2:3F:CF:44:E5";

fn with(base_url: &str, app_links: &str) -> String {
    format!(
        "{BASE}  dispatchers:
    - type: link
      base-url: {base_url}
      authentication-redeem-url: ${{public-url}}/nevisfido/token/redeem/authentication
  app-links: {app_links}
"
    )
}

fn names(config: &Config) -> Vec<&str> {
    let is_file = |name: &&str| name.starts_with("asset-links") || name.starts_with("site-association");
    config.routes.iter().map(|row| row.name.as_str()).filter(is_file).collect()
}

#[test]
fn a_file_is_served_where_it_has_apps_to_name() {
    let android = format!("android: [{{ package: com.example.access, fingerprints: ['{PRINT}'] }}]");
    let ios = "ios: [ABCDE12345.com.example.access]";
    let config = |apps: &str| loaded(&with("https://gate.example/open", &format!("{{ {apps} }}")));
    let both = config(&format!("{android}, {ios}"));
    assert_eq!(names(&both), ["asset-links", "site-association", "site-association-root"]);
    assert_eq!(names(&config(&android)), ["asset-links"]);
    assert_eq!(names(&config(ios)), ["site-association", "site-association-root"]);
    assert!(names(&loaded(BASE)).is_empty());
    let links = both.fido_uaf.unwrap().app_links.unwrap();
    let component = json!({ "/": "/open*", "?": { "dispatchTokenResponse": "?*" } });
    assert_eq!(links.site_association()["applinks"]["details"][0]["components"], json!([component]));
    assert!(both.notices.iter().all(|notice| !notice.key.contains("app-links")), "{:?}", both.notices);
}

#[rstest]
#[case("https://gate.example", "https://links.example/open", true)]
#[case("https://gate.example", "https://gate.example:8443/open", true)]
#[case("https://gate.example:8443", "https://gate.example:8443/open", true)]
#[case("https://gate.example:8443", "https://gate.example/open", true)]
#[case("https://gate.example:443", "https://GATE.example:443/open", false)]
fn another_place_than_the_public_one_is_noted(#[case] public_url: &str, #[case] base_url: &str, #[case] noted: bool) {
    let text = with(base_url, "{ ios: [ABCDE12345.com.example.access] }");
    let config = loaded(&text.replace("public-url: https://gate.example\n", &format!("public-url: {public_url}\n")));
    let mut notices = config.notices.iter().filter(|notice| notice.key == "fido-uaf.app-links");
    let host = base_url.split([':', '/']).nth(3).unwrap();
    let expected = format!("phones look for the files at https://{host}, port 443");
    assert_eq!(notices.next().is_some_and(|notice| notice.text.starts_with(&expected)), noted, "{:?}", config.notices);
    assert!(notices.next().is_none());
}

#[rstest]
#[case("https://gate.example", "{}", "17: fido-uaf.app-links: no app is named")]
#[case("https://gate.example", "", "17: fido-uaf.app-links: no app is named")]
#[case("https://gate.example", "{ ios: [] }", "17: fido-uaf.app-links.ios: the list is empty; list apps")]
#[case("https://gate.example", "{ android: [] }", "17: fido-uaf.app-links.android: the list is empty; list apps")]
#[case(
    "https://gate.example",
    "{ android: [], ios: [ABCDE12345.com.example] }",
    "17: fido-uaf.app-links.android: the list is empty; list apps"
)]
#[case(
    "https://gate.example/o*",
    "{ ios: [ABCDE12345.com.example] }",
    "17: fido-uaf.app-links: the path of base-url has * or $("
)]
#[case(
    "https://gate.example",
    "{ io: [ABCDE12345.com.example] }",
    "17: fido-uaf.app-links.io: this key is not known; did you mean ios?"
)]
#[case(
    "https://gate.example",
    "{ ios: [com.example] }",
    "17: fido-uaf.app-links.ios[0]: this is no identifier of an app; write team"
)]
#[case(
    "https://gate.example",
    "{ android: [{ package: com.example }] }",
    "17: fido-uaf.app-links.android[0].fingerprints: this key must be"
)]
#[case(
    "https://gate.example",
    "{ android: [{ package: com.example, fingerprints: [] }] }",
    "17: fido-uaf.app-links.android[0].fingerprints: the list is empty"
)]
#[case(
    "https://gate.example",
    "{ android: [{ package: com.example, fingerprints: ['14:6D'] }] }",
    "17: fido-uaf.app-links.android[0].fingerprints[0]: this is no SHA-256"
)]
#[case(
    "https://gate.example",
    "{ android: [{ package: example, fingerprints: ['PRINT'] }] }",
    "17: fido-uaf.app-links.android[0].package: this is no name of a package"
)]
#[case(
    "access://open",
    "{ ios: [ABCDE12345.com.example] }",
    "17: fido-uaf.app-links: no dispatcher of type link has a base-url with https"
)]
fn what_serves_no_app_is_one_fault(#[case] base_url: &str, #[case] app_links: &str, #[case] expected: &str) {
    let found = faults(&with(base_url, &app_links.replace("PRINT", PRINT)));
    assert!(found.len() == 1 && found[0].starts_with(expected), "{found:#?}");
}

#[test]
fn each_list_without_an_app_is_a_fault() {
    let found = faults(&with("https://gate.example", "{ android: [], ios: [] }"));
    assert!(found.len() == 2 && found.iter().all(|fault| fault.contains("the list is empty")), "{found:#?}");
}
