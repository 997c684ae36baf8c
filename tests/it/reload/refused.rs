//! What is not taken, and what is said about it.

use super::{logged, shop};
use crate::support::upstream::Upstream;

#[tokio::test]
async fn a_broken_file_leaves_everything_as_it_was_and_every_fault_is_told_as_check_tells_it() {
    let upstream = Upstream::start().await;
    let gateway = shop(&upstream).start().await;
    // Something good beside two faults: nothing of it is to take effect.
    gateway.reconfigure("path: /open/*", "path: /store/*");
    gateway.reconfigure("level: 2", "level: 0");
    gateway.reconfigure("methods: [GET], filters: [customers", "methodz: [GET], filters: [customers");
    gateway.reloaded("faults", 1).await;
    let told = gateway.checked();
    let faults: Vec<_> = told.lines().collect();
    assert!(faults.len() >= 2, "{told}");
    for fault in faults {
        let (_, fault) = fault.split_once("sidegate.yml:").unwrap();
        logged(&gateway, &fault.replace('"', "\\\"")).await;
    }
    assert_eq!(gateway.metric(super::GENERATION).await, 1);
    gateway.public().get("/open/a").send().await.expect(200);
    gateway.public().get("/store/a").send().await.problem(404);
    gateway.management().get("/nevisfido/health").send().await.expect(200);
    gateway.reconfigure("methodz", "methods");
    gateway.reconfigure("level: 0", "level: 2");
    gateway.reloaded("done", 1).await;
    gateway.public().get("/store/a").send().await.expect(200);
}

#[tokio::test]
async fn half_a_file_and_a_file_that_vanishes_change_nothing_and_the_whole_one_is_taken() {
    let upstream = Upstream::start().await;
    let gateway = shop(&upstream).start().await;
    let file = gateway.data().with_file_name("sidegate.yml");
    let whole = std::fs::read_to_string(&file).unwrap();
    let changed = whole.replace("path: /open/*", "path: /store/*");
    let half = changed.find("type: fido-uaf").unwrap() + "type: fido".len();
    std::fs::write(&file, &changed[..half]).unwrap();
    gateway.reloaded("faults", 1).await;
    gateway.public().get("/open/a").send().await.expect(200);
    std::fs::remove_file(&file).unwrap();
    gateway.reloaded("faults", 2).await;
    logged(&gateway, "the file does not exist").await;
    gateway.hang_up();
    gateway.reloaded("faults", 3).await;
    gateway.public().get("/open/a").send().await.expect(200);
    std::fs::write(&file, changed).unwrap();
    gateway.reloaded("done", 1).await;
    gateway.public().get("/store/a").send().await.expect(200);
}

#[tokio::test]
async fn what_is_fixed_at_the_start_needs_a_restart_and_nothing_beside_it_takes_effect() {
    let upstream = Upstream::start().await;
    let gateway = shop(&upstream).start().await;
    gateway.reconfigure("path: /open/*", "path: /store/*");
    gateway.reconfigure("127.0.0.1:8081\n", "127.0.0.1:8081\n    http2: false\n");
    gateway.reconfigure("\nrealms:\n", "\nlimits: {body-size: 1KiB}\nrealms:\n");
    gateway.reloaded("needs-restart", 1).await;
    for key in ["listeners[1].http2", "limits.body-size"] {
        logged(&gateway, &format!(" {key}: this is fixed while the gateway runs; needs restart")).await;
    }
    gateway.public().get("/open/a").send().await.expect(200);
    gateway.public().get("/store/a").send().await.problem(404);
    gateway.reconfigure("    http2: false\n", "");
    gateway.reconfigure("limits: {body-size: 1KiB}\n", "");
    gateway.reloaded("done", 1).await;
    gateway.public().get("/store/a").send().await.expect(200);
}

#[tokio::test]
async fn a_key_for_sec_tokens_that_got_lost_is_not_made_anew_under_a_running_gateway() {
    let upstream = Upstream::start().await;
    let gateway = shop(&upstream).start().await;
    let jwks = async || gateway.public().get("/.well-known/jwks.json").send().await.expect(200).json();
    let (before, file) = (jwks().await, gateway.data().join("sectoken.pem"));
    let key = std::fs::read(&file).unwrap();
    std::fs::rename(&file, file.with_extension("away")).unwrap();
    gateway.reloaded("failed", 1).await;
    logged(&gateway, "sectoken.pem is gone").await;
    assert!(jwks().await == before && !file.exists());
    std::fs::rename(file.with_extension("away"), &file).unwrap();
    gateway.reloaded("done", 1).await;
    assert!(jwks().await == before && std::fs::read(&file).unwrap() == key);
}
