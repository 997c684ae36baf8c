//! Requests that are under way while the gateway reloads, again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::shop;
use crate::support::http::Client;
use crate::support::upstream::Upstream;
use crate::support::wait;

const RELOADS: u64 = 10;

/// More than there are clients: so many answers are not all of requests from before a reload.
const MEANWHILE: u64 = 10;

/// Asks until it is told to end; how many answers there were.
async fn ask(client: Client, path: &'static str, ended: Arc<AtomicBool>, asked: Arc<AtomicU64>) -> u64 {
    let mut answers = 0;
    while !ended.load(Ordering::Relaxed) {
        client.get(path).send().await.expect(200);
        answers += 1;
        asked.fetch_add(1, Ordering::Relaxed);
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn none_of_them_is_lost_over_ten_reloads() {
    let reloads = if std::env::var_os("SIDEGATE_SOAK").is_some() { 20 * RELOADS } else { RELOADS };
    let upstream = Upstream::start().await;
    let gateway = shop(&upstream).start().await;
    let (ended, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let clients = [
        (gateway.public(), "/open/a"),
        (gateway.public_http2(), "/open/b"),
        (gateway.public(), "/auth/login"),
        (gateway.public_http2(), "/.well-known/jwks.json"),
        (gateway.management(), "/nevisfido/health"),
    ];
    let asking: Vec<_> =
        clients.map(|(client, path)| tokio::spawn(ask(client, path, ended.clone(), asked.clone()))).into();
    for count in 1..=reloads {
        let before = asked.load(Ordering::Relaxed);
        if count % 2 == 0 {
            gateway.hang_up();
        } else {
            let (from, to) =
                if count % 4 == 1 { ("name: shop,", "name: store,") } else { ("name: store,", "name: shop,") };
            gateway.reconfigure(from, to);
        }
        gateway.reloaded("done", count).await;
        wait::until("answers beside the reload", wait::BOUND, async || {
            (asked.load(Ordering::Relaxed) > before + MEANWHILE).then_some(())
        })
        .await;
    }
    ended.store(true, Ordering::Relaxed);
    for answers in asking {
        assert!(answers.await.unwrap() > 0, "each of them was answered");
    }
    assert_eq!((gateway.reloads("faults").await, gateway.reloads("failed").await), (0, 0));
}
