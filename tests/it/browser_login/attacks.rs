//! What others try with a login that a browser began.

use std::collections::BTreeSet;

use futures::future::join_all;

use crate::support::approvals::{Bank, approve, hidden, open_link};
use crate::support::http::HTML;
use crate::support::phone::Phone;

#[tokio::test]
async fn only_the_browser_that_asked_is_logged_in() {
    let bank = Bank::open("").await;
    let phone = Phone::enrolled(&bank.gateway, "jeff").await;
    let (mut mine, mut others, mut bare) = (bank.browser(), bank.browser(), bank.browser());
    let link = mine.asks("/bank/a", Some("jeff")).await;
    others.asks("/bank/a", Some("jeff")).await;
    approve(&bank.gateway, &phone, &link).await;
    let waiting = others.get("/auth/oob").await.expect(200).text();
    assert!(waiting.contains("Open the app"), "its own login is under way: {waiting}");
    let over = bare.get("/auth/oob").await.expect(401).text();
    assert!(over.contains("This login is over"), "{over}");
    assert_eq!((others.session_cookie(), bare.session_cookie()), (None, None));
    mine.get("/auth/oob").await.expect(303);
    mine.get("/pay/x").await.expect(200);
}

#[tokio::test]
async fn of_twenty_tries_at_once_one_makes_a_session() {
    let bank = Bank::open("").await;
    let phone = Phone::enrolled(&bank.gateway, "jeff").await;
    let mut browser = bank.browser();
    let link = browser.asks("/bank/a", Some("jeff")).await;
    approve(&bank.gateway, &phone, &link).await;
    let client = browser.client();
    let tries = (0..20).map(|_| client.get("/auth/oob").header(HTML.0, HTML.1).send());
    let answers = join_all(tries).await;
    let mut sessions = BTreeSet::new();
    for answer in &answers {
        assert_eq!((answer.status, answer.header("location")), (303, Some("/bank/a")));
        let mut one = bank.browser();
        one.keep(answer);
        sessions.extend(one.session_cookie().cloned());
    }
    assert_eq!(sessions.len(), 1);
    // Again later, and in another browser.
    let mut replay = browser.only_login_cookie();
    assert_eq!(replay.get("/auth/oob").await.expect(303).header("location"), Some("/bank/a"));
    assert_eq!(replay.session_cookie(), None);
    replay.get("/bank/a").await.expect(401);
}

#[tokio::test]
async fn a_cookie_that_is_changed_or_doubled_is_none() {
    let bank = Bank::open("").await;
    let phone = Phone::enrolled(&bank.gateway, "jeff").await;
    let (mut mine, mut eves) = (bank.browser(), bank.browser());
    let link = mine.asks("/bank/a", Some("jeff")).await;
    eves.asks("/bank/a", Some("eve")).await;
    approve(&bank.gateway, &phone, &link).await;
    let (cookie, foreign) = (mine.login_cookie().unwrap().clone(), eves.login_cookie().unwrap().clone());
    let middle = cookie.len() / 2;
    let flipped = if cookie.as_bytes()[middle] == b'A' { "B" } else { "A" };
    let changed = format!("{}{flipped}{}", &cookie[..middle], &cookie[middle + 1..]);
    let cut = cookie[..cookie.len() - 4].to_owned();
    let doubled = |other: &str| format!("{cookie}; sidegate-main.login={other}");
    for bad in [changed, cut, String::new(), "x".to_owned(), doubled(&foreign), doubled(&cookie), doubled("")] {
        let client = bank.gateway.public().cookie(&format!("sidegate-main.login={bad}"));
        let answer = client.get("/auth/oob").header(HTML.0, HTML.1).send().await.expect(401);
        let mut browser = bank.browser();
        browser.keep(&answer);
        assert_eq!(browser.session_cookie(), None, "{bad}");
    }
    // A cookie under another name of ours is no login, nor is that of a login a session.
    let client = bank.gateway.public().cookie(&format!("sidegate-main={cookie}; sidegate-other.login={cookie}"));
    client.get("/auth/oob").header(HTML.0, HTML.1).send().await.expect(401);
    mine.get("/auth/oob").await.expect(303);
}

#[tokio::test]
async fn a_page_of_another_site_can_not_ask() {
    let bank = Bank::open("").await;
    let page = bank.browser().get("/bank/a").await.expect(401).text();
    let form = [("isiwebuserid", "jeff"), ("return", &*hidden(&page))];
    let own = bank.gateway.public().base().to_owned();
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")]
    {
        let post = bank.gateway.public().post("/auth/oob").form(&form).header(HTML.0, HTML.1).header(name, value);
        let refused = post.send().await.expect(403);
        assert_eq!(refused.headers.get("set-cookie"), None);
        assert!(refused.text().contains("not sent from a page of this site"));
    }
    let post = bank.gateway.public().post("/auth/oob").form(&form).header(HTML.0, HTML.1).header("origin", &own);
    post.send().await.expect(303);
}

#[tokio::test]
async fn another_users_session_is_never_raised() {
    let bank = Bank::open("").await;
    let phone = Phone::enrolled(&bank.gateway, "jeff").await;
    let mut browser = bank.browser();
    let link = browser.asks("/bank/a", Some("jeff")).await;
    browser.log_in(&bank.gateway, "eve").await;
    let eves = browser.session_cookie().cloned().unwrap();
    browser.get("/bank/a").await.expect(200);
    let before = bank.told().0;
    approve(&bank.gateway, &phone, &link).await;
    browser.get("/auth/oob").await.expect(303);
    browser.get("/pay/x").await.expect(200);
    assert_ne!(bank.told().0, before, "it is a session of its own");
    let old = bank.gateway.public().cookie(&format!("sidegate-main={eves}"));
    old.get("/bank/a").send().await.expect(401);
}

#[tokio::test]
async fn a_step_up_by_anothers_phone_is_none() {
    let bank = Bank::open("").await;
    let eve = Phone::enrolled(&bank.gateway, "eve").await;
    Phone::enrolled(&bank.gateway, "jeff").await;
    let mut browser = bank.browser();
    browser.log_in(&bank.gateway, "jeff").await;
    let link = browser.asks("/pay/x", None).await;
    let handed_out = open_link(&bank.gateway, &link).await;
    let own = eve.assertion_under_any_policy(&handed_out);
    let refused = eve.post_authentication(&own).await.json();
    assert_ne!(refused["statusCode"], 1200, "{refused}");
    let page = browser.get("/auth/oob").await.expect(401).text();
    assert!(page.contains("was not approved on the phone"), "{page}");
    browser.get("/pay/x").await.expect(401);
    browser.get("/bank/a").await.expect(200);
}

#[tokio::test]
async fn an_approval_is_no_answer_to_a_login_elsewhere_nor_the_other_way_round() {
    let bank = Bank::open("").await;
    let phone = Phone::enrolled(&bank.gateway, "jeff").await;
    let mut browser = bank.browser();
    let link = browser.asks("/bank/a", Some("jeff")).await;
    let handed_out = open_link(&bank.gateway, &link).await;
    let body = serde_json::json!({"uafResponse": phone.assertion(&handed_out)});
    let refused = bank.gateway.public().uaf("/auth/fidouaf/authenticationresponse", &body).await;
    assert_eq!(refused.headers.get("set-cookie"), None);
    refused.uaf_code(1491);
    browser.get("/auth/oob").await.expect(200);
}
