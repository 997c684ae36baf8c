//! A browser asks, the phone approves (`gateway.md` 3.1, realm `oob`).

mod attacks;
mod browser;
mod crowd;
mod hidden;
mod void;

use serde_json::json;

use crate::support::approvals::{Bank, approve, open_link};
use crate::support::gateway::Setup;
use crate::support::http::HTML;
use crate::support::logs::audited;
use crate::support::phone::Phone;
use crate::support::wait;

#[tokio::test]
async fn the_phone_logs_the_browser_in_and_it_comes_back_to_its_page() {
    let bank = Bank::open("").await;
    let phone = Phone::enrolled(&bank.gateway, "jeff").await;
    let mut browser = bank.browser();
    let page = browser.get("/bank/a?b=c").await.expect(401).text();
    assert!(page.contains("isiwebpasswd") && page.contains("formaction=\"/auth/oob\""), "{page}");
    let link = browser.asks("/bank/a?b=c", Some("jeff")).await;
    assert_eq!(browser.link().await, link, "it stays until it is opened");
    let handed_out = open_link(&bank.gateway, &link).await;
    let waiting = browser.get("/auth/oob").await.expect(200).text();
    assert!(waiting.contains("Your phone asks you now") && !waiting.contains("dispatchTokenResponse"), "{waiting}");
    assert!(waiting.contains("http-equiv=\"refresh\"") && browser.session_cookie().is_none());
    phone.authenticate(&handed_out).await.uaf_code(1200);
    let done = browser.get("/auth/oob").await.expect(303);
    assert_eq!(done.header("location"), Some("/bank/a?b=c"));
    assert_eq!(browser.login_cookie(), None, "it is used up");
    for path in ["/bank/a?b=c", "/pay/x"] {
        browser.get(path).await.expect(200);
        assert_eq!(bank.told().1, "2");
    }
    assert!(!bank.upstream.heads().concat().contains("sidegate-main"), "cookies stay with the gateway");
    let line = || bank.gateway.log().lines().any(|line| line.contains("\"login\"") && line.contains("\"oob\""));
    wait::until("the audit line", wait::BOUND, async || line().then_some(())).await;
}

#[tokio::test]
async fn a_password_is_raised_in_the_browser() {
    let bank = Bank::open("").await;
    let phone = Phone::enrolled(&bank.gateway, "jeff").await;
    let mut browser = bank.browser();
    browser.log_in(&bank.gateway, "jeff").await;
    browser.get("/bank/a").await.expect(200);
    let (before, old) = (bank.told().0, browser.session_cookie().cloned());
    let page = browser.get("/pay/x?y=z").await.expect(401).text();
    assert!(page.contains("logged in as <strong>jeff</strong>") && !page.contains("isiwebuserid"), "{page}");
    let link = browser.asks("/pay/x?y=z", None).await;
    approve(&bank.gateway, &phone, &link).await;
    assert_eq!(browser.get("/auth/oob").await.expect(303).header("location"), Some("/pay/x?y=z"));
    assert_ne!(browser.session_cookie().cloned(), old, "a new id, so that the old one never learns the level");
    browser.get("/pay/x?y=z").await.expect(200);
    assert_eq!(bank.told(), (before, "2".to_owned()), "the same session, raised");
    let line = || bank.gateway.log().lines().any(|line| line.contains("step-up") && line.contains("\"oob\""));
    wait::until("the audit line", wait::BOUND, async || line().then_some(())).await;
}

#[tokio::test]
async fn without_renewal_the_session_keeps_its_cookie() {
    let bank = Bank::open(", renew: false").await;
    let phone = Phone::enrolled(&bank.gateway, "jeff").await;
    let mut browser = bank.browser();
    browser.log_in(&bank.gateway, "jeff").await;
    let old = browser.session_cookie().cloned();
    let link = browser.asks("/pay/x", None).await;
    approve(&bank.gateway, &phone, &link).await;
    browser.get("/auth/oob").await.expect(303);
    assert_eq!(browser.session_cookie().cloned(), old);
    browser.get("/pay/x").await.expect(200);
}

#[tokio::test]
async fn a_denial_shows_the_form_again_and_logs_nobody_in() {
    let bank = Bank::open("").await;
    let phone = Phone::enrolled(&bank.gateway, "jeff").await;
    let (mut stranger, mut user, mut other) = (bank.browser(), bank.browser(), bank.browser());
    user.log_in(&bank.gateway, "jeff").await;
    for (browser, path, named, form) in [
        (&mut stranger, "/pay/x", Some("jeff"), "isiwebuserid"),
        (&mut user, "/pay/x", None, "logged in as"),
        (&mut other, "/bank/a", Some("jeff"), "isiwebpasswd"),
    ] {
        let link = browser.asks(path, named).await;
        let handed_out = open_link(&bank.gateway, &link).await;
        phone.deny(&handed_out, &json!({"asmStatusCode": 3})).await.uaf_code(1498);
        let page = browser.get("/auth/oob").await.expect(401).text();
        assert!(page.contains("was not approved on the phone") && page.contains(form), "{page}");
        assert_eq!(
            page.contains("isiwebpasswd"),
            path == "/bank/a",
            "where a password is not enough none is asked for"
        );
        assert!(page.contains("Approve on my phone"), "{page}");
        assert_eq!(browser.login_cookie(), None);
        browser.get(path).await.expect(401);
    }
    let denied = wait::until("the audit line", wait::BOUND, async || {
        audited(&bank.gateway, "login-failed").into_iter().find(|line| line["reason"] == "denied")
    });
    let denied = denied.await;
    let id = denied["operation_id"].as_str().expect("it is of an operation");
    for (event, member, value) in
        [("dispatch", "result", json!("dispatched")), ("redeem", "code", json!(1200)), ("answer", "code", json!(1498))]
    {
        let lines = audited(&bank.gateway, event);
        let of_it: Vec<_> = lines.iter().filter(|line| line["operation_id"] == id).collect();
        assert!(matches!(&of_it[..], [line] if line[member] == value), "{event}: {lines:?}");
    }
    assert_eq!(audited(&bank.gateway, "dispatch").len(), 3, "each has an id of its own");
}

#[tokio::test]
async fn nobody_waits_for_ever() {
    let bank = Bank::with(Setup::default().seconds("token", 1), "").await;
    let mut browser = bank.browser();
    browser.ask("/bank/a", Some("jeff")).await.expect(303);
    let late = wait::until("the link is too old", wait::BOUND, async || {
        Some(browser.get("/auth/oob").await).filter(|answer| answer.status != 200)
    })
    .await;
    assert!(late.status == 401 && late.text().contains("Nobody approved"), "{} {}", late.status, late.text());
    assert_eq!((browser.login_cookie(), browser.session_cookie()), (None, None));
}

#[tokio::test]
async fn a_login_goes_on_after_a_takeover() {
    let mut bank = Bank::open("").await;
    let phone = Phone::enrolled(&bank.gateway, "jeff").await;
    let mut browser = bank.browser();
    let link = browser.asks("/bank/a", Some("jeff")).await;
    assert_eq!(bank.gateway.upgrade().await, Some(0));
    approve(&bank.gateway, &phone, &link).await;
    assert_eq!(browser.get("/auth/oob").await.expect(303).header("location"), Some("/bank/a"));
    browser.get("/pay/x").await.expect(200);
}

#[tokio::test]
async fn the_login_page_offers_it_and_names_are_asked_for() {
    let bank = Bank::open("").await;
    let mut browser = bank.browser();
    let page = browser.get("/auth/login").await.expect(200).text();
    assert!(page.contains("Approve on my phone"), "{page}");
    let page = browser.post("/auth/oob", &[("isiwebuserid", "")]).await.expect(400).text();
    assert!(page.contains("Please type your user name"), "{page}");
    // A user name that nobody can have is not kept.
    let page = browser.post("/auth/oob", &[("isiwebuserid", "a:b")]).await.expect(401).text();
    assert!(page.contains("no user of this name") && page.contains("a:b"), "{page}");
    let stale = browser.post("/auth/oob", &[("isiwebuserid", "jeff"), ("return", "/bank/a")]).await.expect(400).text();
    assert!(stale.contains("too old") && browser.login_cookie().is_none(), "{stale}");
    bank.gateway.public().post("/auth/oob").json(&json!({})).header(HTML.0, HTML.1).send().await.expect(415);
    bank.gateway.internal().get("/auth/oob").send().await.expect(404);
}

#[tokio::test]
async fn where_no_password_is_taken_the_phone_is_the_only_way() {
    let password = "  password:                                 # the users that `sidegate user` writes\n    type: password\n    \
                    domain: main\n    level: 1\n";
    let setup = Setup::default().replace(password, "  oob: {type: oob, domain: main}\n").user("jeff");
    let gateway = setup.start().await;
    let page = gateway.public().get("/auth/login").header(HTML.0, HTML.1).send().await.expect(200).text();
    assert!(page.contains("action=\"/auth/oob\"") && !page.contains("isiwebpasswd"), "{page}");
    gateway.public().post("/auth/pwd").send().await.expect(404);
}
