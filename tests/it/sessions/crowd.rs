//! Fifty requests of one client while it logs in, steps up or is thrown out (`gateway.md` 3.2).

use http::Method;
use tokio::task::JoinSet;

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::{Answer, Client};
use crate::support::phone::Phone;
use crate::support::upstream::Upstream;

const CROWD: usize = 50;

/// A shop for whoever is logged in, and what it was told of each level.
async fn shop(upstream: &Upstream, renew: bool) -> Gateway {
    let setup = Setup::default().user("jeff").user("eve").append(format!(
        "upstreams:\n  shop: {{url: \"http://{}\"}}\n\
         filters:\n  customers: {{type: identity-creation, domain: main}}\n\
         \x20 told: {{type: delegation, rules: [\"AUTH:user.auth.AuthLevel:X-Level\"]}}\n\
         routes:\n  - {{name: shop, path: /shop/*, methods: [GET], filters: [customers, told], upstream: shop}}\n",
        upstream.address
    ));
    let setup = if renew { setup.replace("renew: false", "renew: true ") } else { setup };
    setup.start().await
}

/// The answers to as many requests at once.
fn crowd(client: &Client) -> JoinSet<Answer> {
    (0..CROWD).map(|_| client.get("/shop/a").send()).collect()
}

async fn log_in(gateway: &Gateway, client: &Client, name: &str) -> String {
    let form = [("isiwebuserid", name), ("isiwebpasswd", gateway.password(name))];
    client.post("/auth/pwd").form(&form).send().await.expect(200).session()
}

#[tokio::test]
async fn during_a_login_the_others_get_no_session_and_spoil_none() {
    let upstream = Upstream::start().await;
    let gateway = shop(&upstream, false).await;
    let client = gateway.public();
    let (answers, cookie) = tokio::join!(crowd(&client).join_all(), log_in(&gateway, &client, "jeff"));
    for answer in answers {
        assert!(answer.set_cookie().is_none());
        answer.problem(401);
    }
    for answer in crowd(&client.cookie(&cookie)).join_all().await {
        assert!(answer.expect(200).set_cookie().is_none());
    }
}

#[tokio::test]
async fn a_step_up_that_renews_leaves_the_others_what_they_had() {
    let upstream = Upstream::start().await;
    let gateway = shop(&upstream, true).await;
    let mut phone = Phone::new(&gateway, "jeff");
    phone.login_password().await;
    phone.register().await;
    let old = gateway.public().cookie(phone.session());
    upstream.forget();
    let (answers, raised) = tokio::join!(crowd(&old).join_all(), phone.try_login_uaf());
    for answer in answers {
        assert!(answer.expect(200).set_cookie().is_none());
    }
    let levels: Vec<_> = upstream.received().iter().map(|request| request.values("x-level").join(",")).collect();
    assert_eq!(levels, vec!["1"; CROWD], "the old id never learns the new level");
    upstream.forget();
    // Those that began before the step-up was done could not have learned it: the old id lives on for a moment.
    for answer in crowd(&old).join_all().await {
        assert!(answer.expect(200).set_cookie().is_none());
    }
    assert!(upstream.received().iter().all(|request| request.values("x-level") == ["1"]), "nor afterwards");
    upstream.forget();
    gateway.public().cookie(&raised.session()).get("/shop/b").send().await.expect(200);
    assert_eq!(upstream.received()[0].values("x-level"), ["2"]);
}

#[tokio::test]
async fn a_step_up_that_does_not_renew_raises_them_all() {
    let upstream = Upstream::start().await;
    let gateway = shop(&upstream, false).await;
    let mut phone = Phone::new(&gateway, "jeff");
    phone.login_password().await;
    phone.register().await;
    let same = gateway.public().cookie(phone.session());
    upstream.forget();
    let (answers, raised) = tokio::join!(crowd(&same).join_all(), phone.try_login_uaf());
    raised.uaf_code(1200);
    for answer in answers {
        assert!(answer.expect(200).set_cookie().is_none());
    }
    upstream.forget();
    crowd(&same).join_all().await.into_iter().for_each(|answer| drop(answer.expect(200)));
    assert!(upstream.received().iter().all(|request| request.values("x-level") == ["2"]));
}

#[tokio::test]
async fn parallel_logins_with_one_cookie_end_as_sessions_of_their_own() {
    let upstream = Upstream::start().await;
    let gateway = shop(&upstream, true).await;
    let client = gateway.public();
    let jeff = log_in(&gateway, &client, "jeff").await;
    let as_jeff = client.cookie(&jeff);
    let logins = [0; 4].map(|_| log_in(&gateway, &as_jeff, "eve"));
    let [one, two, three, four] = logins;
    let (one, two, three, four) = tokio::join!(one, two, three, four);
    let mut cookies = vec![one, two, three, four];
    for cookie in &cookies {
        client.cookie(cookie).get("/shop/a").send().await.expect(200);
    }
    cookies.sort();
    cookies.dedup();
    assert_eq!(cookies.len(), 4);
    as_jeff.get("/shop/a").send().await.problem(401);
}

#[tokio::test]
async fn all_sessions_of_a_user_end_at_once_and_nobody_elses() {
    let upstream = Upstream::start().await;
    let gateway = shop(&upstream, false).await;
    let client = gateway.public();
    let mut jeffs = Vec::new();
    for _ in 0..3 {
        jeffs.push(client.cookie(&log_in(&gateway, &client, "jeff").await));
    }
    let eve = client.cookie(&log_in(&gateway, &client, "eve").await);
    gateway.internal().call(Method::DELETE, "/nevisfido/admin/sessions?username=jeff").send().await.expect(204);
    for jeff in &jeffs {
        for answer in crowd(jeff).join_all().await {
            answer.problem(401);
        }
    }
    eve.get("/shop/a").send().await.expect(200);
    let again = log_in(&gateway, &client, "jeff").await;
    client.cookie(&again).get("/shop/a").send().await.expect(200);
}
