//! What a configuration says otherwise than the one before.

use super::*;

fn changed(from: &str, to: &str) -> (Vec<&'static str>, Vec<String>) {
    let text = |text: &str| text.replace("DATA", "data: /var/lib/gate\n");
    let (before, now) = (loaded(&text(from)), loaded(&text(to)));
    assert!(before.changed_from(&before).is_empty() && before.fixed_otherwise(&before).is_empty());
    (now.changed_from(&before), now.fixed_otherwise(&before))
}

#[test]
fn what_may_change_is_named_by_its_section() {
    for (more, sections) in [
        ("internal-callers: { shop: { roles: [act-for] } }\n", vec!["internal-callers"]),
        ("sec-token: { lifetime: 30s }\n", vec!["sec-token"]),
        ("upstreams: { shop: { url: http://127.0.0.1:1 } }\n", vec!["upstreams"]),
        ("routes: [{ name: liveness, on: [] }]\n", vec!["routes"]),
        ("filters: { known: { type: identity-creation, domain: main } }\n", vec!["filters"]),
    ] {
        assert_eq!(changed(BASE, &format!("{BASE}{more}")), (sections, Vec::new()), "{more}");
    }
    let stepped = BASE.replace("type: password,", "type: password, renew: false,");
    assert_eq!(changed(BASE, &stepped), (vec!["realms"], Vec::new()));
    let idle = BASE.replace("main: {}", "main: { idle: 1m }");
    assert_eq!(changed(BASE, &idle), (vec!["domains"], Vec::new()));
}

#[test]
fn what_is_fixed_is_named_by_its_key() {
    let listener = "    address: 127.0.0.1:8443\n";
    let forwarded = "    forwarded: { from: [10.0.0.0/8], header: forwarded }\n";
    let other = BASE.replace(listener, &format!("    address: 127.0.0.1:8444\n    http2: false\n{forwarded}"));
    let keys = ["listeners[0].address", "listeners[0].forwarded", "listeners[0].http2"].map(str::to_owned).to_vec();
    assert_eq!(changed(BASE, &other), (vec!["listeners"], keys));
    let more =
        BASE.replace(listener, "    address: 127.0.0.1:8443\n  - class: internal\n    address: 127.0.0.1:8081\n");
    assert_eq!(changed(BASE, &more).1, ["listeners"]);
    for (more, key) in [
        ("limits: { idle: 1s }\n", "limits.idle"),
        ("limits: { sessions: 1KiB }\n", "limits.sessions"),
        ("log: { level: debug }\n", "log.level"),
        ("data: elsewhere\n", "data"),
    ] {
        assert_eq!(changed(BASE, &format!("{BASE}{more}")).1, [key]);
    }
    let app_id = BASE.replace("app-id: https://gate.example/", "app-id: https://gate.example/other/");
    assert_eq!(changed(BASE, &app_id).1, ["fido-uaf.app-id"]);
}

#[test]
fn files_that_are_read_once_are_told_there_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gate.yml");
    for name in ["cert.pem", "url"] {
        std::fs::write(folder.path().join(name), "https://gate.example").unwrap();
    }
    std::fs::create_dir(folder.path().join("keys")).unwrap();
    let tls = "127.0.0.1:8443\n    tls: { certificate: cert.pem, key: gone.pem }";
    let text = BASE.replace("https://gate.example\nlisteners", "${file:url}\nlisteners").replace("127.0.0.1:8443", tls);
    let filters = "filters: { change: { type: jws-bypass, keys: keys } }\n";
    std::fs::write(&path, format!("{text}{filters}")).unwrap();
    let (config, files) = read(&Source::File(path), &Overrides::default(), &environment());
    assert!(config.is_err());
    let names: Vec<_> = files.iter().map(|file| file.strip_prefix(folder.path()).unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["cert.pem", "gate.yml", "gone.pem", "url"], "and no folder that is looked at all the time");
}
