//! One gateway takes over from another one while clients go on (`sidegate serve --upgrade`).

mod held;

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::Client;
use crate::support::logs::{audited, lines};
use crate::support::oob::{by_link_to, dispatched, redeem};
use crate::support::phone::Phone;
use crate::support::wait;

const STANDALONE: &str = include_str!("../../conf/standalone.yml");

/// Asks again and again; every request must be answered well.
async fn ask(client: Client, path: &'static str, ended: Arc<AtomicBool>, answers: Arc<AtomicU64>) {
    while !ended.load(Ordering::Relaxed) {
        client.get(path).send().await.expect(200);
        answers.fetch_add(1, Ordering::Relaxed);
    }
}

async fn more(answers: &AtomicU64) {
    let before = answers.load(Ordering::Relaxed);
    let some = async || (answers.load(Ordering::Relaxed) > before + 20).then_some(());
    wait::until("more answers", wait::BOUND, some).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost_and_sessions_and_links_go_on() {
    let mut gateway = Gateway::standalone(&["jeff"]).await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    let operation = dispatched(&gateway.public(), "authentication", &by_link_to("jeff", phone.target())).await;
    let (ended, answers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let clients = [
        (gateway.public(), "/auth/login"),
        (gateway.public_http2(), "/.well-known/jwks.json"),
        (gateway.management(), "/nevisfido/health"),
        (phone.client(), "/nevisfido/uaf/1.1/facets"),
    ];
    let asking: Vec<_> =
        clients.map(|(client, path)| tokio::spawn(ask(client, path, ended.clone(), answers.clone()))).into();
    for _ in 0..2 {
        more(&answers).await;
        let before = gateway.id();
        assert_eq!(gateway.upgrade().await, Some(0), "the one before ended well");
        assert_ne!(gateway.id(), before);
        more(&answers).await;
    }
    ended.store(true, Ordering::Relaxed);
    for asked in asking {
        asked.await.unwrap();
    }
    let handed_out = redeem(&gateway.public(), "authentication", &operation.token).await.uaf_code(1200);
    phone.authenticate(&handed_out).await.uaf_code(1200);
    let path = format!("/nevisfido/token/dispatch/targets/{}", phone.target());
    phone.client().call(http::Method::DELETE, &path).send().await.expect(204);
}

/// Dispatches, has another gateway take over and redeems: the log calls the operation by one id.
async fn assert_one_id_before_and_after(gateway: &mut Gateway) {
    let phone = Phone::enrolled(gateway, "jeff").await;
    let operation = dispatched(&gateway.public(), "authentication", &by_link_to("jeff", phone.target())).await;
    assert_eq!(gateway.upgrade().await, Some(0));
    let handed_out = redeem(&gateway.public(), "authentication", &operation.token).await.uaf_code(1200);
    phone.authenticate(&handed_out).await.uaf_code(1200);
    let last = |event: &'static str| {
        let gateway = &*gateway;
        wait::until(event, wait::BOUND, async move || audited(gateway, event).pop())
    };
    let begun = last("dispatch").await;
    assert!(begun["operation_id"].is_string(), "{begun}");
    for event in ["redeem", "answer"] {
        let line = last(event).await;
        assert_eq!(line["operation_id"], begun["operation_id"], "{line}");
    }
}

#[tokio::test]
async fn an_operation_has_one_id_in_the_log_before_and_after() {
    let mut gateway = Gateway::standalone(&["jeff"]).await;
    assert_one_id_before_and_after(&mut gateway).await;
}

#[tokio::test]
async fn so_has_one_of_services_that_came_with_a_reload() {
    let services = between(STANDALONE, "\nfido-uaf:\n", "\n# sec-token:");
    let realm = between(STANDALONE, "  fido-uaf:\n    type: fido-uaf\n", "  # oob:");
    let setup = Setup::default().user("jeff").replace(services, "\n# services\n").replace(realm, "  # realm\n");
    let mut gateway = setup.start().await;
    gateway.public().json("/nevisfido/status", &serde_json::json!({"sessionId": "x"})).await.problem(404);
    gateway.reconfigure("  # realm\n", realm);
    gateway.reconfigure("\n# services\n", services);
    gateway.reloaded("done", 1).await;
    assert_one_id_before_and_after(&mut gateway).await;
}

/// From a text of the sample to another one.
fn between(sample: &'static str, from: &str, to: &str) -> &'static str {
    let begin = sample.find(from).unwrap();
    let length = sample[begin..].find(to).unwrap();
    &sample[begin..begin + length]
}

/// Starts a successor that comes to nothing, and says why.
async fn fails(gateway: &Gateway, why: &str) {
    let mut successor = gateway.successor();
    let status = wait::until("its end", wait::BOUND, async || successor.try_wait().unwrap()).await;
    assert_eq!(status.code(), Some(1));
    let told = || gateway.log().lines().any(|line| line.contains("does not serve") && line.contains(why));
    wait::until(why, wait::BOUND, async || told().then_some(())).await;
}

#[tokio::test]
async fn a_successor_that_comes_to_nothing_changes_nothing() {
    let gateway = Setup::default().user("jeff").replace("    level: 2\n", "    level: 2   # high\n").start().await;
    let mode = std::fs::metadata(gateway.data().join("upgrade.sock")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    // What the file says, what only shows when it is put together, and what the sockets are.
    gateway.reconfigure("level: 2   # high", "level: 0   # high");
    fails(&gateway, "level 0 is what nobody has").await;
    gateway.reconfigure("level: 0   # high", "level: 2");
    gateway.reconfigure("    roles: [act-for, admin]", "    token-file: sidegate.yml\n    roles: [act-for, admin]");
    fails(&gateway, "internal-callers.internal.token-file").await;
    gateway.reconfigure("    token-file: sidegate.yml\n", "");
    gateway.reconfigure("127.0.0.1:9089\n", "127.0.0.1:9089\n  - class: management\n    address: 127.0.0.1:0\n");
    let file = gateway.data().with_file_name("sidegate.yml");
    let text = std::fs::read_to_string(&file).unwrap();
    let line = 1 + text.lines().position(|line| line.ends_with("address: 127.0.0.1:0")).unwrap();
    let place = format!("{}:{line}: listeners[3].address: the gateway that serves has other", file.display());
    fails(&gateway, &place).await;
    fails(&gateway, "(listeners[3].address is none there and 127.0.0.1:0 here); stop it, then start").await;
    for why in ["internal-callers.internal.token-file", &*place] {
        let knows =
            || lines(&gateway).iter().any(|line| line["reason"].as_str().is_some_and(|text| text.contains(why)));
        wait::until("it knows why", wait::BOUND, async || knows().then_some(())).await;
    }
    gateway.public().get("/auth/login").send().await.expect(200);
    gateway.management().get("/nevisfido/health").send().await.expect(200);
}

/// The one that serves has read them and goes on.
#[tokio::test]
async fn a_successor_that_could_not_use_the_data_folder_changes_nothing() {
    let gateway = Setup::default().user("jeff").replace("    level: 2\n", "    level: 2   # high\n").start().await;
    let phone = Phone::enrolled(&gateway, "jeff").await;
    for file in ["session-token.pem", "server-data", "users"] {
        let path = gateway.data().join(file);
        let kept = std::fs::read(&path).unwrap();
        std::fs::write(&path, "damaged\n").unwrap();
        fails(&gateway, file).await;
        assert_eq!(std::fs::read(&path).unwrap(), b"damaged\n");
        std::fs::write(&path, kept).unwrap();
    }
    gateway.reconfigure("\nfido-uaf:\n", "\nfido-uaf:\n  app-id: https://other.example/facets\n");
    fails(&gateway, "credentials were registered for").await;
    phone.client().get("/auth/login").send().await.expect(200);
    gateway.management().get("/nevisfido/health").send().await.expect(200);
}

#[tokio::test]
async fn a_start_that_finds_this_gateway_at_its_address_is_told_how_to_take_over() {
    let gateway = Gateway::standalone(&[]).await;
    let address = gateway.address("public").to_string();
    let elsewhere = ["--internal", "127.0.0.1:0", "--management", "127.0.0.1:0"];
    let output = gateway.command(&[&["serve", "--listen", &address], &elsewhere[..]].concat(), "");
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    for words in
        ["Address already in use", "addresses.json says that", " serve --upgrade` with the same flags takes over"]
    {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[tokio::test]
async fn without_a_gateway_it_is_a_start_like_any() {
    let mut gateway = Gateway::standalone(&["jeff"]).await;
    gateway.stop();
    assert_eq!(gateway.upgrade().await, None);
    Phone::new(&gateway, "jeff").login_password().await;
    gateway.kill();
    assert_eq!(gateway.upgrade().await, None, "what a killed one left is in nobody's way");
    Phone::new(&gateway, "jeff").login_password().await;
}
