//! What the command line puts in place of the file's values.

use super::*;

#[test]
fn command_line_values_go_first() {
    let overrides = Overrides {
        data: Some(PathBuf::from("/elsewhere")),
        listen: Some("127.0.0.1:1".parse().unwrap()),
        internal: Some("127.0.0.1:2".parse().unwrap()),
        management: Some("[::1]:3".parse().unwrap()),
    };
    let config = load(&Source::BuiltIn, &overrides, &environment()).unwrap();
    let addresses: Vec<_> = config.listeners.iter().map(|listener| listener.address.to_string()).collect();
    assert_eq!(addresses, ["127.0.0.1:1", "127.0.0.1:2", "[::1]:3"]);
    assert_eq!(config.public_url.text(), "http://127.0.0.1:1");
    assert_eq!(config.data, PathBuf::from("/elsewhere"));
    let faults = load_text(BASE, &overrides).unwrap_err().to_string();
    assert!(faults.contains("no internal listener") && faults.contains("no management listener"), "{faults}");
    let outside = Overrides { listen: Some("0.0.0.0:1".parse().unwrap()), ..Overrides::default() };
    let faults = load(&Source::BuiltIn, &outside, &environment()).unwrap_err().to_string();
    let told = "--listen: without TLS, everybody on the way reads and changes what is sent; give an address";
    assert!(faults.starts_with(told) && faults.lines().count() == 1, "{faults}");
}

#[test]
fn a_flag_that_is_refused_is_named_and_not_the_key_that_it_stands_in_for() {
    let internal = |address: &str| Overrides { internal: Some(address.parse().unwrap()), ..Overrides::default() };
    let told = |overrides| load(&Source::BuiltIn, &overrides, &environment()).unwrap_err().to_string();
    let faults = told(internal("127.0.0.1:8080"));
    assert!(faults.starts_with("--internal: this address is taken by the listener in line "), "{faults}");
    let faults = told(Overrides { listen: Some("127.0.0.1:8081".parse().unwrap()), ..Overrides::default() });
    assert!(faults.starts_with("--listen: this address is taken by the listener in line "), "{faults}");
    let faults = told(Overrides { management: Some("0.0.0.0:1".parse().unwrap()), ..internal("[::]:2") });
    let flags: Vec<_> = faults.lines().filter_map(|line| line.split_once(": without TLS")).collect();
    assert_eq!(flags.iter().map(|(flag, _)| *flag).collect::<Vec<_>>(), ["--internal", "--management"], "{faults}");

    let folder = tempfile::tempdir().unwrap();
    for file in ["cert.pem", "key.pem"] {
        std::fs::write(folder.path().join(file), "x").unwrap();
    }
    let path = folder.path().join("gate.yml");
    let tls = "127.0.0.1:8443\n    tls: { certificate: cert.pem, key: key.pem }";
    std::fs::write(&path, format!("try-out: true\n{}", BASE.replace("127.0.0.1:8443", tls))).unwrap();
    let overrides = Overrides { listen: Some("0.0.0.0:1".parse().unwrap()), ..Overrides::default() };
    let faults = load(&Source::File(path), &overrides, &environment()).unwrap_err().to_string();
    assert!(faults.starts_with("--listen: it can be reached from elsewhere") && !faults.contains("remove"), "{faults}");
}
