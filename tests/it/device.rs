//! The software phone of the command line (`gateway.md` 6.1).

mod interrupts;

use std::process::{Command, Output};

use serde_json::{Value, json};
use sidegate_uaf::authenticator::black_png;

use crate::support::gateway::{Gateway, Setup};
use crate::support::jose::base64url;
use crate::support::oob::{asked, by_link, dispatched};
use crate::support::phone::Phone;

/// Runs `sidegate device` with these arguments, and with jeff's password where it is for a login.
fn device(gateway: &Gateway, arguments: &[&str]) -> Output {
    let login: &[_] = if arguments[0] == "register" { &["--user", "jeff", "--password-stdin"] } else { &[] };
    gateway.command(&[&["device"], arguments, login].concat(), gateway.password("jeff"))
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
async fn a_phone_has_the_kind_of_key_that_it_was_told_to_make() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let url = gateway.public().base().to_owned();
    for (kind, algorithm) in [("p256", 1), ("p256-der", 2), ("rsa-pss", 3), ("rsa-pss-der", 4)] {
        let state = gateway.data().with_file_name(format!("{kind}.json"));
        let at = ["--gateway", &url, "--state", state.to_str().unwrap()];
        let registered = device(&gateway, &[&["register", "--key", kind], &at[..]].concat());
        assert!(registered.status.success(), "{kind}: {registered:?}");
        let kept: Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
        assert_eq!(kept["keys"][0]["algorithm"], algorithm);
        gateway.secrets().add("UAF key", kept["keys"][0]["pkcs8"].as_str().unwrap());
        // Without being told again what key it has.
        let logged_in = device(&gateway, &[&["register-target"], &at[..]].concat());
        assert!(logged_in.status.success(), "{kind}: {logged_in:?}");
        let deleted = device(&gateway, &[&["delete"], &at[..]].concat());
        assert!(deleted.status.success(), "{kind}: {deleted:?}");
    }
    let told = complaint(&device(&gateway, &["register", "--gateway", &url, "--key", "dsa"]));
    assert!(told.contains("p256, p256-der, rsa-pss, rsa-pss-der"), "{told}");
}

#[tokio::test]
async fn a_phone_that_is_told_to_misbehave_is_refused_and_still_has_its_key() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let public = gateway.public();
    let run = |line: &[&str]| device(&gateway, &[line, &["--gateway", public.base()]].concat());
    let told = complaint(&run(&["register", "--misbehave", "sha-hash"]));
    assert!(told.contains("the nearest names are sha1-hash, "), "{told}");
    let told = complaint(&run(&["register", "--misbehave", "same-counter"]));
    assert!(told.contains("same-counter is for an authentication"), "{told}");
    let told = complaint(&run(&["register", "--misbehave", "compressed-point"]));
    assert!(told.contains("registration: UAF status 1494"), "{told}");
    assert!(run(&["register"]).status.success(), "the key that was refused is forgotten");

    let approve = async |how: &[&str]| {
        let operation = dispatched(&public, "authentication", &by_link("jeff")).await;
        run(&[&["approve", &operation.response], how].concat())
    };
    let told = complaint(&approve(&["--misbehave", "same-counter"]).await);
    assert!(told.contains("UAF authentication: UAF status 1498"), "{told}");
    // The phone's counter has moved by now, and the gateway's not.
    for how in ["same-counter", "lower-counter", "same-counter"] {
        let told = complaint(&approve(&["--misbehave", how]).await);
        assert!(told.contains("UAF authentication: UAF status 1498"), "{how}: {told}");
    }
    for right in ["unconfirmed", "shorter-transaction-content-hash", "other-param-channel-binding"] {
        let told = complaint(&approve(&["--misbehave", right]).await);
        assert!(told.contains(&format!("{right} is not possible in this answer")), "{told}");
    }
    let told = complaint(&approve(&["--misbehave", "without-pub-key"]).await);
    assert!(told.contains("without-pub-key is for a registration"), "{told}");
    let told = complaint(&approve(&["--misbehave", "without-authenticator-nonce"]).await);
    assert!(told.contains("UAF authentication: UAF status 1498"), "{told}");
    let approved = approve(&[]).await;
    assert!(approved.status.success(), "{approved:?}");
    let told = complaint(&approve(&["--misbehave", "same-counter"]).await);
    assert!(told.contains("UAF authentication: UAF status 1498"), "{told}");
    let listed = String::from_utf8(device(&gateway, &["misbehaviours"]).stdout).unwrap();
    assert!(listed.lines().count() > 100 && listed.contains("\nsha1-hash "), "{listed}");
}

#[tokio::test]
async fn a_picture_is_shown_in_a_file_and_never_at_the_terminal() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let run = registered(&gateway);
    let asked_for = async |content: &[u8]| {
        let transaction = json!([{"contentType": "image/png", "content": base64url(content)}]);
        let context = json!({"username": "jeff", "transaction": transaction}).to_string();
        let body = json!({"dispatcher": "link", "getUafRequest": {"context": context}});
        dispatched(&gateway.public(), "authentication", &body).await.response
    };
    let (picture, file) = (black_png(320, 480).unwrap(), gateway.data().with_file_name("picture.png"));
    let hash: String = openssl::sha::sha256(&picture).iter().map(|byte| format!("{byte:02x}")).collect();
    let shown = format!("to confirm: a picture of 320 by 480 pixels, {} bytes, SHA-256 {hash}\n", picture.len());
    for arguments in [&[][..], &["--picture", file.to_str().unwrap()]] {
        let approved = run(&[&["approve", &asked_for(&picture).await], arguments].concat());
        assert!(approved.status.success() && approved.stdout.is_ascii(), "{approved:?}");
        let told = String::from_utf8(approved.stdout).unwrap();
        assert!(told.contains(&shown) && told.contains("UAF authentication: approved"), "{told}");
        assert_eq!((told.contains("--picture FILE"), file.exists()), (arguments.is_empty(), !arguments.is_empty()));
    }
    assert_eq!(std::fs::read(&file).unwrap(), picture);
    let link = dispatched(&gateway.public(), "authentication", &by_link("jeff")).await.response;
    let nowhere = gateway.data().with_file_name("absent").join("picture.png");
    let told = complaint(&run(&["approve", &link, "--picture", nowhere.to_str().unwrap()]));
    assert!(told.contains("absent"), "{told}");
    let approved = run(&["approve", &link, "--picture", file.to_str().unwrap()]);
    let told = String::from_utf8(approved.stdout).unwrap();
    assert!(approved.status.success() && told.contains("nothing to confirm: nothing is written to "), "{told}");
    let told = complaint(&run(&["approve", &asked_for(&black_png(480, 320).unwrap()).await]));
    assert!(told.contains("none of the transaction's renderings can be shown here"), "{told}");
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
    let reachable = format!("addresses.json names {url}");
    let starts = format!("is it running (`{}` or `make run`", env!("CARGO_BIN_EXE_sidegate"));
    for words in ["can't be reached at http://127.0.0.1:9: Connection refused", "--gateway URL", &reachable, &starts] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let told = complaint(&device(&gateway, &["update-target", "--gateway", &url, "--name", "x"]));
    assert!(told.contains(" device register`, then `") && told.contains(" device register-target`"), "{told}");
    assert!(!gateway.log().contains("login"), "nothing was sent");
}

#[tokio::test]
async fn a_listener_that_is_not_for_phones_is_told() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let internal = format!("http://{}", gateway.address("internal"));
    let told = complaint(&device(&gateway, &["register", "--gateway", &internal]));
    let known = format!("addresses.json names {}", gateway.public().base());
    for words in ["HTTP 404", "phones are not served at", &internal, "--gateway URL", &known] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[tokio::test]
async fn a_demo_password_that_is_none_any_more_is_made_anew_as_told() {
    let gateway = Gateway::standalone(&[]).await;
    let (url, file) = (gateway.public().base().to_owned(), gateway.data().join("demo.password"));
    let demo = || gateway.command(&["device", "demo", "--gateway", &url], "");
    let states: [(Option<&str>, &str); 3] =
        [(Some("of long ago\n"), "HTTP 401"), (Some(""), "is empty"), (None, "it is not there")];
    for (content, why) in states {
        match content {
            Some(content) => std::fs::write(&file, content).unwrap(),
            None => std::fs::remove_file(&file).unwrap(),
        }
        let failed = demo();
        let told = complaint(&failed);
        assert!(told.contains(why) && told.contains(&file.display().to_string()), "{told}");
        assert!(failed.stdout.is_empty(), "nothing was begun: {failed:?}");
        let remedy = told.split('`').nth(1).unwrap();
        assert!(Command::new("sh").args(["-c", remedy]).status().unwrap().success(), "{remedy}");
        gateway.secrets().add("demo.password", std::fs::read_to_string(&file).unwrap().trim());
        let done = demo();
        assert!(done.status.success(), "{done:?}");
    }
}

#[tokio::test]
async fn where_nobody_is_demo_somebody_else_plays_as_told() {
    let gateway = Gateway::standalone(&[]).await;
    let url = gateway.public().base().to_owned();
    assert!(gateway.command(&["user", "remove", "demo"], "").status.success());
    for has_file in [true, false] {
        if !has_file {
            std::fs::remove_file(gateway.data().join("demo.password")).unwrap();
        }
        let told = complaint(&gateway.command(&["device", "demo", "--gateway", &url], ""));
        assert!(told.contains("there is no user demo"), "{told}");
        let name = if has_file { "eve" } else { "bob" };
        let add = told.split('`').nth(3).unwrap().replace("NAME", name);
        let line = format!("printf 'correct horse' | {add}");
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success(), "{line}");
        let line = ["device", "demo", "--gateway", &url, "--user", name, "--password-stdin"];
        let done = gateway.command(&line, "correct horse");
        assert!(done.status.success(), "{done:?}");
    }
}

#[tokio::test]
async fn a_demo_password_at_another_gateway_is_told_whose_it_is() {
    let (home, other) = (Gateway::standalone(&[]).await, Gateway::standalone(&[]).await);
    let url = other.public().base().to_owned();
    let told = complaint(&home.command(&["device", "demo", "--gateway", &url], ""));
    let known = format!("addresses.json names {}", home.public().base());
    for words in ["HTTP 401", &format!("{url} may be another one"), &known, "--data", "--password-stdin"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(!told.contains("user passwd"), "the password is good where it belongs: {told}");
}

/// A phone with a key of jeff, and how it is run.
fn registered(gateway: &Gateway) -> impl Fn(&[&str]) -> Output {
    let url = gateway.public().base().to_owned();
    let run = move |line: &[&str]| device(gateway, &[line, &["--gateway", &url]].concat());
    assert!(run(&["register"]).status.success());
    run
}

#[tokio::test]
async fn a_key_that_the_gateway_lost_counts_as_gone() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let run = registered(&gateway);
    Phone::enrolled(&gateway, "jeff").await.deregister().await;
    let told = complaint(&run(&["register-target"]));
    assert!(told.contains("no suitable authenticator") && told.contains(" device register` makes a new one"), "{told}");
    assert!(run(&["register"]).status.success(), "beside the lost one");
    let deleted = run(&["delete"]);
    assert!(deleted.status.success(), "{deleted:?}");
    let told = String::from_utf8(deleted.stdout).unwrap();
    assert!(
        told.contains(
            "UAF status 1404 Nothing there: the gateway does not know the key or no longer takes its model; 1 keys left"
        ),
        "{told}"
    );
    assert!(told.contains("deregistration: 0 keys left"), "the next one is deregistered: {told}");
    assert_eq!(asked(&gateway.internal(), "jeff").await, 1404, "no key of jeff is left");
    assert!(complaint(&run(&["delete"])).contains("no key yet"), "nothing of the phone is left");
}

#[tokio::test]
async fn a_target_whose_key_is_lost_is_deleted_with_a_new_one() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let run = registered(&gateway);
    assert!(run(&["register-target"]).status.success());
    Phone::enrolled(&gateway, "jeff").await.deregister().await;
    let told = complaint(&run(&["delete"]));
    assert!(told.contains("dispatch target ") && told.contains(" device delete` removes both"), "{told}");
    for command in ["register", "delete"] {
        let done = run(&[command]);
        assert!(done.status.success(), "{done:?}");
    }
    let targets = gateway.internal().get("/nevisfido/token/dispatch/targets?username=jeff").send().await.expect(200);
    assert!(!targets.text().contains("Software phone"), "{}", targets.text());
}

#[tokio::test]
async fn keys_of_two_users_are_deregistered_each_by_its_own() {
    let gateway = Gateway::standalone(&["jeff", "eve"]).await;
    let url = gateway.public().base().to_owned();
    for user in ["jeff", "eve"] {
        let line = ["device", "register", "--gateway", &url, "--user", user, "--password-stdin"];
        let registered = gateway.command(&line, gateway.password(user));
        assert!(registered.status.success(), "{registered:?}");
    }
    let deleted = device(&gateway, &["delete", "--gateway", &url]);
    assert!(deleted.status.success(), "{deleted:?}");
    for user in ["jeff", "eve"] {
        assert_eq!(asked(&gateway.internal(), user).await, 1404, "no key of {user} is left");
    }
}

#[tokio::test]
async fn a_link_that_was_used_is_told_as_that() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let run = registered(&gateway);
    let link = dispatched(&gateway.public(), "authentication", &by_link("jeff")).await.response;
    assert!(run(&["approve", &link]).status.success());
    for action in ["approve", "deny"] {
        let told = complaint(&run(&[action, &link]));
        assert!(
            told.contains("this link was used already, or is over") && told.contains("ask for another one"),
            "{told}"
        );
    }
}
