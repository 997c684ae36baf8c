use proptest::prelude::*;

use super::*;

#[test]
fn public_urls() {
    for text in ["https://gate.example", "https://gate.example/", "http://127.0.0.1:8080", "https://[::1]:8443"] {
        assert_eq!(PublicUrl::read(text).unwrap().text(), text.trim_end_matches('/'));
    }
    for (text, wrong) in [
        ("gate.example", "no URL"),
        ("htps://gate.example", "neither http"),
        ("https:gate.example", "no //"),
        ("https://gate.example/x", "path"),
        ("https://gate.example?x", "path"),
        ("https://gate.example#x", "fragment"),
        ("https://me:pw@gate.example", "user name"),
        ("https://0.0.0.0", "reach"),
        ("https://[::]:1", "reach"),
        ("https://[::ffff:0.0.0.0]:1", "reach"),
        ("https://gate.example\t", "blank"),
    ] {
        assert!(PublicUrl::read(text).unwrap_err().contains(wrong), "{text}");
    }
}

#[test]
fn servers_have_an_address() {
    assert_eq!(ServerUrl::read("https://shop").unwrap().address(), "shop:443");
    assert_eq!(ServerUrl::read("http://[::1]:8080").unwrap().address(), "[::1]:8080");
    for (text, wrong) in [
        ("https://shop/x", "path"),
        ("https://shop?x", "path"),
        ("http://0.0.0.0:1", "no server's"),
        ("http://0:1", "no server's"),
        ("http://[::]:1", "no server's"),
        ("http://[::ffff:0.0.0.0]:1", "no server's"),
    ] {
        assert!(ServerUrl::read(text).unwrap_err().contains(wrong), "{text}");
    }
}

#[test]
fn what_leads_to_this_machine_does_in_every_spelling() {
    let server = |text: &str| ServerUrl::read(text).unwrap();
    for host in ["127.0.0.1", "localhost", "LOCALHOST.", "[::1]", "[::ffff:127.0.0.1]", "2130706433"] {
        let server = server(&format!("http://{host}:1"));
        assert!(server.is_loopback() && server.place() == "127.0.0.1:1", "{server:?}");
    }
    assert!(server("http://127.0.0.2").is_loopback());
    for host in ["localhost.example", "[::2]", "10.0.0.1"] {
        let server = server(&format!("http://{host}:1"));
        assert!(!server.is_loopback() && server.place() == format!("{host}:1"), "{server:?}");
    }
}

#[test]
fn an_app_id_is_as_long_as_the_protocol_allows() {
    let text = |length: usize| format!("https://a/{}", "x".repeat(length - 10));
    assert_eq!(AppId::read(&text(512)).unwrap().as_str(), text(512));
    assert!(AppId::read(&text(513)).unwrap_err().contains("too long"));
    assert!(AppId::read("gate.example").is_err());
}

#[test]
fn a_host_is_as_long_as_a_name_can_be() {
    assert!(PublicUrl::read(&format!("https://{}", "a".repeat(253))).is_ok());
    assert!(PublicUrl::read(&format!("https://{}", "a".repeat(254))).is_err());
}

proptest! {
    #[test]
    fn no_refusal_quotes_the_value(text in "[a-z:/?#@ ]{0,8}hunter2[a-z:/?#@ ]{0,8}") {
        for refused in [PublicUrl::read(&text).err(), BaseUrl::read(&text).err(), WebUrl::read(&text).err()] {
            prop_assert!(!refused.unwrap_or_default().contains("hunter2"));
        }
    }
}
