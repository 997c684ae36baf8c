//! What comes from a variable or a file may be a secret, in whatever key it ended up, and so may what a file holds that
//! is no configuration: nothing of it is told.

use std::path::Path;

use rstest::rstest;
use serde_json::Value;

use super::samples::whole;
use super::*;

/// What nothing that is told may hold, in any case of letters.
const SECRET: &str = "zq7hush";

/// Texts of several kinds, so that a value gets as far as its kind lets it.
const VALUES: [&str; 7] = [
    "zq7hush/zq7hush",
    "zq7hush zq7hush",
    "/zq7hush/zq7hush",
    "AUTH:zq7hush:X-Zq7hush",
    "CN=jeff,zq7hush=zq7hush",
    "https://zq7hush:zq7hush@gate.example/zq7hush?zq7hush#zq7hush",
    "-----BEGIN PRIVATE KEY-----\nzq7hush\n-----END PRIVATE KEY-----",
];

/// The places of all single values, as JSON pointers.
fn places(node: &Value, place: &str, found: &mut Vec<String>) {
    match node {
        Value::Object(map) => map.iter().for_each(|(key, node)| places(node, &format!("{place}/{key}"), found)),
        Value::Array(list) => (0..).zip(list).for_each(|(index, node): (usize, _)| {
            places(node, &format!("{place}/{index}"), found);
        }),
        _ => found.push(place.to_owned()),
    }
}

/// Everything that is told of a file: its faults, or its notes.
fn told(path: &Path, secret: &'static str) -> String {
    let environment = Environment::new(move |name| (name == "SECRET").then(|| secret.to_owned()));
    match load(&Source::File(path.to_owned()), &Overrides::default(), &environment) {
        Ok(config) => config.notices.iter().map(|notice| format!("{notice}\n")).collect(),
        Err(faults) => faults.to_string(),
    }
}

#[rstest]
#[case(STANDALONE)]
#[case(include_str!("../../../conf/api.yml"))]
#[case(include_str!("../../../conf/domains.yml"))]
#[case(include_str!("../../../conf/hybrid.yml"))]
#[case(include_str!("../../../conf/fronting.yml"))]
fn nothing_of_what_is_substituted_is_told(#[case] sample: &str) {
    let (_folder, path) = whole(sample);
    let sample: Value = serde_saphyr::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let mut found = Vec::new();
    places(&sample, "", &mut found);
    assert!(found.len() > 20, "{found:?}");
    for (place, value) in found.iter().flat_map(|place| VALUES.map(|value| (place, value))) {
        let mut spoilt = sample.clone();
        *spoilt.pointer_mut(place).unwrap() = Value::from("${env:SECRET}");
        std::fs::write(&path, spoilt.to_string()).unwrap();
        let told = told(&path, value);
        assert!(!told.to_lowercase().contains(SECRET), "{place} {value:?}: {told}");
    }
}

#[test]
fn a_path_is_told_as_it_is_written() {
    let with = |certificate: &str| {
        let tls = format!("tls: {{ certificate: {certificate}, key: gate.yml }}");
        let (folder, path) = whole(&BASE.replace("127.0.0.1:8443", &format!("127.0.0.1:8443\n    {tls}")));
        told(&path, "zq7hush").replace(&folder.path().display().to_string(), "FOLDER")
    };
    assert!(with("'${env:SECRET}'").contains(".certificate: what ${env:SECRET} stands for does not exist; name a"));
    assert!(with("certs/none.pem").contains(".certificate: FOLDER/certs/none.pem does not exist; name a"));
    assert!(with("\"-----BEGIN\\nzq7hush\"").contains(".certificate: this is a text of several lines, and no path;"));
}

#[rstest]
#[case(
    "zq7hush:*:19000:0:99999:7:::\nzq7hush:!:19000::::::\n",
    "none of its keys is one of a configuration; known are"
)]
#[case("API_KEY=zq7hush: 1\nzq7hush:\n", "none of its keys is one of a configuration; known are")]
#[case("domains: { main: {} }\nAPI_KEY=zq7hush: 1\n", "2: \u{2026}: this key is not known")]
#[case("log: { level: info, a zq7hush: 1 }\n", "log.\u{2026}: this key is not known")]
#[case("Dear diary,\nmy word is zq7hush\n", "this must be a section")]
#[case("Dear diary,\nmy word is: zq7hush\n", "this is not YAML")]
#[case("{\"zq7hush\": \"zq7hush\", \"k\": [1,2}", "this is not YAML")]
fn nothing_is_told_of_what_is_no_configuration(#[case] text: &str, #[case] expected: &str) {
    let (_folder, path) = whole(text);
    let told = told(&path, "");
    assert!(told.contains(expected) && !told.to_lowercase().contains(SECRET), "{told}");
}
