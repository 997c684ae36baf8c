//! The same in a real browser.

use fantoccini::Locator;

use crate::support::approvals::{Bank, approve};
use crate::support::browser::Browser;
use crate::support::oob::payload;
use crate::support::phone::Phone;
use crate::support::wait;

#[tokio::test]
async fn the_page_goes_on_by_itself_when_the_phone_has_approved() {
    let bank = Bank::open("").await;
    let phone = Phone::enrolled(&bank.gateway, "jeff").await;
    let browser = Browser::open().await;
    let url = |path: &str| format!("{}{path}", bank.gateway.public().base());
    browser.go(&url("/bank/cart?item=7")).await;
    // Once by name, and once more by the session below.
    for (page, named) in [("/bank/cart?item=7", true), ("/pay/x", false)] {
        if named {
            browser.page.find(Locator::Css("input[name=isiwebuserid]")).await.unwrap().send_keys("jeff").await.unwrap();
        }
        let button = if named { "button[formaction]" } else { "form [type=submit]" };
        browser.page.find(Locator::Css(button)).await.unwrap().click().await.unwrap();
        browser.shows("Open this link on your phone").await;
        let link = wait::until("the link", wait::BOUND, async || {
            let link = browser.page.find(Locator::Css("a[href*=dispatchTokenResponse]")).await.ok()?;
            link.attr("href").await.ok()?
        })
        .await;
        bank.gateway.secrets().add("link", link.split_once("dispatchTokenResponse=").unwrap().1);
        bank.gateway.secrets().add("token", payload(&link)["nma_data"]["token"].as_str().unwrap());
        approve(&bank.gateway, &phone, &link).await;
        browser.shows(&format!("protected: GET {page} ")).await;
        assert_eq!(browser.url().await, url(page));
        if named {
            browser.go(&url("/auth/logout")).await;
            browser.page.find(Locator::Css("form [type=submit]")).await.unwrap().click().await.unwrap();
            wait::until("the session is gone", wait::BOUND, async || {
                browser.page.get_all_cookies().await.unwrap().is_empty().then_some(())
            })
            .await;
            browser.go(&url("/auth/login")).await;
            browser.log_in("jeff", bank.gateway.password("jeff")).await;
            browser.go(&url("/pay/x")).await;
        }
    }
    browser.close().await;
}
