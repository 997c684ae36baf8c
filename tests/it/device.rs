//! The software phone of the command line (`gateway.md` 6.1).

use std::process::Output;

use crate::support::gateway::{Gateway, Setup};

/// Runs `sidegate device` with these arguments and jeff's password.
fn device(gateway: &Gateway, arguments: &[&str]) -> Output {
    let line = [&["device", "--user", "jeff", "--password-stdin"], arguments].concat();
    gateway.command(&line, gateway.password("jeff"))
}

fn complaint(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn an_unknown_certificate_is_named_and_its_authority_can_be() {
    let gateway = Setup::default().user("jeff").tls().start().await;
    let url = format!("https://localhost:{}", gateway.tls_address().port());
    let told = complaint(&device(&gateway, &["register", "--gateway", &url]));
    assert!(told.contains("certificate verify failed") && told.contains("--ca FILE"), "{told}");

    let ca = gateway.data().with_file_name("certs").join("ca.pem").display().to_string();
    let registered = device(&gateway, &["register", "--gateway", &url, "--ca", &ca]);
    assert!(registered.status.success(), "{registered:?}");
    let again = complaint(&device(&gateway, &["register", "--gateway", &url, "--ca", &ca]));
    assert!(again.contains("has a key of the user already") && again.contains("device delete"), "{again}");
}

#[tokio::test]
async fn what_the_phone_was_given_is_looked_at_before_anything_is_sent() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let url = gateway.public().base().to_owned();
    let file = gateway.data().with_file_name("no-certificate");
    std::fs::write(&file, "text").unwrap();
    let told = complaint(&device(&gateway, &["register", "--gateway", &url, "--ca", file.to_str().unwrap()]));
    assert!(told.contains("no PEM certificate"), "{told}");
    let told = complaint(&device(&gateway, &["register", "--gateway", &url, "--state", "no/such/folder/phone.json"]));
    assert!(told.contains("no/such/folder"), "{told}");
    let told = complaint(&device(&gateway, &["register", "--gateway", "http://127.0.0.1:9"]));
    assert!(told.contains("Connection refused"), "{told}");
    assert!(!gateway.log().contains("login"), "nothing was sent");
}
