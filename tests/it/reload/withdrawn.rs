//! Rights that a reload takes away are gone with it.

use serde_json::json;

use super::shop;
use crate::support::gateway::Setup;
use crate::support::phone::Phone;
use crate::support::upstream::Upstream;

const KEYS: &str = "/nevisfido/admin/credentials?username=jeff";
const TARGETS: &str = "/nevisfido/token/dispatch/targets?username=jeff";

#[tokio::test]
async fn a_bearer_that_was_replaced_is_refused() {
    let gateway = Setup::default().user("jeff").start().await;
    let before = gateway.internal();
    before.get(TARGETS).send().await.problem(404);
    std::fs::remove_file(gateway.data().join("internal.token")).unwrap();
    gateway.reloaded("done", 1).await;
    before.get(TARGETS).send().await.problem(401);
    gateway.internal().get(TARGETS).send().await.problem(404);
}

#[tokio::test]
async fn a_caller_loses_a_role() {
    let gateway =
        Setup::default().user("jeff").replace("roles: [act-for, admin]", "roles: [admin, act-for]").start().await;
    let internal = gateway.internal();
    internal.get(KEYS).send().await.expect(200);
    gateway.reconfigure("roles: [admin, act-for]", "roles: [act-for]");
    gateway.reloaded("done", 1).await;
    internal.get(KEYS).send().await.problem(403);
    internal.get(TARGETS).send().await.problem(404);
}

#[tokio::test]
async fn a_route_that_became_stricter_refuses_the_session_that_it_took_before() {
    let upstream = Upstream::start().await;
    let gateway = shop(&upstream).start().await;
    let mut phone = Phone::new(&gateway, "jeff");
    phone.login_password().await;
    for client in [gateway.public(), gateway.public_http2()] {
        client.cookie(phone.session()).get("/shop/cart").send().await.expect(200);
    }
    let sent = upstream.received().len();
    gateway.reconfigure("domain: main, level: 1}", "domain: main, level: 2}");
    gateway.reloaded("done", 1).await;
    for client in [gateway.public(), gateway.public_http2()] {
        client.cookie(phone.session()).get("/shop/cart").send().await.problem(401);
    }
    assert_eq!(upstream.received().len(), sent);
    let alive = json!({"context": "{}"});
    phone.client().uaf("/nevisfido/uaf/1.1/request/registration", &alive).await.expect(200);
}

#[tokio::test]
async fn a_session_is_worth_no_more_than_its_realm_and_ends_with_it() {
    let upstream = Upstream::start().await;
    let gateway = shop(&upstream).start().await;
    let mut phone = Phone::new(&gateway, "jeff");
    phone.login_password().await;
    let cart = async || phone.client().get("/shop/cart").send().await.status;
    gateway.reconfigure("domain: main, level: 1}", "domain: main, level: 3}");
    gateway.reconfigure("    level: 1\n", "    level: 3\n");
    gateway.reconfigure("    level: 2\n", "    level: 4\n");
    gateway.reloaded("done", 1).await;
    assert_eq!(cart().await, 401, "it was given 1");
    gateway.reconfigure("domain: main, level: 3}", "domain: main, level: 1}");
    gateway.reloaded("done", 2).await;
    assert_eq!(cart().await, 200);
    gateway.reconfigure("  password:  ", "  words:  ");
    gateway.reloaded("done", 3).await;
    assert_eq!(cart().await, 401, "its realm is gone");
    gateway.reconfigure("  words:  ", "  password:  ");
    gateway.reloaded("done", 4).await;
    assert_eq!(cart().await, 401, "and does not bring it back");
}
