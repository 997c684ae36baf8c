//! What a lost file of the data folder costs, and a start that was cut short: nothing that anybody registered.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use serde_json::Value;

use crate::support::gateway::{Gateway, Setup};
use crate::support::phone::Phone;
use crate::support::wait;

const TARGETS: &str = "/nevisfido/token/dispatch/targets?username=jeff";
const STORE: &str = "sidegate.redb";

/// A file of the data folder, and where it is kept while it is missed.
fn paths(gateway: &Gateway, name: &str) -> (PathBuf, PathBuf) {
    (gateway.data().join(name), gateway.data().with_file_name("aside"))
}

/// Waits until a line of the log has this.
async fn logged(gateway: &Gateway, told: &str) {
    wait::until(told, wait::BOUND, async || gateway.log().contains(told).then_some(())).await;
}

/// Starts it in vain and looks for the reason.
fn assert_start_refused(gateway: &mut Gateway, told: &str) {
    let before = gateway.log().matches(told).count();
    gateway.launch();
    assert_eq!(gateway.ended(), Some(1), "{}", gateway.log());
    assert!(gateway.log().matches(told).count() > before, "{told}: {}", gateway.log());
}

#[tokio::test]
async fn a_users_file_that_was_begun_anew_costs_nobody_a_key() {
    let mut gateway = Gateway::standalone(&["jeff"]).await;
    let mut phone = Phone::enrolled(&gateway, "jeff").await;
    let (users, aside) = paths(&gateway, "users");
    fs::rename(&users, &aside).unwrap();
    let refused = gateway.command(&["user", "add", "eve"], "");
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && told.contains("--new-users-file") && !users.exists(), "{told}");
    assert!(gateway.command(&["user", "add", "eve", "--new-users-file"], "").status.success());
    gateway.stop();
    // Each start sweeps.
    gateway.restart().await;
    logged(&gateway, "what they have is kept").await;
    gateway.stop();
    fs::rename(&aside, &users).unwrap();
    gateway.restart().await;
    gateway.internal().get(TARGETS).send().await.expect(200);
    phone.forget_session();
    phone.login_uaf().await;
}

#[tokio::test]
async fn what_a_removed_user_had_goes_with_an_audit_line() {
    let mut gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    assert!(gateway.command(&["user", "remove", "jeff"], "").status.success());
    // Whoever has the name next has nothing of it.
    gateway.add_user("jeff");
    gateway.stop();
    gateway.restart().await;
    gateway.internal().get(TARGETS).send().await.problem(404);
    for what in ["targets", "credentials"] {
        let is_told = |line: &Value| {
            line["target"] == "audit"
                && line["event"] == "swept"
                && line["what"] == what
                && line["user"] == phone.ext_id()
        };
        let found = async || {
            let log = gateway.log();
            let line = log.lines().filter_map(|line| serde_json::from_str(line).ok()).find(is_told)?;
            (line["count"] == 1).then_some(())
        };
        wait::until(what, wait::BOUND, found).await;
    }
}

#[tokio::test]
async fn a_store_that_is_taken_away_acknowledges_nothing_more() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let (store, aside) = paths(&gateway, STORE);
    fs::rename(&store, &aside).unwrap();
    gateway.management().get("/nevisfido/health").send().await.expect(503);
    let path = format!("/nevisfido/token/dispatch/targets/{}", phone.target());
    phone.client().call(http::Method::DELETE, &path).send().await.expect(503);
    logged(&gateway, "was removed or replaced while it was open").await;
    logged(&gateway, "a restart without it is refused").await;
    fs::rename(&aside, &store).unwrap();
    gateway.management().get("/nevisfido/health").send().await.expect(200);
    gateway.internal().get(TARGETS).send().await.expect(200);
}

#[tokio::test]
async fn a_start_without_what_was_there_is_refused_until_it_is_put_back() {
    let mut gateway = Gateway::standalone(&["jeff"]).await;
    let mut phone = Phone::enrolled(&gateway, "jeff").await;
    gateway.stop();
    let reasons =
        [("users", "it is gone or empty", "it is gone or empty"), (STORE, "is gone, and was there", "it is empty")];
    for (name, gone, empty) in reasons {
        let (file, aside) = paths(&gateway, name);
        fs::copy(&file, &aside).unwrap();
        fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(0).unwrap();
        assert_start_refused(&mut gateway, empty);
        fs::remove_file(&file).unwrap();
        assert_start_refused(&mut gateway, gone);
        assert!(!file.exists(), "{name} is not made anew");
        fs::rename(&aside, &file).unwrap();
    }
    gateway.restart().await;
    phone.forget_session();
    phone.login_uaf().await;
}

#[tokio::test]
async fn a_gateway_in_use_that_begins_anew_says_so() {
    let (anew, nobody) = ("the data folder is made anew: no users, no keys", "sidegate user add NAME");
    let live = "try-out: false\npublic-url: https://gate.example";
    let app_id = "  app-id: https://gate.example/facets";
    let mut gateway = Setup::default().replace("try-out: true", live).under("fido-uaf", app_id).start().await;
    gateway.stop();
    gateway.add_user("jeff");
    gateway.restart().await;
    gateway.stop();
    let told = |gateway: &Gateway| {
        [anew, nobody, "internal.token, made just now"].map(|told| gateway.log().matches(told).count())
    };
    assert_eq!(told(&gateway), [1, 1, 1], "{}", gateway.log());
    fs::remove_dir_all(gateway.data()).unwrap();
    gateway.restart().await;
    gateway.stop();
    assert_eq!(told(&gateway), [2, 2, 2], "{}", gateway.log());
}

#[tokio::test]
async fn a_first_start_that_is_killed_is_no_damage() {
    let mut gateway = Gateway::standalone(&[]).await;
    gateway.stop();
    for _ in 0..10 {
        fs::remove_dir_all(gateway.data()).unwrap();
        gateway.launch();
        let made = || [STORE, "sidegate.redb.begun"].iter().any(|name| gateway.data().join(name).exists());
        // No pause between two looks: the file is made in a moment.
        let end = Instant::now() + wait::BOUND;
        while !made() {
            assert!(Instant::now() < end, "no store is made");
        }
        gateway.kill();
        gateway.restart().await;
        gateway.stop();
    }
}
