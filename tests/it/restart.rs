//! What a restart and a `kill -9` keep (`gateway.md` 5).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::gateway::{Gateway, Setup};
use crate::support::oob::{asked, by_link_to, dispatched, payload, redeem};
use crate::support::phone::Phone;
use crate::support::upstream::Upstream;
use crate::support::wait;

/// What an outsider sees of the things that must stay.
async fn kept(gateway: &Gateway, phone: &Phone) -> Value {
    let targets = gateway.internal().get("/nevisfido/token/dispatch/targets?username=jeff").send().await.expect(200);
    let jwks = gateway.public().get("/.well-known/jwks.json").send().await.expect(200);
    let facets = gateway.public().get("/nevisfido/uaf/1.1/facets").send().await.expect(200);
    let begun = gateway.public().json("/auth/fidouaf", &json!({"username": "jeff"})).await.uaf_code(1200);
    let messages: Value = serde_json::from_str(begun["uafRequest"].as_str().unwrap()).unwrap();
    json!({
        "targets": targets.json(),
        "jwks": jwks.json(),
        "facets": facets.json(),
        "app-id": messages[0]["header"]["appID"],
        "policy": messages[0]["policy"],
        "user": phone.ext_id(),
    })
}

async fn assert_usable(gateway: &Gateway, phone: &mut Phone) {
    phone.login_password().await;
    phone.login_uaf().await;
    let operation = dispatched(&gateway.public(), "authentication", &by_link_to("jeff", phone.target())).await;
    let sealed = payload(&operation.response);
    let opened = phone.encryption.open(sealed["nma_data"].as_str().unwrap());
    assert_eq!(opened["token"], operation.token);
    let handed_out = redeem(&gateway.public(), "authentication", &operation.token).await.uaf_code(1200);
    phone.authenticate(&handed_out).await.uaf_code(1200);
}

#[tokio::test]
async fn a_restart_keeps_targets_credentials_users_keys_and_the_app_id() {
    let mut gateway = Gateway::standalone(&["jeff"]).await;
    let mut phone = Phone::enrolled(&gateway, "jeff").await;
    let before = kept(&gateway, &phone).await;
    gateway.stop();
    gateway.restart().await;
    assert_eq!(kept(&gateway, &phone).await, before);
    assert_usable(&gateway, &mut phone).await;
}

#[tokio::test]
async fn a_kill_keeps_what_was_acknowledged() {
    let mut gateway = Gateway::standalone(&["jeff"]).await;
    let mut phone = Phone::enrolled(&gateway, "jeff").await;
    let before = kept(&gateway, &phone).await;
    gateway.kill();
    gateway.restart().await;
    assert_eq!(kept(&gateway, &phone).await, before);
    assert_usable(&gateway, &mut phone).await;
}

#[tokio::test]
async fn a_counter_does_not_go_back_over_a_kill() {
    let mut gateway = Gateway::standalone(&["jeff"]).await;
    let mut phone = Phone::enrolled(&gateway, "jeff").await;
    let cloned = phone.clone_authenticator();
    phone.login_uaf().await;
    gateway.kill();
    gateway.restart().await;
    let begun = gateway.public().json("/auth/fidouaf", &json!({"username": "jeff"})).await.uaf_code(1200);
    let stale = cloned.answer(&begun);
    let answer = gateway.public().uaf("/auth/fidouaf/authenticationresponse", &json!({"uafResponse": stale})).await;
    assert!(answer.set_cookie().is_none());
    answer.uaf_code(1498);
    phone.forget_session();
    phone.login_uaf().await;
}

#[tokio::test]
async fn a_deleted_target_and_key_stay_deleted_over_a_kill() {
    let mut gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let path = format!("/nevisfido/token/dispatch/targets/{}", phone.target());
    phone.client().call(http::Method::DELETE, &path).send().await.expect(204);
    phone.deregister().await;
    gateway.kill();
    gateway.restart().await;
    gateway.internal().get("/nevisfido/token/dispatch/targets?username=jeff").send().await.problem(404);
    assert_eq!(asked(&gateway.internal(), "jeff").await, 1404, "no key of jeff is left");
}

#[tokio::test]
async fn what_a_removed_user_registered_does_not_bind_the_app_id() {
    let mut gateway = Setup::default().user("jeff").seconds("token", 300).start().await;
    Phone::enrolled(&gateway, "jeff").await;
    gateway.stop();
    let config = gateway.data().with_file_name("sidegate.yml");
    let text = std::fs::read_to_string(&config).unwrap();
    let text = text.replace("\nfido-uaf:\n", "\nfido-uaf:\n  app-id: https://other.example/facets\n");
    std::fs::write(&config, text).unwrap();
    for user in ["jeff", "demo"] {
        assert!(gateway.command(&["user", "remove", user], "").status.success());
    }
    gateway.restart().await;
    let kept = std::fs::read_to_string(gateway.data().join("app-id")).unwrap();
    assert_eq!(kept, "https://other.example/facets");
    gateway.stop();
    let lines: Vec<Value> = gateway.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let told = lines.iter().find(|line| line["now"] == "https://other.example/facets").expect("it is told");
    assert!(told["level"] == "WARN" && told["before"].as_str().unwrap().starts_with("http://127.0.0.1"), "{told}");
}

#[tokio::test]
async fn a_second_interrupt_does_not_wait_for_open_requests() {
    let mut gateway = Setup::default().append("limits: {stop: 60s, body-window: 60s}").start().await;
    let mut open = TcpStream::connect(gateway.address("public")).unwrap();
    open.write_all(
        b"POST /auth/pwd HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 99\r\n\r\nisi",
    )
    .unwrap();
    wait::until("the request is open", wait::BOUND, async || {
        let metrics = gateway.management().get("/metrics").send().await.text();
        // The one that asks is open, too.
        metrics.contains("sidegate_open_requests 2").then_some(())
    })
    .await;
    gateway.interrupt();
    wait::until("it stops", wait::BOUND, async || gateway.log().contains("stopping").then_some(())).await;
    gateway.interrupt();
    assert_eq!(gateway.ended(), Some(130));
    let log = gateway.log();
    let cut = |line: &Value| line["target"] == "access" && line["route"] == "login-password" && line["cut"] == true;
    assert!(log.lines().filter_map(|line| serde_json::from_str(line).ok()).any(|line| cut(&line)), "{log}");
}

#[tokio::test]
async fn sigterm_during_the_start_is_a_good_end_too() {
    let mut gateway = Gateway::standalone(&[]).await;
    for _ in 0..3 {
        gateway.stop();
        gateway.begin().await;
    }
    gateway.stop();
}

#[tokio::test]
async fn sigterm_at_the_first_moment_leaves_no_half_made_data_folder() {
    let mut gateway = Gateway::standalone(&[]).await;
    for _ in 0..3 {
        gateway.stop();
        std::fs::remove_dir_all(gateway.data()).unwrap();
        gateway.launch();
        let bound = || TcpStream::connect(gateway.address("public")).ok();
        // No pause between two looks: the folder is made in a moment.
        let end = Instant::now() + wait::BOUND;
        while bound().is_none() {
            assert!(Instant::now() < end, "it does not listen");
        }
        gateway.terminate();
        assert_eq!(gateway.ended(), Some(0), "{}", gateway.log());
        gateway.begin().await;
    }
    gateway.stop();
}

#[rstest]
#[case::sigterm(Gateway::terminate)]
#[case::sigint(Gateway::interrupt)]
#[tokio::test]
async fn a_signal_lets_open_requests_finish_and_ends_well(#[case] signal: fn(&Gateway)) {
    let upstream = Upstream::start().await;
    let setup = Setup::default().append("limits: {stop: 60s, body-window: 60s}").append(format!(
        "upstreams:\n  slow: {{url: 'http://{}', read-timeout: 2s}}\nroutes:\n  - {{name: slow, path: /slow, methods: [GET], \
         filters: [], upstream: slow}}\n",
        upstream.address
    ));
    let mut gateway = setup.start().await;
    let address = gateway.address("public");
    let mut open = TcpStream::connect(address).unwrap();
    let head =
        "POST /nevisfido/status HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n";
    open.write_all([head, "{\"sessionI"].concat().as_bytes()).unwrap();
    wait::until("the request is open", wait::BOUND, async || {
        // The one that asks is open, too.
        (gateway.metric("sidegate_open_requests").await == 2).then_some(())
    })
    .await;
    upstream.hang_next();
    let mut slow = TcpStream::connect(address).unwrap();
    slow.write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    wait::until("its server is asked", wait::BOUND, async || (!upstream.received().is_empty()).then_some(())).await;
    signal(&gateway);
    wait::until("nobody else is let in", wait::BOUND, async || TcpStream::connect(address).is_err().then_some(()))
        .await;
    // What a server takes too long for is an end as well, and comes when a gateway that does not wait has long left.
    let late = rest(&mut slow);
    assert!(late.starts_with("HTTP/1.1 504 "), "{late}");
    open.write_all(b"d\":\"a\"}").unwrap();
    let answer = rest(&mut open);
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"unknown\""), "{answer}");
    assert_eq!(gateway.ended(), Some(0), "{}", gateway.log());
}

/// What comes until the other side closes.
fn rest(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// Whatever is below a folder, with its mode.
fn modes(folder: &Path) -> Vec<(PathBuf, u32)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = entries.flat_map(|path| {
        let mode = std::fs::symlink_metadata(&path).unwrap().permissions().mode() & 0o777;
        let inner = if path.is_dir() { modes(&path) } else { Vec::new() };
        [vec![(path, mode)], inner].concat()
    });
    below.collect()
}

/// The sockets with a path that somebody listens on, as the system lists them.
fn listening() -> Vec<PathBuf> {
    let text = std::fs::read_to_string("/proc/net/unix").unwrap();
    text.lines().filter_map(|line| Some(PathBuf::from(line.split_whitespace().nth(7)?))).collect()
}

#[tokio::test]
async fn what_it_keeps_while_it_runs_is_in_the_data_folder_and_for_its_account_alone() {
    let shared = tempfile::tempdir().unwrap();
    let setup = Setup::default().user("jeff").env("TMPDIR", shared.path().display().to_string());
    let mut gateway = setup.start().await;
    let _phone = Phone::enrolled(&gateway, "jeff").await;
    let folder = gateway.data();
    assert!(listening().contains(&folder.join("upgrade.sock")), "{:?}", listening());
    assert!(listening().iter().all(|path| !path.starts_with("/tmp/pingora_upgrade.sock")));
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    for (path, mode) in modes(&folder) {
        assert_eq!(mode & !if path.is_dir() { 0o700 } else { 0o600 }, 0, "{} has {mode:o}", path.display());
    }
    assert_eq!(modes(shared.path()), []);
    assert!(std::fs::read_dir(folder.parent().unwrap()).unwrap().all(|entry| entry.unwrap().path() == folder));
    gateway.stop();
    assert_eq!(modes(shared.path()), []);
}
