//! A configuration that changes while the gateway runs (`gateway.md` 6.3).

mod crowd;
mod kept;
mod refused;
mod tls;
mod withdrawn;

use crate::support::gateway::{Gateway, Setup};
use crate::support::logs::audited;
use crate::support::upstream::Upstream;
use crate::support::wait;

const GENERATION: &str = "sidegate_configuration_generation";

/// The built-in standalone with a shop behind it: `/shop` for customers with a session, `/open` for everybody.
fn shop(upstream: &Upstream) -> Setup {
    Setup::default().user("jeff").append(format!(
        "upstreams:\n  shop:\n    url: http://{}\n\
         filters:\n  customers: {{type: identity-creation, domain: main, level: 1}}\n\
         \x20 tell-who: {{type: delegation, rules: [\"AUTH:user.auth.SecToken:Authorization\"]}}\n\
         routes:\n  - {{name: shop, path: /shop/*, methods: [GET], filters: [customers, tell-who], upstream: shop}}\n\
         \x20 - {{name: open, path: /open/*, methods: [GET], filters: [], upstream: shop}}\n",
        upstream.address
    ))
}

async fn logged(gateway: &Gateway, text: &str) {
    wait::until(text, wait::BOUND, async || gateway.log().contains(text).then_some(())).await;
}

#[tokio::test]
async fn a_changed_file_is_served_by_connections_that_were_open_before() {
    let upstream = Upstream::start().await;
    let gateway = shop(&upstream).start().await;
    let clients = [gateway.public(), gateway.public_http2()];
    for client in &clients {
        client.get("/open/a").send().await.expect(200);
        client.get("/store/a").send().await.problem(404);
    }
    assert_eq!((gateway.metric(GENERATION).await, gateway.reloads("done").await), (1, 0));
    let connections = gateway.metric("sidegate_open_connections").await;
    gateway.reconfigure("/open/*", "/store/*");
    gateway.reloaded("done", 1).await;
    for client in &clients {
        client.get("/store/a").send().await.expect(200);
        client.get("/open/a").send().await.problem(404);
    }
    assert_eq!(gateway.metric("sidegate_open_connections").await, connections, "they are the same");
    assert_eq!(gateway.metric(GENERATION).await, 2);
    assert!(gateway.metric("sidegate_configuration_timestamp_seconds").await > 1_700_000_000);
    logged(&gateway, r#""event":"configuration","generation":2,"sections":"routes","files":""#).await;
    let audit = gateway.log();
    let line = audit.lines().find(|line| line.contains(r#""event":"configuration""#)).unwrap();
    assert!(line.contains("sidegate.yml") && !line.contains("/store"), "files and sections, no values: {line}");
}

#[tokio::test]
async fn sighup_reads_again_and_a_row_changed_meanwhile_is_served() {
    let upstream = Upstream::start().await;
    let gateway = shop(&upstream).start().await;
    gateway.hang_up();
    gateway.reloaded("done", 1).await;
    gateway.management().get("/nevisfido/health").send().await.expect(200);
    gateway.reconfigure("path: /open/*", "path: /store/*");
    gateway.hang_up();
    wait::until("the new row", wait::BOUND, async || {
        (gateway.public().get("/store/a").send().await.status == 200).then_some(())
    })
    .await;
    gateway.public().get("/open/a").send().await.problem(404);
}

#[tokio::test]
async fn sighup_without_a_change_says_so_and_a_change_that_was_refused_before_is_audited_once_it_is_served() {
    let gateway = Setup::default().user("jeff").append("# first\n").start().await;
    let audited = || audited(&gateway, "configuration");
    gateway.hang_up();
    gateway.reloaded("done", 1).await;
    logged(&gateway, "nothing changed of the configuration").await;
    assert_eq!((audited(), gateway.metric(GENERATION).await), (Vec::new(), 1));
    // No section says otherwise.
    gateway.reconfigure("# first", "# second");
    gateway.reloaded("done", 2).await;
    let lines = wait::until("its line", wait::BOUND, async || Some(audited()).filter(|lines| !lines.is_empty())).await;
    assert_eq!((&lines[0]["generation"], &lines[0]["sections"]), (&2.into(), &"".into()));
    // It is refused as long as a key is gone, and read again meanwhile.
    let key = gateway.data().join("sectoken.pem");
    let (kept, away) = (key.clone(), key.with_extension("away"));
    std::fs::rename(&kept, &away).unwrap();
    gateway.reloaded("failed", 1).await;
    gateway.reconfigure("# second", "# third");
    gateway.reloaded("failed", 2).await;
    std::fs::rename(&away, &kept).unwrap();
    gateway.reloaded("done", 3).await;
    let files = async || audited().get(1).map(|line| line["files"].as_str().unwrap().to_owned());
    let files = wait::until("the second line", wait::BOUND, files).await;
    assert!(files.contains("sidegate.yml"), "it changed since what was served was read: {files}");
}

#[tokio::test]
async fn the_built_in_configuration_is_reloaded_by_sighup_too() {
    let gateway = Gateway::standalone(&["jeff"]).await;
    gateway.hang_up();
    gateway.reloaded("done", 1).await;
    gateway.management().get("/nevisfido/health").send().await.expect(200);
    assert_eq!(gateway.reloads("failed").await, 0);
}
