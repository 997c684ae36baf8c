//! What happens to its user while a login waits for the phone.

use crate::support::approvals::{Bank, Visitor, approve, open_link};
use crate::support::gateway::Gateway;
use crate::support::phone::Phone;

async fn asked(bank: &Bank) -> (Phone, Visitor, String) {
    let phone = Phone::enrolled(&bank.gateway, "jeff").await;
    let mut browser = bank.browser();
    let link = browser.asks("/bank/a", Some("jeff")).await;
    (phone, browser, link)
}

async fn comes_to_nothing(browser: &mut Visitor) {
    let page = browser.get("/auth/oob").await.expect(401).text();
    assert!(page.contains("This login is over"), "{page}");
    assert_eq!((browser.login_cookie(), browser.session_cookie()), (None, None));
    browser.get("/bank/a").await.expect(401);
}

fn end_sessions(gateway: &Gateway) -> crate::support::http::Request {
    gateway.internal().call(http::Method::DELETE, "/nevisfido/admin/sessions?username=jeff")
}

#[tokio::test]
async fn an_end_of_all_sessions_ends_it() {
    let bank = Bank::open("").await;
    let phone = Phone::enrolled(&bank.gateway, "jeff").await;
    for after_the_approval in [false, true] {
        let mut browser = bank.browser();
        let link = browser.asks("/bank/a", Some("jeff")).await;
        if after_the_approval {
            approve(&bank.gateway, &phone, &link).await;
        }
        assert!(end_sessions(&bank.gateway).send().await.status < 300);
        if !after_the_approval {
            approve(&bank.gateway, &phone, &link).await;
        }
        comes_to_nothing(&mut browser).await;
    }
}

#[tokio::test]
async fn a_logout_of_the_browser_ends_it() {
    let bank = Bank::open("").await;
    let (phone, mut browser, link) = asked(&bank).await;
    browser.log_in(&bank.gateway, "jeff").await;
    let raised = browser.asks("/pay/x", None).await;
    assert_ne!(link, raised);
    browser.post("/auth/logout", &[]).await.expect(303);
    assert_eq!((browser.login_cookie(), browser.session_cookie()), (None, None), "nothing is left in the browser");
    approve(&bank.gateway, &phone, &raised).await;
    comes_to_nothing(&mut browser).await;
}

#[tokio::test]
async fn another_password_ends_it() {
    let bank = Bank::open("").await;
    let (phone, mut browser, link) = asked(&bank).await;
    let output = bank.gateway.command(&["user", "passwd", "jeff", "--password-stdin"], "another password of jeff");
    assert!(output.status.success(), "{output:?}");
    approve(&bank.gateway, &phone, &link).await;
    comes_to_nothing(&mut browser).await;
}

#[tokio::test]
async fn a_user_who_was_removed_is_not_logged_in() {
    let bank = Bank::open("").await;
    let (phone, mut browser, link) = asked(&bank).await;
    approve(&bank.gateway, &phone, &link).await;
    let output = bank.gateway.command(&["user", "remove", "jeff"], "");
    assert!(output.status.success(), "{output:?}");
    comes_to_nothing(&mut browser).await;
}

#[tokio::test]
async fn a_user_of_the_same_name_does_not_inherit_it() {
    let mut bank = Bank::open("").await;
    let (phone, mut browser, link) = asked(&bank).await;
    let handed_out = open_link(&bank.gateway, &link).await;
    assert!(bank.gateway.command(&["user", "remove", "jeff"], "").status.success());
    bank.gateway.add_user("jeff");
    let refused = phone.authenticate(&handed_out).await.json();
    assert_ne!(refused["statusCode"], 1200, "{refused}");
    browser.get("/auth/oob").await.expect(401);
    assert_eq!(browser.session_cookie(), None);
}

#[tokio::test]
async fn it_goes_with_the_key_that_approved_it() {
    let bank = Bank::open("").await;
    for before_it_is_told in [true, false] {
        let (mut phone, mut browser) = (Phone::new(&bank.gateway, "jeff"), bank.browser());
        phone.login_password().await;
        phone.register().await;
        phone.login_uaf().await;
        let link = browser.asks("/bank/a", Some("jeff")).await;
        approve(&bank.gateway, &phone, &link).await;
        if before_it_is_told {
            phone.deregister().await;
        }
        browser.get("/auth/oob").await.expect(303);
        if !before_it_is_told {
            browser.get("/bank/a").await.expect(200);
            phone.deregister().await;
        }
        browser.get("/bank/a").await.expect(401);
    }
}
