//! `rate-limit`: what counts together, and that nobody uses up what belongs to another.

use super::shop;
use crate::support::gateway::Gateway;
use crate::support::http::Client;
use crate::support::upstream::Upstream;

/// No second one comes free while a test runs.
const FILTERS: &str = "  known: {type: identity-creation, domain: main, internal-callers: anybody}
  by-address: {type: rate-limit, per: address, burst: 3, every: 1h}
  by-user: {type: rate-limit, per: user, burst: 3, every: 1h}
  by-session: {type: rate-limit, per: session, burst: 3, every: 1h, internal-callers: exempt}
  by-item: {type: rate-limit, per: segment, segment: item, burst: 3, every: 1h}
";

async fn gateway(upstream: &Upstream) -> Gateway {
    let rows = [
        ("address", "by-address"),
        ("other", "by-address"),
        ("user", "known, by-user"),
        ("session", "known, by-session"),
        ("item", "by-item"),
    ];
    shop(upstream, FILTERS, &rows).user("jeff").user("eve").start().await
}

async fn logged_in(gateway: &Gateway, name: &str) -> Client {
    let login = [("isiwebuserid", name), ("isiwebpasswd", gateway.password(name))];
    let cookie = gateway.public().post("/auth/pwd").form(&login).send().await.expect(200).session();
    gateway.public().cookie(&cookie)
}

/// How many of four requests pass; the others are told when to come back.
async fn passes(client: &Client, path: &str) -> usize {
    let mut passed = 0;
    for _ in 0..4 {
        let answer = client.get(path).send().await;
        if answer.status == 200 {
            passed += 1;
            continue;
        }
        let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=3600).contains(&seconds), "{seconds}");
        answer.problem(429);
    }
    passed
}

#[tokio::test]
async fn an_address_has_its_burst_on_all_rows_of_one_filter_and_over_both_protocols() {
    let upstream = Upstream::start().await;
    let gateway = gateway(&upstream).await;
    gateway.public_http2().get("/address/a").send().await.expect(200);
    gateway.public().get("/other/a").send().await.expect(200);
    let forged = gateway.public().get("/address/a").header("x-forwarded-for", "192.0.2.7").send().await;
    assert_eq!(forged.status, 200);
    assert_eq!(passes(&gateway.public(), "/address/a").await, 0);
    assert_eq!(passes(&gateway.public_http2(), "/other/a").await, 0);
    assert_eq!(upstream.heads().len(), 3, "what is refused goes nowhere");
    assert_eq!(passes(&gateway.public().elsewhere(), "/address/a").await, 3);
}

#[tokio::test]
async fn a_user_counts_in_all_sessions_and_strangers_use_up_nothing_of_it() {
    let upstream = Upstream::start().await;
    let gateway = gateway(&upstream).await;
    for _ in 0..5 {
        gateway.public().get("/user/a").send().await.problem(401);
        gateway.public().cookie("sidegate-main=jeff").get("/user/a").send().await.problem(401);
    }
    let (jeff, again, eve) =
        (logged_in(&gateway, "jeff").await, logged_in(&gateway, "jeff").await, logged_in(&gateway, "eve").await);
    jeff.get("/user/a").send().await.expect(200);
    assert_eq!(passes(&again, "/user/a").await, 2);
    assert_eq!(passes(&jeff, "/user/a").await, 0);
    assert_eq!(passes(&eve, "/user/a").await, 3);
    assert_eq!(passes(&gateway.internal(), "/user/a").await, 3, "an internal caller counts by its name");
    assert_eq!(passes(&jeff, "/session/a").await, 3);
    assert_eq!(passes(&again, "/session/a").await, 3);
    assert_eq!(passes(&gateway.internal(), "/session/a").await, 4, "and here not at all");
}

#[tokio::test]
async fn a_segment_of_the_path_counts_for_whoever_writes_it() {
    let upstream = Upstream::start().await;
    let gateway = gateway(&upstream).await;
    assert_eq!(passes(&gateway.public(), "/item/a").await, 3);
    assert_eq!(passes(&gateway.public(), "/item/%61").await, 0, "another spelling is the same");
    assert_eq!(passes(&gateway.public(), "/item/b").await, 3);
    assert_eq!(passes(&gateway.public().elsewhere(), "/item/a").await, 3);
}

#[tokio::test]
async fn a_reload_forgets_nothing_unless_the_limit_is_another() {
    let upstream = Upstream::start().await;
    let gateway = gateway(&upstream).await;
    assert_eq!(passes(&gateway.public(), "/address/a").await, 3);
    assert_eq!(passes(&gateway.public(), "/item/a").await, 3);
    gateway.reconfigure("/other/{item}", "/another/{item}");
    gateway.reloaded("done", 1).await;
    assert_eq!(passes(&gateway.public(), "/another/a").await, 0);
    gateway.reconfigure("segment: item, burst: 3", "segment: item, burst: 4");
    gateway.reloaded("done", 2).await;
    assert_eq!(passes(&gateway.public(), "/item/a").await, 4);
    assert_eq!(passes(&gateway.public(), "/address/a").await, 0);
    // What a reload made outlives the next one.
    gateway.reconfigure("/another/{item}", "/other/{item}");
    gateway.reloaded("done", 3).await;
    assert_eq!(passes(&gateway.public(), "/item/a").await, 0);
    assert_eq!(passes(&gateway.public(), "/other/a").await, 0);
}
