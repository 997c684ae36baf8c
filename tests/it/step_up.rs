//! Whoever is known, but not well enough or not lately (`gateway.md` 3.1, RFC 9470): what is told to API clients, where
//! browsers are led, and that the session stays.

use serde_json::json;

use crate::support::gateway::{Gateway, Setup};
use crate::support::http::{Answer, Client, HTML};
use crate::support::issuer::{Issuer, now};
use crate::support::jose::SigningKey;
use crate::support::phone::Phone;
use crate::support::secrets::Secrets;
use crate::support::upstream::Upstream;
use crate::support::wait;

/// A bank behind the gateway, with rows that demand more and less.
struct Bank {
    gateway: Gateway,
    upstream: Upstream,
    issuer: Issuer,
}

const INSUFFICIENT: &str = "Bearer realm=\"main\", error=\"insufficient_user_authentication\"";

impl Bank {
    async fn open() -> Self {
        let upstream = Upstream::start().await;
        let issuer = Issuer::start(SigningKey::p256(&Secrets::default()), &[]).await;
        let realm = format!(
            "  partners:\n    type: jwt\n    domain: main\n    issuers:\n      - {{issuer: \"{0}\", audience: gate, \
             algorithms: [ES256], jwks: \"{0}\", levels: [{{acr: \"urn:bank:2fa\", level: 2}}, {{acr: gold, level: 3}}]}}\n",
            issuer.url()
        );
        let rows = [
            ("one", ""),
            ("two", ", level: 2"),
            ("three", ", level: 3"),
            ("by-phone", ", realms: [fido-uaf]"),
            ("fresh", ", max-age: 2s"),
            ("fresh-two", ", level: 2, max-age: 2s"),
            ("staff", ", roles: [staff]"),
        ];
        let filter =
            |(name, more): &(&str, &str)| format!("  {name}: {{type: identity-creation, domain: main{more}}}\n");
        let row = |(name, _): &(&str, &str)| {
            format!(
                "  - {{name: {name}, path: /{name}/*, methods: [GET, POST], filters: [{name}, told], upstream: bank}}\n"
            )
        };
        let setup = format!(
            "upstreams:\n  bank: {{url: \"http://{}\"}}\nfilters:\n{}  told: {{type: delegation, rules: \
             [\"SESSION:sid:X-Sid\", \"AUTH:user.auth.AuthLevel:X-Level\"]}}\nroutes:\n{}",
            upstream.address,
            rows.iter().map(filter).collect::<String>(),
            rows.iter().map(row).collect::<String>()
        );
        let setup = Setup::default().under("realms", realm).append(setup).user("jeff");
        let gateway = setup.replace("start-page: /auth/login ", "start-page: /one/start ").start().await;
        Self { gateway, upstream, issuer }
    }

    async fn log_in(&self, client: &Client) -> String {
        let form = [("isiwebuserid", "jeff"), ("isiwebpasswd", self.gateway.password("jeff"))];
        client.post("/auth/pwd").form(&form).send().await.expect(200).session()
    }

    /// The session that the upstream was told last, and its level.
    fn told(&self) -> (String, String) {
        let received = self.upstream.received();
        let of = |name: &str| received.last().unwrap().values(name)[0].to_owned();
        (of("x-sid"), of("x-level"))
    }

    /// Asks until the session is too old for a fresh row.
    async fn ages(&self, client: &Client) -> Answer {
        wait::until("the session is too old", wait::BOUND, async || {
            Some(client.get("/fresh/page?a=b").send().await).filter(|answer| answer.status == 401)
        })
        .await
    }
}

fn told(answer: &Answer) -> &str {
    answer.header("www-authenticate").unwrap()
}

/// What stands in the hidden field of a form.
fn hidden(page: &str) -> String {
    let input = page.split("<input").find(|input| input.contains("hidden")).expect("a hidden field");
    input.split_once("value=\"").unwrap().1.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn an_api_client_learns_the_level_and_raises_its_session() {
    let bank = Bank::open().await;
    let mut phone = Phone::enrolled(&bank.gateway, "jeff").await;
    phone.login_password().await;
    phone.client().get("/one/a").send().await.expect(200);
    let before = bank.told();
    for (path, acr) in [("/two/a", "acr_values=\"2\""), ("/by-phone/a", "acr_values=\"fido-uaf\"")] {
        let refused = phone.client().get(path).send().await;
        assert_eq!(told(&refused), format!("{INSUFFICIENT}, {acr}"));
        assert_eq!(refused.set_cookie(), None, "the session is there");
        refused.problem(401);
    }
    phone.login_uaf().await;
    for path in ["/two/a", "/by-phone/a", "/one/a"] {
        phone.client().get(path).send().await.expect(200);
        assert_eq!(bank.told(), (before.0.clone(), "2".to_owned()), "the same session, raised");
    }
    assert_eq!(told(&phone.client().get("/three/a").send().await), format!("{INSUFFICIENT}, acr_values=\"3\""));
}

#[tokio::test]
async fn an_api_client_learns_the_age_and_logs_in_again() {
    let bank = Bank::open().await;
    let client = bank.gateway.public();
    let cookie = bank.log_in(&client).await;
    let client = client.cookie(&cookie);
    client.get("/one/a").send().await.expect(200);
    let (sid, _) = bank.told();
    let refused = bank.ages(&client).await;
    assert_eq!(told(&refused), format!("{INSUFFICIENT}, acr_values=\"1\", max_age=\"2\""));
    client.get("/one/a").send().await.expect(200);
    wait::until("a login that is fresh enough", wait::BOUND, async || {
        let fresh = bank.gateway.public().cookie(&bank.log_in(&client).await);
        (fresh.get("/fresh/a").send().await.status == 200).then_some(())
    })
    .await;
    assert_eq!(bank.told().0, sid, "it is the same session");
}

#[tokio::test]
async fn a_password_keeps_the_level_of_a_session_by_key_and_makes_only_itself_fresh() {
    let bank = Bank::open().await;
    let mut phone = Phone::enrolled(&bank.gateway, "jeff").await;
    bank.ages(&phone.client()).await;
    phone.client().get("/two/a").send().await.expect(200);
    let before = bank.told();
    assert_eq!(before.1, "2");
    let former = phone.client();
    wait::until("a password that is fresh enough", wait::BOUND, async || {
        phone.login_password_again().await;
        (phone.client().get("/fresh/a").send().await.status == 200).then_some(())
    })
    .await;
    former.get("/fresh/a").send().await.problem(401);
    phone.client().get("/two/a").send().await.expect(200);
    assert_eq!(bank.told(), before, "the same session, as high as it was");
    let refused = phone.client().get("/fresh-two/a").send().await;
    assert_eq!(told(&refused), format!("{INSUFFICIENT}, acr_values=\"2\", max_age=\"2\""));
    let page = phone.client().get("/fresh-two/a").header(HTML.0, HTML.1).send().await.expect(401).text();
    assert!(page.contains("with your phone") && !page.contains("<form"), "no form that would lead round in circles");
    wait::until("a key that is fresh enough", wait::BOUND, async || {
        phone.login_uaf().await;
        (phone.client().get("/fresh-two/a").send().await.status == 200).then_some(())
    })
    .await;
    assert_eq!(bank.told(), before);
}

#[tokio::test]
async fn a_browser_logs_in_again_and_comes_back_to_its_page() {
    let bank = Bank::open().await;
    let cookie = bank.log_in(&bank.gateway.public()).await;
    let browser = bank.gateway.public().cookie(&cookie);
    browser.get("/one/a").send().await.expect(200);
    let (sid, _) = bank.told();
    bank.ages(&browser).await;
    let page = browser.get("/fresh/page?a=b").header(HTML.0, HTML.1).send().await.expect(401);
    assert!(told(&page).starts_with(INSUFFICIENT), "{}", told(&page));
    assert_eq!(page.set_cookie(), None);
    let text = page.text();
    assert!(text.contains("confirm that it is you") && text.contains("value=\"jeff\""), "{text}");
    let form = [("isiwebuserid", "jeff"), ("isiwebpasswd", bank.gateway.password("jeff")), ("return", &hidden(&text))];
    let post = browser.post("/auth/pwd").form(&form).header(HTML.0, HTML.1).header("sec-fetch-site", "same-origin");
    let done = post.send().await.expect(303);
    assert_eq!(done.header("location"), Some("/fresh/page?a=b"));
    bank.gateway.public().cookie(&done.session()).get("/one/a").send().await.expect(200);
    assert_eq!(bank.told().0, sid, "the session is kept");
    // A form that was sent is not sent again: after it comes the start page.
    let page = browser.post("/fresh/pay").header(HTML.0, HTML.1).send().await.expect(401).text();
    let form = [("isiwebuserid", "jeff"), ("isiwebpasswd", bank.gateway.password("jeff")), ("return", &hidden(&page))];
    let post = browser.post("/auth/pwd").form(&form).header(HTML.0, HTML.1).header("sec-fetch-site", "same-origin");
    assert_eq!(post.send().await.expect(303).header("location"), Some("/one/start"));
}

#[tokio::test]
async fn a_browser_is_told_what_it_can_not_do() {
    let bank = Bank::open().await;
    let browser = bank.gateway.public().cookie(&bank.log_in(&bank.gateway.public()).await);
    for path in ["/two/a", "/by-phone/a"] {
        let page = browser.get(path).header(HTML.0, HTML.1).send().await.expect(401);
        assert_eq!(page.set_cookie(), None);
        let text = page.text();
        assert!(
            text.contains("with your phone") && text.contains("logged in as <strong>jeff") && !text.contains("<form"),
            "{text}"
        );
    }
    browser.get("/staff/a").header(HTML.0, HTML.1).send().await.problem(403);
    // Whether somebody has the role shows once he is known.
    let page = bank.gateway.public().get("/staff/a").header(HTML.0, HTML.1).send().await.expect(401).text();
    assert!(page.contains("isiwebpasswd"), "{page}");
    assert!(bank.upstream.received().is_empty());
}

#[tokio::test]
async fn whoever_brings_tokens_learns_what_to_ask_the_issuer_for() {
    let bank = Bank::open().await;
    let get =
        async |path: &str, claims| bank.gateway.public().bearer(&bank.issuer.token(&claims)).get(path).send().await;
    assert_eq!(told(&get("/two/a", json!({})).await), format!("{INSUFFICIENT}, acr_values=\"urn:bank:2fa gold\""));
    assert_eq!(
        told(&get("/three/a", json!({"acr": "urn:bank:2fa"})).await),
        format!("{INSUFFICIENT}, acr_values=\"gold\"")
    );
    for (path, acr, level) in [("/one/a", "1", "1"), ("/two/a", "urn:bank:2fa", "2"), ("/three/a", "gold", "3")] {
        get(path, json!({"acr": acr})).await.expect(200);
        assert_eq!(bank.told().1, level);
    }
    for acr in [json!("urn:bank:2fa "), json!("2"), json!(2), json!(["gold"]), json!("GOLD")] {
        get("/two/a", json!({"acr": acr})).await.expect(401);
    }
    let age = format!("{INSUFFICIENT}, max_age=\"2\"");
    for claims in [json!({}), json!({"auth_time": now() - 60}), json!({"auth_time": now() - 60, "acr": "gold"})] {
        assert_eq!(told(&get("/fresh/a", claims).await), age);
    }
    wait::until("a token of a login that is fresh enough", wait::BOUND, async || {
        (get("/fresh/a", json!({"auth_time": now()})).await.status == 200).then_some(())
    })
    .await;
    get("/staff/a", json!({"roles": "guest"})).await.problem(403);
    get("/staff/a", json!({"roles": "guest staff"})).await.expect(200);
}
